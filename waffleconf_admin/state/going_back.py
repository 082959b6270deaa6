"""GoingBack: how the settings of a save with an end go back, or are refused to."""

from __future__ import annotations

import logging

from ..exceptions import InvalidValue
from ..i18n import gettext, mark
from ..store import Settlement
from ..store.ends import Outcome
from .change import values_before
from .history import History, SavingState
from .history_repository import HistoryRepository
from .open_ends import End
from .save import Saved
from .task import Origin

log = logging.getLogger(__name__)

HIDDEN = mark("it is refused")


class GoingBack:
    """Gives settings the values back that they had before a save with an end.

    :param state: the app's state.
    :param rows: its history in the database.
    :param history: of the state; None: it keeps none, so that no save has an end.
    """

    def __init__(
        self, state: SavingState, rows: HistoryRepository, history: History | None
    ) -> None:
        self._state = state
        self._rows = rows
        self._history = history

    def run(self, end: End, origin: Origin) -> Saved:
        """Give the settings of an end their old values, and settle it, in one transaction.

        What was changed again since stays.

        :returns: what was written.
        :raises InvalidValue: a rule refuses, and nothing goes back.
        :raises ConflictError: somebody else has just changed or settled it.
        :raises StoreError: the database can't be read or written.
        """
        assert self._history  # nosec B101 # for the type checker
        obstacles = self._history.obstacles(end.changes.values())
        if refused := {key: text for key, text in obstacles.items() if text}:
            raise InvalidValue(refused)
        records = self._state.read(end.changes)
        # Written past this package: no later row of the history says so.
        todo = {
            key: change
            for key, change in end.changes.items()
            if records[key].text == change.new_text
        }
        outcome: Outcome = "back" if todo else "changed"
        settled = Settlement(end.rows, outcome, self._rows.now(), origin.actor or "")
        return self._state.save(
            values_before(todo.values()),
            {key: records[key] for key in todo},
            origin._replace(ends=(settled,)),
        )

    def refuse(self, end: End, error: InvalidValue) -> None:
        """Say that the settings of an end stay as they are; it is not tried again."""
        settings = self._state.settings.values()
        secrets = {s.key for s in settings if s.secret} - end.changes.keys()
        errors = {
            # What the app's own code says of a secret may quote it.
            key: gettext(HIDDEN) if key in secrets else text
            for key, text in error.errors.items()
        }
        why = str(InvalidValue(errors)) if errors else str(error)
        if self._rows.settle(Settlement(end.own_rows, "refused", None, why)):
            log.error(
                "%s should have gone back at %s, which was refused, so nothing of this save goes "
                "back: %s",
                ", ".join(end.changes),
                end.at.isoformat(),
                why,
            )
