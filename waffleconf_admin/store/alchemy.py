"""AlchemyWaffleStore: settings kept with SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm

from ..exceptions import BusyError
from . import faults
from .alchemy_history import AlchemyHistory
from .alchemy_rows import Rows, record_of, session_on
from .base import Changes, CommitLost, Texts, effective, text_of, unchanged
from .history import HistoryRow

_T = TypeVar("_T")


class AlchemyWaffleStore(AlchemyHistory):
    """Keeps settings in a table of SQLAlchemy.

    :param db: Flask-SQLAlchemy's ``db``, anything else with ``.session``, or a ``scoped_session``.
    :param model: the mapped class.
    :param history: the mapped class that keeps who changed what; None: nothing is kept.
    """

    # The documented methods, on the caller's session

    def commit(self) -> None:
        self._registry.commit()

    def delete(self, key: str) -> Any:
        record = self.get(key)
        if record is not None:
            self._registry.delete(record)
        return record

    def get(self, key: str) -> Any:
        records = self._registry.scalars(sa.select(self.model).where(self.model.key == key))
        # The collation may find a key that differs in case.
        return min((record for record in records if record.key == key), key=text_of, default=None)

    def put(self, key: str, value: str) -> Any:
        record = self.get(key)
        if record is None:
            record = record_of(self.model, key=key, value=value)
            self._registry.add(record)
        else:
            record.value = value
        return record

    # Many at once, on a connection of its own

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        wanted = None if keys is None else list(keys)
        return self._tidy(self._ask(lambda at: self._rows.read(at, wanted)), wanted)

    def swap(self, changes: Changes, history: Sequence[HistoryRow] = ()) -> bool:
        writes = effective(changes)
        if not writes:
            return True
        attempt = partial(self._attempt, writes, unchanged(changes), history)
        try:
            done = attempt()
        except CommitLost:
            done = self._settle(writes, attempt)
        if done:
            self._expire(writes)
        return done

    def _attempt(
        self,
        changes: Changes,
        watched: Texts,
        history: Sequence[HistoryRow],
        refused: bool = False,
    ) -> bool:
        odd = bool(self._odd & changes.keys())
        committing = False
        try:
            with self._transaction() as connection:
                if watched and not self._still(
                    watched, self._rows.lock(connection, sorted({*changes, *watched}))
                ):
                    raise _Lost
                if not self._rows.swap(connection, changes, odd):
                    raise _Lost
                if history:
                    with session_on(connection) as session:
                        self._changes.add(session, history)
                committing = True
        except _Lost:
            return False
        except sa.exc.IntegrityError as error:
            if self._taken(changes):
                return False
            if not refused:  # the row in our way may be gone again already
                return self._attempt(changes, watched, history, refused=True)
            self._fail(error, changes)
        except sa.exc.DBAPIError as error:
            if committing and (error.connection_invalidated or faults.lost(error)):
                raise CommitLost from error
            if error.connection_invalidated or faults.again(error):
                return False
            self._fail(error, changes)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error, changes)
        return True

    def in_memory(self) -> bool:
        return _in_memory(self._bind())

    def after_fork(self) -> None:
        engine = self._bind().engine
        if not _in_memory(engine):
            self._inherited.append(engine.pool)
            engine.dispose(close=False)
            if engine.dialect.server_version_info is None:
                sa.event.listen(engine, "engine_connect", _get_to_know)

    # The session and its connections

    @property
    def _registry(self) -> Any:
        return getattr(self.db, "session", self.db)

    def _session(self) -> Any:
        """The caller's session, if there is one already."""
        session: Any = self._registry
        if isinstance(session, orm.scoped_session) and not session.registry.has():
            return None
        return session() if isinstance(session, orm.scoped_session) else session

    def _bind(self) -> sa.Engine | sa.Connection:
        session = self._session() or self._registry.session_factory()
        return session.get_bind(mapper=self._rows.mapper)  # type: ignore[no-any-return]

    def _held(self, bind: sa.Engine) -> sa.Connection | None:
        """The connection to this database that the caller's session holds in a transaction."""
        session = self._session()
        # session.connection() would take one from the pool, and begin, where there is none yet.
        held = getattr(session and session.get_transaction(), "_connections", {}).get(bind)
        return held[0] if held else None

    def _is_open(self, bind: sa.Engine, held: sa.Connection | None) -> bool:
        """Whether the caller has a transaction open; anybody, where there is but one connection."""
        raw: Any = None
        if held is not None and not (held.closed or held.invalidated):
            raw = held.connection.dbapi_connection
        elif isinstance(bind.pool, sa.StaticPool):
            raw = bind.pool.connection.dbapi_connection
        # sqlite3 begins with the first write; other drivers with the first statement.
        return bool(raw is not None and getattr(raw, "in_transaction", True))

    def _ask(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Return what reading gives; a StoreError says why it can't be read."""
        try:
            try:
                return self._look(work)
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # A pooled connection had died unnoticed; SQLAlchemy has renewed the pool.
                return self._look(work)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error)

    def _look(self, work: Callable[[sa.Connection], _T]) -> _T:
        bind = self._bind()
        if isinstance(bind, sa.Connection):
            with _joined(bind):
                return work(bind)
        if _in_memory(bind) and self._is_open(bind, self._held(bind)):
            # Any other use of the one connection would roll back what the caller has flushed.
            session = self._session() or self._registry()
            own = session.connection(bind_arguments={"mapper": self._rows.mapper})
            return work(own)
        with bind.connect() as connection:
            return work(connection)

    @contextmanager
    def _transaction(self, hurry: bool = False) -> Iterator[sa.Connection]:
        """A transaction of our own; in a hurry, or beside one of the caller's, it waits for no lock
        longer than a moment.
        """
        bind = self._bind()
        if isinstance(bind, sa.Connection):
            with _joined(bind, write=True):
                yield bind
            return
        is_open = self._is_open(bind, self._held(bind))
        if _in_memory(bind):
            if is_open:
                raise BusyError(faults.COMMIT_FIRST)
            hurry = False  # nobody else could hold it
        with bind.connect() as connection:
            if _autocommits(connection):
                connection.execution_options(isolation_level=connection.default_isolation_level)
            if (is_open or hurry) and bind.dialect.name in faults.HURRY:
                connection.detach()
                with connection.begin():
                    connection.exec_driver_sql(faults.HURRY[bind.dialect.name])
            with connection.begin():
                yield connection

    def _expire(self, changes: Changes) -> None:
        """Let the caller's session load changed records anew; what it has changed itself stays."""
        for record in list(session.identity_map.values() if (session := self._session()) else ()):
            if isinstance(record, self.model):
                state = sa.inspect(record)
                if not state.modified and state.dict.get("key") in changes:
                    state.session.expire(record)

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self.model)


