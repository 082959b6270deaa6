"""The connections and transactions of SQLAlchemy that settings are read and saved on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import SupportsFloat, cast

import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.pool import SingletonThreadPool

from ...exceptions import BusyError, NotReadyError
from .. import errors, locks
from ..connections import Connections
from ..instances import Model
from ..postgresql import Notifications, not_postgresql
from ..rows import T
from ..swaps import Swaps
from .rows import AlchemyRows
from .transactions import autocommitted, execute, joined, transaction
from .workers import AlchemyWorkers


class AlchemyConnections(Connections[sa.Connection]):
    """Connections to where the app's own session reads and writes.

    :param db: what `AlchemyWaffleStore` takes.
    :param rows: whose statements the session is asked for a bind with.
    """

    error_types = (sa.exc.SQLAlchemyError,)
    integrity_error = sa.exc.IntegrityError

    def __init__(self, db: object, rows: AlchemyRows | AlchemyWorkers) -> None:
        self._db = db
        self._rows = rows
        # Of former processes: the garbage collector would close the parent's connections.
        self._inherited: list[sa.Pool] = []

    def read(self, work: Callable[[sa.Connection], T], *, fresh: bool = False) -> T:
        bind = self.bind(write=fresh)
        with locks.alone(_shared(bind)):
            if isinstance(bind, sa.Connection):
                with joined(bind):
                    return work(bind)
            if _is_only_one(bind) and self._is_open(bind):
                # Any other use of the one connection would roll back what the caller has flushed.
                session = self._session() or sessions_of(self._db)()
                return work(session.connection(bind_arguments={"bind": bind}))
            with bind.connect() as connection:
                return work(connection)

    def read_promptly(self, work: Callable[[sa.Connection], T]) -> T:
        if not self._rows.is_ready():
            raise NotReadyError("The app's models are not complete yet, so none can be read.")
        bind = self.bind(write=True)
        if isinstance(bind, sa.Connection) or _is_only_one(bind):
            return self.read(work, fresh=True)
        with self._connect_or_replica(bind) as connection:
            connection.detach()  # it is closed for good afterwards; the process may be forked
            with transaction(connection, locks.FIRST_LOAD_WAIT):
                return work(connection)

    def write(
        self,
        work: Callable[[sa.Connection], T],
        *,
        wait: float | None = None,
        serializable: bool = False,
    ) -> T:
        bind = self.bind(write=True)
        with locks.alone(_shared(bind)):
            if isinstance(bind, sa.Connection):
                with joined(bind, write=True, serializable=serializable):
                    return work(bind)
            if self._is_open(bind):
                if _is_only_one(bind):
                    raise BusyError(errors.COMMIT_FIRST)
                wait = locks.WAIT_BESIDE_CALLER if wait is None else wait
            with bind.connect() as connection, transaction(connection, wait, serializable):
                return work(connection)

    def write_at_once(self, work: Callable[[sa.Connection], T]) -> T:
        bind = self.bind(write=True)
        if isinstance(bind, sa.Connection) or _is_in_memory(bind):
            raise BusyError(errors.COMMIT_FIRST)
        with locks.alone(_shared(bind), wait=0):
            if _is_only_one(bind) and self._is_open(bind):
                raise BusyError(errors.COMMIT_FIRST)
            with bind.connect() as connection:
                if connection.dialect.name != "sqlite":
                    with transaction(connection, locks.NO_WAIT):
                        return work(connection)
                limit = locks.limited("sqlite", partial(execute, connection), locks.NO_WAIT)
                with limit, autocommitted(connection):
                    return work(connection)

    def renew(self, error: BaseException) -> bool:
        return bool(getattr(error, "connection_invalidated", False))  # SQLAlchemy renews its pool

    def dialect(self, connection: sa.Connection) -> str:
        return connection.dialect.name

    def execute(self, connection: sa.Connection, statement: str) -> Sequence[SupportsFloat]:
        return execute(connection, statement)

    def location(self) -> object:
        bind = self.bind(write=True)
        url, schemas = bind.engine.url, bind.get_execution_options().get("schema_translate_map")
        return url.host, url.port, url.database, url.query, schemas

    def notifications(self) -> Notifications:
        return notifications_of(self.bind(write=True).engine)

    def in_memory(self) -> bool:
        return _is_in_memory(self.bind(write=True))

    def after_fork(self) -> None:
        for engine in {self.bind().engine, self.bind(write=True).engine}:
            locks.forget_threads(engine.pool)
            if not _is_in_memory(engine):
                self._inherited.append(engine.pool)
                engine.dispose(close=False)
                if engine.dialect.server_version_info is None:
                    sa.event.listen(engine, "engine_connect", _initialize_again)

    def bind(self, *, write: bool = False) -> sa.Engine | sa.Connection:
        """Return where the app's own session reads from, or writes to.

        :raises NotReadyError: nowhere, in this context.
        """
        rows = self._rows
        try:
            session = self._session() or sessions_of(self._db).session_factory()
            flushing = session._flushing
            try:
                # Recipes that send reading to a replica check this, and the statement.
                session._flushing = write or flushing
                clause = rows.lock_by_update if write else rows.select
                return session.get_bind(mapper=rows.mapper, clause=clause)
            finally:
                session._flushing = flushing
        except Exception as error:
            raise NotReadyError(
                f"The app's session names no database for the settings ({errors.describe(error)})."
            ) from error

    def expire(self, model: Model, key_name: str, swaps: Swaps) -> None:
        """Make the caller's session reload instances that a save has written, unless it has
        changed them itself.

        :param key_name: what the model calls its column of keys.
        """
        session = self._session()
        if session is None:
            return
        for instance in list(session.identity_map.values()):
            if isinstance(instance, model):
                state = sa.inspect(instance)
                seen, new = swaps.get(state.dict.get(key_name), (None, None))
                if seen != new and not state.modified:
                    session.expire(instance)

    def _session(self) -> orm.Session | None:
        """Return the caller's session, if there is one already."""
        sessions = sessions_of(self._db)
        if not isinstance(sessions, orm.scoped_session):
            return sessions
        return sessions() if sessions.registry.has() else None

    def _is_open(self, bind: sa.Engine) -> bool:
        """Whether the caller has a transaction open; with one shared connection, anybody."""
        session, raw = self._session(), None
        # session.connection() would take one from the pool, and begin, where there is none yet.
        held = getattr(session and session.get_transaction(), "_connections", {}).get(bind)
        if held and not (held[0].closed or held[0].invalidated):
            raw = held[0].connection.dbapi_connection
        elif isinstance(bind.pool, sa.StaticPool) and bind.dialect.name == "sqlite":
            raw = bind.pool.connection.dbapi_connection
        # sqlite3 begins with the first write; other drivers with the first statement.
        return bool(raw is not None and getattr(raw, "in_transaction", True))

    def _connect_or_replica(self, primary: sa.Engine) -> sa.Connection:
        """Connect to where saves write or, if that can't be reached, to where the app reads."""
        try:
            return primary.connect()
        except sa.exc.DBAPIError:
            replica = self.bind()
            if replica.engine is primary:
                raise
            return replica.engine.connect()


