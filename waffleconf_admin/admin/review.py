"""Review: what would be saved, old and new, before it is."""

from __future__ import annotations

from typing import Any, NamedTuple

from ..fields.base import SettingField
from ..fields.binding import words
from ..forms import SettingsForm
from .diff import Comparer, Pieces


class Change(NamedTuple):
    """One change, as the review page shows it."""

    field: Any
    label: Any
    key: str
    secret: bool
    reset: bool  #: of a secret: whether it shall have its default
    confirm: bool
    old: str
    new: str
    lines: Pieces  #: none for short texts


def changes(form: SettingsForm) -> list[Change]:
    """Return what a validated form would change; of secrets only that they do."""
    comparer = Comparer()
    return [
        _change(form[key], value, form.is_reset(key), comparer)
        for key, value in form.changes.items()
    ]


def _change(field: Any, value: Any, reset: bool, comparer: Comparer) -> Change:
    setting = field.setting
    if setting.secret:
        return Change(field, setting.label, setting.key, True, reset, setting.confirm, "", "", [])
    old, new = _text(field, field.record.value), _text(field, value)
    lines = comparer.lines(old, new) if "\n" in old or "\n" in new else []
    if not lines:
        old, new = field.shown_text, words(field, value)
    return Change(field, setting.label, setting.key, False, False, setting.confirm, old, new, lines)


def _text(field: Any, value: Any) -> str:
    """The whole text of a value that has lines; else what people call it."""
    if isinstance(field, SettingField) and field.lines:
        try:
            return field.show(value)
        except ValueError:
            pass
    return words(field, value)
