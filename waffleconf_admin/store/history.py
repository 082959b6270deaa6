"""The history as a store sees it: its rows, and which of them somebody asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple


class HistoryRow(NamedTuple):
    """One change of one setting, as the history keeps it."""

    change_set: str  #: the same for all changes of one save
    key: str
    old: str | None  #: stored text; None: there was no row, or the setting is secret
    new: str | None
    actor: str  #: "" when nobody was named
    at: datetime  #: aware, in UTC
    note: str
    source: str
    id: int = 0  #: given by the database, in the order of the changes


class HistoryQuery(NamedTuple):
    """Which rows of the history; None is any."""

    keys: Sequence[str] | None = None
    change_set: str | None = None
    actor: str | None = None
    source: str | None = None
    since: datetime | None = None  #: aware; this moment or later
    until: datetime | None = None  #: aware; before this moment
    before: int | None = None  #: that come after the row with this id in the answer
    limit: int | None = None
    fresh: bool = False  #: read where saves write: a replica may lag behind

    @property
    def by_time(self) -> bool:
        """Whether the answer goes by time, and by id only where times are equal; else by id.

        A range of times is read from an index of them. With a wrong clock the ids go otherwise.
        """
        return self.since is not None or self.until is not None

    def is_vain(self) -> bool:
        """Whether no row can be found; some databases refuse to look for what they can't hold."""
        texts = (self.change_set, self.actor, self.source)
        strange = not all(text is None or is_plain(text) for text in texts)
        return strange or (self.keys is not None and not self.keys)


def row_of(record: Any) -> HistoryRow:
    """What a record of a history model says."""
    own = hasattr(record, "get_old")
    return HistoryRow(
        change_set=record.change_set,
        key=record.key,
        old=record.get_old() if own else record.old,
        new=record.get_new() if own else record.new,
        actor=record.actor or "",
        at=record.at.astimezone(UTC) if record.at.tzinfo else record.at.replace(tzinfo=UTC),
        note=record.note or "",
        source=record.source or "",
        id=record.id,
    )


def newest_first(rows: Iterable[HistoryRow], query: HistoryQuery) -> list[HistoryRow]:
    """The rows that a query has found, in the order of its answer."""
    by_time = query.by_time
    return sorted(rows, key=lambda row: (row.at if by_time else 0, row.id), reverse=True)


def fields_of(row: HistoryRow, zoned: bool) -> dict[str, Any]:
    """The attributes of a new record of a history model."""
    fields = row._asdict() | {"at": moment(row.at, zoned)}
    del fields["id"]  # the database counts
    return fields


def moment(at: datetime, zoned: bool) -> datetime:
    """A time as its column takes it; without a time zone it is UTC all the same."""
    at = at.astimezone(UTC)
    return at if zoned else at.replace(tzinfo=None)


def plain(text: str | None) -> str:
    """A text that every database takes."""
    return str(text or "").encode("utf-8", "replace").decode().replace("\0", "")


def is_plain(text: str) -> bool:
    """Whether every database takes a text."""
    return plain(text) == text
