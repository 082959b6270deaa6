"""Task: what a save is asked to do."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from ..exceptions import InvalidValue
from ..settings.equality import same
from ..settings.setting import Setting
from ..store import HistoryRow, Settlement, Swap
from ..store.history_rows import DEPLOY, LONGEST_TEXT, is_storable, storable

#: Sources of people, who may not know the secret that they overwrite. What they type for a secret
#: is always written: otherwise "nothing changed" would confirm a guess.
INTERACTIVE_SOURCES = ("page", "api")

#: As a value: no row, so that the default holds.
RESET: Final = object()

#: Characters that the history keeps of an actor and of a note; those that a source may have.
ACTOR_LENGTH, NOTE_LENGTH, SOURCE_LENGTH = LONGEST_TEXT, 2000, 32


class Origin(NamedTuple):
    """Who saves, why, by which way in, and for how long."""

    actor: str | None
    note: str | None
    source: str
    until: datetime | None = None  #: when the settings go back; None: they stay
    ends: tuple[Settlement, ...] = ()  #: what becomes of ends of earlier saves

    def check(self) -> None:
        """Refuse a source that the history can't hold.

        :raises ValueError: it is no text, too long, or that of deployments.
        """
        source = self.source
        fits = isinstance(source, str) and 0 < len(source) <= SOURCE_LENGTH
        if not fits or not is_storable(source):
            raise ValueError(
                f"source= is {self.source!r}: write a text of at most {SOURCE_LENGTH} characters, "
                "such as 'code'."
            )
        if self.source == DEPLOY:
            raise ValueError("source='deploy' is that of flask waffle deployed: write another.")


class Task(NamedTuple):
    """What a save is asked to do."""

    settings: Mapping[str, Setting]  #: all that are declared
    wanted: Mapping[str, object]  #: the new values; `RESET` deletes the row
    expected: Mapping[str, object]  #: the values seen; a `Record` stands for its stored text
    origin: Origin

    def without_environment(self) -> Task:
        """Return the task without the values that the environment has given settings already.

        :raises InvalidValue: it is to give such a setting another value.
        """
        held = {
            key: found
            for key in self.wanted
            if (found := self.settings[key].environment) is not None
        }
        if not held:
            return self
        # The answer never reveals whether somebody has guessed a secret.
        always = self.always_written()
        refused = {
            key: found.reason
            for key, found in held.items()
            if key in always or not same(self.new_value(key), found.value)
        }
        if refused:
            raise InvalidValue(refused)
        return self._replace(wanted={k: v for k, v in self.wanted.items() if k not in held})

    def new_value(self, key: str) -> object:
        """Return the value that a setting is to have."""
        value = self.wanted[key]
        return self.settings[key].copy_default() if value is RESET else value

    def always_written(self) -> set[str]:
        """Return the settings that are written even if the database holds the value already."""
        if self.origin.source not in INTERACTIVE_SOURCES:
            return set()
        return {key for key in self.wanted if self.settings[key].secret}


def history_rows(swaps: Mapping[str, Swap], origin: Origin) -> list[HistoryRow]:
    """Return the rows of one change set.

    :param swaps: by key; a text that the history must not have is None.
    """
    change_set, now = uuid.uuid4().hex, datetime.now(UTC)
    actor = storable(origin.actor)[:ACTOR_LENGTH]
    note = storable(origin.note)[:NOTE_LENGTH]
    rest = (actor, now, note, origin.source, 0, origin.until)
    return [HistoryRow(change_set, key, swap.seen, swap.new, *rest) for key, swap in swaps.items()]
