"""Task: what a save is asked to do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from ..store.contract import storable

#: Sources of people, who may not know the secret that they overwrite. What they type for a secret
#: is always written: otherwise "nothing changed" would confirm a guess.
INTERACTIVE_SOURCES = ("page", "api")

#: As a value: no row, so that the default holds.
RESET: Final = object()

#: Characters that the history keeps of an actor and of a note.
ACTOR_LENGTH, NOTE_LENGTH = 255, 2000


class Origin(NamedTuple):
    """Who saves, why, and by which way in."""

    actor: str | None
    note: str | None
    source: str


class Task(NamedTuple):
    """What a save is asked to do."""

    settings: Mapping[str, Setting]  #: all that are declared
    wanted: Mapping[str, object]
    expected: Mapping[str, object]
    origin: Origin

    def new_value(self, key: str) -> object:
        """Return the value that a setting is to have."""
        value = self.wanted[key]
        return self.settings[key].copy_default() if value is RESET else value

    def always_writes(self, key: str) -> bool:
        """Whether a setting is written even if the database holds the value already."""
        return self.settings[key].secret and self.origin.source in INTERACTIVE_SOURCES

    def history(self, swaps: Mapping[str, Swap]) -> list[HistoryRow]:
        """Return what the save adds to the history; of secrets no texts."""
        change_set, now = uuid.uuid4().hex, datetime.now(UTC)
        actor = storable(self.origin.actor)[:ACTOR_LENGTH]
        note = storable(self.origin.note)[:NOTE_LENGTH]
        return [
            HistoryRow(
                change_set,
                key,
                None if self.settings[key].secret else swap.seen,
                None if self.settings[key].secret else swap.new,
                actor,
                now,
                note,
                self.origin.source,
            )
            for key, swap in swaps.items()
        ]
