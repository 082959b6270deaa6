"""Found settings: those that the filter of the page finds, in their groups, the best first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from ..fields.binding import BoundField
from ..i18n import gettext as _
from ..i18n import ngettext
from ..state.change import Change
from .search import CLOSE, NONE
from .settings_filter import FLAGS, GENERAL, SettingsFilter, group_label, group_name


class Group(NamedTuple):
    """The settings of one group, hidden ones too, the best match of a search first."""

    name: str  #: in addresses
    label: str
    fields: list[BoundField]
    place: int  #: on a page without a search
    hidden: bool  #: whether the page hides all of them
    matching: int  #: how many match the search, whichever group is chosen
    selected: int  #: how many match the whole filter, its group too
    resettable: int  #: how many may be reset to their default
    rank: int  #: that of its best match; `NONE` if it has none
    note: str  #: how many the user may not change, in a sentence; "": their rows say so


class Chip(NamedTuple):
    """A link that turns a filter on, or off again."""

    name: str  #: its parameter
    label: str
    title: str
    total: int | None  #: how many settings it has; None: only the history knows
    is_on: bool
    url: str


class FoundSettings:
    """The settings of a page, in groups; hides the fields of those that are not found.

    :param fields: those of all settings on the page.
    :param settings_filter: which of them the address asks for.
    :param unsaved: the keys of settings that are not saved: these are never hidden.
    :param refused: the keys of settings that the user may not edit.
    :param latest: the last change of settings, by key, as far as the filter asks for it.
    """

    def __init__(
        self,
        fields: list[BoundField],
        settings_filter: SettingsFilter,
        unsaved: Collection[object],
        refused: Collection[str],
        latest: Mapping[str, Change],
    ) -> None:
        self._filter = settings_filter
        self._unsaved = unsaved
        self.search = settings_filter.search
        self.refused = refused
        #: The keys of settings whose last change is not one that the filter asks for.
        self.outside: set[str] = set()
        #: How well each setting matches, by key: 0 is best.
        self.ranks = dict.fromkeys([field.setting.key for field in fields], 0)
        if settings_filter.narrows:
            self._match(fields, latest)
        #: The groups in the order of the page without a search.
        self.all_groups = self._grouped(fields)
        self.groups = sorted(self.all_groups, key=lambda group: group.rank)
        self.matching = sum(group.matching for group in self.groups)
        self.count = sum(group.selected for group in self.groups)
        #: How many are found in other groups than the chosen one.
        self.elsewhere = self.matching - self.count if settings_filter.narrows else 0
        #: Whether all that is found is only close to the search.
        self.is_close = bool(self.count) and self.groups[0].rank >= CLOSE
        self.chips = {name: self._chip(name, fields) for name in FLAGS}

    def _match(self, fields: list[BoundField], latest: Mapping[str, Change]) -> None:
        """Find the rank of each setting, and which the history leaves out."""
        for field in fields:
            key = field.setting.key
            change = latest.get(key)
            self.ranks[key] = self._filter.rank(field, change)
            if not self._filter.fits_history(change):
                self.outside.add(key)

    def _grouped(self, fields: list[BoundField]) -> list[Group]:
        groups: defaultdict[str, list[BoundField]] = defaultdict(list, {GENERAL: []})
        for field in fields:
            groups[group_name(field.setting)].append(field)
        named = [(name, members) for name, members in groups.items() if members]
        return [self._group(place, name, members) for place, (name, members) in enumerate(named)]

    def _group(self, place: int, name: str, fields: list[BoundField]) -> Group:
        label, note = group_label(fields[0].setting), self._note(fields)
        count = len(fields)
        resettable = sum([field.differs and field.resettable for field in fields])
        if not self._filter:
            return Group(name, label, fields, place, False, count, count, resettable, 0, note)
        is_chosen = self._filter.has_group(name)
        matching = [rank for field in fields if (rank := self._rank(field)) < NONE]
        for field in fields:
            is_found = is_chosen and self._rank(field) < NONE
            field.hidden = not (is_found or field.setting.key in self._unsaved)
        hidden = all(field.hidden for field in fields)
        found = matching if is_chosen else []
        best = min(found, default=NONE)
        fields = sorted(fields, key=self._rank)
        matching_count, found_count = len(matching), len(found)
        return Group(
            name, label, fields, place, hidden, matching_count, found_count, resettable, best, note
        )

    def _rank(self, field: BoundField) -> int:
        return self.ranks[field.setting.key]

    def _note(self, fields: list[BoundField]) -> str:
        if not self.refused:
            return ""
        count = sum(field.setting.key in self.refused for field in fields)
        if count == len(fields) > 1:
            return _("You may see these settings, but not change them.")
        if not count:
            return ""
        return ngettext(
            "You may see %(count)s of these settings, but not change it.",
            "You may see %(count)s of these settings, but not change them.",
            count,
        )

    def _chip(self, name: str, fields: list[BoundField]) -> Chip:
        label, title, has = FLAGS[name]
        is_on = name in self._filter.flags
        total = sum(map(has, fields)) if has else None
        url = self._filter.url(**{name: "" if is_on else "1"})
        return Chip(name, _(label), _(title), total, is_on, url)
