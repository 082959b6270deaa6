"""The workers in a table of SQLAlchemy."""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

import sqlalchemy as sa
from sqlalchemy import orm

from ..instances import Model
from ..workers import WorkerRow, WorkerRows, worker_row_of


class AlchemyWorkers(WorkerRows[sa.Connection]):
    """The rows of a worker model, read and written as columns of its table."""

    def __init__(self, model: Model) -> None:
        self.mapper: orm.Mapper[object] = sa.inspect(model)
        self._columns = {name: self.mapper.columns[name] for name in WorkerRow._fields}
        self._table = self._columns["name"].table

    @cached_property
    def is_zoned(self) -> bool:
        return bool(getattr(self._columns["seen_at"].type, "timezone", False))

    def is_ready(self) -> bool:
        """Whether reading does not configure the app's mappers before all are declared."""
        return True

    @cached_property
    def select(self) -> sa.Select[object]:
        return sa.select(*self._columns.values())

    @cached_property
    def lock_by_update(self) -> sa.Update:
        return sa.update(self._table)

    def update(self, connection: sa.Connection, row: WorkerRow) -> bool:
        update = self.lock_by_update.where(self._columns["name"] == row.name)
        return connection.execute(update.values(self._values(row))).rowcount > 0

    def insert(self, connection: sa.Connection, row: WorkerRow) -> None:
        connection.execute(sa.insert(self._table).values(self._values(row)))

    def forget(self, connection: sa.Connection, before: datetime) -> None:
        is_old = self._columns["seen_at"] < self.column_time(before)
        connection.execute(sa.delete(self._table).where(is_old))

    def read(self, connection: sa.Connection, since: datetime) -> list[WorkerRow]:
        wanted = self._columns["seen_at"] >= self.column_time(since)
        return [worker_row_of(row) for row in connection.execute(self.select.where(wanted))]

    def _values(self, row: WorkerRow) -> dict[object, object]:
        return {self._columns[name]: value for name, value in self.values_of(row).items()}
