"""Cache: one app's values in memory."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping

from ..codec.encryption import is_encrypted
from ..exceptions import StoreError
from ..settings.equality import same
from ..settings.setting import Setting
from .record import Decoder, Record
from .repository import Repository
from .values import is_immutable

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
        self._config = config
        self._repository = repository
        self._decoder = Decoder(repository.codec)
        self.generation = 0
        self.values: Mapping[str, object] = {}
        self.loaded = False
        self._reads = itertools.count(1)
        self._last_read = 0  #: the number of the last read whose result was used
        self._settings: Mapping[str, Setting] = {}
        self._records: dict[str, Record] = {}  #: one for each setting
        #: Values that the configuration had before the settings were declared, until the next load.
        self._found: Mapping[str, object] = {}
        self.renew_lock()

    def renew_lock(self) -> None:
        """Use a new lock: that of the parent may be held in a forked child, and would stay so."""
        # Reentrant: what is logged under it may be handled by code that reads settings.
        self._lock = threading.RLock()

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Use new declarations. Until the next load, what has no stored value has its default."""
        with self._lock:
            texts = {key: record.text for key, record in self._records.items()}
            self._settings = settings
            self._decoder.declare(settings)
            # The types and defaults may be others now.
            self._records = {key: self._decoder.record(key, texts.get(key)) for key in settings}
            former, self.values = self.values, {k: r.value for k, r in self._records.items()}
            for key, value in self.values.items():
                self._config.setdefault(key, value)
                if settings[key].environment is not None:
                    self._config[key] = value
            self.loaded = False
            self.generation += 1
            assigned = self._assigned(former, self.values)
            self._found = {
                key: self._config[key]
                for key, value in self.values.items()
                if self._config[key] is not value
            }
        if assigned:
            log.warning(
                "app.config has other values of %s than WAFFLE_CONFS declares; the stored or the "
                "declared ones will replace them. To make one the default, declare it: "
                '{"default": app.config[%r]}.',
                ", ".join(assigned),
                assigned[0],
            )

    def replace_decoder(self, replace: Callable[[Decoder], Decoder], keys: Iterable[str]) -> None:
        """Serve, in all threads, what another decoder makes of the stored texts.

        :param replace: returns the new decoder; if it raises, all stays as it is.
        :param keys: the settings of which it makes other records.
        """
        with self._lock:
            self._decoder = replace(self._decoder)
            known = self._records
            fresh = {k: self._decoder.record(k, known[k].text) for k in keys if k in known}
            served = {key: record.value for key, record in fresh.items()}
            self._config.update(served)
            self._records.update(fresh)
            self.values = {**self.values, **served}
            self.generation += 1  # what is being read or saved just now has records of the former

    # Reading the database

    def read(self, keys: list[str], *, fresh: bool = True) -> dict[str, Record]:
        """Return settings as they stand in the database, with one SELECT; memory stays as it is.

        The caller may do with the values what it likes.

        :param keys: which; all are declared.
        :param fresh: read where saves write; else a replica will do, which may lag behind.
        :raises StoreError: the database can't be read.
        """
        repository = self._repository
        texts = (repository.read_fresh if fresh else repository.read)(keys)
        return {key: self.record(key, texts.get(key)) for key in keys}

    def read_shared(self, keys: list[str]) -> dict[str, Record]:
        """Return what `read` does, for a save: views may be reading the same lists and dicts.

        :raises StoreError: the database can't be read.
        """
        texts = self._repository.read_fresh(keys)
        return {key: self._shared(key, texts.get(key)) for key in keys}

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
            texts = self._repository.load(keys, promptly=promptly)
            if before_serving and before_serving():
                texts = self._repository.load(keys, promptly=promptly)
            changes = self.apply(generation, {k: self._shared(k, texts.get(k)) for k in keys})
            if changes is not None:
                self.loaded, self._last_read = True, number
                return changes
            if self.loaded and self._last_read > called:
                return {}  # another thread has read the database since this call

    # What is in memory

    def records(self) -> dict[str, Record]:
        """Return the records in memory, in declared order."""
        return dict(self._records)

    def settings_and_records(self) -> tuple[int, Mapping[str, Setting], dict[str, Record]]:
        """Return the generation, and the settings and records that belong to it."""
        with self._lock:
            return self.generation, self._settings, dict(self._records)

    def record(self, key: str, text: str | None) -> Record:
        """Return the record of a stored text, with a value that nobody else can change in place."""
        known = self._records.get(key)
        if known is not None and known.text == text and is_immutable(known.value):
            return known
        return self._decoder.record(key, text)

    def record_of(self, setting: Setting, text: str, stored: object) -> Record:
        """Return the record of a stored text whose value is known."""
        record = self._decoder.record_of(setting, text, stored)
        if setting.secret and is_encrypted(text):
            record = record._replace(decrypted=self._repository.codec.decrypt(text))
        return record

    def _shared(self, key: str, text: str | None) -> Record:
        """The record in memory of a stored text; a new one where a view has changed its value."""
        known = self._records.get(key)
        if known is not None and known.text == text and self._decoder.is_unchanged(key, known):
            return known
        return self._decoder.record(key, text)

    def is_modified(self) -> bool:
        """Return whether a stored value differs from its default."""
        stored = ((key, record.behind or record) for key, record in self._records.items())
        return any(not same(record.value, self._settings[key].default) for key, record in stored)

    def attention(self) -> tuple[str, ...]:
        """Return the keys whose rows have something wrong with them."""
        return tuple(key for key, record in self._records.items() if record.problem)

    def apply(
        self, generation: int, records: Mapping[str, Record], announced: Container[str] = ()
    ) -> Changes | None:
        """Bring what was read or written since *generation* into memory and the configuration.

        :param records: by key; keys left out stay as they are.
        :param announced: keys whose changes are left out of the result.
        :returns: what has changed; None when the generation has changed, and nothing was applied.
        """
        with self._lock:
            if self.generation != generation:
                return None
            known, old = self._records, self.values
            fresh = {key: r for key, r in records.items() if known.get(key, r) is not r}
            # By text: two objects of a class without __eq__ are never equal.
            rewritten = [
                key
                for key, r in fresh.items()
                if r.text != known[key].text
                # It may be another encryption of the same text.
                and (r.decrypted is None or r.decrypted != known[key].decrypted)
            ]
            new = {**old, **{key: record.value for key, record in fresh.items()}} if fresh else old
            served = {key: new[key] for key in records if key in new}
            assigned = self._assigned(old, served)
            self._config.update(served)
            self._found = {key: v for key, v in self._found.items() if key not in served}
            self._records.update(fresh)
            self.values = new
            self.generation += 1
        if assigned:
            log.warning(
                "What was assigned to app.config for %s is replaced by the stored or the declared "
                "value. To change a setting, in a test too, save it: state.update_db({%r: …}).",
                ", ".join(assigned),
                assigned[0],
            )
        return {
            key: (old[key], new[key])
            for key in rewritten
            if key not in announced and not same(old[key], new[key])
        }

    def apply_save(
        self, generation: int, read: Mapping[str, Record], written: Mapping[str, Record]
    ) -> Changes:
        """Bring what a save has read and written into memory, and return what else has changed.

        :param generation: as it was before the save had read anything.
        """
        records = {**read, **written}
        changes = self.apply(generation, records, announced=written)
        if changes is None:  # a load or another save came between: only the database knows
            try:
                changes = self.load()
            except StoreError as error:
                log.warning("Settings were saved, but reading them again failed: %s", error)
        while changes is None:
            generation = self.generation
            # The declarations may be others now.
            anew = {key: self.record(key, record.text) for key, record in records.items()}
            changes = self.apply(generation, anew)
        return {key: pair for key, pair in changes.items() if key not in written}

    def _assigned(self, former: Mapping[str, object], values: Mapping[str, object]) -> list[str]:
        """The keys that code of the app has given another value than *values* in its config.

        :param former: the values that were last written to it.
        """
        return [
            key
            for key, value in values.items()
            if (now := self._config.get(key, value)) is not former.get(key, _ABSENT)
            and now is not self._found.get(key, _ABSENT)
            and not same(now, value)
        ]
