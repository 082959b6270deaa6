"""OpenEnds: the ends of saves that are still to come, read from the history."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ..exceptions import StoreError
from ..store import HistoryRow, Settlement
from .change import Change
from .history import History
from .history_repository import HistoryRepository

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
    refused: str = ""  #: why it could not go back when it was time; "": it is still to come

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
    """Reads the open ends of one app's saves.

    :param rows: its history in the database.
    :param history: of its state.
    """

    def __init__(self, rows: HistoryRepository, history: History) -> None:
        self._rows = rows
        self._history = history

    def read(self, *, promptly: bool = False) -> tuple[End, ...]:
        """Return the ends that are still to come or were refused, the next first.

        Those of settings that were changed again since are settled.

        :param promptly: as `Repository.read_promptly` reads.
        :raises StoreError: the database can't be read or written.
        """
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
        return tuple(sorted(self._ends_of(live), key=lambda end: (end.at, end.rows)))

    def _ends_of(self, chains: Mapping[str, list[HistoryRow]]) -> Iterator[End]:
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
                changes={change.key: change for change in self._history.changes_of(merged)},
                rows=tuple(sorted(row.id for chain in found for row in chain)),
                own_rows=tuple(sorted(chain[-1].id for chain in found)),
                refused=last.remark if last.outcome == "refused" else "",
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
