"""Fields for what has parts: lists, dicts and sets as JSON, bytes as base64."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterator
from typing import Any

from ..codec.limits import MAX_DEPTH, MAX_DIGITS, Limits
from ..exceptions import InvalidValue
from ..i18n import gettext, mark
from . import widgets
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
        return next((kind for kind in _SHAPES if issubclass(self.setting.value_type, kind)), list)

    def show_some(self, value: Any) -> str:
        expect(value, self.wanted)
        if isinstance(value, (set, frozenset)):
            # Always in the same order, so that it can be compared.
            value = sorted(value, key=lambda item: (type(item).__name__, repr(item)))
        try:
            # A deep one may be a hundred times as long on lines as on one.
            text = _written(value, "") or _written(value, None)
        except (TypeError, ValueError, RecursionError) as error:
            raise Unshown(gettext("there is something in it that JSON can't hold")) from error
        if text is None:
            raise Unshown(gettext("it is too large for this page"))
        return text

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
            raise ValueError(gettext(_TOO_DEEP)) from error
        if _is_deep(value):
            raise ValueError(gettext(_TOO_DEEP))
        if not isinstance(value, dict if self.wanted is dict else list):
            raise ValueError(gettext(_SHAPES[self.wanted]))
        # Escapes can make what no page can show again: half of a surrogate pair.
        if "\\u" in text and not is_unicode(json.dumps(value, ensure_ascii=False)):
            raise ValueError(
                gettext("After a \\u there is half a character: write the character itself.")
            )
        return value if self.wanted in (list, dict) else self._gathered(value)

    def _gathered(self, items: Any) -> Any:
        if self.wanted is tuple:
            return tuple(items)
        if any(isinstance(item, (list, dict)) for item in items):
            raise ValueError(gettext("In this list there can't be lists or names with values."))
        try:
            # Before they are hashed, which may take long.
            Limits().check_keys(items, len(items))
            value = self.wanted(items)
        except InvalidValue as error:
            why = gettext(str(error))
            raise ValueError(gettext("This is not saved, because %(why)s.", why=why)) from error
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
            return self.setting.value_type(base64.b64decode("".join(text.split()), validate=True))
        except (binascii.Error, ValueError) as error:
            raise ValueError(gettext("Write bytes as base64, such as AAEC/w==.")) from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(
                gettext("The name “%(name)s” is there twice: take one out.", name=name[:50])
            )
        found[name] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(gettext("A number in this has too many digits."))
    return int(digits)


def _float(digits: str) -> float:
    if math.isinf(number := float(digits)):
        raise ValueError(gettext("A number in this is too large."))
    return number


def _refuse(constant: str) -> Any:
    raise ValueError(gettext("%(constant)s is not a number in JSON.", constant=constant))


def _is_deep(value: Any) -> bool:
    """Whether a value of JSON has more levels than can be stored."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            part
            for item in level
            if isinstance(item, (list, dict))
            for part in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


class _TooLarge(Exception):
    """What is written has more characters than a control can hold."""


class _Pieces(list[str]):
    """Pieces of a text of bounded length: a few nested lists can be gigabytes of JSON."""

    left = JSON_LIMIT

    def add(self, piece: str) -> None:
        self.left -= len(piece)
        if self.left < 0:
            raise _TooLarge
        self.append(piece)


def _written(value: Any, indent: str | None) -> str | None:
    """Write JSON; None where it is too long."""
    pieces = _Pieces()
    try:
        _write(value, indent, pieces)
    except _TooLarge:
        return None
    return "".join(pieces)


def _write(value: Any, indent: str | None, pieces: _Pieces) -> None:
    """Write JSON with short lists and dicts on one line, as a person would.

    :param indent: of the line; None: all on one line.
    """
    short = None if indent is None else _short(value, ONE_LINE - len(indent))
    if short is not None or not (value and isinstance(value, _CONTAINERS)):
        pieces.add(_encoded(value) if short is None else short)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = None if indent is None else indent + "  "
    gap = "" if indent is None else f"\n{inner}"
    comma = ", " if indent is None else f",{gap}"
    before = opening + gap
    for name, part in _named_parts(value):
        pieces.add(before + name)
        _write(part, inner, pieces)
        before = comma
    pieces.add(closing if indent is None else f"\n{indent}{closing}")


def _short(value: Any, room: int) -> str | None:
    """JSON of a value on one line; None where it takes more characters than there is room for."""
    if isinstance(value, _CONTAINERS):
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        parts: list[str] = []
        room -= 2
        for name, part in _named_parts(value):
            text = _short(part, room - len(name))
            if text is None:
                return None
            parts.append(name + text)
            room -= len(parts[-1]) + 2
        line = f"{opening}{', '.join(parts)}{closing}"
        return line if room + 2 >= 0 else None
    if room < 0 or (isinstance(value, str) and len(value) > room):
        return None
    text = _encoded(value)
    return text if len(text) <= room else None


def _encoded(value: Any) -> str:
    return repr(value) if type(value) is int else _ENCODER.encode(value)  # ten times as fast


def _named_parts(value: Any) -> Iterator[tuple[str, Any]]:
    """What a list or dict is made of, each with what stands before it."""
    if isinstance(value, dict):
        # Names that are no text are written as text, and so are not given back.
        return ((f"{_ENCODER.encode(str(name))}: ", part) for name, part in value.items())
    return (("", part) for part in value)


_CONTAINERS = (dict, list, tuple)
_TOO_DEEP = mark("There are too many brackets inside each other.")
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
