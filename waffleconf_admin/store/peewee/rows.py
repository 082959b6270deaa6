"""The rows of the settings, read and written with peewee."""

from __future__ import annotations

import logging
from collections.abc import Set
from itertools import takewhile
from typing import Any

import peewee

from ..base import Swaps, by_kind, compared, key_of, overrides, text_of
from .fields import is_plain, same_bytes

# Above it all rows are read: every database limits a statement's parameters, SQLite at 999 once.
MANY = 500

_SAVING = {"__init__", "create", "save", "delete_instance"}

_log = logging.getLogger("peewee")


def has_hooks(model: Any, methods: Set[str] = _SAVING) -> bool:
    """Whether a model has ways of its own to make, save or delete a record."""
    own = takewhile(lambda cls: cls is not peewee.Model, model.__mro__)
    return any(methods & vars(cls).keys() for cls in own)


class Rows:
    """The rows of a model: its statements, built once, and what they do on a database."""

    def __init__(self, model: Any) -> None:
        self.model = model
        fields = model._meta.fields
        self._as_records = (
            overrides(model)
            or has_hooks(model, {"__init__"})  # it may change what was loaded
            or not (is_plain(fields.get("value")) and is_plain(fields["key"]))
        )
        self._statements: dict[tuple[type, str | int], tuple[str, list[Any]]] = {}

    def _some(self, query: Any, keys: list[str] | None) -> Any:
        return query if keys is None or len(keys) > MANY else query.where(self.model.key.in_(keys))

    def read(self, database: Any, keys: list[str] | None) -> list[tuple[Any, Any]]:
        model = self.model
        if self._as_records:
            return [(key_of(r), text_of(r)) for r in self._some(model.select(), keys)]
        if keys is None or len(keys) > MANY:
            sql, parameters = model.select(model.key, model.value).sql()
        else:
            sql, parameters = self._statement(database, len(keys))[0], keys
        return list(database.execute_sql(sql, parameters).fetchall())

    def lock(self, database: Any, keys: list[str]) -> list[tuple[Any, Any]]:
        """Read rows that nobody else shall write before the end of the transaction."""
        # All in one order: two that lock each other's rows would wait for each other.
        records = self._some(self.model.select(), keys).order_by(self.model.key)
        if database.for_update:  # SQLite is locked as a whole already
            records = records.for_update()
        return [(key_of(r), text_of(r)) for r in records]

    def _statement(self, database: Any, kind: str | int) -> tuple[str, list[Any]]:
        """A statement and the names of its parameters, built once for a kind of database."""
        known = self._statements.get((type(database), kind))
        if known is None:
            known = self._build(kind, isinstance(database, peewee.MySQLDatabase)).sql()
            self._statements[type(database), kind] = known
        return known

    def _build(self, kind: str | int, loose: bool) -> Any:
        model = self.model
        if isinstance(kind, int):
            return model.select(model.key, model.value).where(model.key.in_(["of_key"] * kind))
        same = [model.key == "of_key"]
        if kind == "touch":
            return model.update({model.key: model.key}).where(*same)
        if kind == "insert":
            return model.insert({model.key: "of_key", model.value: "new"})
        if loose:
            # Collations ignore case, accents and trailing blanks: two pickles may be "equal".
            utf8 = peewee.fn.CONVERT(peewee.NodeList((model.key, peewee.SQL("USING utf8mb4"))))
            same += [same_bytes(utf8, "of_key"), same_bytes(model.value, "seen")]
        else:
            same.append(model.value == "seen")
        query = model.delete() if kind == "delete" else model.update({model.value: "new"})
        return query.where(*same)

    def _many(self, database: Any, kind: str, rows: list[dict[str, Any]]) -> int:
        """Run a statement for many rows and return how many it changed."""
        sql, names = self._statement(database, kind)
        if kind == "insert" and self.model._meta.defaults:
            inserts = (self.model.insert(key=row["of_key"], value=row["new"]) for row in rows)
            values = [tuple(insert.sql()[1]) for insert in inserts]
        else:
            values = [tuple(row[name] for name in names) for row in rows]
        # This doesn't pass peewee's execute_sql, which logs statements; values may be secrets.
        _log.debug((sql, f"{len(values)} rows"))
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            cursor = database.cursor()
            cursor.executemany(sql, values)
        return int(cursor.rowcount)

    def swap(self, database: Any, changes: Swaps, odd: bool) -> bool:
        """Write if all is as it was seen; False calls for a rollback."""
        if self._as_records or odd or has_hooks(self.model):
            return self._swap_records(database, changes)
        return self._swap_columns(database, changes)

    def _swap_columns(self, database: Any, changes: Swaps) -> bool:
        for kind, rows in by_kind(changes).items():
            # Of an INSERT the rowcount says nothing: it fails or not.
            if self._many(database, kind, rows) != len(rows) and kind != "insert":
                return False
        return True

    def _swap_records(self, database: Any, changes: Swaps) -> bool:
        # Touching the rows locks them on every database: what is compared next stays as it is.
        self._many(database, "touch", [{"of_key": key} for key in changes])
        todo = compared(changes, self._some(self.model.select(), list(changes)))
        for key, record, new in todo or ():
            if new is None:
                record.delete_instance()
            elif record is None:
                self.model.create(key=key, value=new)
            else:
                record.value = new
                record.save()
        return todo is not None
