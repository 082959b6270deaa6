"""The history of the settings in a table of SQLAlchemy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import cast

import sqlalchemy as sa
from sqlalchemy import orm

from ..engines import TableName
from ..history import Condition, HistoryRows, newest_first, reading, row_of
from ..history_rows import DEPLOY, VALUES, HistoryQuery, HistoryRow
from ..instances import as_text
from ..rows import chunks
from .rows import TextColumns, has_hooks, name_of_table, new_instance, session_on


class AlchemyHistory(HistoryRows[sa.Connection]):
    """The rows of a history model."""

    @property
    def table_name(self) -> TableName:
        return name_of_table(sa.inspect(self.model))

    def may_alter(self, connection: sa.Connection) -> bool:
        return self._columns.may_alter(connection)

    def add(self, connection: sa.Connection, rows: Sequence[HistoryRow]) -> bool:
        with session_on(connection) as session:
            return self.add_to(session, rows)

    def add_to(
        self, session: orm.Session | orm.scoped_session[orm.Session], rows: Sequence[HistoryRow]
    ) -> bool:
        """Insert rows in a session; with one statement, unless the model has hooks.

        Return what `add` does.
        """
        instances = [new_instance(self.model, **self.attributes_of(row)) for row in rows]
        mapper: orm.Mapper[object] = sa.inspect(self.model)
        table = mapper.local_table
        if has_hooks(mapper) or mapper.inherits is not None or not isinstance(table, sa.Table):
            session.add_all(instances)
            session.flush()
            return False  # nobody counts
        # As the session itself would, but it does not say how many rows that were. Those of one
        # statement fill in the same columns: the others keep the defaults of the table.
        insert, count = sa.insert(table).inline(), 0
        # psycopg's count is kept only if SQLAlchemy (2.0.28) is asked to; where SQLAlchemy makes
        # one statement of all rows, it would give the number of those that were sent.
        dialect = session.get_bind(mapper).dialect
        asked = {"preserve_rowcount": not dialect.use_insertmanyvalues_wo_returning}
        filled = (_columns_of(mapper, instance) for instance in instances)
        for _, some in groupby(filled, key=dict.keys):
            result = session.execute(
                insert, list(some), bind_arguments={"mapper": mapper}, execution_options=asked
            )
            count += cast("sa.CursorResult[object]", result).rowcount
        return count == len(rows)

    def rewrite(self, connection: sa.Connection, rows: Sequence[HistoryRow]) -> bool:
        with session_on(connection) as session:
            for chunk in chunks(rows):
                some = {row.id: row for row in chunk}
                found = sa.select(self.model).where(self.model.id.in_(some))
                for instance in session.scalars(found):
                    instance.old, instance.new = some[instance.id].old, some[instance.id].new
                session.flush()
        # The session has counted, and raised an error, where the driver counts several rows.
        return connection.dialect.supports_sane_multi_rowcount

    def read(self, connection: sa.Connection, query: HistoryQuery) -> list[HistoryRow]:
        model = self.model
        wanted, at = self.conditions(query), None
        if query.before is not None:
            # Of its own type: PostgreSQL refuses a number that is too large for the column's.
            before = sa.literal(query.before, sa.BigInteger)
            if query.by_time:
                at = connection.scalar(sa.select(model.at).where(model.id == before))
                if at is None:  # pruned meanwhile, and what is older with it
                    return []
            wanted += self.follows(before, at)
        ids = sa.select(model.id).where(*wanted).order_by(*self.order(query))
        # The ids first: an index has all that this asks for, and MariaDB reads a range of it then.
        found = ids.limit(query.limit).subquery()
        select = sa.select(model).join(found, model.id == found.c.id)
        return newest_first(self._rows(connection, select), query)

    def latest(self, connection: sa.Connection, keys: Sequence[str]) -> list[HistoryRow]:
        model = self.model
        # One index lookup for each key; GROUP BY would read the whole index.
        saves = sa.select(model.id).where(model.source != DEPLOY).order_by(model.id.desc()).limit(1)
        newest = [saves.where(model.key == key).scalar_subquery() for key in keys]
        # No row has the id 0: MariaDB takes a list of one for IN (SELECT …), and refuses its LIMIT.
        return self._rows(connection, sa.select(model).where(model.id.in_([*newest, 0])))

    def actors(
        self, connection: sa.Connection, keys: Sequence[str] | None, limit: int
    ) -> list[str]:
        model = self.model
        wanted = self.conditions(HistoryQuery(keys))
        last = sa.select(model.actor).where(*wanted).order_by(model.id.desc()).limit(limit)
        found = connection.scalars(sa.select(last.subquery().c.actor).distinct())
        return [as_text(actor) for actor in found]

    def prune(self, connection: sa.Connection, until: datetime, limit: int) -> int:
        model = self.model
        noted = sa.select(sa.func.max(model.id)).where(model.source == DEPLOY).group_by(model.key)
        is_old = [model.at < self.column_time(until), model.id.not_in(noted), *self.is_prunable()]
        old = sa.select(model.id).where(*is_old).order_by(model.at).limit(limit)
        ids = connection.scalars(old).all()
        return connection.execute(sa.delete(model).where(model.id.in_(ids))).rowcount

    def open_ends(self, connection: sa.Connection) -> list[HistoryRow]:
        # Every load asks this, and mostly there are none: a session would take longer than that.
        found: list[HistoryRow] = []
        for ids in chunks(connection.scalars(self._open_ids).all()):
            found += self._rows(connection, sa.select(self.model).where(self.model.id.in_(ids)))
        return found

    def update(
        self, connection: sa.Connection, wanted: Sequence[Condition], values: dict[str, object]
    ) -> int:
        return connection.execute(sa.update(self.model).where(*wanted).values(values)).rowcount

    @cached_property
    def _columns(self) -> TextColumns:
        return TextColumns(sa.inspect(self.model), VALUES)

    @cached_property
    def _open_ids(self) -> sa.Select[int]:
        return sa.select(self.model.id).where(*self.is_open())

    def _rows(self, connection: sa.Connection, select: sa.Select[object]) -> list[HistoryRow]:
        with reading(), session_on(connection) as session:
            return [row_of(instance) for instance in session.scalars(select)]

    @cached_property
    def is_zoned(self) -> bool:
        column = sa.inspect(self.model).columns["at"]
        return bool(getattr(column.type, "timezone", False))


def _columns_of(mapper: orm.Mapper[object], instance: object) -> dict[str, object]:
    """The columns that a new instance fills in, by their keys in the table."""
    given = sa.inspect(instance).dict
    return {
        column.key: given[name]
        for name, column in mapper.columns.items()
        if given.get(name) is not None
    }
