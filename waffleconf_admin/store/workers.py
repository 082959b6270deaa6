"""WorkerRows: the workers in the database, by the app's model of them, whatever the ORM."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Generic, NamedTuple

from .instances import Model, column_time, read_time
from .rows import C


class WorkerRow(NamedTuple):
    """What one process has reported of itself. The fields are the columns of its row."""

    name: str  #: 32 characters, others for each process
    host: str
    pid: int
    started_at: datetime  #: aware, in UTC
    seen_at: datetime  #: aware, in UTC; when it reported last
    keys_digest: str  #: of what it declares
    texts_digest: str  #: of the stored texts that it read last
    restart_digests: str  #: of the values at its start of settings that need a restart


class WorkerRows(ABC, Generic[C]):
    """The rows of the workers: a model's statements."""

    @property
    @abstractmethod
    def is_zoned(self) -> bool:
        """Whether the columns of times have a time zone."""

    @abstractmethod
    def update(self, connection: C, row: WorkerRow) -> bool:
        """Write the row of a worker again; False: it has none."""

    @abstractmethod
    def insert(self, connection: C, row: WorkerRow) -> None:
        """Write the first row of a worker."""

    @abstractmethod
    def forget(self, connection: C, before: datetime) -> None:
        """Delete the rows of workers that were seen before a time, and not since."""

    @abstractmethod
    def read(self, connection: C, since: datetime) -> list[WorkerRow]:
        """Return what `WaffleStore.read_workers` does."""

    def column_time(self, at: datetime) -> datetime:
        """Return a time as the columns take it."""
        return column_time(at, zoned=self.is_zoned)

    def values_of(self, row: WorkerRow) -> dict[str, object]:
        """Return the values of the columns by name."""
        times = {"started_at": row.started_at, "seen_at": row.seen_at}
        return row._asdict() | {name: self.column_time(at) for name, at in times.items()}


def worker_row_of(columns: Iterable[Model]) -> WorkerRow:
    """Return the row whose columns are these, in the order of the fields."""
    row = WorkerRow(*columns)
    return row._replace(started_at=read_time(row.started_at), seen_at=read_time(row.seen_at))
