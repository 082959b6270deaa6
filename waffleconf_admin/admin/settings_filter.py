"""Settings filter: which settings the address of the page asks for.

Every setting is on every page, and the others are hidden. So the script can show them at once, and
what was typed in them is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from typing import NamedTuple
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from ..fields.binding import BoundField
from ..i18n import gettext as _
from ..i18n import mark
from ..settings.setting import Setting
from ..state.change import Change
from .search import LONGEST, NONE, Search, fold

#: How addresses name the group of settings without one.
GENERAL = "General"
WEEK = timedelta(days=7)


class Flag(NamedTuple):
    """A filter that is on or off."""

    label: str
    title: str  #: what it means
    has: Callable[[BoundField], bool] | None = None  #: None: only the history knows


#: Those that there are, by their parameter.
FLAGS = {
    "modified": Flag(
        mark("Modified"), mark("Settings that differ from their default"), attrgetter("differs")
    ),
    "attention": Flag(
        mark("Needs attention"),
        mark("Settings whose stored value has a problem"),
        attrgetter("attention"),
    ),
    "locked": Flag(
        mark("Locked"),
        mark("Those that can’t be changed here"),
        lambda field: not field.editable,
    ),
    "secret": Flag(
        mark("Secret"), mark("Those whose value is never shown"), attrgetter("setting.secret")
    ),
    "week": Flag(mark("Changed this week"), mark("Those that were saved in the last seven days")),
}


class SettingsFilter:
    """What was asked for with ``?q=``, ``?group=``, the names of `FLAGS`, and ``?by=``.

    :param args: those of the request.
    """

    def __init__(self, args: MultiDict[str, str]) -> None:
        self.search = Search(args.get("q", ""))
        self.group = args.get("group", "")
        self.flags = {name for name in FLAGS if args.get(name)}
        self.by = args.get("by", "").strip()[:LONGEST]  #: in the name of who made the last change
        given = self._given
        self._others = [pair for pair in args.items(multi=True) if pair[0] not in given]

    @property
    def _given(self) -> dict[str, str]:
        """Our parameters, in the order in which addresses have them."""
        flags = {name: "1" if name in self.flags else "" for name in FLAGS}
        return {"q": self.search.text, "group": self.group, **flags, "by": self.by}

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self.group or self.narrows)

    @property
    def narrows(self) -> bool:
        """Whether anything but a group is asked for."""
        return bool(self.search or self.flags or self.by)

    @property
    def asks_history(self) -> bool:
        """Whether it takes the last change of each setting to answer."""
        return bool("week" in self.flags or self.by)

    def rank(self, field: BoundField, change: Change | None) -> int:
        """Return how well a setting matches, whichever group is chosen: 0 is best, `NONE` not.

        :param change: its last one, if the user may see that.
        """
        if not all(has(field) for name in self.flags if (has := FLAGS[name].has)):
            return NONE
        if not self.fits_history(change):
            return NONE
        return self.search.rank(_parts(field)) if self.search else 0

    def has_group(self, name: str) -> bool:
        """Whether a group is chosen, or none at all."""
        return not self.group or self.group == name

    def url(self, **changes: str) -> str:
        """Return the address of the page with another filter."""
        return "?" + urlencode(self.pairs(**changes))

    @property
    def url_of_all(self) -> str:
        """The address of the page without a filter."""
        return "?" + urlencode(self._others)

    def pairs(self, **changes: str) -> list[tuple[str, str]]:
        """Return the parameters of that address, those of the app first."""
        now = self._given | changes
        return self._others + [(name, value) for name, value in now.items() if value]

    def fits_history(self, change: Change | None) -> bool:
        """Whether a setting with this last change has what is asked of that."""
        if not self.asks_history:
            return True
        if change is None or ("week" in self.flags and change.at < datetime.now(UTC) - WEEK):
            return False
        return fold(self.by) in fold(change.actor)


def _parts(field: BoundField) -> list[str]:
    """The texts of a setting that the search covers, in the order of `search.PARTS`."""
    setting = field.setting
    label, help_ = str(setting.label), str(setting.help)
    parts = (
        label,
        setting.key,
        setting.search_words,
        group_label(setting),
        help_,
        field.value_text,
    )
    return [fold(part) for part in parts]


def group_name(setting: Setting) -> str:
    """Return how addresses name the group of a setting."""
    return setting.group or GENERAL


def is_one_group(settings: Iterable[Setting]) -> bool:
    """Whether settings belong to one group; of none it is true."""
    groups = map(group_name, settings)
    first = next(groups, "")
    return all(group == first for group in groups)  # mostly the second one decides


def group_label(setting: Setting) -> str:
    """Return what people read as the name of the group of a setting."""
    return str(setting.group_label) or _("General")
