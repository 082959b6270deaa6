"""The connections and transactions of SQLAlchemy that settings are read and saved on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from ...exceptions import BusyError, NotReadyError
from .. import ends, errors, locks
from ..contract import Swaps
from ..orm import Connections, T
from ..postgresql import Notifications, of_engine
from .rows import AlchemyRows
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
        if isinstance(bind, sa.Connection):
            with _joined(bind):
                return work(bind)
        if _is_in_memory(bind) and self._is_open(bind):
            # Any other use of the one connection would roll back what the caller has flushed.
            session = self._session() or sessions_of(self._db)()
            return work(session.connection(bind_arguments={"bind": bind}))
        with bind.connect() as connection:
            return work(connection)

    def read_promptly(self, work: Callable[[sa.Connection], T]) -> T:
        if not self._rows.is_ready():
            raise NotReadyError("The app's models are not complete yet, so none can be read.")
        bind = self.bind(write=True)
        if isinstance(bind, sa.Connection) or _is_in_memory(bind):
            return self.read(work, fresh=True)
        with self._connect_or_replica(bind) as connection:
            _forbid_autocommit(connection)
            connection.detach()  # it is closed for good afterwards; the process may be forked
            with _transaction(connection, locks.FIRST_LOAD_WAIT):
                return work(connection)

    def write(
        self,
        work: Callable[[sa.Connection], T],
        *,
        wait: float | None = None,
        serializable: bool = False,
    ) -> T:
        bind = self.bind(write=True)
        if isinstance(bind, sa.Connection):
            with _joined(bind, write=True, serializable=serializable):
                return work(bind)
        if self._is_open(bind):
            if _is_in_memory(bind):
                raise BusyError(errors.COMMIT_FIRST)
            wait = locks.WAIT_BESIDE_CALLER if wait is None else wait
        with bind.connect() as connection:
            _forbid_autocommit(connection)
            with _transaction(connection, wait, serializable):
                return work(connection)

    def write_at_once(self, work: Callable[[sa.Connection], T]) -> T:
        bind = self.bind(write=True)
        if isinstance(bind, sa.Connection) or _is_in_memory(bind):
            raise BusyError(errors.COMMIT_FIRST)
        with bind.connect() as connection:
            if connection.dialect.name != "sqlite":
                _forbid_autocommit(connection)
                with _transaction(connection, locks.NO_WAIT):
                    return work(connection)
            execute = partial(_first_row, connection)
            with locks.limited("sqlite", execute, locks.NO_WAIT), _autocommitted(connection):
                return work(connection)

    def renew(self, error: BaseException) -> bool:
        return bool(getattr(error, "connection_invalidated", False))  # SQLAlchemy renews its pool

    def may_truncate(self, connection: sa.Connection) -> bool:
        return connection.dialect.name in ("mysql", "mariadb")

    def clock(self, connection: sa.Connection) -> float:
        dialect = connection.dialect.name
        return ends.read_clock(dialect, lambda text: connection.scalar(sa.text(text)))

    def location(self) -> object:
        bind = self.bind(write=True)
        url, schemas = bind.engine.url, bind.get_execution_options().get("schema_translate_map")
        return url.host, url.port, url.database, url.query, schemas

    def notifications(self) -> Notifications:
        return of_engine(self.bind(write=True).engine)

    def in_memory(self) -> bool:
        return _is_in_memory(self.bind(write=True))

    def after_fork(self) -> None:
        for engine in {self.bind().engine, self.bind(write=True).engine}:
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
                return session.get_bind(mapper=rows.mapper, clause=clause)  # type: ignore[no-any-return]
            finally:
                session._flushing = flushing
        except Exception as error:
            raise NotReadyError(
                f"The app's session names no database for the settings ({errors.describe(error)})."
            ) from error

    def expire(self, model: Any, swaps: Swaps) -> None:
        """Make the caller's session load instances anew that a save has written, unless it has
        changed them itself.
        """
        session = self._session()
        for instance in list(session.identity_map.values()) if session else ():
            if isinstance(instance, model):
                state = sa.inspect(instance)
                seen, new = swaps.get(state.dict.get("key"), (None, None))
                if seen != new and not state.modified:
                    state.session.expire(instance)

    def _session(self) -> Any:
        """Return the caller's session, if there is one already."""
        sessions = sessions_of(self._db)
        if not isinstance(sessions, orm.scoped_session):
            return sessions
        return sessions() if sessions.registry.has() else None

    def _is_open(self, bind: sa.Engine) -> bool:
        """Whether the caller has a transaction open; anybody, where there is but one connection."""
        session, raw = self._session(), None
        # session.connection() would take one from the pool, and begin, where there is none yet.
        held = getattr(session and session.get_transaction(), "_connections", {}).get(bind)
        if held and not (held[0].closed or held[0].invalidated):
            raw = held[0].connection.dbapi_connection
        elif isinstance(bind.pool, sa.StaticPool):
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


