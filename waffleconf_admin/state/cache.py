"""Cache: one app's values in memory."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping

from ..exceptions import StoreError
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from .app_config import AppConfig, warn_of_replaced, warn_of_undeclared
from .copies import is_immutable
from .decoder import Decoder
from .records import Records
from .repository import Repository

log = logging.getLogger(__name__)

_ABSENT = object()

#: What has changed: ``{key: (old value, new value)}``.
Changes = dict[str, tuple[object, object]]


class Cache:
    """The values that an app's views read. They are replaced as a whole, so readers need no lock.

    A generation number orders the saves and reloads of a process. Read `generation` before I/O and
    pass it to `apply` afterwards. If it has changed meanwhile, what was read may be older than what
    is in memory: it is refused, and has to be read again. No lock is held during I/O.

    :param config: the app's configuration; has the same values from the first load on.
    :param repository: the app's settings in the database.
    """

    def __init__(self, config: MutableMapping[str, object], repository: Repository) -> None:
        self._config = AppConfig(config)
        self._repository = repository
        self._decoder = Decoder(repository.codec)
        self.generation = 0
        self.loaded = False
        self._reads = itertools.count(1)
        self._last_read = 0  #: the number of the last read whose result was used
        self._settings: Mapping[str, Setting] = {}
        self._records = Records({}, {}, {})  #: one for each setting
        self.renew_lock()

    @property
    def values(self) -> Mapping[str, object]:
        """The values of all settings."""
        return self._records.served

    def renew_lock(self) -> None:
        """Use a new lock: that of the parent may be held in a forked child, and would stay so."""
        # Reentrant: what is logged under it may be handled by code that reads settings.
        self._lock = threading.RLock()

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Use new declarations. Until the next load, what has no stored value has its default."""
        with self._lock:
            self._settings = settings
            self._decoder.declare(settings)
            # The types and defaults may be others now.
            former, texts = self._records.served, self._records.texts
            self._records = self._decoder.records({key: texts.get(key) for key in settings})
            self.loaded = False
            self.generation += 1
            assigned = self._config.declare(settings, former, self.values)
        warn_of_undeclared(assigned)

    def replace_decoder(self, replace: Callable[[Decoder], Decoder], keys: Iterable[str]) -> None:
        """Serve, in all threads, what another decoder makes of the stored texts.

        :param replace: returns the new decoder; if it raises, all stays as it is.
        :param keys: the settings of which it makes other records.
        """
        with self._lock:
            self._decoder = replace(self._decoder)
            texts = self._records.texts
            fresh = self._decoder.records({key: texts[key] for key in keys if key in texts})
            self._config.override(fresh.served)
            self._records = self._records.updated(fresh)
            self.generation += 1  # what is being read or saved just now has records of the former

    # Reading the database

    def read(self, keys: list[str], *, fresh: bool = True) -> Records:
        """Return settings as they stand in the database, with one SELECT; memory stays as it is.

        The caller may do with the values what it likes.

        :param keys: which; all are declared.
        :param fresh: read where saves write; else a replica will do, which may lag behind.
        :raises StoreError: the database can't be read.
        """
        repository = self._repository
        texts = (repository.read_fresh if fresh else repository.read)(keys)
        return self.own_records({key: texts.get(key) for key in keys})

    def load(
        self, *, promptly: bool = False, before_serving: Callable[[], bool] | None = None
    ) -> Changes:
        """Bring all settings up to what the database holds, and return what has changed.

        :param promptly: wait for a lock half a second at most.
        :param before_serving: called when the database was read; True: it has to be read again.
        :raises StoreError: the database can't be read.
        """
        called = next(self._reads)
        while True:  # ends: the generation changes only when another load or save succeeds
            generation, keys, number = self.generation, list(self._settings), next(self._reads)
            found = self._repository.load(keys, promptly=promptly)
            if before_serving and before_serving():
                found = self._repository.load(keys, promptly=promptly)
            texts = {key: found.get(key) for key in keys}
            fresh = self._decoder.records(self._unlike(self._records, texts, shared=True))
            changes = self.apply(generation, fresh, read=texts)
            if changes is not None:
                self.loaded, self._last_read = True, number
                return changes
            if self.loaded and self._last_read > called:
                return {}  # another thread has read the database since this call

    # What is in memory

    def records(self) -> Records:
        """Return the records in memory, in declared order."""
        return self._records

    def settings_and_records(self) -> tuple[int, Mapping[str, Setting], Records]:
        """Return the generation, and the settings and records that belong to it."""
        with self._lock:
            return self.generation, self._settings, self._records

    def own_records(self, texts: Mapping[str, str | None]) -> Records:
        """Return the records of stored texts, with values that nobody else can change in place."""
        known = self._records
        fresh = self._decoder.records(self._unlike(known, texts, shared=False))
        return fresh if len(fresh) == len(texts) else known.only(texts).updated(fresh)

    def shared_records(self, texts: Mapping[str, str | None]) -> tuple[Records, Records]:
        """Return the records of stored texts, with lists and dicts that views may be reading; and
        those of them that are not as they are in memory.
        """
        known = self._records
        fresh = self._decoder.records(self._unlike(known, texts, shared=True))
        there = known.only(texts)
        return there.updated(fresh) if fresh else there, fresh

    def written_records(
        self,
        settings: Mapping[str, Setting],
        encoded: Mapping[str, tuple[str, object]],
        gone: Iterable[str],
    ) -> Records:
        """Return the records of what a save writes.

        :param encoded: texts with their values.
        :param gone: the settings whose rows it deletes.
        """
        deleted = self._decoder.records(dict.fromkeys(gone))
        return deleted.updated(self._decoder.written(settings, encoded))

    def _unlike(
        self, known: Records, texts: Mapping[str, str | None], *, shared: bool
    ) -> dict[str, str | None]:
        """Those of stored texts that are not those in memory, or whose values can't be taken from
        there.

        :param shared: whether to take a list or a dict too, unless a view has changed it.
        """
        unlike: dict[str, str | None] = {}
        held, served = known.texts, known.served
        for key, text in texts.items():
            if held.get(key, _ABSENT) != text or not (
                is_immutable(served[key]) or (shared and self._decoder.is_unchanged(key, known))
            ):
                unlike[key] = text
        return unlike

    def attention(self) -> tuple[str, ...]:
        """Return the keys whose rows have something wrong with them."""
        others = self._records.others
        return tuple(key for key in self._settings if key in others and others[key].problem)

    def apply(
        self,
        generation: int,
        fresh: Records,
        read: Mapping[str, object],
        announced: Container[str] = (),
    ) -> Changes | None:
        """Bring what was read or written since *generation* into memory and the configuration.

        :param fresh: the records that are not those in memory.
        :param read: by key: all that was read; others stay as they are.
        :param announced: keys whose changes are left out of the result.
        :returns: what has changed; None when the generation has changed, and nothing was applied.
        """
        with self._lock:
            if self.generation != generation:
                return None
            known = self._records
            if not fresh.texts.keys() <= known.texts.keys():  # the others were declared once
                fresh = fresh.only(known.texts)
            # By text: two objects of a class without __eq__ are never equal.
            rewritten = [
                key
                for key, text in fresh.texts.items()
                if text != known.texts[key] and not _encrypted_anew(known.others, fresh.others, key)
            ]
            records = known.updated(fresh) if fresh else known
            old, new = known.served, records.served
            is_all = read.keys() == new.keys()
            served = new if is_all else {key: new[key] for key in read if key in new}
            assigned = self._config.replace(old, served)
            self._records = records
            self.generation += 1
        warn_of_replaced(assigned)
        return {
            key: (old[key], new[key])
            for key in rewritten
            if key not in announced and not same(old[key], new[key])
        }

    def apply_save(
        self, generation: int, read: Records, fresh: Records, written: Records
    ) -> Changes:
        """Bring what a save has read and written into memory, and return what else has changed.

        :param generation: as it was before the save had read anything.
        :param read: what it has read; of these *fresh* are not as they are in memory.
        """
        changes = self.apply(generation, fresh.updated(written), read.texts, written.texts)
        if changes is None:  # a load or another save came between: only the database knows
            try:
                changes = self.load()
            except StoreError as error:
                log.warning("Settings were saved, but reading them again failed: %s", error)
        while changes is None:
            generation = self.generation
            # The declarations may be others now.
            texts = read.updated(written).texts
            changes = self.apply(generation, self.own_records(texts), texts)
        return {key: pair for key, pair in changes.items() if key not in written.texts}


def _encrypted_anew(known: Mapping[str, Record], fresh: Mapping[str, Record], key: str) -> bool:
    """Whether the two texts of a setting are encryptions of the same one."""
    return (
        key in fresh
        and key in known
        and fresh[key].decrypted is not None
        and fresh[key].decrypted == known[key].decrypted
    )
