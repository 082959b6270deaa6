"""The connections and transactions of peewee that settings are read and saved on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, SupportsFloat

import peewee
from flask import current_app, has_app_context
from playhouse.pool import MaxConnectionsExceeded, PooledDatabase

from ...exceptions import BusyError, NotReadyError, StoreError
from .. import errors, locks
from ..connections import Connections
from ..instances import Model
from ..postgresql import Notifications, not_postgresql
from ..rows import T
from .transactions import (
    close_for_good,
    connected,
    dialect_of,
    elsewhere,
    execute,
    in_transaction,
    is_in_transaction,
    run,
    run_at_once,
)

log = logging.getLogger(__name__)

# Statements are executed on the database, for it has one connection for each thread.

STAYS = (
    "A save inside atomic() has a connection of its own and stays if the test rolls back: run the "
    "test in store.join_transactions() (docs/testing.md)."
)

#: What classes of databases lack, by their names: some of their modules import gevent.
_LACKS = {
    "SqliteQueueDatabase": "which has no transactions, for another thread writes later",
    "AsyncDatabaseMixin": "which is used with await only",
}


class PeeweeConnections(Connections[peewee.Database]):
    """Connections to the database of a model.

    Each method leaves the thread's connection as it was: open or closed, in a transaction or not.
    """

    error_types = (peewee.PeeweeException, MaxConnectionsExceeded)
    integrity_error = peewee.IntegrityError

    def __init__(self, model: Model) -> None:
        self._model = model
        #: The class of the database that is known to be fit.
        self._checked: type | None = None
        #: Whether a transaction of the caller's is joined, and not left alone.
        self.joins_caller = False
        # Of former processes: the garbage collector would close the parent's connections.
        self._inherited: list[object] = []

    @property
    def database(self) -> peewee.Database:
        """The model's database.

        :raises NotReadyError: it has none, or one that is not initialised yet.
        :raises StoreError: no save would be safe in it.
        """
        database = database_of(self._model)
        if database is None or database.database is None:
            raise NotReadyError(
                f"{self._model.__name__} has no database: name it in the model's Meta, and init() "
                "it, initialize() its DatabaseProxy, or call init_app() of its FlaskDB, before "
                "settings are read."
            )
        if type(database) is not self._checked:
            check_database(self._model)
            self._checked = type(database)
        return database

    def read(self, work: Callable[[peewee.Database], T], *, fresh: bool = False) -> T:
        database = self.database
        with locks.alone(_shared(database)):
            if database.is_closed():
                return connected(database, lambda: work(database))
            if is_in_transaction(database) and not self._joins(database):
                return elsewhere(database, lambda: work(database))
            return work(database)

    def read_promptly(self, work: Callable[[peewee.Database], T]) -> T:
        database = self.database
        with locks.alone(_shared(database)):
            if is_in_transaction(database) and self._joins(database):
                return work(database)
            # A database in memory ends with its connection; elsewhere the process may be forked.
            return run(
                database,
                lambda: in_transaction(database, work, wait=locks.FIRST_LOAD_WAIT),
                pooled=self.in_memory(),
            )

    def write(
        self,
        work: Callable[[peewee.Database], T],
        *,
        wait: float | None = None,
        serializable: bool = False,
    ) -> T:
        database = self.database
        with locks.alone(_shared(database)):
            if is_in_transaction(database):
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
            return run(database, lambda: in_transaction(database, work, *begin, wait=wait))

    def write_at_once(self, work: Callable[[peewee.Database], T]) -> T:
        database = self.database
        if self._is_only_one(database):
            raise BusyError(errors.COMMIT_FIRST)
        return run(database, lambda: run_at_once(database, work))

    def renew(self, error: BaseException) -> bool:
        if not errors.is_connection_lost(error):
            return False
        database = self.database
        if not database.is_closed() and not database.in_transaction():
            close_for_good(database)
            try:
                database.connect()
            except self.error_types as failure:
                errors.fail(failure)
        if hasattr(database, "close_idle"):
            database.close_idle()
        return True

    def dialect(self, connection: peewee.Database) -> str:
        return dialect_of(connection)

    def execute(self, connection: peewee.Database, statement: str) -> Sequence[SupportsFloat]:
        return execute(connection, statement)

    def location(self) -> object:
        database = self.database
        given = database.connect_params
        return str(database.database), *map(given.get, ("host", "port", "unix_socket"))

    def notifications(self) -> Notifications:
        database = self.database
        if not isinstance(database, peewee.PostgresqlDatabase):
            raise not_postgresql(type(database).__name__)
        # As the app connects, and without a place in its pool.
        pooled = isinstance(database, PooledDatabase)
        unpooled: Any = super(PooledDatabase, database) if pooled else database
        # Before peewee 4 there are no adapters, and the class of the database says it.
        classes = (*type(database).__mro__, *type(getattr(database, "_adapter", None)).__mro__)
        psycopg3 = any(cls.__name__.startswith("Psycopg3") for cls in classes)
        return Notifications(
            "psycopg" if psycopg3 else "psycopg2",
            lambda: unpooled._connect(),
            lambda sql, parameters: self.write(lambda at: at.execute_sql(sql, parameters)),
        )

    def in_memory(self) -> bool:
        database = self.database
        if dialect_of(database) != "sqlite":
            return False
        name = str(database.database)
        return name == "" or ":memory:" in name or "mode=memory" in name

    def after_fork(self) -> None:
        database: Any = self.database  # for what only peewee itself knows of it
        locks.forget_threads(database)
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

    def _joins(self, database: peewee.Database) -> bool:
        """Whether reads take part in a transaction of the caller's."""
        return self.joins_caller or self._is_only_one(database)

    def _is_only_one(self, database: peewee.Database) -> bool:
        """Whether no other thread can have a connection of its own."""
        return self.in_memory() or not database.thread_safe


def _shared(database: peewee.Database) -> peewee.Database | None:
    """Return the database, if all threads have one connection."""
    return None if database.thread_safe else database


def database_of(model: Model) -> peewee.Database | None:
    """Return the database of a model; None: it has none yet."""
    database: peewee.Database | None = model._meta.database
    while isinstance(database, peewee.Proxy):
        database = database.obj
    return database


def check_database(model: Model) -> None:
    """Check the database of a model, as far as it is known.

    :raises StoreError: no save would be safe in it.
    """
    names = [cls.__name__ for cls in type(database_of(model)).__mro__]
    for name in names:
        if name in _LACKS:
            raise StoreError(
                f"{model.__name__} has a {names[0]}, {_LACKS[name]}: give the models of the "
                "settings a database of their own, which may be the same file or server, such as "
                "PooledSqliteDatabase(path, check_same_thread=False, "
                'pragmas={"journal_mode": "wal"}).'
            )
