"""WorkerRow: what a process reports of itself, and the columns that hold it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from .instances import Model, column_time, read_time


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


def worker_row_of(columns: Iterable[Model]) -> WorkerRow:
    """Return the row whose columns are these, in the order of the fields."""
    row = WorkerRow(*columns)
    return row._replace(started_at=read_time(row.started_at), seen_at=read_time(row.seen_at))


def worker_values(row: WorkerRow, *, zoned: bool) -> dict[str, object]:
    """Return the values of the columns by name.

    :param zoned: whether the columns of times have a time zone.
    """
    times = {"started_at": row.started_at, "seen_at": row.seen_at}
    return row._asdict() | {name: column_time(at, zoned=zoned) for name, at in times.items()}
