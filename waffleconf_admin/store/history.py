"""Rows of the history and the instances of the app's model that they are made of."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from ..exceptions import StoreError
from .history_rows import HistoryQuery, HistoryRow, Settlement
from .instances import Model, as_text, column_time, read_time


def row_of(instance: Model) -> HistoryRow:
    """Return what an instance of a history model says."""
    overridable = hasattr(instance, "get_old")
    row = HistoryRow(
        change_set=as_text(instance.change_set),
        key=as_text(instance.key),
        old=instance.get_old() if overridable else instance.old,
        new=instance.get_new() if overridable else instance.new,
        actor=as_text(instance.actor),
        at=read_time(instance.at),
        note=as_text(instance.note),
        source=as_text(instance.source),
        id=instance.id,
    )
    ends_at = getattr(instance, "ends_at", None)
    if ends_at is None:
        return row
    return row._replace(
        ends_at=read_time(ends_at),
        ended_at=instance.ended_at and read_time(instance.ended_at),
        outcome=as_text(instance.outcome),
        remark=as_text(instance.remark),
    )


@contextlib.contextmanager
def reading() -> Iterator[None]:
    """Report rows that hold what their columns can't: SQLite takes that from other programs.

    :raises StoreError: a row can't be read.
    """
    try:
        yield
    except (AttributeError, OverflowError, TypeError, ValueError) as error:
        raise StoreError(
            "A row of the history can't be read: another program has written it. Its times must be "
            "times, and its texts text: correct or delete the row."
        ) from error


def newest_first(rows: Iterable[HistoryRow], query: HistoryQuery) -> list[HistoryRow]:
    """Return the rows that a query has found in the order of its answer."""
    by_time = query.by_time
    return sorted(rows, key=lambda row: (row.at if by_time else 0, row.id), reverse=True)


#: The fields before the id, which the database counts; a model may lack columns for those behind.
WRITTEN = HistoryRow._fields[: HistoryRow._fields.index("id")]


def attributes_of(row: HistoryRow, *, zoned: bool) -> dict[str, object]:
    """Return the attributes of a new instance of a history model.

    :param zoned: whether the column ``at`` has a time zone.
    """
    attributes: dict[str, object] = dict(zip(WRITTEN, row, strict=False))
    attributes["at"] = column_time(row.at, zoned=zoned)
    if row.ends_at is not None:
        attributes["ends_at"] = column_time(row.ends_at, zoned=zoned)
    return attributes


def settled_attributes(settlement: Settlement, *, zoned: bool) -> dict[str, object]:
    """Return the attributes that a settlement gives rows."""
    at = settlement.at and column_time(settlement.at, zoned=zoned)
    return {"ended_at": at, "outcome": settlement.outcome, "remark": settlement.remark}
