"""Fields for what has parts: lists, dicts and sets as JSON, bytes as base64."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Any

from .. import widgets
from ..words import gettext, mark
from .base import LineField, OptionalField, Unshown, expect, is_unicode

#: Characters of JSON that one control of a page can hold.
JSON_LIMIT = 2**20
#: Characters that a list or dict may have on one line.
ONE_LINE = 40


class JsonField(OptionalField):
    """A list, tuple, set or dict, written as JSON."""

    control = "json"
    lines = True
    widget = widgets.TextInput()
    typing = {"spellcheck": "false"}
    canonical = staticmethod(LineField.canonical)

    @property
    def wanted(self) -> type:
        return next((kind for kind in _SHAPES if issubclass(self.setting.kind, kind)), list)

    def show_some(self, value: Any) -> str:
        expect(value, self.wanted)
        if isinstance(value, (set, frozenset)):
            # Always in the same order, so that it can be compared.
            value = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
        left = JSON_LIMIT
        try:
            # Part by part: a few nested lists can be gigabytes of JSON.
            for part in _ENCODER.iterencode(value):
                left -= len(part)
                if left < 0:
                    break
            else:
                return _laid_out(value)
        except (TypeError, ValueError, RecursionError) as error:
            raise Unshown(gettext("there is something in it that JSON can't hold")) from error
        raise Unshown(gettext("it is too large for this page"))

    def parse_some(self, text: str) -> Any:
        try:
            value = _DECODER.decode(text)
        except json.JSONDecodeError as error:
            what = gettext(_ERRORS.get(error.msg, error.msg))
            raise ValueError(
                gettext(
                    "Line %(line)s, column %(column)s: %(what)s.",
                    line=error.lineno,
                    column=error.colno,
                    what=what,
                )
            ) from error
        except RecursionError as error:
            raise ValueError(gettext("There are too many brackets inside each other.")) from error
        if not isinstance(value, dict if self.wanted is dict else list):
            raise ValueError(gettext(_SHAPES[self.wanted]))
        # Escapes can make what no page can show again: half of a surrogate pair.
        if "\\u" in text and not is_unicode(json.dumps(value, ensure_ascii=False)):
            raise ValueError(
                gettext("After a \\u there is half a character: write the character itself.")
            )
        return value if self.wanted in (list, dict) else self._gathered(value)

    def _gathered(self, items: Any) -> Any:
        try:
            value = self.wanted(items)
        except TypeError as error:
            raise ValueError(
                gettext("In this list there can't be lists or names with values.")
            ) from error
        if len(value) < len(items):
            raise ValueError(gettext("Something in this is there twice: take one out."))
        return value


class BytesField(OptionalField):
    """Bytes, written as base64."""

    control = "textarea"
    lines = True
    widget = widgets.TextInput()
    typing = {"spellcheck": "false"}
    canonical = staticmethod(LineField.canonical)

    def show_some(self, value: Any) -> str:
        expect(value, bytes, bytearray)
        if len(value) > JSON_LIMIT:
            raise Unshown(gettext("it is too large for this page"))
        return base64.b64encode(value).decode()

    def parse_some(self, text: str) -> Any:
        try:
            return self.setting.kind(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError(gettext("Write bytes as base64, such as AAEC/w==.")) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(
            gettext("The name “%(name)s” is there twice: take one out.", name=twice[:50])
        )
    return found


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError as error:
        raise ValueError(gettext("A number in this has too many digits.")) from error


def _float(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(gettext("A number in this is too large."))
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(gettext("%(constant)s is not a number in JSON.", constant=constant))


def _laid_out(value: Any, indent: str = "") -> str:
    """Write JSON with short lists and dicts on one line, as a person would."""
    if isinstance(value, dict):
        opening, closing = "{", "}"
        parts = [
            # Names that are no text are written as text, and so are not given back.
            f"{_ENCODER.encode(str(name))}: {_laid_out(part, indent + '  ')}"
            for name, part in value.items()
        ]
    elif isinstance(value, (list, tuple)):
        opening, closing = "[", "]"
        parts = [_laid_out(part, indent + "  ") for part in value]
    else:
        return _ENCODER.encode(value)
    line = opening + ", ".join(parts) + closing
    if "\n" not in line and len(indent) + len(line) <= ONE_LINE:
        return line
    inner = f",\n{indent}  ".join(parts)
    return f"{opening}\n{indent}  {inner}\n{indent}{closing}"


_ENCODER = json.JSONEncoder(ensure_ascii=False)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_repeats,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_refuse,
)
_LIST = mark('Write a list, in square brackets: ["a", "b"].')
_SHAPES: dict[type, str] = {
    **dict.fromkeys((list, tuple, set, frozenset), _LIST),
    dict: mark('Write names with values, in curly brackets: {"name": "value"}.'),
}
#: Python's messages in plainer words.
_ERRORS = {
    "Expecting ',' delimiter": mark("a comma is missing, or a bracket"),
    "Expecting ':' delimiter": mark("a colon is missing after the name"),
    "Expecting value": mark("a value is missing (text needs double quotes)"),
    "Expecting property name enclosed in double quotes": mark("a name in double quotes is missing"),
    "Illegal trailing comma before end of array": mark("there is a comma too many"),
    "Illegal trailing comma before end of object": mark("there is a comma too many"),
    "Unterminated string starting at": mark("the text that begins here has no closing quote"),
    "Invalid control character at": mark("within text, write a new line as \\n and a tab as \\t"),
    "Invalid \\escape": mark("within text, write a backslash as \\\\"),
    "Invalid \\uXXXX escape": mark("after \\u write four hexadecimal digits"),
    "Extra data": mark("something follows after the end"),
}
