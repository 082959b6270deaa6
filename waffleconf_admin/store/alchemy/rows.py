"""The settings in a table of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from functools import cached_property
from typing import cast

import sqlalchemy as sa
from sqlalchemy import orm

from ..instances import Model, key_of, overrides, text_of
from ..orm import Row, Rows
from ..swaps import RowChanged, Swaps, by_statement, instances_to_write
from .statement import Statement

# Above it all rows are read: every database limits a statement's parameters, SQLite at 999 once.
MAX_KEYS = 500

#: The events of an instance that is saved.
_EVENTS = [
    f"{when}_{what}" for when in ("before", "after") for what in ("insert", "update", "delete")
]


class AlchemyRows(Rows[sa.Connection]):
    """The rows of a settings model; its statements are built once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        # Nothing here configures the app's mappers, as `mapper.attrs` would: while some are not
        # declared yet that fails, and SQLAlchemy never tries again.
        self.mapper: orm.Mapper[object] = sa.inspect(model)
        self._key = self.mapper.columns["key"]
        self._key_given = sa.bindparam("of_key", type_=self._key.type)
        value = self.mapper.columns.get("value")
        self._needs_instances = (
            overrides(model)
            or self.mapper.inherits is not None
            # A type of the app's own may store the same text differently each time.
            or not (isinstance(value, sa.Column) and isinstance(value.type, sa.String))
        )
        #: None where instances are written.
        self._value: Model = None if self._needs_instances else value
        self._types = (
            [self._key.type] if self._value is None else [self._key.type, self._value.type]
        )
        self._queries: dict[tuple[bool, bool, int | None], sa.Select[object]] = {}
        self._guarded: dict[bool, tuple[Statement, Statement]] = {}

    def is_ready(self) -> bool:
        """Whether reading does not configure the app's mappers before all are declared."""
        return not self._as_instances or all(m.configured for m in self.mapper.registry.mappers)

    @property
    def _as_instances(self) -> bool:
        return self._needs_instances or changes_when_loaded(self.mapper)

    @property
    def select(self) -> sa.Select[object]:
        return self._query(None, instances=self._as_instances)

    @property
    def lock_by_update(self) -> sa.UpdateBase:
        return self._touch.construct

    @cached_property
    def _touch(self) -> Statement:
        update = sa.update(self._key.table).where(self._key == self._key_given)
        return Statement(update.values({self._key: self._key}), self._types)

    @cached_property
    def _insert(self) -> Statement:
        new = sa.bindparam("new", type_=self._value.type)
        values = {self._key: self._key_given, self._value: new}
        # Inline: nobody asks for the new primary key.
        return Statement(sa.insert(self._key.table).values(values).inline(), self._types)

    def _guard(self, dialect: str) -> tuple[Statement, Statement]:
        """Return an UPDATE and a DELETE of a row that still is as it was seen."""
        # Collations ignore case, accents and trailing blanks: two pickles may be "equal".
        loose = dialect in ("mysql", "mariadb")
        if loose not in self._guarded:
            seen = sa.bindparam("seen", type_=self._value.type)
            same = [self._key == self._key_given, self._value == seen]
            if loose:
                same[1] = _same_bytes(self._value, seen)
                same.append(_same_bytes(self._key, self._key_given))
            new = sa.bindparam("new", type_=self._value.type)
            update = sa.update(self._key.table).where(*same).values({self._value: new})
            delete = sa.delete(self._key.table).where(*same)
            self._guarded[loose] = Statement(update, self._types), Statement(delete, self._types)
        return self._guarded[loose]

    def _query(
        self, keys: list[str] | None, *, instances: bool, lock: bool = False
    ) -> sa.Select[object]:
        """Return a SELECT of the rows of these keys, which are its parameters, or of all.

        It is built once: that takes longer than executing it.
        """
        number = None if keys is None or len(keys) > MAX_KEYS else min(len(keys), 2)
        wanted = instances, lock, number
        if wanted not in self._queries:
            self._queries[wanted] = self._build(*wanted)
        return self._queries[wanted]

    def _build(self, instances: bool, lock: bool, number: int | None) -> sa.Select[object]:
        query = sa.select(self.model) if instances else sa.select(self._key, self._value)
        if number == 1:
            query = query.where(self._key == self._key_given)
        elif number is not None:
            given = sa.bindparam("of_keys", type_=self._key.type, expanding=True)
            query = query.where(self._key.in_(given))
        # All in one order: two that lock each other's rows would wait for each other.
        return query.order_by(self._key).with_for_update() if lock else query

    def read(self, connection: sa.Connection, keys: list[str] | None) -> Sequence[Row]:
        return self._fetch(connection, keys)

    def lock(self, connection: sa.Connection, keys: list[str]) -> Sequence[Row]:
        if connection.dialect.name == "sqlite":  # only a write makes it lock anything
            self._touch.execute(connection, [(keys[0],)])
        return self._fetch(connection, keys, lock=True)

    def _fetch(
        self, connection: sa.Connection, keys: list[str] | None, *, lock: bool = False
    ) -> Sequence[Row]:
        as_instances = self._as_instances
        query, given = self._query(keys, instances=as_instances, lock=lock), _parameters(keys)
        if not as_instances:
            rows = connection.execute(query, given).all()  # row by row takes longer by half
            return cast(Sequence[Row], rows)
        with session_on(connection) as session:
            return [(key_of(each), text_of(each)) for each in session.scalars(query, given)]

    def write(self, connection: sa.Connection, swaps: Swaps, *, by_instance: bool) -> None:
        if self._as_instances or by_instance or has_hooks(self.mapper):
            self._write_instances(connection, swaps)
            return
        update, delete = self._guard(connection.dialect.name)
        statements = {"update": update, "delete": delete, "insert": self._insert}
        for name, parameters in by_statement(swaps).items():
            # The rowcount of an INSERT means nothing: it fails or not.
            count = statements[name].execute(connection, parameters)
            if name != "insert" and count != len(parameters):
                raise RowChanged

    def _write_instances(self, connection: sa.Connection, swaps: Swaps) -> None:
        # An UPDATE locks the rows on every database, so they stay as they are compared.
        self._touch.execute(connection, [(key,) for key in swaps])
        with session_on(connection) as session:
            keys = list(swaps)
            query = self._query(keys, instances=True)
            instances = session.scalars(query, _parameters(keys)).all()
            for key, instance, new in instances_to_write(swaps, instances):
                if new is None:
                    session.delete(instance)
                elif instance is None:
                    session.add(new_instance(self.model, key=key, value=new))
                else:
                    instance.value = new
            session.flush()


