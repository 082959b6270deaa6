"""The settings in a table of SQLAlchemy."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import fields, is_dataclass
from typing import cast
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy import orm

from ..catalog import keeps_texts
from ..engines import TableName
from ..instances import Model, key_of, overrides, text_of
from ..rows import MAX_KEYS, Row, SettingRows
from ..swaps import Parameters, Swaps, instances_to_write
from .statement import Statement, alters

#: The events of an instance that is saved.
_EVENTS = [
    f"{when}_{what}" for when in ("before", "after") for what in ("insert", "update", "delete")
]


class AlchemyRows(SettingRows[sa.Connection]):
    """The rows of a settings model; its statements are built once."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        # Nothing here configures the app's mappers, as `mapper.attrs` would: while some are not
        # declared yet that fails, and SQLAlchemy never tries again.
        self.mapper: orm.Mapper[object] = sa.inspect(model)
        #: What the model calls its column of keys: a synonym, or a hybrid, may stand for it.
        self.key_name = "key" if "key" in self.mapper.columns else model.key.property.key
        self._key = self.mapper.columns[self.key_name]
        self._key_given = sa.bindparam("of_key", type_=self._key.type)
        value = self.mapper.columns.get("value")
        self._needs_instances = (
            overrides(model)
            or self.mapper.inherits is not None
            or not (isinstance(value, sa.Column) and _is_string(value.type))
        )
        #: None where instances are written.
        self._value: Model = None if self._needs_instances else value
        self._types = (
            [self._key.type] if self._value is None else [self._key.type, self._value.type]
        )
        self._columns = TextColumns(self.mapper, [self.key_name, "value"])
        self._queries: dict[tuple[bool, bool, int | None], sa.Select[object]] = {}
        self._statements: dict[tuple[str, str], Statement] = {}

    @property
    def table_name(self) -> TableName:
        return name_of_table(self.mapper)

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
        return self._statement("touch", "").construct

    def _statement(self, name: str, dialect: str) -> Statement:
        """Return a statement for a database, built once."""
        if (name, dialect) not in self._statements:
            self._statements[name, dialect] = Statement(self._build(name, dialect), self._types)
        return self._statements[name, dialect]

    def _build(self, name: str, dialect: str) -> sa.UpdateBase:
        table, same = self._key.table, [self._key == self._key_given]
        if name == "touch":
            return sa.update(table).where(*same).values({self._key: self._key})
        new = sa.bindparam("new", type_=self._value.type)
        if name == "insert":
            values = {self._key: self._key_given, self._value: new}
            return sa.insert(table).values(values).inline()  # nobody asks for the new primary key
        seen = sa.bindparam("seen", type_=self._value.type)
        # Collations ignore case, accents and trailing blanks: two pickles may be "equal".
        same_bytes: Comparison = _SAME_BYTES.get(dialect, operator.eq)
        same += [same_bytes(self._value, seen), same_bytes(self._key, self._key_given)]
        if name == "delete":
            return sa.delete(table).where(*same)
        return sa.update(table).where(*same).values({self._value: new})

    def _query(
        self, keys: list[str] | None, *, instances: bool, lock: bool = False
    ) -> sa.Select[object]:
        """Return a SELECT of the rows of these keys, which are its parameters, or of all.

        It is built once: that takes longer than executing it.
        """
        number = None if keys is None or len(keys) > MAX_KEYS else min(len(keys), 2)
        wanted = instances, lock, number
        if wanted not in self._queries:
            self._queries[wanted] = self._build_query(*wanted)
        return self._queries[wanted]

    def _build_query(self, instances: bool, lock: bool, number: int | None) -> sa.Select[object]:
        query = sa.select(self.model) if instances else sa.select(self._key, self._value)
        if number == 1:
            query = query.where(self._key == self._key_given)
        elif number is not None:
            given = sa.bindparam("of_keys", type_=self._key.type, expanding=True)
            query = query.where(self._key.in_(given))
        # All in one order: two that lock each other's rows would wait for each other.
        return query.order_by(self._key).with_for_update() if lock else query

    def fetch(self, connection: sa.Connection, keys: list[str] | None) -> Sequence[Row]:
        return self._fetch(connection, keys)

    def fetch_locked(self, connection: sa.Connection, keys: list[str]) -> Sequence[Row]:
        if connection.dialect.name == "sqlite":  # only a write makes it lock anything
            self.execute(connection, "touch", [(keys[0],)])
        return self._fetch(connection, keys, lock=True)

    def _fetch(
        self, connection: sa.Connection, keys: list[str] | None, *, lock: bool = False
    ) -> Sequence[Row]:
        as_instances = self._as_instances
        query, given = self._query(keys, instances=as_instances, lock=lock), _parameters(keys)
        if not as_instances:
            rows = connection.execute(query, given).all()  # row by row takes longer by half
            return cast("Sequence[Row]", rows)
        with session_on(connection) as session:
            return [(key_of(each), text_of(each)) for each in session.scalars(query, given)]

    def writes_instances(self) -> bool:
        return self._as_instances or has_hooks(self.mapper)

    def may_alter(self, connection: sa.Connection) -> bool:
        return self._as_instances or self._columns.may_alter(connection)

    def execute(self, connection: sa.Connection, name: str, rows: list[Parameters]) -> int:
        return self._statement(name, connection.dialect.name).execute(connection, rows)

    def write_instances(self, connection: sa.Connection, swaps: Swaps) -> None:
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


