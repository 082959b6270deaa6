"""Value types: what a declaration may name in a string, and what people call them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
)
from pathlib import PurePath
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ..i18n import gettext, mark
from ..time_zones import is_zone
from .notation import PYTHON, Notation
from .units import duration_text, size_text

# Types that Python does not have. A value of such a type is of the class that the type inherits
# from, never of the type itself: these classes are keys of tables, here and in `fields`.


class Email(str):
    """An e-mail address, in a str."""


class Url(str):
    """A web address, of http or https, in a str."""


class Color(str):
    """A colour as in HTML, in a str."""


class TimeZone(str):
    """The name of a time zone, in a str."""


class Range(float):
    """A number on a slider from min to max; an int where the default is one."""


class FileSize(int):
    """A number of bytes, written with a unit."""


#: The types of addresses and networks.
ADDRESSES: tuple[type, ...] = (
    IPv4Interface, IPv6Interface, IPv4Address, IPv6Address, IPv4Network, IPv6Network,
)  # fmt: skip

#: The types that a declaration may name in a string: Flask-WaffleConf 0.2's, and ours.
TYPES: dict[str, type] = {
    **{value_type.__name__: value_type for value_type in (bool, int, float, str, list, dict)},
    "email": Email,
    "url": Url,
    "color": Color,
    "range": Range,
    "filesize": FileSize,
    "timezone": TimeZone,
}
#: How a declaration names these types, for programs.
NAMES = {value_type: name for name, value_type in TYPES.items()}
OURS = (Email, Url, Color, TimeZone, Range, FileSize)

#: What people call a value of a type, and of what inherits from it.
NOUNS: dict[type, str] = {
    bool: mark("yes or no (True or False)"),
    FileSize: mark("a number of bytes"),
    int: mark("a whole number"),
    float: mark("a number"),
    Email: mark("an e-mail address"),
    Url: mark("a web address"),
    Color: mark("a colour"),
    TimeZone: mark("the name of a time zone"),
    str: mark("text"),
    NoneType: mark("text"),
    list: mark("a list"),
    dict: mark("names with values (a dict)"),
    tuple: mark("a list (a tuple)"),
    set: mark("a list (a set)"),
    frozenset: mark("a list (a frozenset)"),
    Decimal: mark("a number (a Decimal)"),
    datetime: mark("a date and time"),
    date: mark("a date"),
    time: mark("a time of day"),
    timedelta: mark("a length of time"),
    UUID: mark("a UUID"),
    PurePath: mark("a path"),
    bytes: mark("bytes"),
    bytearray: mark("bytes"),
    ZoneInfo: mark("a time zone"),
    IPv4Interface: mark("an IPv4 address with a network"),
    IPv6Interface: mark("an IPv6 address with a network"),
    IPv4Address: mark("an IPv4 address"),
    IPv6Address: mark("an IPv6 address"),
    IPv4Network: mark("an IPv4 network"),
    IPv6Network: mark("an IPv6 network"),
}


def type_name(value_type: type) -> str:
    """Return the name of a type for programs: as a declaration has it, such as "email"."""
    return NAMES.get(value_type, value_type.__name__)


def named(declared: object) -> type | None:
    """Return the type that a declaration means.

    :raises ValueError: it means none; the message says what to write.
    """
    if declared is None or isinstance(declared, type):
        return declared
    if declared == "json":  # of 0.2: the default decides
        return None
    if isinstance(declared, str) and declared in TYPES:
        return TYPES[declared]
    names = ", ".join(map(repr, TYPES))
    raise ValueError(f"write a type, such as int, or one of {names}")


def noun(value_type: type) -> str:
    """Return what people call a value of a type."""
    found = next((NOUNS[base] for base in bases(value_type) if base in NOUNS), None)
    if found and not issubclass(value_type, Enum):
        return gettext(found)
    return gettext("of type %(type)s", type=value_type.__name__)


def bases(value_type: type) -> list[type]:
    """Return a type and what it inherits from, nearest first; Enum before what it is mixed with."""
    return sorted(value_type.__mro__, key=lambda base: not issubclass(base, Enum))


def accepts(value_type: type, value: object) -> bool:
    """Whether a value is of a declared type, as people mean it."""
    if isinstance(value, bool) and value_type is not bool and issubclass(value_type, (int, float)):
        return False  # to Python True is an int; to people it is not a number
    if value_type is date and isinstance(value, datetime):
        return False
    accepted = python_type(value_type)
    return isinstance(value, (int, float) if accepted is float else accepted)


def python_type(value_type: type) -> type:
    """Return the Python type that values of a type are of."""
    return value_type.__mro__[1] if value_type in OURS else value_type


def label(choice: object, notation: Notation = PYTHON) -> str:
    """Return the label of a choice that has none.

    :param notation: of numbers.
    """
    if isinstance(choice, Enum) and choice.name:
        return choice.name.replace("_", " ").strip().capitalize()
    # Half of a surrogate pair can't be sent to a browser.
    text = display_text(type(choice), choice, notation)
    if not text.isascii():
        text = text.encode("utf-8", "backslashreplace").decode()
    return text if text.strip() else gettext("(blank)")


def display_text(value_type: type, value: object, notation: Notation = PYTHON) -> str:
    """Return a value as people write it.

    :param notation: of numbers.
    """
    write = _DISPLAY.get(value_type)
    text = write(value) if write and accepts(value_type, value) else str(value)
    if notation is PYTHON or not (isinstance(value, _WITH_POINT) or value_type is FileSize):
        return text
    return notation.write(text)


def shape_problem(value_type: type, value: object) -> str | None:
    """Return what is wrong with the shape of a value; blank is fine, ``min`` may say otherwise."""
    check = _SHAPES.get(value_type)
    return check(value) if check and isinstance(value, str) and value else None


def _zone_problem(name: str) -> str | None:
    if is_zone(name):
        return None
    return gettext("Enter the name of a time zone, such as Europe/Berlin.")


#: Types of numbers that may have decimals.
_WITH_POINT = (float, Decimal, timedelta)
#: What writes values of a type (Any: of that type) in another way than `str`.
_DISPLAY: dict[type, Callable[[Any], str]] = {FileSize: size_text, timedelta: duration_text}


def _like(pattern: str, message: str) -> Callable[[str], str | None]:
    wanted = re.compile(pattern, re.I)
    return lambda text: None if wanted.fullmatch(text) else gettext(message)


#: What checks the texts of a type.
_SHAPES: dict[type, Callable[[str], str | None]] = {
    Email: _like(
        r"[^\s@<>\"(),:;\x00-\x1f]++@[^\s@<>\"(),:;\x00-\x1f]++",
        mark("Enter an e-mail address, such as anna@example.org."),
    ),
    Url: _like(
        # No javascript: or data:, for a site makes links of them.
        r"https?://[^\s/?#\x00-\x1f][^\s\x00-\x1f]*+",
        mark("Enter a web address with http:// or https://, such as https://example.org."),
    ),
    Color: _like(r"#([0-9a-f]{3}|[0-9a-f]{6})", mark("Enter a colour such as #0a5bd6.")),
    TimeZone: _zone_problem,
}