def _parameters(keys: list[str] | None) -> dict[str, object]:
    """The parameters of a query of some keys; it ignores one that it does not have."""
    return {"of_key": keys[0], "of_keys": keys} if keys else {"of_keys": []}


def _same_bytes(column: Model, given: object) -> sa.ColumnElement[bool]:
    """Compare a text byte by byte, whatever the character set of its table is."""
    stored = sa.func.convert(column.op("USING")(sa.text("utf8mb4")))
    return sa.cast(stored, sa.LargeBinary) == sa.cast(given, sa.LargeBinary)


def session_on(connection: sa.Connection) -> orm.Session:
    """Return a session that takes part in a connection's transaction; closing it undoes nothing."""
    return orm.Session(connection, join_transaction_mode="rollback_only")


def new_instance(model: Model, **values: object) -> object:
    """Return a new instance of a model."""
    given = values
    if is_dataclass(model):
        # It takes as arguments only what it declares as such.
        arguments = {field.name for field in fields(model) if field.init}
        given = {name: value for name, value in values.items() if name in arguments}
    instance = model(**given)
    for name in values.keys() - given.keys():
        setattr(instance, name, values[name])
    return instance


def changes_when_loaded(mapper: orm.Mapper[object]) -> bool:
    """Whether a listener may change an instance that a session loads."""
    events = mapper.class_manager.dispatch
    return bool(events.load or events.refresh)


def has_hooks(mapper: orm.Mapper[object]) -> bool:
    """Whether a session that saves an instance does more than the statement for its table."""
    attributes = [getattr(mapper.class_, name) for name, _column in mapper.columns.items()]
    return (
        any(getattr(mapper.dispatch, event) for event in _EVENTS)
        or any(attribute.dispatch.set for attribute in attributes)
        or bool(mapper.validators)
        or len(list(mapper.class_manager.dispatch.init)) > 1  # SQLAlchemy's own is one
        or mapper.version_id_col is not None
        or mapper.polymorphic_on is not None
    )
