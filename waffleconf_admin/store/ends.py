"""Ends of timed saves: their columns, what becomes of them, and the clock that decides."""

from __future__ import annotations

import operator
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

#: The columns that a history model needs for timed saves.
COLUMNS = ("ends_at", "ended_at", "outcome", "remark")

#: Earlier than every end.
BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)

#: What has become of an end: the change went back; somebody keeps it; the setting was changed
#: again before; a rule refused to let it go back.
Outcome = Literal["back", "kept", "changed", "refused"]

#: What reads the seconds since 1970 from the clock of a database server. SQLite has none.
_CLOCKS = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": "SELECT unix_timestamp(sysdate(6))",
    "mariadb": "SELECT unix_timestamp(sysdate(6))",
}


class Settlement(NamedTuple):
    """What becomes of the ends of some rows of the history. All of them have to be open."""

    ids: tuple[int, ...]  #: of the rows
    outcome: Outcome
    at: datetime | None  #: when; None: they stay open, for a person to decide
    remark: str = ""  #: who keeps the change, or why it was refused


def read_clock(dialect: str, scalar: Callable[[str], Any]) -> float:
    """Return the seconds since 1970 by the clock of a database.

    All processes share it, whatever their own clocks say.

    :param dialect: the name of the database, as SQLAlchemy has it.
    :param scalar: returns the one value that a statement selects.
    """
    statement = _CLOCKS.get(dialect)
    return float(scalar(statement)) if statement else time.time()


def has_columns(model: object) -> bool:
    """Whether a history model has what timed saves need."""
    return all(hasattr(model, name) for name in COLUMNS)


# Columns of SQLAlchemy and of peewee overload the same operators.


def is_open(model: Any, beginning: datetime) -> tuple[Any, ...]:
    """Return the conditions of the rows whose ends are still to come, or were refused.

    :param beginning: `BEGINNING`, as the column takes it.
    """
    return operator.eq(model.ended_at, None), model.ends_at > beginning


def is_prunable(model: Any) -> Any:
    """Return the condition of the rows that need not be there for their ends."""
    return operator.eq(model.ends_at, None) | operator.ne(model.ended_at, None)


def settles(model: Any, settlement: Settlement) -> list[Any]:
    """Return the conditions of the rows that a settlement changes, but for their ids."""
    wanted = [operator.eq(model.ended_at, None)]
    if settlement.at is None:  # once, by one process
        wanted.append(operator.eq(model.outcome, None))
    return wanted
