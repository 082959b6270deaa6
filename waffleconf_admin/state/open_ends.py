"""OpenEnds: the ends of saves that are still to come, and how their settings go back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..exceptions import InvalidValue, StoreError
from ..i18n import english, gettext, language, mark
from ..store import HistoryRow, Settlement
from ..store.history_rows import Outcome
from .change import Change, values_before
from .history import History, SavingState
from .history_repository import HistoryRepository
from .save import Saved
from .task import Origin

log = logging.getLogger(__name__)

HIDDEN = mark("it is refused")
#: Changes that are read to find the one before each of some.
READ = 200


@dataclass(frozen=True)
class End:
    """The end of one save."""

    change_set: str  #: the save
    at: datetime  #: when its settings go back; aware, in UTC
    actor: str  #: who saved; "" where none was given
    #: By key: `old` is what the setting goes back to, `new` what it is until then. A setting that
    #: another save with an end has changed since belongs to that one.
    changes: Mapping[str, Change]
    rows: tuple[int, ...]  #: the ids of its rows in the history, and of those that it goes on from
    own_rows: tuple[int, ...]  #: the ids of the rows of the save itself
    #: Why it could not go back when it was time, in English; "": it is still to come.
    refused: str = ""

    def reason(self, hidden: Iterable[str], elsewhere: str) -> str:
        """Return why it was refused, for people who may not see some settings.

        :param hidden: the keys of those.
        :param elsewhere: the sentence in place of what is said of them, and of all that follows it:
            their text may contain what looks like another setting.
        """
        text = f"; {self.refused}"
        found = [place for key in hidden if (place := text.find(f"; {key}: ")) >= 0]
        return f"{text[2 : min(found)]} {elsewhere}".strip() if found else self.refused


class OpenEnds:
    """Reads the open ends of one app's saves from its history, and settles them.

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

    @property
    def available(self) -> bool:
        """Whether saves can have an end."""
        return self._history is not None and self._rows.keeps_ends

    def read(self, *, promptly: bool = False) -> tuple[End, ...]:
        """Return the ends that are still to come or were refused, the next first.

        Those of settings that were changed again since are settled. To be called if `available`.

        :param promptly: as `Repository.read_promptly` reads.
        :raises StoreError: the database can't be read or written.
        """
        assert self._history  # nosec B101 # for the type checker: it is `available`
        chains: dict[str, list[HistoryRow]] = {}
        for row in sorted(self._rows.read_ends(promptly=promptly), key=lambda row: row.id):
            chains.setdefault(row.key, []).append(row)
        if not chains:
            return ()
        latest = {row.key: row for row in self._rows.read_latest(list(chains))}
        live = {key: list(_live(chain, latest.get(key))) for key, chain in chains.items()}
        dead = [row.id for key, chain in chains.items() for row in chain if row not in live[key]]
        if dead:
            self._rows.settle(Settlement(tuple(dead), "changed", self._rows.now()))
        ends = _ends_of(live, self._history)
        return tuple(sorted(ends, key=lambda end: (end.at, end.rows)))

    def go_back(self, end: End, origin: Origin) -> Saved:
        """Give the settings of an end their old values, and settle it, in one transaction.

        What was changed again since stays.

        :returns: what was written.
        :raises InvalidValue: a rule refuses, and nothing goes back.
        :raises ConflictError: somebody else has just changed or settled it.
        :raises StoreError: the database can't be read or written.
        """
        if refused := self._obstacles(end):
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

    def translated(self, end: End) -> End:
        """Return a refused end with its reason in the reader's language, where the reason is still
        found; else in English, as it was found.
        """
        if not end.refused or language() == "en":
            return end
        with english():
            is_found = str(InvalidValue(self._obstacles(end))) == end.refused
        return replace(end, refused=str(InvalidValue(self._obstacles(end)))) if is_found else end

    def _obstacles(self, end: End) -> dict[str, str]:
        """Why settings of an end can't have their old values again, by key."""
        assert self._history  # nosec B101 # for the type checker: there is an end
        obstacles = self._history.obstacles(end.changes.values())
        return {key: text for key, text in obstacles.items() if text}

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


def dropped_ends(history: History, changes: Iterable[Change]) -> dict[str, datetime]:
    """Return when settings would have gone back if some changes had not been made, by key.

    An undo of these changes does not bring such an end back. Those that can't be read are left out.

    :param changes: of different settings.
    """
    ids = {change.key: change.id for change in changes}
    before: dict[str, Change] = {}
    with suppress(StoreError):
        for change in history.list(ids, before=max(ids.values(), default=0), limit=READ):
            if change.id < ids[change.key]:
                before.setdefault(change.key, change)
    return {
        key: change.ends_at
        for key, change in before.items()
        if change.ends_at and change.ends_at > datetime.now(UTC) and change.outcome != "kept"
    }


def with_outcome(change: Change, latest: Change | None) -> Change:
    """Return a change; as changed again, if its end is open and another change has followed: its
    row is settled with the end of that one, or by the next load.

    :param latest: the last change of the setting.
    """
    if change.ends_at is None or change.outcome or latest is None or latest.id <= change.id:
        return change
    return replace(change, outcome="changed")


def _live(chain: list[HistoryRow], latest: HistoryRow | None) -> Iterator[HistoryRow]:
    """Yield those rows of a setting whose ends are still to come, the oldest first.

    :param chain: its rows with an open end, in their order. Each goes on from the one before,
        unless somebody has changed the setting between them.
    :param latest: its last row.
    """
    if latest is not None and latest.id > chain[-1].id:
        has_open_end = latest.ends_at is not None and latest.ended_at is None
        if not has_open_end:
            return
    start = len(chain) - 1
    while start and chain[start - 1].new == chain[start].old:
        start -= 1
    yield from chain[start:]


def _ends_of(chains: Mapping[str, list[HistoryRow]], history: History) -> Iterator[End]:
    """Yield the ends of the saves that rows with an open end belong to.

    :param chains: such rows of each setting, as `_live` yields them.
    """
    by_save: dict[str, list[list[HistoryRow]]] = {}
    for chain in filter(None, chains.values()):
        by_save.setdefault(chain[-1].change_set, []).append(chain)
    for change_set, found in by_save.items():
        last = found[0][-1]
        merged = [chain[-1]._replace(old=chain[0].old) for chain in found]
        yield End(
            change_set=change_set,
            at=last.ends_at or last.at,
            actor=last.actor,
            changes={change.key: change for change in history.changes_of(merged)},
            rows=tuple(sorted(row.id for chain in found for row in chain)),
            own_rows=tuple(sorted(chain[-1].id for chain in found)),
            refused=last.remark if last.outcome == "refused" else "",
        )
