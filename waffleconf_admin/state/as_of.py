"""As of: the settings as they were at a time, as far as the history knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from ..i18n import gettext, mark
from ..settings.record import Record
from ..settings.setting import Setting
from .change import Change, explains
from .history import History

#: Changes that are read at once.
BATCH = 1000

SECRET = mark("it was changed since, and of secrets no value is kept")
UNRECORDED = mark("the history does not say where its row comes from")


class PastValue(NamedTuple):
    """What a setting was at a time."""

    value: object  #: where there was no row, the default of the code as it is now
    stored: bool  #: whether there was a row
    changed: bool  #: whether it was changed since, even if to the same value
    unknown: str = ""  #: why the value is not known, in half a sentence; "" if it is


class AsOf(NamedTuple):
    """The settings of an app at a time."""

    at: datetime
    values: dict[str, PastValue]  #: of all settings that are declared now, by key
    records: dict[str, Record]  #: what they are now, by key, whatever the environment holds
    #: When the history begins, if that was later: the values are those of then. Earlier changes
    #: were pruned, or made before a history was kept.
    begins: datetime | None


def read_as_of(
    history: History, settings: Mapping[str, Setting], records: Mapping[str, Record], at: datetime
) -> AsOf:
    """Return the settings at a time, all changes of that instant included.

    It takes time in proportion to the changes since then.

    :param settings: all that are declared.
    :param records: what ``state.read()`` gave just before: a change that comes after it is in the
        history.
    :param at: aware.
    :raises ValueError: the time is not aware.
    :raises StoreError: the database can't be read.
    """
    is_covered = history.covers(_after(at))
    records = {key: record.stored for key, record in records.items()}
    latest = history.latest(key for key, record in records.items() if record.text is not None)
    oldest = None
    # The first change of each setting since then; a replica may lack the latest.
    first = {key: change for key, change in latest.items() if change.at > at}
    for oldest in _since(history, at):
        first[oldest.key] = oldest
    values = {
        key: _before(first[key], settings[key])
        if key in first
        else _still(settings[key], record, latest.get(key))
        for key, record in records.items()
    }
    begins = oldest.at if oldest else datetime.now(UTC)
    return AsOf(at, values, records, None if is_covered else begins)


def _since(history: History, at: datetime) -> Iterator[Change]:
    """Yield the changes after a time, the newest first."""
    before = None
    while changes := history.list(since=_after(at), before=before, limit=BATCH):
        yield from (change for change in changes if not change.notes_default)
        before = changes[-1].id


def _after(at: datetime) -> datetime:
    return at + timedelta(microseconds=1)


def _before(change: Change, setting: Setting) -> PastValue:
    """What a setting was before a change."""
    if change.secret:
        return PastValue(None, True, True, gettext(SECRET))
    if change.old_text is None:
        return PastValue(setting.copy_default(), False, True)
    # `problem` may be about the new value.
    unreadable = change.problem if change.old is None else ""
    return PastValue(change.old, True, True, unreadable)


def _still(setting: Setting, record: Record, latest: Change | None) -> PastValue:
    """What a setting was that the history does not know to be changed since."""
    unknown = "" if explains(latest, setting, record) else gettext(UNRECORDED)
    return PastValue(record.value, record.text is not None, False, unknown)
