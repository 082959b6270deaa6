"""AlchemyWaffleStore: settings kept with SQLAlchemy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from ..exceptions import BusyError
from . import faults
from .base import Changes, WaffleStore, by_kind, compared, effective, key_of, overrides, text_of

# Above it all rows are read: every database limits a statement's parameters, SQLite at 999 once.
_MANY = 500


class AlchemyWaffleStore(WaffleStore):
    """Keeps settings in a table of SQLAlchemy.

    :param db: Flask-SQLAlchemy's ``db``, anything else with ``.session``, or a ``scoped_session``.
    :param model: the mapped class.
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
            record = self.model(key=key, value=value)
            self._registry.add(record)
        else:
            record.value = value
        return record

    # Many at once, on a connection of its own

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        wanted = None if keys is None else list(keys)
        try:
            try:
                rows = self._look(wanted)
            except sa.exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                # A pooled connection had died unnoticed; SQLAlchemy has renewed the pool.
                rows = self._look(wanted)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error)
        return self._tidy(rows, wanted)

    def swap(self, changes: Changes) -> bool:
        changes = effective(changes)
        if not changes:
            return True
        odd = bool(self._odd & changes.keys())
        committing = False
        try:
            with self._transaction() as connection:
                if not self._rows.swap(connection, changes, odd):
                    raise _Lost
                committing = True
        except _Lost:
            return False
        except sa.exc.IntegrityError as error:
            if self._taken(changes):
                return False
            self._fail(error, changes)
        except sa.exc.DBAPIError as error:
            if error.connection_invalidated:
                # Only the database knows whether a commit arrived before the connection went.
                if not committing or not self._arrived(changes):
                    return False
            elif faults.again(error):
                return False
            else:
                self._fail(error, changes)
        except sa.exc.SQLAlchemyError as error:
            self._fail(error, changes)
        self._expire(changes)
        return True

    def in_memory(self) -> bool:
        return _in_memory(self._bind())

    def after_fork(self) -> None:
        engine = self._bind().engine
        if not _in_memory(engine):
            # Kept, for the garbage collector would close the parent's connections.
            self._inherited = engine.pool
            engine.dispose(close=False)

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

    def _look(self, keys: list[str] | None) -> list[tuple[Any, Any]]:
        bind = self._bind()
        if isinstance(bind, sa.Connection):
            with _joined(bind):
                return self._rows.read(bind, keys)
        if _in_memory(bind) and self._is_open(bind, self._held(bind)):
            # Any other use of the one connection would roll back what the caller has flushed.
            session = self._session() or self._registry()
            own = session.connection(bind_arguments={"mapper": self._rows.mapper})
            return self._rows.read(own, keys)
        with bind.connect() as connection:
            return self._rows.read(connection, keys)

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        bind = self._bind()
        if isinstance(bind, sa.Connection):
            with _joined(bind, write=True):
                yield bind
            return
        is_open = self._is_open(bind, self._held(bind))
        if is_open and _in_memory(bind):
            raise BusyError(faults.COMMIT_FIRST)
        with bind.connect() as connection:
            if is_open and bind.dialect.name in faults.HURRY:
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
    def _rows(self) -> _Rows:
        return _Rows(self.model)


class _Lost(Exception):
    """Somebody else was faster."""


class _Rows:
    """The rows of a model: its statements, built once, and what they do on a connection."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.mapper: orm.Mapper[Any] = sa.inspect(model)
        self._key = self.mapper.attrs["key"].columns[0]
        self._key_given = sa.bindparam("of_key", type_=self._key.type)
        value = self.mapper.attrs.get("value")
        self._as_records = (
            overrides(model)
            or self.mapper.inherits is not None
            or not isinstance(value, orm.ColumnProperty)
            # A type of the app's own may store the same text differently each time.
            or not isinstance(value.columns[0].type, sa.String)
        )
        self._value: Any = None if self._as_records else value.columns[0]
        self._select: Any = sa.select(*((model,) if self._as_records else (self._key, self._value)))
        self._guarded: dict[str, tuple[sa.Update, sa.Delete]] = {}

    @cached_property
    def _touch(self) -> sa.Update:
        return (
            sa.update(self._key.table)
            .where(self._key == self._key_given)
            .values({self._key: self._key})
        )

    @cached_property
    def _insert(self) -> sa.Insert:
        new = sa.bindparam("new", type_=self._value.type)
        return sa.insert(self._key.table).values({self._key: self._key_given, self._value: new})

    def _guard(self, dialect: str) -> tuple[sa.Update, sa.Delete]:
        """UPDATE and DELETE of a row that still is as it was seen."""
        if dialect not in self._guarded:
            seen = sa.bindparam("seen", type_=self._value.type)
            same = [self._key == self._key_given, self._value == seen]
            if dialect in ("mysql", "mariadb"):
                # Collations ignore case, accents and trailing blanks: two pickles may be "equal".
                same[1] = sa.cast(self._value, sa.LargeBinary) == sa.cast(seen, sa.LargeBinary)
                stored_key = sa.func.convert(self._key.op("USING")(sa.text("utf8mb4")))
                same.append(
                    sa.cast(stored_key, sa.LargeBinary) == sa.cast(self._key_given, sa.LargeBinary)
                )
            new = sa.bindparam("new", type_=self._value.type)
            update = sa.update(self._key.table).where(*same).values({self._value: new})
            self._guarded[dialect] = update, sa.delete(self._key.table).where(*same)
        return self._guarded[dialect]

    def _some(self, query: sa.Select[Any], keys: list[str] | None) -> sa.Select[Any]:
        return query if keys is None or len(keys) > _MANY else query.where(self._key.in_(keys))

    def read(self, connection: sa.Connection, keys: list[str] | None) -> list[tuple[Any, Any]]:
        query = self._some(self._select, keys)
        if not self._as_records:
            return [tuple(row) for row in connection.execute(query)]
        with orm.Session(connection) as session:
            return [(key_of(record), text_of(record)) for record in session.scalars(query)]

    def swap(self, connection: sa.Connection, changes: Changes, odd: bool) -> bool:
        """Write if all is as it was seen; False calls for a rollback."""
        if self._as_records or odd:
            return self._swap_records(connection, changes)
        update, delete = self._guard(connection.dialect.name)
        statements = {"update": update, "delete": delete, "insert": self._insert}
        for kind, rows in by_kind(changes).items():
            # Of an INSERT the rowcount says nothing: it fails or not.
            done = connection.execute(statements[kind], rows).rowcount
            if kind != "insert" and done != len(rows):
                return False
        return True

    def _swap_records(self, connection: sa.Connection, changes: Changes) -> bool:
        # Touching the rows locks them on every database: what is compared next stays as it is.
        connection.execute(self._touch, [{"of_key": key} for key in changes])
        with orm.Session(connection) as session:
            records = session.scalars(self._some(sa.select(self.model), list(changes))).all()
            todo = compared(changes, records)
            for key, record, new in todo or ():
                if new is None:
                    session.delete(record)
                elif record is None:
                    session.add(self.model(key=key, value=new))
                else:
                    record.value = new
            session.flush()
        return todo is not None


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


def _in_memory(bind: sa.Engine | sa.Connection) -> bool:
    url = bind.engine.url
    if url.get_backend_name() != "sqlite":
        return False
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
