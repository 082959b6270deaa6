"""PeeweeWaffleStore: settings kept with peewee."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, TypeVar

import peewee
from playhouse.pool import MaxConnectionsExceeded

from ...exceptions import BusyError, NotReadyError
from .. import errors, locks, verify
from ..base import CommitLost, Swaps, Texts, decided_by_absent, effective, text_of, unchanged
from ..history import HistoryRow
from .connections import connected, drop, kind_of, transaction
from .history import PeeweeHistory
from .rows import Rows

_ERRORS = (peewee.PeeweeException, MaxConnectionsExceeded)

_T = TypeVar("_T")


class PeeweeWaffleStore(PeeweeHistory):
    """Keeps settings in a table of peewee.

    :param db: may be left out; the database is the model's own, a DatabaseProxy too.
    :param model: the model class.
    :param history: the model class that keeps who changed what; None: nothing is kept.
    """

    # The documented methods, on the caller's connection

    def commit(self) -> None:
        """Do nothing: peewee commits each statement, or at the end of the caller's ``atomic()``."""

    def delete(self, key: str) -> Any:
        record = self.get(key)
        if record is not None:
            record.delete_instance()
        return record

    def get(self, key: str) -> Any:
        # The collation may find a key that differs in case.
        records = (r for r in self.model.select().where(self.model.key == key) if r.key == key)
        return min(records, key=text_of, default=None)

    def put(self, key: str, value: str) -> Any:
        record = self.get(key)
        if record is None:
            return self.model.create(key=key, value=value)
        record.value = value
        record.save()
        return record

    # Many at once, apart from the caller's transaction

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        wanted = None if keys is None else list(keys)
        return self._tidy(self._ask(lambda database: self._rows.read(database, wanted)), wanted)

    def read_at_once(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        wanted = list(keys)
        pooled = self.in_memory()  # a database ends there; elsewhere the process may be forked next
        try:
            rows = self._apart(
                lambda database: self._rows.read(database, wanted),
                wait=locks.AT_ONCE,
                pooled=pooled,
            )
        except _ERRORS as error:
            self._fail(error)
        return self._tidy(rows, wanted)

    def location(self) -> Any:
        database = self._database
        given = database.connect_params
        return str(database.database), *map(given.get, ("host", "port", "unix_socket"))

    def swap(self, changes: Swaps, history: Sequence[HistoryRow] = ()) -> bool:
        writes = effective(changes)
        if not writes:
            return True
        attempt = partial(self._attempt, writes, unchanged(changes), history)
        try:
            return attempt()
        except CommitLost as lost:
            gone = lost.__cause__ or lost
            return self._settle(writes, lambda: self._renew(gone) and attempt())

    def _attempt(
        self,
        changes: Swaps,
        watched: Texts,
        history: Sequence[HistoryRow],
        refused: bool = False,
    ) -> bool:
        odd = bool(self._odd & changes.keys())
        committing = False

        def work(database: Any) -> bool:
            nonlocal committing
            if watched and not self._still(
                watched, self._rows.lock(database, sorted({*changes, *watched}))
            ):
                raise _Lost
            if not self._rows.swap(database, changes, odd):
                raise _Lost
            if history:
                self._changes.add(history)
            if isinstance(database, peewee.MySQLDatabase):
                found = self._tidy(self._rows.read(database, list(changes)), changes)
                verify.check(changes, dict(found))
                verify.check_history(history, self._changes.read)
            committing = True
            return True

        try:
            serializable = decided_by_absent(changes, watched)
            return self._apart(work, write=True, serializable=serializable)
        except _Lost:
            return False
        except peewee.IntegrityError as error:
            if self._taken(changes):
                return False
            if not refused:  # the row in our way may be gone again already
                return self._attempt(changes, watched, history, refused=True)
            self._fail(error, changes)
        except _ERRORS as error:
            if committing and errors.lost(error):
                raise CommitLost from error
            if self._renew(error) or errors.again(error):
                return False
            self._fail(error, changes)
        except Exception as error:  # the app's own, of a hook of its models
            self._fail(error, changes)

    def in_memory(self) -> bool:
        database = self._database
        if not isinstance(database, peewee.SqliteDatabase):
            return False
        name = str(database.database)
        return name == "" or ":memory:" in name or "mode=memory" in name

    def after_fork(self) -> None:
        database = self._database
        if self.in_memory():
            return
        pooled = [getattr(database, name, None) for name in ("_connections", "_in_use")]
        self._inherited += [database._state.conn, *pooled]
        database._state.reset()
        database._lock = threading.Lock()
        if pooled[0] is not None:
            database._connections, database._in_use = [], {}
            # Another thread of the parent's may have been connecting.
            database._pool_lock = threading.RLock()
            database._pool_available = threading.Condition(database._pool_lock)

    # The database and its connections

    @property
    def _database(self) -> Any:
        database = self.model._meta.database
        while isinstance(database, peewee.Proxy):
            database = database.obj
        if database is None or database.database is None:
            raise NotReadyError(
                f"{self.model.__name__} has no database: name it in the model's Meta, and init() "
                "it or initialize() its DatabaseProxy before settings are read."
            )
        return database

    def _ask(self, work: Callable[[Any], _T], write: bool = False, wait: float | None = None) -> _T:
        """Return what work gives; a StoreError says why it can't be done. It may be done twice."""
        try:
            try:
                return self._apart(work, write, wait)
            except _ERRORS as error:
                if not self._renew(error):
                    raise
                return self._apart(work, write, wait)
        except _ERRORS as error:
            self._fail(error)

    def _apart(
        self,
        work: Callable[[Any], _T],
        write: bool = False,
        wait: float | None = None,
        serializable: bool = False,
        pooled: bool = True,
    ) -> _T:
        """Work on a connection without an open transaction, and leave the thread's as it was.

        :param write: work writes, so it gets a transaction.
        :param wait: seconds for a lock, no longer; to write beside a transaction of the caller's
            never takes long.
        :param serializable: what the transaction reads has to stay so until it ends.
        :param pooled: False: a connection of our own is closed for good afterwards.
        """
        database = self._database

        def run() -> _T:
            if not write and wait is None:
                return work(database)
            with transaction(database, wait, serializable, write):
                return work(database)

        if database.is_closed():
            return connected(database, run, pooled)
        raw = database.connection()
        # A BEGIN by hand is unknown to peewee.
        if not (database.in_transaction() or getattr(raw, "in_transaction", False)):
            return run()
        if self.in_memory() or not database.thread_safe:
            if write:
                raise BusyError(errors.COMMIT_FIRST)
            return work(database)
        if write and wait is None:
            wait = locks.BESIDE
        # Another thread has another connection, but of SQLite's nobody else could use it.
        pooled = pooled and kind_of(database) != "sqlite"
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(connected, database, run, pooled).result()

    def _renew(self, error: BaseException) -> bool:
        """Replace the thread's connection if it is gone; False when the error is another one."""
        if not errors.lost(error):
            return False
        database = self._database
        if not database.is_closed() and not database.in_transaction():
            drop(database)
            try:
                database.connect()
            except _ERRORS as failure:
                self._fail(failure)
        if hasattr(database, "close_idle"):
            database.close_idle()
        return True

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self.model)


class _Lost(Exception):
    """Somebody else was faster."""
