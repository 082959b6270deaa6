"""Conditions on the columns of a history model, for any ORM."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from .history_rows import DEPLOY, HistoryQuery, Settlement
from .instances import Model, column_time

#: A condition, or an order. Any: columns of SQLAlchemy and of peewee overload the same operators,
#: and have no type in common.
Condition = Any

_FILTERS: tuple[tuple[str, str, Callable[[Model, Any], Condition]], ...] = (
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


def conditions(model: Model, query: HistoryQuery, *, zoned: bool) -> list[Condition]:
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


def _contains(column: Model, part: str) -> object:
    """Whether a column has a text in it, in capitals or not."""
    if hasattr(column, "icontains"):  # of SQLAlchemy
        return column.icontains(part, autoescape=True)
    return column.contains(part)


def after_row(model: Model, id: object, at: object) -> list[Condition]:
    """Return the conditions of what follows a row in the answer.

    :param id: that of the row.
    :param at: its time where the answer is ordered by time; else None.
    """
    if at is None:
        return [model.id < id]
    return [model.at <= at, (model.at < at) | (model.id < id)]


def order(model: Model, query: HistoryQuery) -> list[Condition]:
    """Return the order of the answer to a query."""
    return [model.at.desc(), model.id.desc()] if query.by_time else [model.id.desc()]


def has_ends(model: object) -> bool:
    """Whether a history model has the columns that saves with an end need."""
    return all(hasattr(model, name) for name in ("ends_at", "ended_at", "outcome", "remark"))


def is_open(model: Model, *, zoned: bool) -> list[Condition]:
    """Return the conditions of the rows whose ends are still to come, or were refused.

    :param zoned: whether the columns of times have a time zone.
    """
    # Earlier than every end; without one there is none to compare.
    earliest = column_time(datetime(1970, 1, 2, tzinfo=UTC), zoned=zoned)
    return [operator.eq(model.ended_at, None), model.ends_at > earliest]


def is_prunable(model: Model) -> list[Condition]:
    """Return the conditions of the rows that need not be there for their ends."""
    if not has_ends(model):
        return []
    return [operator.eq(model.ends_at, None) | operator.ne(model.ended_at, None)]


def settles(model: Model, settlement: Settlement) -> list[Condition]:
    """Return the conditions of the rows that a settlement changes, but for their ids."""
    wanted = [operator.eq(model.ended_at, None)]
    if settlement.at is None:  # once, by one process
        wanted.append(operator.eq(model.outcome, None))
    return wanted
