"""Ends of timed saves: their columns, what becomes of them, and the clock that decides."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from .locks import Execute

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


def read_clock(dialect: str, execute: Execute) -> float:
    """Return the seconds since 1970 by the clock of a database.

    All processes share it, whatever their own clocks say.

    :param dialect: the name of the database, as SQLAlchemy has it.
    """
    statement = _CLOCKS.get(dialect)
    return float(execute(statement)[0]) if statement else time.time()


def has_columns(model: object) -> bool:
    """Whether a history model has what timed saves need."""
    return all(hasattr(model, name) for name in COLUMNS)