class _Lost(Exception):
    """Somebody else was faster."""


@contextmanager
def _joined(connection: sa.Connection, write: bool = False) -> Iterator[None]:
    """Work within what somebody has begun on a connection, so that a failure undoes only ours."""
    if connection.dialect.name == "sqlite" and connection.in_transaction():
        if not write:
            yield
            return
        raw: Any = connection.connection.dbapi_connection
        if not raw.in_transaction:
            # sqlite3 begins late; a savepoint outside a transaction would be one, and commit.
            connection.exec_driver_sql("BEGIN")
    with connection.begin_nested() if connection.in_transaction() else connection.begin():
        yield


def _get_to_know(connection: sa.Connection) -> None:
    """Ask the database for its version and more, where that was cut short by a fork."""
    # SQLAlchemy does so once, at the first connection; one that was being made in another thread of
    # the parent counts, and a dialect that knows no version fails at this and that for ever.
    if connection.dialect.server_version_info is None:
        connection.dialect.initialize(connection)
        connection.rollback()


def _autocommits(connection: sa.Connection) -> bool:
    """Whether each statement would be committed by itself, and a save could end half-way."""
    of_engine = getattr(connection.dialect, "_on_connect_isolation_level", None)
    return connection.get_execution_options().get("isolation_level", of_engine) == "AUTOCOMMIT"


def _in_memory(bind: sa.Engine | sa.Connection) -> bool:
    url = bind.engine.url
    if url.get_backend_name() != "sqlite":
        return False
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
