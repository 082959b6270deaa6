"""The field for lists and dicts: JSON."""

from __future__ import annotations

import json
from typing import Any

from .. import widgets
from .base import OptionalField, SettingField, Unshown, expect, is_unicode

#: Characters of JSON that one control of a page can hold.
JSON_LIMIT = 2**20


class JsonField(OptionalField):
    """A list or dict, written as JSON."""

    control = "json"
    lines = True
    widget = widgets.TextInput()
    typing = {"spellcheck": "false"}

    @property
    def wanted(self) -> type:
        return dict if issubclass(self.setting.kind, dict) else list

    @staticmethod
    def canonical(raw: list[str]) -> str:
        return SettingField.canonical(raw).strip()

    def show_some(self, value: Any) -> str:
        expect(value, self.wanted)
        parts: list[str] = []
        left = JSON_LIMIT
        try:
            # Part by part: a few nested lists can be gigabytes of JSON.
            for part in _ENCODER.iterencode(value):
                parts.append(part)
                left -= len(part)
                if left < 0:
                    break
        except (TypeError, ValueError, RecursionError) as error:
            raise Unshown("there is something in it that JSON can't hold") from error
        if left < 0:
            raise Unshown("it is too large for this page")
        return "".join(parts)

    def parse_some(self, text: str) -> Any:
        try:
            value = _DECODER.decode(text)
        except json.JSONDecodeError as error:
            what = _ERRORS.get(error.msg, error.msg)
            raise ValueError(f"Line {error.lineno}, column {error.colno}: {what}.") from error
        except RecursionError as error:
            raise ValueError("There are too many brackets inside each other.") from error
        if not isinstance(value, self.wanted):
            raise ValueError(_SHAPES[self.wanted])
        # Escapes can make what no page can show again: half of a surrogate pair.
        if "\\u" in text and not is_unicode(json.dumps(value, ensure_ascii=False)):
            raise ValueError("After a \\u there is half a character: write the character itself.")
        return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"The name “{twice:.50}” is there twice: take one out.")
    return found


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise ValueError("A number in this has too many digits.") from error


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a number in JSON.")


_ENCODER = json.JSONEncoder(ensure_ascii=False, indent=2)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_repeats, parse_int=_integer, parse_constant=_refuse
)
_SHAPES: dict[type, str] = {
    list: 'Write a list, in square brackets: ["a", "b"].',
    dict: 'Write names with values, in curly brackets: {"name": "value"}.',
}
#: Python's messages in plainer words.
_ERRORS = {
    "Expecting ',' delimiter": "a comma is missing, or a bracket",
    "Expecting ':' delimiter": "a colon is missing after the name",
    "Expecting value": "a value is missing (text needs double quotes)",
    "Expecting property name enclosed in double quotes": "a name in double quotes is missing",
    "Illegal trailing comma before end of array": "there is a comma too many",
    "Illegal trailing comma before end of object": "there is a comma too many",
    "Unterminated string starting at": "the text that begins here has no closing quote",
    "Invalid control character at": "within text, write a new line as \\n and a tab as \\t",
    "Invalid \\escape": "within text, write a backslash as \\\\",
    "Invalid \\uXXXX escape": "after \\u write four hexadecimal digits",
    "Extra data": "something follows after the end",
}