class TextColumns:
    """Columns of a model that hold texts of ours.

    :param attributes: what they are called in the model; those that it lacks are left out.
    """

    def __init__(self, mapper: orm.Mapper[object], attributes: Iterable[str]) -> None:
        self._mapper = mapper
        found = [mapper.columns.get(name) for name in attributes]
        self._columns = [column for column in found if column is not None]
        self._keeps_texts: WeakKeyDictionary[sa.Dialect, bool] = WeakKeyDictionary()

    def may_alter(self, connection: sa.Connection) -> bool:
        """As `SettingRows.may_alter`. The database is asked once in a process."""
        schemas = connection.get_execution_options().get("schema_translate_map")
        if schemas or has_hooks(self._mapper):
            return True
        dialect = connection.dialect
        if dialect not in self._keeps_texts:
            self._keeps_texts[dialect] = self._ask(connection)
        return not self._keeps_texts[dialect]

    def _ask(self, connection: sa.Connection) -> bool:
        """Return whether the columns store texts as they are written; False: that is unknown."""
        table, dialect = self._columns[0].table, connection.dialect
        if not isinstance(table, sa.Table):
            return False
        if any(alters(column.type, dialect) for column in self._columns):
            return False
        name = table.fullname
        if dialect.name == "postgresql":
            name = dialect.identifier_preparer.format_table(table)

        def execute(select: str, given: str) -> Iterable[Sequence[str]]:
            statement = sa.text(select.format(table=":of_table"))
            return connection.execute(statement, {"of_table": given}).all()

        columns = [column.name for column in self._columns]
        # A role without rights on the catalog would break the save's transaction by asking.
        savepoint = dialect.name == "postgresql"
        try:
            with connection.begin_nested() if savepoint else nullcontext():
                return keeps_texts(dialect.name, name, columns, execute)
        except sa.exc.SQLAlchemyError:
            return False


def name_of_table(mapper: orm.Mapper[object]) -> TableName:
    """Return the table of a mapped class."""
    table = mapper.local_table
    return getattr(table, "schema", None), str(getattr(table, "name", ""))


def _is_string(given: sa.types.TypeEngine[object]) -> bool:
    """Whether a type of strings is SQLAlchemy's, on every database: one of the app's own may store
    the same text differently each time, as encryption does.
    """
    types = (given, *given._variant_mapping.values())
    return all(
        isinstance(each, sa.String) and type(each).__module__.startswith("sqlalchemy.")
        for each in types
    )


def _parameters(keys: list[str] | None) -> dict[str, object]:
    """The parameters of a query of some keys; it ignores one that it does not have."""
    return {"of_key": keys[0], "of_keys": keys} if keys else {"of_keys": []}


def _same_on_mysql(column: Model, given: Model) -> sa.ColumnElement[bool]:
    """Compare a text byte by byte, whatever the character sets of its table and of the connection
    are.
    """
    of_utf8 = (sa.func.convert(each.op("USING")(sa.text("utf8mb4"))) for each in (column, given))
    stored, text = (sa.cast(each, sa.LargeBinary) for each in of_utf8)
    return stored == text


def _same_on_sqlite(column: Model, given: object) -> sa.ColumnElement[bool]:
    return sa.collate(column, "BINARY") == given


def _same_on_postgresql(column: Model, given: object) -> sa.ColumnElement[bool]:
    """Compare a text byte by byte, whatever the type of its column is: CITEXT ignores case, and
    CHAR adds blanks, which are lost when it becomes TEXT.
    """
    stored, text = (sa.func.rtrim(sa.cast(each, sa.Text)) for each in (column, given))
    return sa.and_(column == given, sa.collate(stored, "C") == text)


#: Compares a column with a text byte by byte, whatever the collation of the column is.
Comparison = Callable[[Model, object], sa.ColumnElement[bool]]
_SAME_BYTES: dict[str, Comparison] = {
    "mysql": _same_on_mysql,
    "mariadb": _same_on_mysql,
    "sqlite": _same_on_sqlite,
    "postgresql": _same_on_postgresql,
}


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
