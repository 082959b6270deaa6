"""Settings filter: which settings the address of the page asks for.

Every setting is on every page, and the others are hidden. So the script can show them at once, and
what was typed in them is sent.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from ..fields.binding import BoundField
from ..i18n import gettext as _
from ..settings.setting import Setting

#: The parameters of ours; the app may have others.
NAMES = ("q", "group", "changed", "attention")
#: Characters of a search: each word is looked for in each setting.
LONGEST = 200
#: How addresses name the group of settings without one.
GENERAL = "General"


class SettingsFilter:
    """What was asked for with ``?q=``, ``?group=``, ``?changed=`` and ``?attention=``.

    :param args: those of the request.
    """

    def __init__(self, args: MultiDict[str, str]) -> None:
        self.q = args.get("q", "").strip()[:LONGEST]
        self.group = args.get("group", "")
        self.changed = args.get("changed", "") not in ("", "0")
        self.attention = args.get("attention", "") not in ("", "0")
        self.others = [pair for pair in args.items(multi=True) if pair[0] not in NAMES]
        self._words = set(self.q.lower().split())

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return bool(self._words or self.group or self.changed or self.attention)

    def matches(self, field: BoundField) -> bool:
        """Whether the setting of a field matches, whichever group is chosen."""
        if (self.changed and not field.differs) or (self.attention and not field.attention):
            return False
        if not self._words:
            return True
        setting = field.setting
        parts = (setting.label, setting.key, setting.help, group_label(setting))
        text = " ".join(map(str, (*parts, field.value_text))).lower()
        return all(word in text for word in self._words)

    def has_group(self, name: str) -> bool:
        """Whether a group is chosen, or none at all."""
        return not self.group or self.group == name

    def url(self, **changes: object) -> str:
        """Return the address of the page with another filter."""
        now: dict[str, Any] = {
            "q": self.q,
            "group": self.group,
            "changed": "1" if self.changed else "",
            "attention": "1" if self.attention else "",
        }
        pairs = [(name, value) for name, value in (now | changes).items() if value]
        return "?" + urlencode(self.others + pairs)


def group_name(setting: Setting) -> str:
    """Return how addresses name the group of a setting."""
    return setting.group or GENERAL


def group_label(setting: Setting) -> str:
    """Return what people read as the name of the group of a setting."""
    return str(setting.group_label) or _("General")
