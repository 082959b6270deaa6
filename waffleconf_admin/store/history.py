"""Rows of the history and the instances of the app's model that they are made of."""

from __future__ import annotations

import contextlib
import operator
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..exceptions import StoreError
from . import ends
from .history_rows import DEPLOY, HistoryQuery, HistoryRow
from .instances import as_text, column_time, read_time


def row_of(instance: Any) -> HistoryRow:
    """Return what an instance of a history model says."""
    overridable = hasattr(instance, "get_old")
    return HistoryRow(
        change_set=as_text(instance.change_set),
        key=as_text(instance.key),
        old=instance.get_old() if overridable else instance.old,
        new=instance.get_new() if overridable else instance.new,
        actor=as_text(instance.actor),
        at=read_time(instance.at),
        note=as_text(instance.note),
        source=as_text(instance.source),
        id=instance.id,
        **_end_of(instance),
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


def _end_of(instance: Any) -> dict[str, Any]:
    ends_at = getattr(instance, "ends_at", None)
    if ends_at is None:
        return {}
    return {
        "ends_at": read_time(ends_at),
        "ended_at": instance.ended_at and read_time(instance.ended_at),
        "outcome": as_text(instance.outcome),
        "remark": as_text(instance.remark),
    }


# Columns of SQLAlchemy and of peewee overload the same operators: each condition stands here once.

_FILTERS: tuple[tuple[str, str, Callable[[Any, Any], object]], ...] = (
    ("change_set", "change_set", operator.eq),
    ("actor", "actor", operator.eq),
    ("actor_part", "actor", lambda column, part: _contains(column, part)),
    ("source", "source", operator.eq),
    ("keys", "key", lambda column, keys: column.in_(keys)),
    ("since", "at", operator.ge),
    ("until", "at", operator.lt),
    ("saves", "source", lambda column, _: column != DEPLOY),
    ("replacing", "old", lambda column, _: column != None),  # noqa: E711  # becomes SQL
)


def conditions(model: Any, query: HistoryQuery, *, zoned: bool) -> list[Any]:
    """Return what a query asks of the columns of a history model, but for `HistoryQuery.before`.

    :param zoned: whether the column ``at`` has a time zone.
    """
    given = query._asdict()
    for name in ("since", "until"):
        if given[name] is not None:
            given[name] = column_time(given[name], zoned=zoned)
    return [
        compare(getattr(model, column), given[name])
        for name, column, compare in _FILTERS
        if given[name] is not None
    ]


def _contains(column: Any, part: str) -> object:
    """Whether a column has a text in it, in capitals or not."""
    if hasattr(column, "icontains"):  # of SQLAlchemy
        return column.icontains(part, autoescape=True)
    return column.contains(part)


def after_row(model: Any, id: object, at: object) -> list[Any]:
    """Return the conditions of what follows a row in the answer.

    :param id: that of the row.
    :param at: its time where the answer is ordered by time; else None.
    """
    if at is None:
        return [model.id < id]
    return [model.at <= at, (model.at < at) | (model.id < id)]


def order(model: Any, query: HistoryQuery) -> list[Any]:
    """Return the order of the answer to a query."""
    return [model.at.desc(), model.id.desc()] if query.by_time else [model.id.desc()]


def newest_first(rows: Iterable[HistoryRow], query: HistoryQuery) -> list[HistoryRow]:
    """Return the rows that a query has found in the order of its answer."""
    by_time = query.by_time
    return sorted(rows, key=lambda row: (row.at if by_time else 0, row.id), reverse=True)


#: The fields before the id, which the database counts; a model may lack columns for those behind.
WRITTEN = HistoryRow._fields[: HistoryRow._fields.index("id")]


def attributes_of(row: HistoryRow, *, zoned: bool) -> dict[str, Any]:
    """Return the attributes of a new instance of a history model.

    :param zoned: whether the column ``at`` has a time zone.
    """
    attributes: dict[str, Any] = dict(zip(WRITTEN, row, strict=False))
    attributes["at"] = column_time(row.at, zoned=zoned)
    if row.ends_at is not None:
        attributes["ends_at"] = column_time(row.ends_at, zoned=zoned)
    return attributes


def settled_attributes(settlement: ends.Settlement, *, zoned: bool) -> dict[str, Any]:
    """Return the attributes that a settlement gives rows."""
    at = settlement.at and column_time(settlement.at, zoned=zoned)
    return {"ended_at": at, "outcome": settlement.outcome, "remark": settlement.remark}
