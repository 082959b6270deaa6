"""Restore: what is ticked of a comparison, to have again what it had at the first time."""

from __future__ import annotations

from collections.abc import Mapping

from ..settings.equality import same
from ..state.task import RESET
from .comparison import ComparedSetting, Comparison
from .submission import TAKE, Pairs


class Restore:
    """The settings of one restore.

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