def sessions_of(db: object) -> orm.scoped_session[orm.Session]:
    """Return the ``scoped_session`` of an app; or its session, which has the same methods."""
    return cast("orm.scoped_session[orm.Session]", getattr(db, "session", db))


def notifications_of(engine: sa.Engine) -> Notifications:
    """Return the notifications of the database of an engine.

    :raises StoreError: it is no PostgreSQL, or its driver can't wait for notifications.
    """
    if engine.dialect.name != "postgresql":
        raise not_postgresql(engine.dialect.name)

    def connect() -> object:
        # As the app connects, with its arguments and events, and without a place in its pool.
        connection = engine.pool.recreate().connect()
        connection.detach()
        return connection.dbapi_connection

    def send(statement: str, parameters: Sequence[str]) -> None:
        with locks.alone(_shared(engine)), engine.begin() as connection:
            connection.exec_driver_sql(statement, tuple(parameters))

    return Notifications(engine.dialect.driver, connect, send)


def _initialize_again(connection: sa.Connection) -> None:
    """Ask the database for its version and more, where a fork has cut that short."""
    # SQLAlchemy does so once, at the first connection; one that another thread of the parent was
    # making counts, and a dialect that knows no version fails at this and that for ever.
    if connection.dialect.server_version_info is None:
        connection.dialect.initialize(connection)
        connection.rollback()


def _is_only_one(bind: sa.Engine) -> bool:
    """Whether a thread can't have another connection than the one that the caller has."""
    return _is_in_memory(bind) or isinstance(bind.pool, sa.StaticPool | SingletonThreadPool)


def _shared(bind: sa.Engine | sa.Connection) -> sa.Pool | None:
    """Return the pool, if all threads have one connection."""
    pool = bind.engine.pool
    return pool if isinstance(pool, sa.StaticPool) else None


def _is_in_memory(bind: sa.Engine | sa.Connection) -> bool:
    url = bind.engine.url
    if url.get_backend_name() != "sqlite":
        return False
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
