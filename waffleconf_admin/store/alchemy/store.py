"""AlchemyWaffleStore: settings kept with SQLAlchemy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import orm

from ...exceptions import BusyError, NotReadyError
from .. import errors, locks, verify
from ..base import CommitLost, Swaps, Texts, decided_by_absent, effective, text_of, unchanged
from ..history import HistoryRow
from .connections import begun, initialize_again, is_in_memory, joined
from .history import AlchemyHistory
from .rows import Rows, record_of, session_on

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

    def read_fresh(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        wanted = list(keys)
        return self._tidy(self._ask(lambda at: self._rows.read(at, wanted), fresh=True), wanted)

    def read_at_once(self, keys: Iterable[str]) -> list[tuple[str, str]]:
        wanted, rows = list(keys), self._rows
        if not rows.is_ready():
            raise NotReadyError("The app's models are not complete yet, so no record can be read.")
        bind = self._bind(write=True)
        if isinstance(bind, sa.Connection) or is_in_memory(bind):
            return self.read_fresh(wanted)
        try:
            with (
                self._reachable(bind) as connection,
                begun(connection, locks.AT_ONCE, pooled=False),
            ):
                return self._tidy(rows.read(connection, wanted), wanted)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error)

    def location(self) -> Any:
        bind = self._bind(write=True)
        url, schemas = bind.engine.url, bind.get_execution_options().get("schema_translate_map")
        return url.host, url.port, url.database, url.query, schemas

    def swap(self, changes: Swaps, history: Sequence[HistoryRow] = ()) -> bool:
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
        changes: Swaps,
        watched: Texts,
        history: Sequence[HistoryRow],
        refused: bool = False,
    ) -> bool:
        odd = bool(self._odd & changes.keys())
        committing = False
        try:
            serializable = decided_by_absent(changes, watched)
            with self._transaction(serializable=serializable) as connection:
                if watched and not self._still(
                    watched, self._rows.lock(connection, sorted({*changes, *watched}))
                ):
                    raise _Lost
                if not self._rows.swap(connection, changes, odd):
                    raise _Lost
                if history:
                    with session_on(connection) as session:
                        self._changes.add(session, history)
                if connection.dialect.name in ("mysql", "mariadb"):
                    found = self._tidy(self._rows.read(connection, list(changes)), changes)
                    verify.check(changes, dict(found))
                    verify.check_history(history, partial(self._changes.read, connection))
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
            if committing and (error.connection_invalidated or errors.lost(error)):
                raise CommitLost from error
            if error.connection_invalidated or errors.again(error):
                return False
            self._fail(error, changes)
        except Exception as error:  # the app's own, of a hook of its models, too
            self._fail(error, changes)
        return True

    def in_memory(self) -> bool:
        return is_in_memory(self._bind(write=True))

    def after_fork(self) -> None:
        for engine in {self._bind().engine, self._bind(write=True).engine}:
            if not is_in_memory(engine):
                self._inherited.append(engine.pool)
                engine.dispose(close=False)
                if engine.dialect.server_version_info is None:
                    sa.event.listen(engine, "engine_connect", initialize_again)

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

    def _bind(self, write: bool = False) -> sa.Engine | sa.Connection:
        """Where the app's own session reads from, or writes to.

        :raises NotReadyError: nowhere, just here and now.
        """
        rows = self._rows
        try:
            session = self._session() or self._registry.session_factory()
            flushing = session._flushing
            try:
                # Recipes that send reading to a replica look at this, and at the statement.
                session._flushing = write or flushing
                clause = rows.touch if write else rows.select
                return session.get_bind(mapper=rows.mapper, clause=clause)  # type: ignore[no-any-return]
            finally:
                session._flushing = flushing
        except Exception as error:
            raise NotReadyError(
                f"The app's session names no database for the settings ({errors.describe(error)})."
            ) from error

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

    def _ask(self, work: Callable[[sa.Connection], _T], fresh: bool = False) -> _T:
        """Return what reading gives; a StoreError says why it can't be read.

        :param fresh: read where saves write.
        """
        try:
            try:
                return self._look(work, fresh)
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # A pooled connection had died unnoticed; SQLAlchemy has renewed the pool.
                return self._look(work, fresh)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error)

    def _look(self, work: Callable[[sa.Connection], _T], fresh: bool) -> _T:
        bind = self._bind(write=fresh)
        if isinstance(bind, sa.Connection):
            with joined(bind):
                return work(bind)
        if is_in_memory(bind) and self._is_open(bind, self._held(bind)):
            # Any other use of the one connection would roll back what the caller has flushed.
            session = self._session() or self._registry()
            return work(session.connection(bind_arguments={"bind": bind}))
        with bind.connect() as connection:
            return work(connection)

    def _reachable(self, primary: sa.Engine) -> sa.Connection:
        """A connection to where saves write or, if that is away, to where reading goes."""
        try:
            return primary.connect()
        except sa.exc.DBAPIError:
            replica = self._bind()
            if replica.engine is primary:
                raise
            return replica.engine.connect()

    @contextmanager
    def _transaction(
        self, wait: float | None = None, serializable: bool = False
    ) -> Iterator[sa.Connection]:
        """A transaction of our own, where saves write.

        :param wait: seconds for a lock, no longer; beside a transaction of the caller's never long.
        :param serializable: what it reads has to stay so until it ends.
        """
        bind = self._bind(write=True)
        if isinstance(bind, sa.Connection):
            with joined(bind, write=True, serializable=serializable):
                yield bind
            return
        is_open = self._is_open(bind, self._held(bind))
        if is_open and is_in_memory(bind):
            raise BusyError(errors.COMMIT_FIRST)
        if is_open and wait is None:
            wait = locks.BESIDE
        with bind.connect() as connection, begun(connection, wait, serializable):
            yield connection

    def _expire(self, changes: Swaps) -> None:
        """Let the caller's session load changed records anew; what it has changed itself stays."""
        for record in list(session.identity_map.values() if (session := self._session()) else ()):
            if isinstance(record, self.model):
                state = sa.inspect(record)
                if not state.modified and state.dict.get("key") in changes:
                    state.session.expire(record)

    @cached_property
    def _rows(self) -> Rows:
        try:
            return Rows(self.model)
        except sa.exc.InvalidRequestError as error:
            raise NotReadyError(f"{self.model!r} is no mapped class, or not yet.") from error


class _Lost(Exception):
    """Somebody else was faster."""
