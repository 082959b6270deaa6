"""Change sets: the saves of the history as its page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ..fields import FieldFactory
from ..i18n import gettext as _
from ..permissions import Permissions
from ..settings.setting import Setting
from ..state.change import Change
from ..state.history import History
from ..state.open_ends import End, with_outcome
from . import undo
from .diff import LONG, Differences
from .ends import end_text, may_settle
from .past_values import PastValues
from .texts import shorten
from .times import Zone

#: A save of more settings than this is folded, and names the first ones.
MANY, NAMED = 12, 5


@dataclass
class ShownChange:
    """One change."""

    change: Change
    label: object  #: as declared: a str, or a lazy text of the app's
    removed: bool = False  #: whether its key is no longer a setting
    old: str = ""  #: the value before, on one line; with "default" where there was no row
    new: str = ""
    differences: Differences = field(default_factory=Differences)  #: of long texts
    undo: str = ""  #: what the button that restores the old value sends; "": it can't be restored
    overtaken: bool = False  #: whether the setting was changed again since
    undone: str = ""  #: that it was undone, and by whom
    end: str = ""  #: when it goes back, or what has become of that


@dataclass
class ShownChangeSet:
    """The changes of one save."""

    name: str
    first: Change
    at: datetime  #: in the reader's time zone
    changes: list[ShownChange] = field(default_factory=list)
    undo: str = ""  #: what the button that undoes it sends; "": it can't be undone
    overtaken: bool = False  #: whether that is because some of it, not all, was changed again
    continues: bool = False  #: whether the next page has more of it
    may_settle: bool = False  #: whether this user may keep it before its end, or take it back

    @property
    def end(self) -> str:
        """When all of it goes back, or what has become of that; "" if settings differ in it."""
        texts = {shown.end for shown in self.changes}
        return texts.pop() if len(texts) == 1 else ""

    @property
    def summary(self) -> str:
        """The labels of the first settings of a save of many; "" for a save of few."""
        if len(self.changes) <= MANY:
            return ""
        return ", ".join(shorten(shown.label, LONG) for shown in self.changes[:NAMED]) + " …"


class ChangeSetBuilder:
    """Prepares changes for one user.

    :param history: that they are in.
    :param permissions: of the user.
    :param latest: the last change of each setting.
    :param fields: by type.
    :param zone: that of the reader.
    :param ends: the open ends of saves.
    """

    def __init__(
        self,
        history: History,
        permissions: Permissions,
        latest: Mapping[str, Change],
        fields: Mapping[type, FieldFactory],
        zone: Zone,
        ends: Iterable[End],
    ) -> None:
        self._settings, self._undoable = permissions.with_history, permissions.undoable
        self._latest = latest
        self._obstacle = undo.quick_obstacle(history)
        self._values = PastValues(fields)
        self._zone = zone
        self._may_settle = {end.change_set: may_settle(permissions, end.changes) for end in ends}

    def build(self, changes: Iterable[Change], complete: Iterable[Change]) -> list[ShownChangeSet]:
        """Group changes by save, in the order given.

        :param complete: all changes of those saves that can be undone from this page.
        """
        change_sets: dict[str, ShownChangeSet] = {}
        newer = dict(self._latest)
        for change in changes:
            new = ShownChangeSet(change.change_set, change, self._zone.local(change.at))
            shown = self._change(change)
            shown.undone = _undone(change, newer.get(change.key))
            newer[change.key] = change
            change_sets.setdefault(new.name, new).changes.append(shown)
        undoable: dict[str, list[Change]] = {}
        for change in complete:
            if change.key in self._undoable:
                undoable.setdefault(change.change_set, []).append(change)
        for name, change_set in change_sets.items():
            change_set.changes.sort(key=lambda shown: shown.change.id)
            found = undo.outcome(undoable.get(name, ()), self._latest, self._obstacle)
            change_set.undo = str(undo.UndoButton(name)) if found == "undone" else ""
            change_set.overtaken = found == "overtaken"
            change_set.may_settle = self._may_settle.get(name, False)
        return list(change_sets.values())

    def _change(self, change: Change) -> ShownChange:
        setting = self._settings.get(change.key)
        shown = ShownChange(change, change.key)
        shown.overtaken = not undo.is_last(change, self._latest)
        latest = self._latest.get(change.key)
        shown.end = end_text(with_outcome(change, latest), self._zone)
        shown.removed = setting is None
        if setting is None:
            return shown
        shown.label, shown.undo = setting.label, self._undo_of(change)
        if change.secret:
            return shown
        if change.notes_default:
            return self._moved_default(shown, setting, change)
        shown.old = self._text(setting, change, change.old, change.old_text)
        shown.new = self._text(setting, change, change.new, change.new_text)
        if not change.problem:
            sides = [(change.old, change.old_text), (change.new, change.new_text)]
            values = [setting.default if stored is None else value for value, stored in sides]
            shown.differences = self._values.compare(setting, *values)
        return shown

    def _moved_default(self, shown: ShownChange, setting: Setting, change: Change) -> ShownChange:
        """Fill in what a deployment has noted."""
        old, new = (
            _("can’t be read any more")
            if change.problem and value is None
            else self._values.line(setting, value, is_default=True)
            for value in (change.old, change.new)
        )
        shown.old, shown.new = (_("not noted") if change.old_text is None else old), new
        return shown

    def _undo_of(self, change: Change) -> str:
        """What the button sends that restores the old value of a change."""
        last = self._latest.get(change.key)
        if change.key not in self._undoable or self._obstacle(change):
            return ""
        if last is None or last.new_text == change.old_text:
            return ""
        return str(undo.UndoButton(change.change_set, last.id, change.key))

    def _text(self, setting: Setting, change: Change, value: object, stored: str | None) -> str:
        """The text of a value on one line.

        :param stored: its stored text; None: there was no row, so the default was in use.
        """
        if change.problem and value is None and stored is not None:
            return _("can’t be read any more")
        is_default = stored is None
        value = setting.default if is_default else value
        return self._values.line(setting, value, is_default=is_default)


def _undone(change: Change, newer: Change | None) -> str:
    """Return that a change was undone, and by whom; "" if it was not.

    :param newer: the change of the same setting that has followed.
    """
    if newer is None or newer.source != "undo" or newer.id <= change.id or change.secret:
        return ""
    if (newer.old_text, newer.new_text) != (change.new_text, change.old_text):
        return ""
    return _("undone by %(actor)s", actor=newer.actor) if newer.actor else _("undone")
