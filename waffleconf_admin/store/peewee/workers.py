"""The workers in a table of peewee."""

from __future__ import annotations

from datetime import datetime

import peewee

from ..instances import Model
from ..workers import WorkerRow, WorkerRows, worker_row_of


class PeeweeWorkers(WorkerRows[peewee.Database]):
    """The rows of a worker model."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def update(self, connection: peewee.Database, row: WorkerRow) -> bool:
        mine = self.model.name == row.name
        update = self.model.update(self.values_of(row)).where(mine)
        if update.execute(connection):
            return True
        # MySQL and MariaDB count the rows that have changed: none, twice within their second.
        return bool(self.model.select(self.model.name).where(mine).exists(connection))

    def insert(self, connection: peewee.Database, row: WorkerRow) -> None:
        self.model.insert(self.values_of(row)).execute(connection)

    def forget(self, connection: peewee.Database, before: datetime) -> None:
        model = self.model
        before = self.column_time(before)
        model.delete().where(model.seen_at < before).execute(connection)

    def read(self, connection: peewee.Database, since: datetime) -> list[WorkerRow]:
        model = self.model
        columns = [getattr(model, name) for name in WorkerRow._fields]
        wanted = model.seen_at >= self.column_time(since)
        found = model.select(*columns).where(wanted).tuples()
        return [worker_row_of(row) for row in found.execute(connection)]

    @property
    def is_zoned(self) -> bool:
        return bool(self.model.seen_at.field_type == "TIMESTAMPTZ")
