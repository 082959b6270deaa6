"""JSON as people write it: short lists on one line, and errors that say what to write."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator

from ..codec.limits import MAX_DEPTH, MAX_DIGITS
from ..i18n import gettext, mark
from .value_text import is_unicode

#: Characters of JSON that one control can hold.
JSON_LIMIT = 2**20
#: Characters of JSON that is written on several lines; longer JSON is one line.
LINES_LIMIT = 2**17
#: Characters that a list or dict may have on one line.
LINE_LIMIT = 40
TOO_DEEP = mark("There are too many brackets inside each other.")

Container = dict[object, object] | list[object] | tuple[object, ...]
_CONTAINERS = (dict, list, tuple)


def read_json(text: str) -> object:
    """Return the value of a JSON text, with lists and dicts no deeper than can be stored.

    :raises ValueError: it is no such text; the message says where, and what to write.
    """
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
        raise ValueError(gettext(TOO_DEEP)) from error
    if _is_deep(value):
        raise ValueError(gettext(TOO_DEEP))
    # Escapes can make a lone surrogate, which no page can show again.
    if "\\u" in text and not is_unicode(json.dumps(value, ensure_ascii=False)):
        raise ValueError(
            gettext("After a \\u there is half a character: write the character itself.")
        )
    return value


def write_json(value: object) -> str | None:
    """Return the JSON text of a value; None if it is longer than `JSON_LIMIT`.

    :raises TypeError, ValueError, RecursionError: JSON can't hold it.
    """
    if _is_too_large(value):
        return None
    line = _ENCODER.encode(value)
    if len(line) > JSON_LIMIT:
        return None
    if len(line) <= LINE_LIMIT and "{" not in line:  # it has no dict, whose names may be no texts
        return line
    # On several lines a deep value may be a hundred times as long.
    pieces = _Pieces()
    try:
        _write(value, "", pieces)
    except _TooLong:
        return line
    return "".join(pieces)


def fits(value: object) -> bool:
    """Whether a value that `read_json` has returned can be written again."""
    return len(_ENCODER.encode(value)) <= JSON_LIMIT  # nothing in it is repeated by reference


def _is_too_large(value: object) -> bool:
    """Whether a value has more than `JSON_LIMIT` items, letters and digits, counted where they are
    repeated: a few nested lists can be gigabytes of JSON.
    """
    level, left = [value], JSON_LIMIT
    while level:
        containers: list[Container] = []
        left -= len(level)
        for part in level:
            if isinstance(part, str):
                left -= len(part)
            elif isinstance(part, int):
                left -= part.bit_length() // 4
            elif isinstance(part, _CONTAINERS):
                containers.append(part)
                left -= len(part)
                if isinstance(part, dict):
                    left -= sum(len(str(name)) for name in part)
        if left < 0:
            return True
        level = _parts(containers)
    return False


def _parts(containers: Iterable[Container]) -> list[object]:
    """All that is directly in some lists and dicts."""
    return [
        part for each in containers for part in (each.values() if isinstance(each, dict) else each)
    ]


class _TooLong(Exception):
    """The text has more characters than are written on several lines."""


class _Pieces(list[str]):
    """The pieces of a text of bounded length."""

    left = LINES_LIMIT

    def add(self, piece: str) -> None:
        self.left -= len(piece)
        if self.left < 0:
            raise _TooLong
        self.append(piece)


def _write(value: object, indent: str, pieces: _Pieces) -> None:
    """Write JSON with short lists and dicts on one line, as a person would.

    :param indent: of the line.
    """
    short = _short(value, LINE_LIMIT - len(indent))
    if short is not None or not (value and isinstance(value, _CONTAINERS)):
        pieces.add(_encoded(value) if short is None else short)
        return
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    inner = indent + "  "
    before = f"{opening}\n{inner}"
    for name, part in _named_parts(value):
        pieces.add(before + name)
        _write(part, inner, pieces)
        before = f",\n{inner}"
    pieces.add(f"\n{indent}{closing}")


def _short(value: object, room: int) -> str | None:
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


def _encoded(value: object) -> str:
    return repr(value) if type(value) is int else _ENCODER.encode(value)  # ten times as fast


def _named_parts(value: Container) -> Iterator[tuple[str, object]]:
    """Yield the items of a list or dict, each with the name before it."""
    if isinstance(value, dict):
        # Names that are no text become text, so such a dict does not round trip.
        return ((f"{_ENCODER.encode(str(name))}: ", part) for name, part in value.items())
    return (("", part) for part in value)


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
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


def _refuse(constant: str) -> object:
    raise ValueError(gettext("%(constant)s is not a number in JSON.", constant=constant))


def _is_deep(value: object) -> bool:
    """Whether a value of JSON has more levels than can be stored."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = _parts([part for part in level if isinstance(part, (list, dict))])
        if not level:
            return False
    return True


_ENCODER = json.JSONEncoder(ensure_ascii=False)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_without_repeats,
    parse_int=_integer,
    parse_float=_float,
    parse_constant=_refuse,
)
#: The messages of Python's decoder, as people need them.
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
