"""The settings in a table of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from ..contract import Swaps
from ..orm import RowChanged, Rows
from ..records import key_of, overrides, text_of
from ..table import by_statement, records_to_write

# Above it all rows are read: every database limits a statement's parameters, SQLite at 999 once.
MAX_KEYS = 500

#: The events of a record that is saved.
_EVENTS = [
    f"{when}_{what}" for when in ("before", "after") for what in ("insert", "update", "delete")
]


class AlchemyRows(Rows[sa.Connection]):
    """The rows of a settings model; its statements are built once."""

    def __init__(self, model: Any) -> None:
        self.model = model
        # Nothing here configures the app's mappers, as `mapper.attrs` would: while some are not
        # declared yet that fails, and SQLAlchemy never tries again.
        self.mapper: orm.Mapper[object] = sa.inspect(model)
        self._key = self.mapper.columns["key"]
        self._key_given = sa.bindparam("of_key", type_=self._key.type)
        value = self.mapper.columns.get("value")
        self._needs_records = (
            overrides(model)
            or self.mapper.inherits is not None
            # A type of the app's own may store the same text differently each time.
            or not (isinstance(value, sa.Column) and isinstance(value.type, sa.String))
        )
        self._value: Any = None if self._needs_records else value
        self._select_records: sa.Select[Any] = sa.select(model)
        self._guarded: dict[str, tuple[sa.Update, sa.Delete]] = {}

    def is_ready(self) -> bool:
        """Whether reading does not configure the app's mappers before all are declared."""
        return not self._as_records or all(m.configured for m in self.mapper.registry.mappers)

    @property
    def _as_records(self) -> bool:
        return self._needs_records or changes_when_loaded(self.mapper)

    @property
    def select(self) -> sa.Select[object]:
        return self._select_records if self._as_records else self._select_columns

    @cached_property
    def _select_columns(self) -> sa.Select[object]:
        return sa.select(self._key, self._value)

    @cached_property
    def lock_by_update(self) -> sa.Update:
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
        """Return an UPDATE and a DELETE of a row that still is as it was seen."""
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

    def _some(self, query: sa.Select[object], keys: list[str] | None) -> sa.Select[object]:
        return query if keys is None or len(keys) > MAX_KEYS else query.where(self._key.in_(keys))

    def read(self, connection: sa.Connection, keys: list[str] | None) -> Sequence[Any]:
        return self._fetch(connection, self._some(self.select, keys))

    def lock(self, connection: sa.Connection, keys: list[str]) -> Sequence[Any]:
        if connection.dialect.name == "sqlite":  # only a write makes it lock anything
            connection.execute(self.lock_by_update, {"of_key": keys[0]})
        # All in one order: two that lock each other's rows would wait for each other.
        query = self._some(self.select, keys).order_by(self._key).with_for_update()
        return self._fetch(connection, query)

    def _fetch(self, connection: sa.Connection, query: sa.Select[object]) -> Sequence[object]:
        if not self._as_records:
            return connection.execute(query).all()  # row by row takes longer by half
        with session_on(connection) as session:
            return [(key_of(record), text_of(record)) for record in session.scalars(query)]

    def write(self, connection: sa.Connection, swaps: Swaps, *, by_record: bool) -> None:
        if self._as_records or by_record or has_hooks(self.mapper):
            self._write_records(connection, swaps)
            return
        update, delete = self._guard(connection.dialect.name)
        statements = {"update": update, "delete": delete, "insert": self._insert}
        for name, parameters in by_statement(swaps).items():
            # The rowcount of an INSERT means nothing: it fails or not.
            count = connection.execute(statements[name], parameters).rowcount
            if name != "insert" and count != len(parameters):
                raise RowChanged

    def _write_records(self, connection: sa.Connection, swaps: Swaps) -> None:
        # An UPDATE locks the rows on every database, so they stay as they are compared.
        connection.execute(self.lock_by_update, [{"of_key": key} for key in swaps])
        with session_on(connection) as session:
            records = session.scalars(self._some(self._select_records, list(swaps))).all()
            for key, record, new in records_to_write(swaps, records):
                if new is None:
                    session.delete(record)
                elif record is None:
                    session.add(record_of(self.model, key=key, value=new))
                else:
                    record.value = new
            session.flush()


def session_on(connection: sa.Connection) -> orm.Session:
    """Return a session that takes part in a connection's transaction; closing it undoes nothing."""
    return orm.Session(connection, join_transaction_mode="rollback_only")


def record_of(model: Any, **values: Any) -> object:
    """Return a new record of a model."""
    given = values
    if is_dataclass(model):
        # It takes as arguments only what it declares as such.
        arguments = {field.name for field in fields(model) if field.init}
        given = {name: value for name, value in values.items() if name in arguments}
    record = model(**given)
    for name in values.keys() - given.keys():
        setattr(record, name, values[name])
    return record


def changes_when_loaded(mapper: orm.Mapper[object]) -> bool:
    """Whether a listener may change a record that a session loads."""
    events = mapper.class_manager.dispatch
    return bool(events.load or events.refresh)


def has_hooks(mapper: orm.Mapper[object]) -> bool:
    """Whether a session that saves a record does more than the statement for its table."""
    attributes = [getattr(mapper.class_, name) for name, _column in mapper.columns.items()]
    return (
        any(getattr(mapper.dispatch, event) for event in _EVENTS)
        or any(attribute.dispatch.set for attribute in attributes)
        or bool(mapper.validators)
        or len(list(mapper.class_manager.dispatch.init)) > 1  # SQLAlchemy's own is one
        or mapper.version_id_col is not None
        or mapper.polymorphic_on is not None
    )
