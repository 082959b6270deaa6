"""Conversion: a stored value of another type than is declared, wherever nothing is lost by it.

What converts: text that the page reads as a value of the declared type, a number that both types
have, and these to text. The result, written in the old type, is the old value. None never converts,
and yes or no is not a number.
"""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from . import value_types
from .equality import same
from .units import duration_text, parse_duration, parse_size, size_text

#: Blanks, and the texts in which they stay.
_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*+")|[ \t\r\n]++')
#: The words for yes and no that the page writes: as the text of a control, and for people. Others
#: may have meant something else to the code that stored them.
_TRUE, _FALSE = ("true", "on"), ("false", "off")


class _Text(NamedTuple):
    """How values of a type are written."""

    read: Callable[[str], object]
    #: Returns every way to write a value (Any: of this type), the usual first.
    write: Callable[[Any], Iterable[str]]


def convert(value: object, value_type: type) -> object:
    """Return a value as one of another type.

    :raises ValueError: it can't be, or something would be lost.
    """
    try:
        return _convert(value, value_type)
    except Exception as error:  # whatever a reader raises about a text that is not for it
        raise ValueError(f"not converted: {type(error).__name__}") from None


def _convert(value: object, value_type: type) -> object:
    if isinstance(value, Enum) and value_types.accepts(value_type, value.value):
        return value.value
    if issubclass(value_type, Enum):
        return _member(value.value if isinstance(value, Enum) else value, value_type)
    if value_type is bool:
        return _truth(value)
    source = type(value)
    if cast := _LOSSLESS_CASTS.get((source, value_type)):
        return cast(value)
    if type(value) is str:
        read = _from_json if value_type in (list, tuple, dict) else _read
        return read(value, value_type)
    if value_type in (str, NoneType):
        return _write(value)
    if source in _NUMBERS and value_types.python_type(value_type) in _NUMBERS:
        return _number(value, value_type)
    raise ValueError


def _read(text: str, value_type: type) -> object:
    if len(text) > _LONGEST:
        raise ValueError
    made = _TEXTS[value_type].read(text)
    if text in _TEXTS[value_type].write(made):
        return made
    raise ValueError


def _write(value: object) -> str:
    how = _TEXTS[type(value)]
    text = next(iter(how.write(value)))
    if same(how.read(text), value):
        return text
    raise ValueError


def _number(number: object, value_type: type) -> object:
    for text in _TEXTS[type(number)].write(number):
        try:
            return _read(text, value_type)
        except ValueError:
            continue
    raise ValueError


def _truth(value: object) -> bool:
    if type(value) in _NUMBERS and value in (0, 1):
        return bool(value)
    word = value.lower() if type(value) is str else ""
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise ValueError


def _member(value: object, value_type: type[Enum]) -> Enum:
    """A member by its value or name. The class isn't called, for it may have a say in that."""
    if issubclass(value_type, Flag) and type(value) is int:
        made = reduce(or_, (flag for flag in value_type if flag.value & value), value_type(0))
        if made.value == value:
            return made
    for member in value_type:
        if same(member.value, value):
            return member
    if isinstance(value, str):
        return value_type.__members__[value]
    raise ValueError


def _number_texts(number: float | Decimal) -> list[str]:
    if isinstance(number, Decimal) and abs(number.adjusted()) > _LONGEST:
        raise ValueError  # the int of Decimal("1e999999999") would fill the memory
    whole = int(number)  # raises for what is infinite, and for what is no number
    return [str(number), str(whole)] if number == whole else [str(number)]


def _iso_texts(value: datetime | time) -> list[str]:
    text, minutes = value.isoformat(), value.isoformat(timespec="minutes")
    texts = [text] if value.second or value.microsecond else [text, minutes]
    return [*texts, *(text.replace("T", " ") for text in texts)]


def _from_json(text: str, value_type: type) -> object:
    """The value of a JSON text that is written so again, but for blanks between its parts."""
    value = json.loads(text)
    texts = (json.dumps(value, ensure_ascii=ascii, allow_nan=False) for ascii in (False, True))
    if type(value) is (dict if value_type is dict else list) and _without_blanks(text) in map(
        _without_blanks, texts
    ):
        return value_type(value)
    raise ValueError


def _without_blanks(text: str) -> str:
    """A JSON text without blanks between its parts."""
    return _BLANKS.sub(r"\1", text)


def _usual_text(value: object) -> list[str]:
    return [str(value)]


#: By the type of a value and the wanted one, where that holds all that the other holds.
_LOSSLESS_CASTS: dict[tuple[type, type], type] = {
    (source, wanted): wanted
    for types in ((list, tuple), (set, frozenset), (bytes, bytearray))
    for source in types
    for wanted in types
}
_NUMBERS = (int, float, Decimal)
#: No text of one of the types below is longer; it is also more digits than Python prints.
_LONGEST = 5000
_TEXTS: dict[type, _Text] = {
    int: _Text(int, _usual_text),
    float: _Text(float, _number_texts),
    Decimal: _Text(Decimal, _number_texts),
    value_types.Range: _Text(float, _number_texts),
    value_types.FileSize: _Text(parse_size, lambda size: [str(size), size_text(size)]),
    date: _Text(date.fromisoformat, lambda day: [day.isoformat()]),
    time: _Text(time.fromisoformat, _iso_texts),
    datetime: _Text(datetime.fromisoformat, _iso_texts),
    timedelta: _Text(parse_duration, lambda length: [duration_text(length)]),
    ZoneInfo: _Text(ZoneInfo, _usual_text),
    **{value_type: _Text(value_type, _usual_text) for value_type in (
        UUID, *value_types.ADDRESSES,
        pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath,
        pathlib.Path, pathlib.PosixPath, pathlib.WindowsPath,
    )},
}  # fmt: skip
