"""Drift: whether a setting was last changed by a person, so that a file does not overwrite it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..settings.setting import Setting
from ..state.change import Change, explains
from ..state.record import Record

#: The sources of changes that people make.
PEOPLE = ("page", "api", "cli", "restore")


class Drift(NamedTuple):
    """Who made a setting drift from what files say."""

    actor: str  #: "" where nobody was named
    at: datetime | None  #: None: the history does not know
    source: str  #: "" where the history does not know


UNKNOWN = Drift("", None, "")


def find_drift(setting: Setting, record: Record, latest: Change | None) -> Drift | None:
    """Return how a setting has drifted; None: the value that it has is not a person's.

    :param record: as it is in the database.
    :param latest: its last change in the history.
    """
    if latest is not None and is_by_person(latest):
        return Drift(latest.actor, latest.at, latest.source)
    return None if explains(latest, setting, record) else UNKNOWN


def is_by_person(change: Change) -> bool:
    """Whether a person made a change, and not code, an import or a deployment."""
    return change.source in PEOPLE or (change.source in ("undo", "end") and bool(change.actor))
