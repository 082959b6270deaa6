"""Rows of the history: what they hold, which of them to read, and what becomes of their ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

#: The source of rows of the history that note the declared default of a setting: old and new are
#: defaults, and no value was changed.
DEPLOY = "deploy"


#: Characters that the history keeps of an actor; of a source and a change set it keeps fewer.
LONGEST_TEXT = 255

#: The columns that undo and restore read. Hooks of models and triggers may fill in the others.
VALUES = ("change_set", "key", "old", "new")


class HistoryRow(NamedTuple):
    """One change of one setting, as the history stores it."""

    change_set: str  #: the same for all changes of one save
    key: str
    old: str | None  #: stored text; None: there was no row, or the setting is secret
    new: str | None
    actor: str  #: "" when nobody was named
    at: datetime  #: aware, in UTC
    note: str
    source: str
    id: int = 0  #: given by the database, in the order of the changes
    ends_at: datetime | None = None  #: aware; when the change goes back; None: it has no end
    ended_at: datetime | None = None  #: aware; when the end was settled; None: it is open
    outcome: str = ""  #: of the end: "back", "kept", "changed", "refused"; "": nothing yet
    remark: str = ""  #: who keeps the change, or why it was refused to let it go back


class HistoryQuery(NamedTuple):
    """Which rows of the history to read; None is any."""

    keys: Sequence[str] | None = None
    change_set: str | None = None
    actor: str | None = None
    actor_part: str | None = None  #: who has this in the name, whether in capitals or not
    source: str | None = None
    since: datetime | None = None  #: aware; at this time or later
    until: datetime | None = None  #: aware; before this time
    before: int | None = None  #: only what follows the row with this id in the answer
    limit: int | None = None
    saves: bool | None = None  #: True: without rows of the source "deploy"
    replacing: bool | None = None  #: True: only rows with an old text
    fresh: bool = False  #: read where saves write: a replica may lag behind

    @property
    def by_time(self) -> bool:
        """Whether the answer is ordered by time, and by id only where times are equal; else by id.

        A range of times is read from an index of them. With a wrong clock the two orders differ.
        """
        return self.since is not None or self.until is not None

    def matches_nothing(self) -> bool:
        """Whether no row can match; some databases refuse to look for a text that they
        can't store, or for a long one.
        """
        texts = (self.change_set, self.actor, self.actor_part, self.source)
        possible = all(
            text is None or (len(text) <= LONGEST_TEXT and is_storable(text)) for text in texts
        )
        return not possible or (self.keys is not None and not self.keys)


#: What has become of an end: the change went back; somebody keeps it; the setting was changed
#: again before; a rule refused to let it go back.
Outcome = Literal["back", "kept", "changed", "refused"]


class Settlement(NamedTuple):
    """What becomes of the ends of some rows. All of them have to be open."""

    ids: tuple[int, ...]  #: of the rows
    outcome: Outcome
    at: datetime | None  #: when; None: they stay open, for a person to decide
    remark: str = ""  #: who keeps the change, or why it was refused


def storable(text: str | None) -> str:
    """Return a text as every database can store it."""
    return str(text or "").encode("utf-8", "replace").decode().replace("\0", "")


def is_storable(text: str) -> bool:
    """Whether every database can store a text."""
    return storable(text) == text
