"""OptionalMethods: what a store may do besides keeping texts: a history, ends of saves, workers,
notifications."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..exceptions import StoreError
from .history_rows import HistoryQuery, HistoryRow, Settlement
from .postgresql import Notifications
from .workers import WorkerRow

#: The methods that a store needs whose attribute is set.
_NEEDED = {
    "history": ("add_history", "read_history", "read_latest", "prune_history"),
    "keeps_ends": ("read_ends", "settle", "clock"),
    "workers": ("report_worker", "read_workers"),
}


class OptionalMethods:
    """The methods that a store of the app's own need not have; each says that it is missing."""

    #: The model of the history; None: there is none, and its methods are not called.
    history: object = None
    #: Whether saves can have an end: the history needs columns for that.
    keeps_ends: bool = False
    #: The model of the workers; None: there is none, and its methods are not called.
    workers: object = None

    def check_optional(self) -> None:
        """Check that the store has the methods for each attribute that it sets.

        :raises TypeError: it lacks some, which the message names.
        """
        cls = type(self)
        for attribute, names in _NEEDED.items():
            lacking = [n for n in names if getattr(cls, n) is getattr(OptionalMethods, n)]
            unset = getattr(OptionalMethods, attribute)
            if lacking and getattr(self, attribute) is not unset:
                raise TypeError(
                    f"{cls.__name__}: with {attribute} it needs {', '.join(lacking)}: write what "
                    "the docstrings of WaffleStore specify, or take the attribute out."
                )

    def add_history(self, rows: Sequence[HistoryRow]) -> None:
        """Insert rows into the history, on the caller's own session, before ``commit``."""
        raise NotImplementedError(f"{type(self).__name__} needs add_history(rows)")

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Return rows of the history, the newest first: by id, or by time (`HistoryQuery.by_time`).

        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs read_history(query)")

    def read_latest(self, keys: Sequence[str]) -> list[HistoryRow]:
        """Return the last row of each key that has one, in any order; rows of the source "deploy"
        don't count. A few statements will do for hundreds of keys, but not one for each key.

        It is read where `swap` writes, for an undo is decided by it.

        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs read_latest(keys)")

    def read_actors(self, keys: Sequence[str] | None, limit: int) -> list[str]:
        """Return who made the last changes, in any order; a store that can't say so returns none.

        :param keys: of these settings; None for all.
        :param limit: how many changes to read.
        :raises StoreError: the database can't be read.
        """
        return []

    def prune_history(self, until: datetime, limit: int) -> int:
        """Delete the oldest rows from before a time, and return how many. The last row of each key
        that has the source "deploy" stays: the next deployment compares with it.

        :param until: aware.
        :param limit: how many at most.
        :raises StoreError: the database can't be written, or would have to be waited for.
        """
        raise NotImplementedError(f"{type(self).__name__} needs prune_history(until, limit)")

    def report_worker(self, row: WorkerRow, forget: datetime) -> None:
        """Write the row of a worker, apart from any transaction, and wait for no lock. The first
        report of a worker also deletes the rows of workers that were seen before a time.

        :param forget: that time; aware.
        :raises StoreError: it can't be written just now.
        """
        raise NotImplementedError(f"{type(self).__name__} needs report_worker(row, forget)")

    def read_workers(self, since: datetime) -> list[WorkerRow]:
        """Return the rows of the workers that were seen at a time or later, in any order.

        :param since: aware.
        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs read_workers(since)")

    def read_ends(self, *, promptly: bool = False) -> list[HistoryRow]:
        """Return the rows of the history whose ends are open, in any order.

        :param promptly: as `read_promptly` reads; else as `read_fresh` does.
        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs read_ends()")

    def settle(self, settlement: Settlement) -> bool:
        """Settle ends, all or none; False: some of them are settled already.

        :raises StoreError: the database can't be written.
        """
        raise NotImplementedError(f"{type(self).__name__} needs settle(settlement)")

    def clock(self) -> float:
        """Return the seconds since 1970 by the clock that all processes share.

        :raises StoreError: the database can't be read.
        """
        raise NotImplementedError(f"{type(self).__name__} needs clock()")

    def notifications(self) -> Notifications:
        """Return how to LISTEN and NOTIFY where `swap` writes to; connects to nothing.

        :raises NotReadyError: that is not known just here and now.
        :raises StoreError: it can't be done in that database, or with its driver.
        """
        raise StoreError(f"{type(self).__name__} has no notifications(): set 'file' or 'redis'.")
