"""Rows of the history and the instances of the app's model that they are made of."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from .contract import HistoryQuery, HistoryRow


def row_of(instance: Any) -> HistoryRow:
    """Return what an instance of a history model says."""
    overridable = hasattr(instance, "get_old")
    return HistoryRow(
        change_set=instance.change_set,
        key=instance.key,
        old=instance.get_old() if overridable else instance.old,
        new=instance.get_new() if overridable else instance.new,
        actor=instance.actor or "",
        at=instance.at.astimezone(UTC) if instance.at.tzinfo else instance.at.replace(tzinfo=UTC),
        note=instance.note or "",
        source=instance.source or "",
        id=instance.id,
    )


def newest_first(rows: Iterable[HistoryRow], query: HistoryQuery) -> list[HistoryRow]:
    """Return the rows that a query has found in the order of its answer."""
    by_time = query.by_time
    return sorted(rows, key=lambda row: (row.at if by_time else 0, row.id), reverse=True)


def attributes_of(row: HistoryRow, *, zoned: bool) -> dict[str, Any]:
    """Return the attributes of a new instance of a history model.

    :param zoned: whether the column ``at`` has a time zone.
    """
    attributes = row._asdict() | {"at": column_time(row.at, zoned=zoned)}
    del attributes["id"]  # the database counts
    return attributes


def column_time(at: datetime, *, zoned: bool) -> datetime:
    """Return a time as its column takes it; without a time zone it is UTC all the same."""
    at = at.astimezone(UTC)
    return at if zoned else at.replace(tzinfo=None)
