"""Review: what would be saved, old and new, before it is."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, NamedTuple

from ..fields.base import SettingField
from ..fields.bound import words
from ..forms import SettingsForm

#: More lines or characters than this are not compared: that takes too long.
MOST_LINES = 2000
MOST_CHARACTERS = 100_000
CONTEXT = 2  #: unchanged lines around each difference


class Change(NamedTuple):
    """One change, as the review page shows it."""

    field: Any
    label: Any
    key: str
    secret: bool
    confirm: bool
    old: str
    new: str
    lines: list[tuple[str, str]]  #: ("same", "old", "new" or "gap", text); none for short texts


def changes(form: SettingsForm) -> list[Change]:
    """Return what a validated form would change; of secrets only that they do."""
    return [_change(form[key], value) for key, value in form.changes.items()]


def differences(old: str, new: str) -> Iterator[tuple[str, str]]:
    """Compare two texts line by line: ``(kind, line)``."""
    before, after = old.split("\n"), new.split("\n")
    groups = difflib.SequenceMatcher(None, before, after, False).get_grouped_opcodes(CONTEXT)
    for number, group in enumerate(groups):
        if number:
            yield "gap", "…"
        for tag, start, end, start_new, end_new in group:
            if tag == "equal":
                yield from (("same", line) for line in before[start:end])
            else:
                yield from (("old", line) for line in before[start:end])
                yield from (("new", line) for line in after[start_new:end_new])


def _change(field: Any, value: Any) -> Change:
    setting = field.setting
    if setting.secret:
        return Change(field, setting.label, setting.key, True, setting.confirm, "", "", [])
    old, new = _text(field, field.record.value), _text(field, value)
    size = len(old) + len(new)
    many = 1 < max(old.count("\n"), new.count("\n")) + 1 <= MOST_LINES and size <= MOST_CHARACTERS
    lines = list(differences(old, new)) if many else []
    if not lines:
        old, new = field.shown_text, words(field, value)
    return Change(field, setting.label, setting.key, False, setting.confirm, old, new, lines)


def _text(field: Any, value: Any) -> str:
    """The whole text of a value that has lines; else what people call it."""
    if isinstance(field, SettingField) and field.lines:
        try:
            return field.show(value)
        except ValueError:
            pass
    return words(field, value)
