"""Change sets: the saves of the history as its page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..fields import FieldFactory, SettingField, choose_source
from ..fields.base import display_text
from ..fields.factory import standalone_field
from ..fields.value_text import bounded_text, generic_text
from ..settings.notation import reader_notation
from ..settings.setting import Setting
from ..state.change import Change
from . import undo
from .diff import Comparer, Pieces

#: Texts on one line that are longer than this are compared word by word.
LONG = 60


@dataclass
class ShownChange:
    """One change."""

    change: Change
    label: object  #: as declared: a str, or a lazy text of the app's
    removed: bool = False  #: whether its key is no longer a setting
    old: str | None = None  #: None: there was no row, and the default was in use
    new: str | None = None
    lines: Pieces = field(default_factory=list)  #: the differences of texts with several lines
    words: Pieces = field(default_factory=list)  #: the differences of a long line
    undo: str = ""  #: what the button that restores the old value sends; "": it can't be restored
    overtaken: bool = False  #: whether the setting was changed again since


@dataclass
class ShownChangeSet:
    """The changes of one save."""

    name: str
    first: Change
    changes: list[ShownChange] = field(default_factory=list)
    undo: str = ""  #: what the button that undoes it sends; "": it can't be undone
    overtaken: bool = False  #: whether that is because some of it, not all, was changed again
    continues: bool = False  #: whether the next page has more of it


class ChangeSetBuilder:
    """Prepares changes for one user.

    :param settings: those whose history the user may see.
    :param undoable: the keys of those whose changes the user may undo.
    :param latest: the last change of each setting.
    :param obstacle: returns why the old value of a change can't be restored.
    :param fields: by type.
    """

    def __init__(
        self,
        settings: Mapping[str, Setting],
        undoable: set[str],
        latest: Mapping[str, Change],
        obstacle: undo.Obstacle,
        fields: Mapping[type, FieldFactory],
    ) -> None:
        self._settings = settings
        self._undoable = undoable
        self._latest = latest
        self._obstacle = obstacle
        self._fields = fields
        self._field_of: dict[str, object] = {}
        self._comparer = Comparer()

    def build(self, changes: Iterable[Change], complete: Iterable[Change]) -> list[ShownChangeSet]:
        """Group changes by save, in the order given.

        :param complete: all changes of those saves that can be undone from this page.
        """
        change_sets: dict[str, ShownChangeSet] = {}
        for change in changes:
            new = ShownChangeSet(change.change_set, change)
            change_sets.setdefault(new.name, new).changes.append(self._change(change))
        undoable: dict[str, list[Change]] = {}
        for change in complete:
            if change.key in self._undoable:
                undoable.setdefault(change.change_set, []).append(change)
        for name, change_set in change_sets.items():
            change_set.changes.sort(key=lambda shown: shown.change.id)
            found = undo.outcome(undoable.get(name, ()), self._latest, self._obstacle)
            change_set.undo = str(undo.UndoButton(name)) if found == "undone" else ""
            change_set.overtaken = found == "overtaken"
        return list(change_sets.values())

    def _change(self, change: Change) -> ShownChange:
        setting = self._settings.get(change.key)
        overtaken = not undo.is_last(change, self._latest)
        if setting is None:
            return ShownChange(change, change.key, removed=True, overtaken=overtaken)
        shown = ShownChange(change, setting.label, overtaken=overtaken, undo=self._undo_of(change))
        if change.old_text is not None:
            shown.old = display_text(self._field(setting), change.old)
        if change.new_text is not None:
            shown.new = display_text(self._field(setting), change.new)
        if not (change.secret or change.problem or shown.old is None or shown.new is None):
            self._compare(shown, setting)
        return shown

    def _undo_of(self, change: Change) -> str:
        """What the button sends that restores the old value of a change."""
        last = self._latest.get(change.key)
        if change.key not in self._undoable or self._obstacle(change):
            return ""
        if last is None or last.new_text == change.old_text:
            return ""
        return str(undo.UndoButton(change.change_set, last.id, change.key))

    def _compare(self, shown: ShownChange, setting: Setting) -> None:
        """Add the differences, where they are easier to read than both texts."""
        texts = [self._whole_text(setting, v) for v in (shown.change.old, shown.change.new)]
        if any("\n" in text for text in texts):
            shown.lines = _shorten(self._comparer.lines(*texts))
        elif max(map(len, texts)) > LONG:
            shown.words = _shorten(self._comparer.words(*texts))

    def _field(self, setting: Setting) -> object:
        """The field of a setting, which formats its values; None if it has none."""
        if setting.key not in self._field_of:
            try:
                source = choose_source(setting, self._fields)
                found = standalone_field(setting, source, reader_notation())
            except ValueError:
                found = None
            self._field_of[setting.key] = found
        return self._field_of[setting.key]

    def _whole_text(self, setting: Setting, value: object) -> str:
        """The text of a value, not shortened."""
        found = self._field(setting)
        if isinstance(found, SettingField) and type(value) is not bool:
            try:
                return found.format(value)
            except ValueError:
                pass
        return value if isinstance(value, str) else generic_text(value)


def _shorten(pieces: Pieces) -> Pieces:
    """The pieces with a limited length each."""
    return [(part, _ends(text) if part == "same" else bounded_text(text)) for part, text in pieces]


def _ends(text: str) -> str:
    """The beginning and the end of a text that has not changed."""
    return text if len(text) <= 4 * LONG else f"{text[: 2 * LONG]} … {text[-2 * LONG :]}"
