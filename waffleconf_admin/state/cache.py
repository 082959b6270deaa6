"""Cache: one app's values in memory."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Mapping, MutableMapping

from ..exceptions import StoreError
from ..settings.equality import same
from ..settings.setting import Setting
from .record import Decoder, Record
from .repository import Repository, Texts

log = logging.getLogger(__name__)

#: Values of these types can be handed out again and again.
_IMMUTABLE = (bool, int, float, str, bytes, type(None))
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
        self._decoder = Decoder(repository)
        self.generation = 0
        self.values: Mapping[str, object] = {}
        self.loaded = False
        self._reads = itertools.count(1)
        self._last_read = 0  #: the number of the last read whose result was used
        self._settings: Mapping[str, Setting] = {}
        self._records: dict[str, Record] = {}
        self._configured: Mapping[str, object] = {}  #: what was last written to the configuration
        self.renew_lock()

    def renew_lock(self) -> None:
        """Use a new lock: that of the parent may be held in a forked child, and would stay so."""
        # Reentrant: what is logged under it may be handled by code that reads settings.
        self._lock = threading.RLock()

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Use new declarations. Until the next load, what has no stored value has its default."""
        with self._lock:
            texts = {key: record.text for key, record in self._records.items()}
            self._records = {}  # the types and defaults may be others now
            self._settings = settings
            self._decoder.declare(settings)
            self.values = {key: self.record(key, texts.get(key)).value for key in settings}
            for key, value in self.values.items():
                self._config.setdefault(key, value)
            self.loaded = False
            self.generation += 1
            assigned = self._assigned(self.values)
            self._configured = {key: self._config[key] for key in settings}
        if assigned:
            log.warning(
                "app.config has other values of %s than WAFFLE_CONFS declares; the stored or the "
                "declared ones will replace them. To make one the default, declare it: "
                '{"default": app.config[%r]}.',
                ", ".join(assigned),
                assigned[0],
            )

    # Reading the database

    def read(self, keys: list[str], *, fresh: bool = True) -> dict[str, Record]:
        """Return settings as they stand in the database, with one SELECT; memory stays as it is.

        :param keys: which; all are declared.
        :param fresh: read where saves write; else a replica will do, which may lag behind.
        :raises StoreError: the database can't be read.
        """
        repository = self._repository
        texts = (repository.read_fresh if fresh else repository.read)(keys)
        return {key: self.record(key, texts.get(key)) for key in keys}

    def load(self, *, promptly: bool = False) -> Changes:
        """Bring all settings up to what the database holds, and return what has changed.

        :param promptly: wait for a lock half a second at most.
        :raises StoreError: the database can't be read.
        """
        repository = self._repository
        read = repository.read_promptly if promptly else repository.read_fresh
        called = next(self._reads)
        while True:  # ends: the generation changes only when another load or save succeeds
            generation, keys, number = self.generation, list(self._settings), next(self._reads)
            texts = read(keys)
            changes = self.apply(generation, {key: texts.get(key) for key in keys})
            if changes is not None:
                self.loaded, self._last_read = True, number
                return changes
            if self.loaded and self._last_read > called:
                return {}  # another thread has read the database since this call

    def apply_save(self, generation: int, texts: Texts) -> Changes:
        """Bring what was just saved into memory, and return what has changed.

        :param generation: as it was before the save had read anything.
        :param texts: what the database holds now, of the settings that were read and written.
        """
        changes = self.apply(generation, texts)
        if changes is None:  # a load or another save came between: only the database knows
            try:
                return self.load()
            except StoreError as error:
                log.warning("Settings were saved, but reading them again failed: %s", error)
        while changes is None:
            changes = self.apply(self.generation, texts)
        return changes

    # What is in memory

    def records(self) -> dict[str, Record]:
        """Return the records in memory, in declared order."""
        known = self._records
        return {key: known.get(key) or self.record(key, None) for key in self._settings}

    def record(self, key: str, text: str | None) -> Record:
        """Return the record of a stored text: the one in memory, if its value can't have been
        changed in place.
        """
        known = self._records.get(key)
        if known is not None and known.text == text and type(known.value) in _IMMUTABLE:
            return known
        return self._decoder.record(key, text)

    def attention(self) -> tuple[str, ...]:
        """Return the keys whose rows have something wrong with them."""
        return tuple(key for key, record in self.records().items() if record.problem)

    def apply(self, generation: int, texts: Texts) -> Changes | None:
        """Bring stored texts that were read or written since *generation* into memory.

        :param texts: text by key, None where there is no row; keys left out stay as they are.
        :returns: what has changed; None when the generation has changed, and nothing was applied.
        """
        known = self._records
        fresh = {
            key: record
            for key, text in texts.items()
            if (record := self.record(key, text)) is not known.get(key)
        }
        # By text: two objects of a class without __eq__ are never equal.
        rewritten = [key for key in fresh if key not in known or known[key].text != fresh[key].text]
        with self._lock:
            if self.generation != generation:
                return None
            old = self.values
            new = dict(old)
            new.update((key, record.value) for key, record in fresh.items() if key in new)
            self._records.update((key, fresh[key]) for key in fresh.keys() & new.keys())
            assigned = self._assigned(new)
            self._config.update(new)
            self.values = self._configured = new
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
            if key in new and not same(old[key], new[key])
        }

    def _assigned(self, values: Mapping[str, object]) -> list[str]:
        """The keys that code of the app has given another value than *values* in its config."""
        return [
            key
            for key, value in values.items()
            if (now := self._config.get(key, value)) is not self._configured.get(key, _ABSENT)
            and not same(now, value)
        ]
