"""WaffleStore: what every store can do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, NoReturn

from ..exceptions import StoreError
from ..models import WaffleMixin
from . import errors
from .history import HistoryQuery, HistoryRow

log = logging.getLogger(__name__)


class Swap(NamedTuple):
    """What a compare and swap does to one key; None: there is no row."""

    seen: str | None  #: the text that was read, and must still be there
    new: str | None  #: the text to write; the one seen, where it must only stay as it is


#: What a save does, by key.
Swaps = Mapping[str, Swap]
#: Stored texts by key; None: there is no row.
Texts = Mapping[str, str | None]


class CommitLost(Exception):
    """The connection was lost while a commit was under way."""


_DOCUMENTED = ("commit", "delete", "get", "put")

#: By which methods each of these does its work in `WaffleStore`.
_DONE_BY = {
    "read": _DOCUMENTED,
    "swap": _DOCUMENTED,
    "read_fresh": (*_DOCUMENTED, "read"),
    "read_at_once": (*_DOCUMENTED, "read", "read_fresh"),
}


class WaffleStore:
    """Keeps texts by key; subclasses know a database.

    ``commit``, ``delete``, ``get`` and ``put`` are all that a store of your own must have; they
    work on the caller's own session. ``read`` and ``swap`` are then done with them, one record
    after another. Such a store can't promise what the two stores of this package do: a save that
    fails half-way may leave half of it, of two writers at once the later may win, and what else
    waits in the caller's session is committed too. A subclass of those two that overrides one of
    the four, and not ``read`` and ``swap``, is such a store.

    :param db: the database, as its ORM's Flask extension gives it.
    :param model: the model that keeps the settings, usually with `WaffleMixin`.
    :param history: the model that keeps who changed what, usually with `WaffleChangeMixin`, in the
        same database. A store of your own that sets it has ``add_history``, ``read_history``,
        ``read_latest`` and ``prune_history`` too.
    """

    history: Any = None

    def __init__(self, db: Any = None, model: Any = None, history: Any = None) -> None:
        self.db = db
        self.model = model
        self.history = history
        self._odd: set[str] = set()
        # Of former processes: the garbage collector would close the parent's connections.
        self._inherited: list[Any] = []

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)

        def distance(name: str) -> int:
            return next(steps for steps, base in enumerate(cls.__mro__) if name in vars(base))

        # An own way to do a thing must not be bypassed by an inherited way to do more of it.
        for name, others in _DONE_BY.items():
            if min(map(distance, others)) < distance(name):
                setattr(cls, name, vars(WaffleStore)[name])

    def commit(self) -> None:
        """Commit to the database, where that is needed."""
        raise NotImplementedError(f"{type(self).__name__} needs commit()")

    def delete(self, key: str) -> Any:
        """Delete the record of a key and return it; None when there is none."""
        raise NotImplementedError(f"{type(self).__name__} needs delete(key)")

    def get(self, key: str) -> Any:
        """Return the record of a key; None when there is none."""
        raise NotImplementedError(f"{type(self).__name__} needs get(key)")

    def put(self, key: str, value: str) -> Any:
        """Insert or update the record of a key and return it."""
        raise NotImplementedError(f"{type(self).__name__} needs put(key, value)")

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        """Return ``(key, text)`` of the rows there are, in no order; reading changes nothing.

        :param keys: which; None is all, which a store of the four documented methods can't list
            (NotImplementedError).
        :raises StoreError: the database can't be read; the message says what to do.
        """
        if keys is None:
            raise NotImplementedError(
                f"{type(self).__name__} can't list its keys: name those to read"
            )
        found = []
        for key in keys:
            try:
                record = self.get(key)
                if record is not None:
                    found.append((key_of(record), text_of(record)))
            except Exception as error:
                self._fail(error)
        return found

    def read_fresh(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Return what `read` does, read where `swap` writes: a replica may lag behind.

        :raises StoreError: as `read` does.
        """
        return self.read(keys)

    def read_at_once(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        """Return what `read_fresh` does, without waiting for anybody's lock; for the first load.

        It runs in application contexts of all sorts, a migration's too, and in processes that will
        fork. So it keeps no connection open, and leaves models alone that are still being put
        together.

        :raises NotReadyError: there is no table, or the models are not complete.
        :raises StoreError: as `read` does; BusyError where it would have to wait.
        """
        return self.read_fresh(keys)

    def location(self) -> Any:
        """Return what tells the database that `swap` writes to, just here and now, from others.

        Never shown, for it may hold a password. None: not known.
        """
        return None

    def swap(self, changes: Swaps, history: Sequence[HistoryRow] = ()) -> bool:
        """Save all of the changes or none, if every row still is as it was seen.

        :param changes: ``{key: (text seen or None, new text or None)}``: None is no row. A key with
            both equal is not written but has to be as it was seen too, if any other is written.
        :param history: rows to add to the history in the same transaction; empty without one.
        :returns: False when somebody was faster: read again and decide again.
        :raises BusyError: the database is held by somebody else or by the caller's own transaction.
        :raises StoreError: it can't be written; the message says what to do.
        """
        writes = effective(changes)
        if not writes:
            return True
        stored = dict(self.read(list(changes)))
        if any(stored.get(key) != seen for key, (seen, _) in changes.items()):
            return False
        try:
            for key, (_, new) in writes.items():
                if new is None:
                    self.delete(key)
                else:
                    self.put(key, new)
            if history:
                self.add_history(history)
            self.commit()
        except Exception as error:
            self._fail(error, writes)
        return True

    def add_history(self, rows: Sequence[HistoryRow]) -> None:
        """Insert rows into the history, on the caller's own session, before ``commit``."""
        raise NotImplementedError(f"{type(self).__name__} needs add_history(rows)")

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Return rows of the history: by id from the highest, by time from the latest where the
        query asks for a range of times (`HistoryQuery.by_time`).

        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs read_history(query)")

    def read_latest(self, keys: Sequence[str]) -> list[HistoryRow]:
        """Return the last row of each key that has one, in no order, with one statement.

        Read where `swap` writes, for it says whether a save was overtaken.

        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs read_latest(keys)")

    def prune_history(self, until: datetime, limit: int) -> int:
        """Delete rows from before a moment, at most so many, and return how many.

        :param until: aware.
        :raises StoreError: the database can't be written, or would have to be waited for.
        """
        raise NotImplementedError(f"{type(self).__name__} needs prune_history(until, limit)")

    def in_memory(self) -> bool:
        """Whether the database lives on one connection of this process, of no use to a thread."""
        return False

    def after_fork(self) -> None:
        """Forget, in a forked child, the connections of the parent without closing them."""

    def _settle(self, changes: Swaps, attempt: Callable[[], bool]) -> bool:
        """Make sure of a save whose connection was lost in the commit, by doing it once more.

        Where the first commit is still under way its rows are locked, and this waits for it; where
        it arrived, they are no longer as they were seen.
        """
        try:
            if attempt():
                return True
            stored = dict(self.read_fresh(list(changes)))
            if all(stored.get(key) == new for key, (_, new) in changes.items()):
                return True
        except (CommitLost, StoreError) as error:
            raise StoreError(errors.UNKNOWN) from error
        raise StoreError(errors.UNKNOWN)

    def _still(self, watched: Texts, rows: Iterable[tuple[Any, Any]]) -> bool:
        """Whether rows that are not written hold what was seen."""
        found = dict(self._tidy(rows, watched))
        return all(found.get(key) == text for key, text in watched.items())

    def _taken(self, changes: Swaps) -> bool:
        """Whether a row that was absent is there now."""
        new = [key for key, (seen, _) in changes.items() if seen is None]
        return bool(new and self.read_fresh(new))

    def _fail(self, error: Exception, changes: Swaps | None = None) -> NoReturn:
        """Raise the StoreError that an error of the database means."""
        if isinstance(error, StoreError | NotImplementedError):
            raise error
        texts = [text for change in (changes or {}).values() for text in change]
        raise errors.explain(error, texts) from error

    def _tidy(
        self, rows: Iterable[tuple[Any, Any]], keys: Iterable[str] | None
    ) -> list[tuple[str, str]]:
        """One text a key, of just the keys asked for.

        A database may compare keys more loosely than Python does. Keys whose rows a comparison of
        texts can't tell apart (several rows, no text) are remembered: `swap` must lock those.
        """
        wanted = None if keys is None else set(keys)
        found: dict[str, str] = {}
        doubled = set()
        for key, stored in rows:
            if wanted is not None and key not in wanted:
                continue
            text = as_text(stored)
            if text is not stored:
                self._odd.add(key)
            if key in found:
                doubled.add(key)
                text = min(found[key], text)
            found[key] = text
        if new := sorted(doubled - self._odd):
            log.warning(
                "The table of the settings has several rows for %s: make its column 'key' unique. "
                "Saving a setting makes its rows equal.",
                ", ".join(new),
            )
        self._odd |= doubled
        return list(found.items())


def effective(changes: Swaps) -> dict[str, Swap]:
    """The changes that change something, in the one order that keeps writers from deadlocks."""
    return {key: change for key, change in sorted(changes.items()) if change[0] != change[1]}


def unchanged(changes: Swaps) -> Texts:
    """The texts that are not to be written, and have to stay as they were seen."""
    return {key: seen for key, (seen, new) in changes.items() if seen == new}


def decided_by_absent(changes: Swaps, watched: Texts) -> bool:
    """Whether rows that are not there decide about a save of others; no lock could hold them."""
    return bool(watched) and None in [*watched.values(), *(seen for seen, _ in changes.values())]


def by_kind(changes: Swaps) -> dict[str, list[dict[str, str | None]]]:
    """The changes as parameters of the statements ``update``, ``delete`` and ``insert``."""
    kinds: dict[str, list[dict[str, str | None]]] = {}
    for key, (seen, new) in changes.items():
        kind = "insert" if seen is None else "delete" if new is None else "update"
        kinds.setdefault(kind, []).append({"of_key": key, "seen": seen, "new": new})
    return kinds


def compared(changes: Swaps, records: Iterable[Any]) -> list[tuple[str, Any, str | None]] | None:
    """What to do to each record: ``(key, record or None, new text or None)``.

    None when a record isn't as it was seen. All records of a key are made equal.
    """
    found: dict[str, list[Any]] = {key: [] for key in changes}
    for record in records:
        found.get(key_of(record), []).append(record)
    if any(
        min(map(text_of, found[key]), default=None) != seen for key, (seen, _) in changes.items()
    ):
        return None
    return [
        (key, record, new) for key, (_, new) in changes.items() for record in found[key] or [None]
    ]


def as_text(stored: Any) -> str:
    """A stored value as text; what no store would write (NULL) counts as empty."""
    if isinstance(stored, bytes):  # a column of binary type
        return stored.decode("latin-1")
    return stored if isinstance(stored, str) else ""


def text_of(record: Any) -> str:
    """The stored text of a record."""
    return as_text(record.get_value() if hasattr(record, "get_value") else record.value)


def key_of(record: Any) -> str:
    """The name of the setting that a record holds."""
    return str(record.get_key() if hasattr(record, "get_key") else record.key)


def overrides(model: Any) -> bool:
    """Whether a model has its own idea of its key or value, so that its columns don't tell."""
    return any(
        getattr(model, name, original) is not original
        for name, original in (
            ("get_key", WaffleMixin.get_key),
            ("get_value", WaffleMixin.get_value),
        )
    )
