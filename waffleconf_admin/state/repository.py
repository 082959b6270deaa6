"""Repository: one app's settings in its database, as texts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from flask import Flask, has_app_context

from ..contexts import quiet_context
from ..exceptions import NotReadyError
from ..store import FormerRows, HistoryQuery, HistoryRow, Swap, WaffleStore
from .codec import Codec

log = logging.getLogger(__name__)

#: Rows of the history that are read at once.
BATCH = 1000

#: Stored texts by key; None: no row.
Texts = Mapping[str, str | None]


class Repository:
    """Reads and swaps stored texts inside the app's own context.

    :param codec: what encodes and decodes the texts.
    """

    def __init__(self, app: Flask, store: WaffleStore, codec: Codec) -> None:
        self._app = app
        self._store = store
        self.codec = codec
        self._location: object = None  # what the store says of its database
        self._moved = False

    def after_fork(self) -> None:
        """In a forked child: forget the parent's connections.

        :raises Exception: whatever the database's library raises.
        """
        if not has_app_context():
            # At the end of a context an app may remove the session of the thread, and with it roll
            # back what the parent has begun: so none is pushed where that will do.
            with suppress(RuntimeError, NotReadyError):
                return self._store.after_fork()
        with quiet_context(self._app):
            self._store.after_fork()

    def in_memory(self) -> bool:
        """Whether no other process can have this database.

        :raises Exception: whatever the database's library raises, before it is set up say.
        """
        with quiet_context(self._app):
            return self._store.in_memory()

    def read(self, keys: list[str]) -> dict[str, str]:
        """Return the texts of those keys that have a row, with one SELECT.

        :raises StoreError: the database can't be read.
        """
        return self._read(self._store.read, keys)

    def read_fresh(self, keys: list[str]) -> dict[str, str]:
        """Return what `read` does, from where saves go: a replica may lag behind.

        :raises StoreError: the database can't be read.
        """
        return self._read(self._store.read_fresh, keys, check=True)

    def read_all(self) -> dict[str, str]:
        """Return the texts of all rows, of keys that are not declared too.

        :raises NotImplementedError: the store can't list its keys.
        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return dict(self._store.read())

    def read_promptly(self, keys: list[str]) -> dict[str, str]:
        """Return what `read_fresh` does, without waiting long for a lock or leaving a
        connection open.

        :raises NotReadyError: there is no table yet, or the app is not complete.
        :raises StoreError: the database can't be read just now.
        """
        return self._read(self._store.read_promptly, keys, check=True)

    def _read(
        self,
        read: Callable[[list[str]], Iterable[tuple[str, str]]],
        keys: list[str],
        *,
        check: bool = False,
    ) -> dict[str, str]:
        if not keys:
            return {}
        with quiet_context(self._app):
            found = dict(read(keys))
            if check:  # what could not be read came from nowhere
                self._check_location()
            return found

    def swap(self, swaps: Mapping[str, Swap], history: Sequence[HistoryRow] = ()) -> bool:
        """Write new texts, if all that was seen is still so; False: it is not.

        :param swaps: by key; of what must stay as it is too, for the save was decided by it.
        :param history: what to add to the history with it.
        :raises StoreError: the database can't be written.
        """
        if all(seen == new for seen, new in swaps.values()):
            return True
        with quiet_context(self._app):
            # A store of the app's own that keeps no history need not know of it.
            return self._store.swap(swaps, history) if history else self._store.swap(swaps)

    def _check_location(self) -> None:
        """Warn once where values are of one database and are saved to another."""
        location = self._store.location()
        if self._location is None:
            self._location = location
        elif location not in (None, self._location) and not self._moved:
            self._moved = True
            log.warning(
                "The settings of this app are in more than one database: a session, or a proxy, "
                "that picks one for each tenant? They are one set an app, and each tenant gets the "
                "values of any. Keep them in one database, or make an app for each tenant: "
                "docs/databases.md shows how."
            )

    def former_rows(self) -> FormerRows | None:
        """Return the settings in the file where an older release of the ORM had the database.

        :raises StoreError: the app does not know its database.
        """
        with quiet_context(self._app):
            return self._store.former_rows(self._app.root_path, self._app.instance_path)

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Return rows of the history, the newest first.

        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return self._store.read_history(query)

    def note_history(self, rows: Sequence[HistoryRow]) -> None:
        """Add rows to the history; no setting is written.

        :raises StoreError: the database can't be written.
        """
        with quiet_context(self._app):
            self._store.note_history(rows)

    def walk_history(self) -> Iterator[HistoryRow]:
        """Yield all rows of the history, read from where saves go, in batches.

        :raises StoreError: the database can't be read.
        """
        before = None
        while True:
            rows = self.read_history(HistoryQuery(before=before, limit=BATCH, fresh=True))
            yield from rows
            if len(rows) < BATCH:
                return
            before = rows[-1].id

    def read_latest(self, keys: list[str]) -> list[HistoryRow]:
        """Return the last row of the history of each key that has one.

        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return self._store.read_latest(keys)

    def read_actors(self, keys: list[str] | None, limit: int) -> list[str]:
        """Return who made the last changes, of these settings or of all.

        :param limit: how many changes to read.
        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return self._store.read_actors(keys, limit)

    def prune_history(self, until: datetime, limit: int) -> int:
        """Delete rows of the history from before a time; return how many.

        :raises StoreError: the database can't be written just now.
        """
        with quiet_context(self._app):
            return self._store.prune_history(until, limit)

    def rewrite(self, swaps: Mapping[str, Swap], rows: Sequence[HistoryRow]) -> bool:
        """Write new texts as `swap` does, and other texts of rows of the history.

        :raises StoreError: the database can't be written.
        """
        with quiet_context(self._app):
            self._check_location()
            return self._store.rewrite(swaps, rows)
