"""The history of the settings in a table of peewee."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property

import peewee

from ..engines import TableName
from ..history import Condition, HistoryRows, newest_first, reading, row_of
from ..history_rows import DEPLOY, VALUES, HistoryQuery, HistoryRow
from ..instances import as_text
from ..rows import chunks
from .rows import TextColumns, has_hooks, name_of_table

# Rows of one INSERT: every database limits a statement's parameters, SQLite at 999 once.
_TOGETHER = 100


class PeeweeHistory(HistoryRows[peewee.Database]):
    """The rows of a history model."""

    @property
    def table_name(self) -> TableName:
        return name_of_table(self.model)

    def may_alter(self, connection: peewee.Database) -> bool:
        return self._columns.may_alter(connection)

    def add(self, connection: peewee.Database, rows: Sequence[HistoryRow]) -> bool:
        if has_hooks(self.model):
            for row in rows:
                self.model.create(**self.attributes_of(row))
            return False  # nobody counts
        inserted = [self.model(**self.attributes_of(row)).__data__ for row in rows]
        count = 0
        for some in peewee.chunked(inserted, _TOGETHER):
            count += self.model.insert_many(some).as_rowcount().execute(connection)
        return count == len(rows)

    def rewrite(self, connection: peewee.Database, rows: Sequence[HistoryRow]) -> bool:
        all_counted = True
        for chunk in chunks(rows):
            some = {row.id: row for row in chunk}
            found = self.model.select().where(self.model.id.in_(list(some)))
            for record in list(found.execute(connection)):
                record.old, record.new = some[record.id].old, some[record.id].new
                all_counted = record.save() == 1 and all_counted
        return all_counted

    def read(self, connection: peewee.Database, query: HistoryQuery) -> list[HistoryRow]:
        model = self.model
        wanted, at = self.conditions(query), None
        if query.before is not None:
            if query.by_time:
                at = model.select(model.at).where(model.id == query.before).scalar(connection)
                if at is None:  # pruned meanwhile, and what is older with it
                    return []
            wanted += self.follows(query.before, at)
        ids = model.select(model.id).order_by(*self.order(query)).limit(query.limit)
        # The ids first: an index has all that this asks for, and MariaDB reads a range of it then.
        found = (ids.where(*wanted) if wanted else ids).alias("found")
        instances = model.select().join(found, on=(model.id == found.c.id))
        return newest_first(_rows(instances, connection), query)

    def latest(self, connection: peewee.Database, keys: Sequence[str]) -> list[HistoryRow]:
        model = self.model
        # One index lookup for each key; GROUP BY would read the whole index.
        newest = []
        for key in keys:
            other = model.alias()
            saves = other.select(other.id).where(other.key == key, other.source != DEPLOY)
            newest.append(saves.order_by(other.id.desc()).limit(1))
        # No row has the id 0: MariaDB takes a list of one for IN (SELECT …), and refuses its LIMIT.
        return _rows(model.select().where(model.id.in_([*newest, 0])), connection)

    def actors(
        self, connection: peewee.Database, keys: Sequence[str] | None, limit: int
    ) -> list[str]:
        model = self.model
        wanted = self.conditions(HistoryQuery(keys))
        last = model.select(model.actor).order_by(model.id.desc()).limit(limit)
        last = (last.where(*wanted) if wanted else last).alias("last")
        found = model.select(last.c.actor).from_(last).distinct().tuples()
        return [as_text(actor) for (actor,) in found.execute(connection)]

    def prune(self, connection: peewee.Database, until: datetime, limit: int) -> int:
        model = self.model
        other = model.alias()
        noted = other.select(peewee.fn.MAX(other.id)).where(other.source == DEPLOY)
        noted = noted.group_by(other.key)
        is_old = [model.at < self.column_time(until), model.id.not_in(noted), *self.is_prunable()]
        old = model.select(model.id).where(*is_old).order_by(model.at)
        ids = [instance.id for instance in old.limit(limit).execute(connection)]
        return int(model.delete().where(model.id.in_(ids)).execute(connection))

    def open_ends(self, connection: peewee.Database) -> list[HistoryRow]:
        return _rows(self.model.select().where(*self.is_open()), connection)

    def update(
        self, connection: peewee.Database, wanted: Sequence[Condition], values: dict[str, object]
    ) -> int:
        return int(self.model.update(values).where(*wanted).execute(connection))

    @cached_property
    def _columns(self) -> TextColumns:
        return TextColumns(self.model, VALUES)

    @property
    def is_zoned(self) -> bool:
        return bool(self.model.at.field_type == "TIMESTAMPTZ")


def _rows(instances: peewee.ModelSelect, connection: peewee.Database) -> list[HistoryRow]:
    """The rows of a query for instances."""
    with reading():
        return [row_of(instance) for instance in instances.execute(connection)]
