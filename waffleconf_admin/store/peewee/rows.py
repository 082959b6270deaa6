"""The settings in a table of peewee."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence, Set
from contextlib import nullcontext
from itertools import takewhile
from weakref import WeakKeyDictionary

import peewee

from ..catalog import keeps_texts
from ..engines import TableName
from ..instances import Model, key_of, overrides, text_of
from ..rows import MAX_KEYS, Row, SettingRows
from ..swaps import Parameters, Swaps, instances_to_write, taker
from .transactions import dialect_of

_SAVING = {"__init__", "create", "save", "delete_instance"}

_log = logging.getLogger("peewee")


class PeeweeRows(SettingRows[peewee.Database]):
    """The rows of a settings model; its statements are built once for each class of database."""

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        fields = model._meta.fields
        self._as_instances = (
            overrides(model)
            or has_hooks(model, {"__init__"})  # it may change what was loaded
            or not (_stores_text(fields.get("value")) and _stores_text(fields["key"]))
        )
        self._columns = TextColumns(model, ["key", "value"])
        self._built: dict[tuple[type, str | int], tuple[str, list[str]]] = {}

    @property
    def table_name(self) -> TableName:
        return name_of_table(self.model)

    def fetch(self, connection: peewee.Database, keys: list[str] | None) -> list[Row]:
        if self._as_instances or keys is None or len(keys) > MAX_KEYS:
            return self._fetch(connection, self._some(self._select(), keys))
        return _rows_of(connection, self._statement(connection, len(keys))[0], keys)

    def fetch_locked(self, connection: peewee.Database, keys: list[str]) -> list[Row]:
        # All in one order: two that lock each other's rows would wait for each other.
        query = self._some(self._select(), keys).order_by(self.model.key)
        if connection.for_update:  # SQLite is locked as a whole already
            query = query.for_update()
        return self._fetch(connection, query)

    def _select(self) -> peewee.ModelSelect:
        """Return a SELECT of all rows, of what is needed of each."""
        model = self.model
        columns = () if self._as_instances else (model.key, model.value)
        query: peewee.ModelSelect = model.select(*columns)
        return query

    def _fetch(self, connection: peewee.Database, query: peewee.ModelSelect) -> list[Row]:
        if self._as_instances:
            return [(key_of(instance), text_of(instance)) for instance in query]
        return _rows_of(connection, *query.sql())

    def writes_instances(self) -> bool:
        return self._as_instances or has_hooks(self.model)

    def may_alter(self, connection: peewee.Database) -> bool:
        return self._as_instances or self._columns.may_alter(connection)

    def write_instances(self, connection: peewee.Database, swaps: Swaps) -> None:
        instances = self._some(self.model.select(), list(swaps))
        for key, instance, new in instances_to_write(swaps, instances):
            if new is None:
                instance.delete_instance()
            elif instance is None:
                self.model.create(key=key, value=new)
            else:
                instance.value = new
                instance.save()

    def _some(self, query: peewee.ModelSelect, keys: list[str] | None) -> peewee.ModelSelect:
        return (
            query if keys is None or len(keys) > MAX_KEYS else query.where(self.model.key.in_(keys))
        )

    def execute(self, connection: peewee.Database, name: str, rows: list[Parameters]) -> int:
        if self._as_instances:  # to touch their rows; the field of the key may convert it
            return sum(int(self._touch(row[0]).execute()) for row in rows)
        sql, names = self._statement(connection, name)
        if name == "insert" and self.model._meta.defaults:
            inserts = (self.model.insert(key=key, value=new) for key, _seen, new in rows)
            values = [tuple(insert.sql()[1]) for insert in inserts]
        else:
            values = list(map(taker(names), rows))
        # This doesn't pass peewee's execute_sql, which logs statements; values may be secrets.
        _log.debug((sql, f"{len(values)} rows"))
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            cursor = connection.cursor()
            cursor.executemany(sql, values)
        return int(cursor.rowcount)

    def _statement(self, connection: peewee.Database, name: str | int) -> tuple[str, list[str]]:
        """Return a statement and the names of its parameters, built once.

        :param name: "insert", "update", "delete" or "touch"; a SELECT of so many keys.
        """
        built = self._built.get((type(connection), name))
        if built is None:
            built = self._build(name, dialect_of(connection)).sql()
            self._built[type(connection), name] = built
        return built

    def _build(self, name: str | int, dialect: str) -> peewee.Query:
        model = self.model
        query: peewee.Query
        if isinstance(name, int):
            query = model.select(model.key, model.value).where(model.key.in_(["of_key"] * name))
        elif name == "insert":
            query = model.insert({model.key: "of_key", model.value: "new"})
        elif name == "touch":
            query = self._touch("of_key")
        else:
            # Collations ignore case, accents and trailing blanks: two pickles may be "equal".
            given = ((model.key, "of_key"), (model.value, "seen"))
            same = [model.key == "of_key", *(_same_bytes(*pair, dialect) for pair in given)]
            written = model.delete() if name == "delete" else model.update({model.value: "new"})
            query = written.where(*same)
        return query

    def _touch(self, key: str | None) -> peewee.ModelUpdate:
        key_field = self.model.key
        query: peewee.ModelUpdate = self.model.update({key_field: key_field})
        return query.where(key_field == key)


class TextColumns:
    """Columns of a model that hold texts of ours.

    :param attributes: what they are called in the model; those that it lacks are left out.
    """

    def __init__(self, model: Model, attributes: Iterable[str]) -> None:
        self._model = model
        fields = model._meta.fields
        self._fields = [fields[name] for name in attributes if name in fields]
        self._keeps_texts: WeakKeyDictionary[peewee.Database, bool] = WeakKeyDictionary()

    def may_alter(self, connection: peewee.Database) -> bool:
        """As `SettingRows.may_alter`. The database is asked once in a process."""
        if has_hooks(self._model):
            return True
        if connection not in self._keeps_texts:
            self._keeps_texts[connection] = self._ask(connection)
        return not self._keeps_texts[connection]

    def _ask(self, connection: peewee.Database) -> bool:
        """Return whether the columns store texts as they are written; False: that is unknown."""
        if not all(map(_stores_text, self._fields)):
            return False
        dialect = dialect_of(connection)
        schema, name = name_of_table(self._model)
        path = [schema, name] if schema else [name]
        if dialect == "postgresql":
            path = ['"' + part.replace('"', '""') + '"' for part in path]

        def execute(select: str, given: str) -> Iterable[Sequence[str]]:
            sql = select.format(table=connection.param)
            rows: list[Sequence[str]] = connection.execute_sql(sql, (given,)).fetchall()
            return rows

        columns = [field.column_name for field in self._fields]
        # A role without rights on the catalog would break the save's transaction by asking.
        savepoint = dialect == "postgresql"
        try:
            with connection.atomic() if savepoint else nullcontext():
                return keeps_texts(dialect, ".".join(path), columns, execute)
        except peewee.PeeweeException:
            return False


def _rows_of(connection: peewee.Database, sql: str, parameters: Sequence[object]) -> list[Row]:
    """Return what a SELECT finds. This doesn't pass peewee's execute, which may be set to declare
    a cursor of the server: with one no row can be locked.
    """
    return list(connection.execute_sql(sql, parameters).fetchall())


def name_of_table(model: Model) -> TableName:
    """Return the table of a model."""
    return model._meta.schema, model._meta.table_name


def has_hooks(model: Model, methods: Set[str] = _SAVING) -> bool:
    """Whether a model overrides how an instance is made, saved or deleted."""
    own = takewhile(lambda cls: cls is not peewee.Model, model.__mro__)
    return any(methods & vars(cls).keys() for cls in own)


def _stores_text(field: object) -> bool:
    """Whether a field stores text as it is given."""
    return isinstance(field, peewee.CharField | peewee.TextField) and all(
        getattr(type(field), name) is getattr(peewee.TextField, name)
        for name in ("adapt", "db_value", "python_value")
    )


def _same_bytes(column: object, name: str, dialect: str) -> object:
    """Compare a text byte by byte, whatever the collation of its table is, and the character sets
    of the table and of the connection.
    """
    stored: object = column
    given: object = peewee.Value(name, converter=False)
    if dialect == "sqlite":
        stored = peewee.NodeList((stored, peewee.SQL("COLLATE BINARY")))
        return peewee.Expression(stored, "=", given)
    if dialect == "postgresql":
        # CITEXT ignores case, and CHAR adds blanks, which are lost when it becomes TEXT.
        texts = [peewee.fn.RTRIM(peewee.Cast(each, "TEXT")) for each in (stored, given)]
        first = peewee.NodeList((texts[0], peewee.SQL('COLLATE "C"')))
        is_like = peewee.Expression(stored, "=", given)
        return peewee.Expression(is_like, "AND", peewee.Expression(first, "=", texts[1]))
    of_utf8 = (
        peewee.fn.CONVERT(peewee.NodeList((each, peewee.SQL("USING utf8mb4"))))
        for each in (stored, given)
    )
    stored, given = (peewee.Cast(each, "BINARY") for each in of_utf8)
    return peewee.Expression(stored, "=", given)
