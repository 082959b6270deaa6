"""Comparison: how the settings at a time differ from those at another one, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from ..permissions import Permissions
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.as_of import AsOf, PastValue
from ..state.task import RESET
from .diff import Differences
from .past_values import PastValues
from .review import version_of
from .submission import TAKE, Pairs


class ComparedSetting(NamedTuple):
    """One setting that differs."""

    setting: Setting
    past: PastValue  #: at the first time
    record: Record  #: what it is now
    old: str  #: at the first time, on one line
    new: str  #: at the second time
    differences: Differences  #: of long texts
    is_restored: bool  #: whether it has the first value again
    box: str  #: what its box sends; "": there is nothing that this reader can restore


class Comparison:
    """The settings at two times.

    :param first: the settings at the first time.
    :param second: those at the second one; None: they are compared with what is now.
    :param permissions: of the reader: settings whose history they may not see are left out.
    :param values: formats them.
    """

    def __init__(
        self, first: AsOf, second: AsOf | None, permissions: Permissions, values: PastValues
    ) -> None:
        self.first = first
        self._permissions = permissions
        self._values = values
        self.rows: dict[str, ComparedSetting] = {}  #: by key
        #: The settings that are not compared, by the reason.
        self.unknown: dict[str, list[Setting]] = {}
        for key, setting in permissions.with_history.items():
            self._add(setting, first.values[key], _second(second, first, key))

    @property
    def begins(self) -> datetime | None:
        """When the history begins, if that is after the first time: values are those of then."""
        return self.first.begins

    @property
    def has_defaults(self) -> bool:
        """Whether a setting had its default, which may have been another one in former code."""
        return any(not row.past.stored for row in self.rows.values())

    @property
    def is_restorable(self) -> bool:
        """Whether there is anything that this reader can restore."""
        return any(row.box for row in self.rows.values())

    def may_restore(self, key: str) -> bool:
        """Whether this reader may change a setting here."""
        setting = self._permissions.with_history.get(key)
        undoable = self._permissions.undoable
        return setting is not None and key in undoable and setting.environment is None

    def _add(self, setting: Setting, old: PastValue, new: PastValue) -> None:
        if reason := old.unknown or new.unknown:
            self.unknown.setdefault(reason, []).append(setting)
        elif not (setting.secret or same(old.value, new.value)):
            self.rows[setting.key] = self._row(setting, old, new)

    def _row(self, setting: Setting, old: PastValue, new: PastValue) -> ComparedSetting:
        record = self.first.records[setting.key]
        is_restored = same(record.value, old.value)
        can = not is_restored and self.may_restore(setting.key)
        return ComparedSetting(
            setting,
            old,
            record,
            self._values.line(setting, old.value, is_default=not old.stored),
            self._values.line(setting, new.value, is_default=not new.stored),
            self._values.compare(setting, old.value, new.value),
            is_restored,
            f"{self._version(setting, old, record)} {setting.key}" if can else "",
        )

    def _version(self, setting: Setting, old: PastValue, record: Record) -> str:
        """A short text that is another one for each pair of the value now and the first value."""
        parts = (record.clear_text, old.stored, self._values.whole(setting, old.value))
        return version_of(repr(parts))


class Restore:
    """What is ticked of a comparison, to have again what it had at the first time.

    :param comparison: as the database is now.
    :param boxes: the version that was displayed of each ticked setting, by key.
    """

    def __init__(self, comparison: Comparison, boxes: Mapping[str, str]) -> None:
        self.rows: list[ComparedSetting] = []
        #: The first values by key of settings that have these already.
        self.in_force: dict[str, object] = {}
        #: The keys of what was saved, or lost a part of its history, since it was ticked.
        self.overtaken: list[str] = []
        first = comparison.first
        self.records = first.records  #: what was read of all settings, by key
        for key, version in boxes.items():
            if not comparison.may_restore(key):
                continue
            row, past = comparison.rows.get(key), first.values[key]
            if row and row.box == f"{version} {key}":
                self.rows.append(row)
            elif not past.unknown and same(first.records[key].value, past.value):
                self.in_force[key] = past.value
            else:
                self.overtaken.append(key)

    @property
    def boxes(self) -> Pairs:
        """What a form sends that restores the same settings."""
        return [(TAKE, row.box) for row in self.rows]

    @property
    def new_values(self) -> dict[str, object]:
        """The new values by key."""
        return {row.setting.key: row.past.value for row in self.rows}

    @property
    def wanted(self) -> dict[str, object]:
        """The new values by key, for a save: without a row where there was none."""
        return {row.setting.key: row.past.value if row.past.stored else RESET for row in self.rows}

    @property
    def expected(self) -> dict[str, object]:
        """The records by key that the save is decided by."""
        return {row.setting.key: row.record for row in self.rows}


def _second(second: AsOf | None, first: AsOf, key: str) -> PastValue:
    if second:
        return second.values[key]
    record = first.records[key]
    return PastValue(record.value, record.text is not None, False)
