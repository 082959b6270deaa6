"""History: who changed what, and back again."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Protocol

from flask import Flask

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..i18n import gettext
from ..settings.record import Record
from ..settings.setting import Setting
from ..store import HistoryQuery, HistoryRow
from ..store.history_rows import is_storable
from .change import Change, read_change, values_before
from .obstacles import find_obstacle
from .repository import Repository
from .save import Saved
from .task import Origin

log = logging.getLogger(__name__)


#: The largest number that databases know, as an id or as a limit.
MAX_ID = 2**63 - 1
#: Rows that are deleted at once.
BATCH = 500
#: The last changes, whose authors are offered in a filter.
RECENT = 1000
#: Seconds between two deletions of old rows.
TIDY_INTERVAL = 3600.0


#: As an annotation within the class, `list` would be its method.
ChangeList = list[Change]
TextList = list[str]


class SavingState(Protocol):
    """What the history needs of an app's state."""

    app: Flask

    @property
    def settings(self) -> Mapping[str, Setting]: ...

    def read(self, keys: Iterable[str] | None = None) -> dict[str, Record]: ...

    def save(
        self, wanted: Mapping[str, object], expected: Mapping[str, object], origin: Origin
    ) -> Saved: ...


class History:
    """The history of one app's settings. Needs no application context.

    :param state: the app's state.
    :param repository: its settings in the database.
    :raises ValueError: WAFFLE_HISTORY_DAYS is neither None nor a number of days.
    """

    def __init__(self, state: SavingState, repository: Repository) -> None:
        self._state = state
        self._repository = repository
        self._rows = repository.history
        self._next_tidy = 0.0
        days = state.app.config["WAFFLE_HISTORY_DAYS"]
        if days is not None and not _is_days(days):
            raise ValueError(f"WAFFLE_HISTORY_DAYS is a number of days, or None; not {days!r}")

    # Reading

    def list(
        self,
        key: str | Iterable[str] | None = None,
        *,
        limit: int = 50,
        before: int | None = None,
        actor: str | None = None,
        actor_part: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> ChangeList:
        """Return changes, the newest first: the last that was made; by time, with a range of times.

        :param key: of this setting, or of these; None for all.
        :param limit: how many at most.
        :param before: those that follow the change with this id: the id of the last one of a page
            gives the next page.
        :param actor: those made by this person.
        :param actor_part: those made by somebody who has this in the name, in capitals or not.
        :param source: those made by this way in.
        :param since: at this time or later; an aware datetime.
        :param until: before this time; an aware datetime.
        :raises ValueError: the limit or the id is no whole number, or a time is not aware.
        :raises StoreError: the database can't be read.
        """
        _check_range(limit, before, since, until)
        given = (key,) if isinstance(key, str) else key
        keys = None if given is None else self._present_names(given)
        return self._read(
            HistoryQuery(keys, None, actor, actor_part, source, since, until, before, limit)
        )

    def actors(self, keys: Iterable[str] | None = None) -> TextList:
        """Return who made the last changes, of these settings or of all, by name.

        A store of the app's own may not know.

        :raises StoreError: the database can't be read.
        """
        wanted = None if keys is None else [key for key in dict.fromkeys(keys) if is_storable(key)]
        if wanted == []:
            return []
        return sorted(filter(None, self._rows.read_actors(wanted, RECENT)))

    def latest(self, keys: Iterable[str]) -> dict[str, Change]:
        """Return the last change of each of these settings that has one, with one statement for a
        hundred of them.

        :raises StoreError: the database can't be read.
        """
        wanted = [key for key in dict.fromkeys(keys) if is_storable(key)]
        found = self._rows.read_latest(wanted) if wanted else []
        return {change.key: change for change in self.changes_of(found, wanted)}

    def covers(self, at: datetime) -> bool:
        """Return whether it has a save from before a time.

        :raises StoreError: the database can't be read.
        """
        return bool(self._read(HistoryQuery(until=at, saves=True, limit=1)))

    def of(self, change_set: str) -> ChangeList:
        """Return the changes of one save, read where it was written.

        :raises StoreError: the database can't be read.
        """
        return self._read(HistoryQuery(change_set=change_set, fresh=True))

    def changes_of(
        self, rows: Iterable[HistoryRow], keys: Collection[str] | None = None
    ) -> ChangeList:
        """Return the changes that rows of the history stand for.

        :param keys: of these settings only: a database may compare keys more loosely than Python.
        """
        settings, codec = self._state.settings, self._repository.codec
        wanted = None if keys is None else set(keys)
        found = [row for row in rows if wanted is None or row.key in wanted]
        return [read_change(row, settings, codec) for row in found]

    def obstacle(self, change: Change, *, ask: bool = True) -> str:
        """Return why the setting can't have again what it had before a change; "" when it can.

        :param ask: whether to ask the app's own code too, validators and functions of choices: it
            may take its time.
        """
        settings = self._state.settings if ask else None
        return find_obstacle(change, self._state.app, self._repository.codec, settings)

    def obstacles(self, changes: Iterable[Change]) -> dict[str, str]:
        """Return `obstacle` by key for changes of different settings."""
        app, codec, settings = self._state.app, self._repository.codec, self._state.settings
        return {c.key: find_obstacle(c, app, codec, settings) for c in changes}

    # Writing

    def undo(
        self,
        change_set: str,
        *,
        keys: Iterable[str] | None = None,
        seen: int | None = None,
        actor: str | None = None,
        note: str | None = None,
    ) -> Saved:
        """Give the settings of a save the values that they had before it; itself a change.

        Left out is what has an `obstacle`.

        :param keys: these of its settings only.
        :param seen: the id of the newest change that the person knows: changes up to that one may
            have followed, and are undone with it. None: none may have followed.
        :param actor: who undoes it.
        :param note: why.
        :returns: what was written, ``{}`` if all is as it was before.
        :raises InvalidValue: nothing of it can be undone, or the values break a rule.
        :raises ConflictError: a setting was changed again since; nothing was written.
        :raises StoreError: the database can't be read or written.
        """
        found = {change.key: change for change in self.of(change_set)}
        if not found:
            raise InvalidValue(gettext("The history has no such save (any more)."))
        wanted = found if keys is None else {key: found[key] for key in keys if key in found}
        obstacles = self.obstacles(wanted.values())
        todo = {key: change for key, change in wanted.items() if not obstacles[key]}
        if not todo:
            raise InvalidValue(obstacles)
        return self._state.save(
            values_before(todo.values()),
            self._expected(todo, seen),
            Origin(actor, note, "undo"),
        )

    def prune(self, days: float | None = None, *, limit: int = BATCH) -> int:
        """Delete the oldest rows, one small batch of them; return how many that were.

        :param days: those older than so many days; None: than WAFFLE_HISTORY_DAYS.
        :param limit: at most so many, and never more than 500.
        :raises ValueError: that is no number of days.
        :raises StoreError: the database can't be written just now.
        """
        days = self._state.app.config["WAFFLE_HISTORY_DAYS"] if days is None else days
        if days is None:
            return 0
        if not _is_days(days):
            raise ValueError(f"days={days!r}: write a number of days, from 0 to 100000")
        return self._rows.prune(datetime.now(UTC) - timedelta(days=days), min(limit, BATCH))

    def tidy(self) -> None:
        """After a save, once an hour: prune a batch. An error is logged; the save stands."""
        if time.monotonic() < self._next_tidy:
            return
        pruned = 0
        try:
            pruned = self.prune()
        except StoreError as error:
            log.info("Old rows of the history were not deleted: %s", error)
        except Exception:  # the save stands, whatever a store of the app's own raises
            log.exception("Old rows of the history were not deleted")
        # A full batch: there are more.
        self._next_tidy = 0.0 if pruned == BATCH else time.monotonic() + TIDY_INTERVAL

    def _present_names(self, keys: Iterable[str]) -> TextList:
        former = self._repository.names.former
        return list(dict.fromkeys(former.get(key, key) for key in keys if is_storable(key)))

    def _expected(self, todo: Mapping[str, Change], seen: int | None) -> dict[str, object]:
        """The values that the settings must still have."""
        # Values first: a change that comes after this is found by its value.
        records = self._state.read(todo) if seen is not None else {}
        latest = self.latest(todo)
        known = {key: change.id if seen is None else seen for key, change in todo.items()}
        # By id: a later change may have brought the same value again.
        if overtaken := [key for key in todo if key in latest and latest[key].id > known[key]]:
            raise ConflictError(overtaken)
        if seen is None:
            return {key: self._value_served(change) for key, change in todo.items()}
        return {key: record.value for key, record in records.items()}

    def _read(self, query: HistoryQuery) -> ChangeList:
        if query.matches_nothing():
            return []
        return self.changes_of(self._rows.read(query), query.keys)

    def _value_served(self, change: Change) -> object:
        """What is served of the new value of a change of a declared setting."""
        setting = change.setting
        assert setting  # nosec B101 # for the type checker
        if change.new_text is not None:
            with suppress(InvalidValue):  # the default is served of what can't be read
                return setting.serve(self._repository.codec.decode(change.new_text, change.key))[0]
        return setting.copy_default()


def _check_range(
    limit: int, before: int | None, since: datetime | None, until: datetime | None
) -> None:
    if type(limit) is not int or not 0 <= limit <= MAX_ID:
        raise ValueError(f"limit={limit!r}: write a whole number")
    if before is not None and (type(before) is not int or abs(before) > MAX_ID):
        raise ValueError(f"before={before!r}: write the id of a change, or None")
    for name, time_ in (("since", since), ("until", until)):
        if time_ is not None and (time_.tzinfo is None or not _has_utc(time_)):
            raise ValueError(f"{name}={time_!r}: write a datetime with a time zone")


def _has_utc(time_: datetime) -> bool:
    """Whether a time of the last years that there are is still one in UTC."""
    try:
        time_.astimezone(UTC)
    except OverflowError:
        return False
    return True


def _is_days(days: object) -> bool:
    return isinstance(days, (int, float)) and not isinstance(days, bool) and 0 <= days <= 100_000
