"""Repository: one app's settings in its database, as texts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial

from flask import Flask, has_app_context

from ..contexts import quiet_context
from ..exceptions import NotReadyError, StoreError
from ..store import (
    FormerRows,
    HistoryRow,
    Settlement,
    Swap,
    WaffleStore,
    WorkerRow,
)
from .codec import Codec
from .history_repository import HistoryRepository
from .names import NamedRows

log = logging.getLogger(__name__)


class Repository:
    """Reads and swaps stored texts inside the app's own context.

    Only this class, and its `history`, know that a setting may have rows of former names: their
    callers have keys. Each method raises a StoreError where the database can't be read or written
    just now.

    :param codec: what encodes and decodes the texts.
    """

    def __init__(self, app: Flask, store: WaffleStore, codec: Codec) -> None:
        self._app = app
        self._store = store
        self.codec = codec
        self.names = NamedRows(store)
        #: The history of the settings, in the same database.
        self.history = HistoryRepository(app, store, self.names)
        self._found_undeclared: list[str] | None = None
        self._location: object = None  # what the store says of its database
        self._moved = False

    @property
    def keeps_workers(self) -> bool:
        """Whether processes report what they have read."""
        return self._store.workers is not None

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
        """Return the texts of those keys that have a row, with one SELECT."""
        return self._read(self._store.read, keys)

    def read_fresh(self, keys: list[str]) -> dict[str, str]:
        """Return what `read` does, from where saves go: a replica may lag behind."""
        return self._read(self._store.read_fresh, keys, check=True)

    def load(self, keys: list[str], *, promptly: bool = False) -> dict[str, str]:
        """Return what `read_fresh` does, of all settings that are declared.

        The first time in a process its one SELECT reads all rows, and `undeclared` has the other
        keys.

        :param promptly: don't wait long for a lock, and leave no connection open.
        :raises NotReadyError: there is no table yet, or the app is not complete.
        """
        store = self._store
        read = store.read_promptly if promptly else store.read_fresh
        if self._found_undeclared is None:
            if store.lists_keys:
                with suppress(NotImplementedError):  # a subclass may have a `get` of its own
                    return self._read(partial(self._among, lambda: read(None)), keys, check=True)
            self._found_undeclared = []
        return self._read(read, keys, check=True)

    @property
    def undeclared(self) -> list[str]:
        """The keys of rows that the first load has found and nobody had declared then."""
        return self._found_undeclared or []

    def _among(
        self, read: Callable[[], Iterable[tuple[str, str]]], names: list[str]
    ) -> Iterable[tuple[str, str]]:
        """Read all rows, return those with these names, and note the names of the others."""
        found = dict(read())
        # A key that is no text, as SQLite lets another program write, is nobody's.
        self._found_undeclared = sorted(k for k in found.keys() - names if isinstance(k, str))
        return [(name, found[name]) for name in names if name in found]

    def read_all(self) -> dict[str, str]:
        """Return the texts of all rows, of keys that are not declared too.

        :raises StoreError: also where the store can't list its keys.
        """
        with quiet_context(self._app):
            try:
                found = self._store.read()
            except NotImplementedError as error:
                raise StoreError(str(error)) from error
        return {key: text for key, text in found if isinstance(key, str)}

    def catch_up(self) -> bool:
        """Give the present names what workers of an older release have saved; whether it did."""
        overtaken = list(self.names.overtaken)
        if overtaken:
            with suppress(StoreError):  # the next load tries again
                return self.keep_values(overtaken)
        return False

    def keep_values(self, keys: list[str]) -> bool:
        """Write the values of settings that only rows of former names have to the present names.

        :returns: whether anything was written; if others write these rows just now, nothing is.
        """
        with quiet_context(self._app):
            rows = dict(self._store.read_fresh(self.names.of(keys)))
            swaps = self.names.catch_up(keys, rows)
            written = bool(swaps) and self._store.swap(swaps)
            if written:
                self.names.note_written(swaps)
            return written

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
            found = dict(read(self.names.of(keys) if self.names else keys))
            if check:  # what could not be read came from nowhere
                self._check_location()
            return self.names.choose_texts(keys, found) if self.names else found

    def swap(
        self,
        swaps: Mapping[str, Swap],
        history: Sequence[HistoryRow] = (),
        ends: Sequence[Settlement] = (),
    ) -> bool:
        """Write new texts, if all that was seen is still so; False: it is not.

        :param swaps: by key; of what must stay as it is too, for the save was decided by it.
        :param history: what to add to the history with it.
        :param ends: what becomes of ends with it.
        :raises ConflictError: an end is settled already.
        """
        if not ends and not any(swap.writes for swap in swaps.values()):
            return True

        def write(by_name: Mapping[str, Swap]) -> bool:
            # A store of the app's own that keeps no history need not know of it.
            if ends:
                return self._store.swap(by_name, history, ends)
            return self._store.swap(by_name, history) if history else self._store.swap(by_name)

        return self._write(swaps, write)

    def rewrite(self, swaps: Mapping[str, Swap], rows: Sequence[HistoryRow]) -> bool:
        """Write new texts as `swap` does, and other texts of rows of the history."""
        return self._write(swaps, lambda by_name: self._store.rewrite(by_name, rows))

    def _write(
        self, swaps: Mapping[str, Swap], write: Callable[[Mapping[str, Swap]], bool]
    ) -> bool:
        """Write the rows of all names of settings, as `swap` does."""
        with quiet_context(self._app):
            self._check_location()
            if not self.names:
                return write(swaps)
            renamed = self.names.renamed(swaps)
            rows = dict(self._store.read_fresh(self.names.of(renamed))) if renamed else {}
            by_name = self.names.swaps(swaps, rows)
            if by_name is None or not write(by_name):
                return False
            self.names.note_written(by_name)
            return True

    def _check_location(self) -> None:
        """Warn once where values are of one database and are saved to another."""
        location = self._store.location()
        if self._location is None:
            self._location = location
        elif location not in (None, self._location) and not self._moved:
            self._moved = True
            log.warning(
                "The settings of this app are in more than one database. Perhaps a session, or a "
                "proxy, picks one for each tenant. An app has one set of settings, and each tenant "
                "gets the values of any. Keep them in one database, or make an app for each "
                "tenant: docs/databases.md shows how."
            )

    def former_rows(self) -> FormerRows | None:
        """Return the settings in the file where an older release of the ORM had the database.

        :raises StoreError: the app does not know its database.
        """
        with quiet_context(self._app):
            return self._store.former_rows(self._app.root_path, self._app.instance_path)

    def report_worker(self, row: WorkerRow, forget: datetime) -> None:
        """Write the row of a worker; the first one deletes those not seen since a time."""
        with quiet_context(self._app):
            self._store.report_worker(row, forget)

    def read_workers(self, since: datetime) -> list[WorkerRow]:
        """Return the rows of the workers that were seen since a time."""
        with quiet_context(self._app):
            return self._store.read_workers(since)