def sessions_of(db: Any) -> Any:
    """Return the ``scoped_session``, or the session, that an app uses."""
    return getattr(db, "session", db)


@contextmanager
def _joined(
    connection: sa.Connection, *, write: bool = False, serializable: bool = False
) -> Iterator[None]:
    """Take part in a transaction of the caller's; a failure undoes only what is done within.

    Its isolation level can't be changed any more: `serializable` is for a new transaction.
    """
    if connection.dialect.name == "sqlite" and connection.in_transaction():
        if not write:
            yield
            return
        raw: Any = connection.connection.dbapi_connection
        if not raw.in_transaction:
            # sqlite3 begins late; a savepoint outside a transaction would be one, and commit.
            connection.exec_driver_sql("BEGIN")
    if connection.in_transaction():
        with connection.begin_nested():
            yield
    else:
        with _begun(connection, serializable):
            yield


@contextmanager
def _begun(connection: sa.Connection, serializable: bool) -> Iterator[None]:
    with connection.begin():
        if serializable and connection.dialect.name in ("postgresql", "mysql", "mariadb"):
            connection.exec_driver_sql(locks.SERIALIZABLE)
        yield


@contextmanager
def _autocommitted(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite commit each statement by itself, which holds its lock as briefly as can be."""
    raw: Any = connection.connection.dbapi_connection
    # Not by the option of SQLAlchemy: an app may begin by an event, and have set the level itself.
    level = raw.isolation_level
    with connection.begin():
        raw.commit()
        raw.isolation_level = None
        try:
            yield
        finally:
            raw.isolation_level = level


def _transaction(connection: sa.Connection, wait: float | None, serializable: bool = False) -> Any:
    execute = partial(_first_row, connection)
    return locks.transaction(
        _begun(connection, serializable), connection.dialect.name, execute, wait
    )


def _first_row(connection: sa.Connection, statement: str) -> object:
    if connection.dialect.name == "sqlite":  # past SQLAlchemy, which would begin
        raw: Any = connection.connection.dbapi_connection
        return raw.execute(statement).fetchone()
    result = connection.exec_driver_sql(statement)
    return result.first() if result.returns_rows else None


def _forbid_autocommit(connection: sa.Connection) -> None:
    """Use real transactions on an engine that commits each statement: no save ends half-way."""
    of_engine = getattr(connection.dialect, "_on_connect_isolation_level", None)
    level = connection.get_execution_options().get("isolation_level", of_engine)
    if level == "AUTOCOMMIT":
        connection.execution_options(isolation_level=connection.default_isolation_level)


def _initialize_again(connection: sa.Connection) -> None:
    """Ask the database for its version and more, where a fork has cut that short."""
    # SQLAlchemy does so once, at the first connection; one that another thread of the parent was
    # making counts, and a dialect that knows no version fails at this and that for ever.
    if connection.dialect.server_version_info is None:
        connection.dialect.initialize(connection)
        connection.rollback()


def _is_in_memory(bind: sa.Engine | sa.Connection) -> bool:
    url = bind.engine.url
    if url.get_backend_name() != "sqlite":
        return False
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
