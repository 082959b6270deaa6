"""Cache: one app's values in memory."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import Context
from functools import partial
from logging import ERROR, WARNING
from typing import Any, NamedTuple

from ..exceptions import InvalidValue, StoreError
from ..i18n import gettext
from ..settings.equality import same
from ..settings.setting import Served, Setting
from .repository import Repository, Texts

log = logging.getLogger(__name__)

#: Values of these types can be handed out again and again.
_IMMUTABLE = (bool, int, float, str, bytes, type(None))
_NOTHING = object()


class Record(NamedTuple):
    """One setting as it stands in the database."""

    text: str | None  #: the stored text; None: there is no row
    value: Any  #: what is served
    served: Served = "stored"  #: which that is: the stored value, a converted one, or the default
    problem: Callable[[], str] | None = None  #: says what is wrong with the row, to its reader

    def __repr__(self) -> str:
        return f"<Record: {self.served}>"  # the value may be a secret


#: What has changed: ``{key: (old value, new value)}``.
Changes = dict[str, tuple[Any, Any]]


class Cache:
    """The values that an app's views see; replaced as a whole, so a reader needs no lock.

    A generation number orders this process's saves and reloads: whoever does I/O notes it before
    and hands it back with what was read. When it has moved in between, what was read may be older
    than what is here, so it is refused and has to be read again. No lock is held during I/O.

    :param config: the app's configuration, kept equal to the values from the first load on.
    :param repository: the app's settings in the database.
    """

    def __init__(self, config: MutableMapping[str, Any], repository: Repository) -> None:
        self._config = config
        self._repository = repository
        self.generation = 0
        self.values: Mapping[str, Any] = {}
        self.loaded = False
        self._tickets = itertools.count(1)
        self._read_at = 0  #: the ticket of the last read that was taken up
        self._settings: Mapping[str, Setting] = {}
        self._records: dict[str, Record] = {}
        self._reported: dict[str, str] = {}
        self._written: dict[str, Any] = {}  #: what was put into the configuration last
        self.renew_lock()

    def renew_lock(self) -> None:
        """In a forked child: the parent's lock may have been held, and would stay so for ever."""
        self._lock = threading.Lock()

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Take up declarations: what has no stored value gets its default, until the next load."""
        with self._lock:
            texts = {key: record.text for key, record in self._records.items()}
            self._records = {}  # their defaults and types may be others now
            self._settings = settings
            self.values = {key: self.record(key, texts.get(key)).value for key in settings}
            for key, value in self.values.items():
                self._config.setdefault(key, value)
            self.loaded = False
            self.generation += 1
            assigned = self._assigned(self.values)
            self._written = {key: self._config[key] for key in settings}
        if assigned:
            log.warning(
                "app.config has other values of %s than WAFFLE_CONFS declares; the stored or the "
                "declared ones will replace them. To make one the default, declare it: "
                '{"default": app.config[%r]}.',
                ", ".join(assigned),
                assigned[0],
            )

    def _assigned(self, values: Mapping[str, Any]) -> list[str]:
        """The keys that have another value in the configuration than *values*, and not from us."""
        return [
            key
            for key, value in values.items()
            if (now := self._config.get(key, value)) is not self._written.get(key, _NOTHING)
            and not same(now, value)
        ]

    def records(self) -> dict[str, Record]:
        """Return what was last taken up, in declared order."""
        known = self._records
        return {key: known.get(key) or self.record(key, None) for key in self._settings}

    def record(self, key: str, text: str | None) -> Record:
        """Decode *text*, unless it is known already and its value can't have been changed."""
        known = self._records.get(key)
        if known is not None and known.text == text and type(known.value) in _IMMUTABLE:
            return known
        setting = self._settings.get(key)
        if setting is None:  # it was declared when it was read
            return Record(text, None, "default")
        if text is None:
            return Record(None, setting.copy_default(), "default")
        try:
            stored = self._repository.decode(text, key)
        except InvalidValue as error:
            record = Record(text, setting.copy_default(), "default", partial(gettext, str(error)))
            self._report(key, text, record, "can't be read")
            return record
        if setting.stored_problem(stored) is None:
            return Record(text, stored)
        value, served = setting.serve(stored)
        record = Record(text, value, served, lambda: setting.stored_problem(stored) or "")
        self._report(key, text, record, "does not fit what is declared")
        return record

    def attention(self) -> tuple[str, ...]:
        """Return the keys whose rows have something wrong with them."""
        return tuple(key for key, record in self.records().items() if record.problem)

    def _report(self, key: str, text: str, record: Record, what: str) -> None:
        """Log once what is wrong with a row; never its value."""
        if record.problem is None or self._reported.get(key) == text:
            return
        self._reported[key] = text
        log.log(
            ERROR if record.served == "default" else WARNING,
            "The stored value of %s %s (%s); %s is served and the row is left alone. Save the "
            "setting anew to replace it.",
            key,
            what,
            Context().run(record.problem),  # in no reader's language
            {"default": "its default", "converted": "a converted value"}.get(record.served, "it"),
        )

    def read(self, keys: list[str], *, fresh: bool = True) -> dict[str, Record]:
        """Return settings as they stand in the database, with one SELECT; memory stays as it is.

        :param keys: which; all are declared.
        :param fresh: read where saves write; else a replica will do, which may lag behind.
        :raises StoreError: the database can't be read.
        """
        repository = self._repository
        texts = (repository.read_fresh if fresh else repository.read)(keys)
        return {key: self.record(key, texts.get(key)) for key in keys}

    def load(self, *, at_once: bool = False) -> Changes:
        """Bring all settings up to what the database holds, and return what has changed.

        :param at_once: wait for no lock.
        :raises StoreError: the database can't be read.
        """
        read = self._repository.read_at_once if at_once else self._repository.read_fresh
        called = next(self._tickets)
        while True:  # ends: the generation only moves when somebody else gets through
            generation, keys, ticket = self.generation, list(self._settings), next(self._tickets)
            texts = read(keys)
            changes = self.apply(generation, {key: texts.get(key) for key in keys})
            if changes is not None:
                self.loaded, self._read_at = True, ticket
                return changes
            if self.loaded and self._read_at > called:
                return {}  # what is here was read by somebody else, after this call had begun

    def take_up(self, generation: int, texts: Texts) -> Changes:
        """Bring what was just saved into memory, and return what has changed.

        :param generation: as it was before the save had read anything.
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

    def apply(self, generation: int, texts: Texts) -> Changes | None:
        """Take up stored texts that were read, or written, since *generation*.

        :param texts: text by key, None where there is no row; keys left out stay as they are.
        :returns: what has changed; None when the generation has moved and nothing was taken up.
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
            self.values = self._written = new
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
