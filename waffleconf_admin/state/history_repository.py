"""HistoryRepository: the history of one app's settings in its database, as rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from flask import Flask

from ..contexts import quiet_context
from ..store import HistoryQuery, HistoryRow, Settlement, WaffleStore
from .names import NamedRows

#: Rows that are read at once.
BATCH = 1000


class HistoryRepository:
    """Reads and writes the history, and the ends of saves in it, inside the app's own context.

    Its callers have keys, whatever names the settings had when the rows were written. Each method
    raises a StoreError where the database can't be read or written just now.

    :param names: the former names.
    """

    def __init__(self, app: Flask, store: WaffleStore, names: NamedRows) -> None:
        self._app = app
        self._store = store
        self._names = names

    @property
    def exists(self) -> bool:
        """Whether there is a history at all."""
        return self._store.history is not None

    def read(self, query: HistoryQuery) -> list[HistoryRow]:
        """Return rows of the history, the newest first."""
        names = self._names
        if names and query.keys is not None:
            query = query._replace(keys=names.of(query.keys))
        with quiet_context(self._app):
            rows = self._store.read_history(query)
        return names.present(rows) if names else rows

    def note(self, rows: Sequence[HistoryRow]) -> None:
        """Add rows to the history; no setting is written."""
        with quiet_context(self._app):
            self._store.note_history(rows)

    def walk(self) -> Iterator[HistoryRow]:
        """Yield all rows of the history, read from where saves go, in batches."""
        before = None
        while True:
            rows = self.read(HistoryQuery(before=before, limit=BATCH, fresh=True))
            yield from rows
            if len(rows) < BATCH:
                return
            before = rows[-1].id

    def read_latest(self, keys: list[str]) -> list[HistoryRow]:
        """Return the last row of the history of each key that has one."""
        names = self._names
        with quiet_context(self._app):
            rows = self._store.read_latest(names.of(keys) if names else keys)
        if names:
            by_id = sorted(names.present(rows), key=lambda row: row.id)
            return list({row.key: row for row in by_id}.values())
        return rows

    def read_actors(self, keys: list[str] | None, limit: int) -> list[str]:
        """Return who made the last changes, of these settings or of all.

        :param limit: how many changes to read.
        """
        with quiet_context(self._app):
            return self._store.read_actors(None if keys is None else self._names.of(keys), limit)

    @property
    def keeps_ends(self) -> bool:
        """Whether saves can have an end."""
        return self._store.keeps_ends

    def read_ends(self, *, promptly: bool = False) -> list[HistoryRow]:
        """Return the rows of the history whose ends are open, in any order.

        :param promptly: as `read_promptly` reads.
        """
        with quiet_context(self._app):
            rows = self._store.read_ends(promptly=promptly)
        return self._names.present(rows) if self._names else rows

    def settle(self, settlement: Settlement) -> bool:
        """Settle ends, all or none; False: some of them are settled already."""
        with quiet_context(self._app):
            return self._store.settle(settlement)

    def now(self) -> datetime:
        """Return the time by the clock of the database, which all processes share."""
        with quiet_context(self._app):
            return datetime.fromtimestamp(self._store.clock(), UTC)

    def prune(self, until: datetime, limit: int) -> int:
        """Delete rows of the history from before a time; return how many."""
        with quiet_context(self._app):
            return self._store.prune_history(until, limit)
