"""Changes: the saves of the history as its page shows them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..fields import FIELDS, SettingField, binding, choose, describe
from ..fields.base import readable
from ..i18n import gettext as _
from ..settings.setting import Setting
from ..state.change import Change
from . import undo
from .diff import Comparer, Pieces

#: Texts on one line that are longer than this are compared word by word.
LONG = 60


@dataclass
class Entry:
    """One change, as the page shows it."""

    change: Change
    label: Any
    gone: bool  #: it is no longer a setting
    old: str | None  #: None: no value was stored, so the default held
    new: str | None
    lines: Pieces  #: for texts of several lines, line by line
    words: Pieces  #: for a long line, piece by piece
    put_back: str  #: what a button sends to put the old value back; "" where that can't be
    overtaken: bool  #: the setting was changed again since


@dataclass
class Save:
    """The changes of one save."""

    change_set: str
    first: Change
    entries: list[Entry] = field(default_factory=list)
    undo: str = ""  #: what a button sends to undo it; "" where that can't be
    overtaken: bool = False  #: that can't be because some of it, not all, was changed again since
    goes_on: bool = False  #: the next page has more of it


class Teller:
    """Lays changes out for one person.

    :param settings: those whose history this person may see.
    :param editable: the keys of those that this person may change.
    :param latest: the last change of each setting.
    :param obstacle: why the old value of a change can't be had again.
    :param table: the app's own fields by type.
    """

    def __init__(
        self,
        settings: Mapping[str, Setting],
        editable: set[str],
        latest: Mapping[str, Change],
        obstacle: undo.Obstacle,
        table: Mapping[type, Any] | None,
    ) -> None:
        self._settings = settings
        self._editable = editable
        self._latest = latest
        self._obstacle = obstacle
        self._table = {**FIELDS, **(table or {})}
        self._kinds: dict[str, Any] = {}
        self._comparer = Comparer()

    def saves(self, changes: Iterable[Change], whole: Iterable[Change]) -> list[Save]:
        """Group changes by save, in the order given.

        :param whole: all that was changed by the saves that can be undone here.
        """
        saves: dict[str, Save] = {}
        for change in changes:
            save = saves.setdefault(change.change_set, Save(change.change_set, change))
            save.entries.append(self._entry(change))
        together: dict[str, list[Change]] = {}
        for change in whole:
            if change.key in self._editable:
                together.setdefault(change.change_set, []).append(change)
        for name, save in saves.items():
            save.entries.sort(key=lambda entry: entry.change.id)
            found = undo.outcome(together.get(name, ()), self._latest, self._obstacle)
            save.undo = name if found == "undone" else ""
            save.overtaken = found == "overtaken"
        return list(saves.values())

    def _entry(self, change: Change) -> Entry:
        setting = self._settings.get(change.key)
        overtaken = not undo.is_last(change, self._latest)
        if setting is None:
            return Entry(change, change.key, True, None, None, [], [], "", overtaken)
        put_back, last = "", self._latest.get(change.key)
        may = change.key in self._editable and not self._obstacle(change)
        if may and last and last.new_text != change.old_text:
            put_back = f"{change.change_set} {last.id} {change.key}"
        old = self._text(setting, change.old, change.old_text)
        new = self._text(setting, change.new, change.new_text)
        entry = Entry(change, setting.label, False, old, new, [], [], put_back, overtaken)
        if change.secret or change.problem or old is None or new is None:
            return entry
        whole = [self._whole(setting, value) for value in (change.old, change.new)]
        if any("\n" in text for text in whole):
            entry.lines = bounded(self._comparer.lines(*whole))
        elif max(map(len, whole)) > LONG:
            entry.words = bounded(self._comparer.words(*whole))
        return entry

    def _kind(self, setting: Setting) -> Any:
        """A field that knows how a setting's values are written."""
        if setting.key not in self._kinds:
            try:
                kind = binding.alone(setting, choose(setting, self._table))
            except ValueError:
                kind = None
            self._kinds[setting.key] = kind
        return self._kinds[setting.key]

    def _text(self, setting: Setting, value: Any, stored: str | None) -> str | None:
        """A value in words, of bounded length."""
        if stored is None:
            return None
        return binding.words(self._kind(setting), value)

    def _whole(self, setting: Setting, value: Any) -> str:
        """The whole text of a value, to be compared."""
        kind = self._kind(setting)
        if isinstance(kind, SettingField) and type(value) is not bool:
            try:
                return kind.show(value)
            except ValueError:
                pass
        return value if isinstance(value, str) else describe(value)


def bounded(pieces: Pieces) -> Pieces:
    """The pieces, each of bounded length."""
    return [(kind, _middle(text) if kind == "same" else readable(text)) for kind, text in pieces]


def _middle(text: str) -> str:
    """What is the same, without what nobody reads."""
    return text if len(text) <= 4 * LONG else f"{text[: 2 * LONG]} … {text[-2 * LONG :]}"


def sources() -> dict[str, str]:
    """The ways in, in words."""
    return {
        "page": _("Page"),
        "code": _("Code"),
        "cli": _("Command line"),
        "import": _("Import"),
        "api": _("API"),
        "undo": _("Undo"),
    }
