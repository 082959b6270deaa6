"""The connections and transactions of peewee that settings are read and saved on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import peewee
from flask import current_app, has_app_context
from playhouse.pool import MaxConnectionsExceeded

from ...exceptions import BusyError, NotReadyError
from .. import ends, errors, locks
from ..orm import Connections, T
from ..postgresql import Notifications, of_peewee

log = logging.getLogger(__name__)

# Any: peewee is not typed. What statements are executed on is the database, for it has one
# connection for each thread.

STAYS = (
    "A save inside atomic() has a connection of its own and stays if the test rolls back: run the "
    "test in store.join_transactions() (docs/testing.md)."
)


class PeeweeConnections(Connections[object]):
    """Connections to the database of a model.

    Each method leaves the thread's connection as it was: open or closed, in a transaction or not.
    """

    error_types = (peewee.PeeweeException, MaxConnectionsExceeded)
    integrity_error = peewee.IntegrityError

    def __init__(self, model: Any) -> None:
        self._model = model
        #: Whether a transaction of the caller's is joined, and not left alone.
        self.joins_caller = False
        # Of former processes: the garbage collector would close the parent's connections.
        self._inherited: list[object] = []

    @property
    def database(self) -> Any:
        """The model's database.

        :raises NotReadyError: it has none, or one that is not initialised yet.
        """
        database = self._model._meta.database
        while isinstance(database, peewee.Proxy):
            database = database.obj
        if database is None or database.database is None:
            raise NotReadyError(
                f"{self._model.__name__} has no database: name it in the model's Meta, and init() "
                "it, initialize() its DatabaseProxy, or call init_app() of its FlaskDB, before "
                "settings are read."
            )
        return database

    def read(self, work: Callable[[object], T], *, fresh: bool = False) -> T:
        database = self.database
        if database.is_closed():
            return _connected(database, lambda: work(database))
        if _is_in_transaction(database) and not self._joins(database):
            return _elsewhere(database, lambda: work(database))
        return work(database)

    def read_promptly(self, work: Callable[[object], T]) -> T:
        database = self.database
        if _is_in_transaction(database) and self._joins(database):
            return work(database)
        # A database in memory ends with its connection; elsewhere the process may be forked next.
        return _run(
            database,
            lambda: _in_transaction(database, work, wait=locks.FIRST_LOAD_WAIT),
            pooled=self.in_memory(),
        )

    def write(
        self, work: Callable[[object], T], *, wait: float | None = None, serializable: bool = False
    ) -> T:
        database = self.database
        if _is_in_transaction(database):
            if self.joins_caller:
                with database.atomic():
                    return work(database)
            if self._is_only_one(database):
                raise BusyError(errors.COMMIT_FIRST)
            if has_app_context() and current_app.testing:
                log.warning(STAYS)
            wait = locks.WAIT_BESIDE_CALLER if wait is None else wait
        begin = ("SERIALIZABLE",) if serializable else ()
        if dialect_of(database) == "sqlite":
            begin = ("IMMEDIATE",)  # the lock is taken first, so that it is waited for
        return _run(database, lambda: _in_transaction(database, work, *begin, wait=wait))

    def write_at_once(self, work: Callable[[object], T]) -> T:
        database = self.database
        if self._is_only_one(database):
            raise BusyError(errors.COMMIT_FIRST)
        return _run(database, lambda: _at_once(database, work))

    def renew(self, error: BaseException) -> bool:
        if not errors.is_connection_lost(error):
            return False
        database = self.database
        if not database.is_closed() and not database.in_transaction():
            _close_for_good(database)
            try:
                database.connect()
            except self.error_types as failure:
                errors.fail(failure)
        if hasattr(database, "close_idle"):
            database.close_idle()
        return True

    def may_truncate(self, connection: object) -> bool:
        return dialect_of(connection) == "mysql"

    def clock(self, connection: object) -> float:
        return ends.read_clock(dialect_of(connection), lambda text: _first_row(connection, text)[0])

    def location(self) -> object:
        database = self.database
        given = database.connect_params
        return str(database.database), *map(given.get, ("host", "port", "unix_socket"))

    def notifications(self) -> Notifications:
        return of_peewee(self.database, self.write)

    def in_memory(self) -> bool:
        database = self.database
        if dialect_of(database) != "sqlite":
            return False
        name = str(database.database)
        return name == "" or ":memory:" in name or "mode=memory" in name

    def after_fork(self) -> None:
        database = self.database
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

    def _joins(self, database: Any) -> bool:
        """Whether reads take part in a transaction of the caller's."""
        return self.joins_caller or self._is_only_one(database)

    def _is_only_one(self, database: Any) -> bool:
        """Whether no other thread can have a connection of its own."""
        return self.in_memory() or not database.thread_safe


def dialect_of(database: object) -> str:
    """Return the name of a database, as SQLAlchemy has it."""
    names = {peewee.SqliteDatabase: "sqlite", peewee.MySQLDatabase: "mysql"}
    return next((name for cls, name in names.items() if isinstance(database, cls)), "postgresql")


def _is_in_transaction(database: Any) -> bool:
    """Whether the thread has a transaction open."""
    if database.is_closed():
        return False
    # peewee does not know of a BEGIN by hand.
    raw = database.connection()
    return database.in_transaction() or bool(getattr(raw, "in_transaction", False))


def _run(database: Any, work: Callable[[], T], *, pooled: bool = True) -> T:
    """Run a function on a connection without an open transaction.

    :param pooled: whether a pool may keep a connection that is opened for this.
    """
    if database.is_closed():
        return _connected(database, work, pooled)
    return _elsewhere(database, work, pooled) if _is_in_transaction(database) else work()


def _elsewhere(database: Any, work: Callable[[], T], pooled: bool = True) -> T:
    """Run a function on another connection, which another thread has."""
    # One of SQLite's is of no use to other threads.
    pooled = pooled and dialect_of(database) != "sqlite"
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(_connected, database, work, pooled).result()


def _connected(database: Any, work: Callable[[], T], pooled: bool = True) -> T:
    database.connect()
    try:
        return work()
    finally:
        database.close() if pooled else _close_for_good(database)


def _close_for_good(database: Any) -> None:
    """Close the thread's connection, where a pool would keep it."""
    getattr(database, "manual_close", database.close)()


def _in_transaction(
    database: Any, work: Callable[[object], T], *begin: str, wait: float | None
) -> T:
    """Run a function in a transaction.

    :param begin: for ``atomic()``.
    :param wait: as `locks.transaction` takes it.
    """
    execute = partial(_first_row, database)
    with locks.transaction(database.atomic(*begin), dialect_of(database), execute, wait):
        return work(database)


def _at_once(database: Any, work: Callable[[object], T]) -> T:
    """Run a function that waits for no lock."""
    dialect = dialect_of(database)
    if dialect != "sqlite":
        return _in_transaction(database, work, wait=locks.NO_WAIT)
    with locks.limited(dialect, partial(_first_row, database), locks.NO_WAIT):
        return work(database)


def _first_row(database: Any, statement: str) -> Any:
    cursor = database.execute_sql(statement)
    return cursor.fetchone() if cursor.description else None
