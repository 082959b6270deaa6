"""Builders: the names that a stored text may use, each with the only way in which it is called."""

from __future__ import annotations

import ipaddress
import pathlib
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..exceptions import InvalidValue
from ..i18n import mark
from .limits import MAX_DIGITS, damaged, too_long
from .machine import Name

_ZONE = re.compile(r"[A-Za-z0-9_+-]++(?:/[A-Za-z0-9_+-]++)*+")


class Builder(NamedTuple):
    """An allowed name on the machine's stack: opaque, so that no value calls it by accident."""

    call: Callable[..., Any]


def only(call: Callable[..., Any], *types: type) -> Builder:
    """*call*, for arguments of exactly these types: bytes(10**10) or set(range(10**10)) is not."""

    def build(*args: Any) -> Any:
        if any(type(arg) not in types for arg in args):
            raise damaged("argument")
        return call(*args)

    return Builder(build)


def _latin1(text: str, encoding: str) -> bytes:
    """Stands for _codecs.encode: how protocols 0 to 2 write bytes."""
    if encoding not in ("latin1", "latin-1"):  # to ask for another one would import its module
        raise damaged("encoding")
    return text.encode("latin1")


def _bytearray(content: bytes | str = b"", encoding: str = "latin1") -> bytearray:
    return bytearray(content if isinstance(content, bytes) else _latin1(content, encoding))


def _decimal(text: str) -> Decimal:
    number = Decimal(text)
    if len(text) > MAX_DIGITS or (number.is_finite() and abs(number.adjusted()) > MAX_DIGITS):
        # An int made of Decimal("1e999999999"), or its digits, would fill the memory.
        raise too_long()
    return number


def _fraction(numerator: int | str, denominator: int = 1) -> Fraction:
    if isinstance(numerator, int):
        return Fraction(numerator, denominator)
    first, _, second = numerator.partition("/")  # up to Python 3.10
    return Fraction(int(first), int(second or "1"))  # Fraction("1e999999999") fills the memory


def _zone(key: str, *_: Any) -> ZoneInfo:
    if len(key) > 100 or not _ZONE.fullmatch(key):
        raise damaged("time zone")
    try:
        return _known_zone(key)
    except ZoneInfoNotFoundError:
        raise InvalidValue(
            mark(
                "this machine has no data of a time zone in it: install tzdata (the Debian "
                "packages tzdata and tzdata-legacy, or pip install tzdata)"
            )
        ) from None  # the cause quotes what is stored


@cache  # ZoneInfo itself keeps eight, and reads the file of any other each time
def _known_zone(key: str) -> ZoneInfo:
    return ZoneInfo(key)


_PATHS = (
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
)
_IPS = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)

#: Stand for themselves, as the factory of a defaultdict does; a pickle may not call them.
NAMED: tuple[Any, ...] = (bool, int, float, str, list, tuple, dict)
#: What needs no help of the machine. The containers do: their items are counted and hashed.
BUILDERS: dict[Name, Any] = {
    ("_codecs", "encode"): only(_latin1, str),
    ("builtins", "object"): object,
    **{("builtins", kind.__name__): kind for kind in NAMED},
    ("builtins", "bytes"): only(bytes, list),
    ("builtins", "bytearray"): only(_bytearray, bytes, str),
    ("builtins", "complex"): only(complex, float),
    ("builtins", "range"): only(range, int),
    ("datetime", "date"): only(date, bytes, int),
    ("datetime", "time"): only(time, bytes, int, timezone, ZoneInfo),
    ("datetime", "datetime"): only(datetime, bytes, int, timezone, ZoneInfo),
    ("datetime", "timedelta"): only(timedelta, int),
    ("datetime", "timezone"): only(timezone, timedelta, str),
    ("decimal", "Decimal"): only(_decimal, str),
    ("fractions", "Fraction"): only(_fraction, int, str),
    ("uuid", "UUID"): UUID,
    ("zoneinfo", "ZoneInfo._unpickle"): only(_zone, str, bool, int),
    **{("pathlib", cls.__name__): only(cls, str) for cls in _PATHS},
    **{("pathlib._local", cls.__name__): only(cls, str) for cls in _PATHS},  # Python 3.13
    **{("ipaddress", cls.__name__): only(cls, str, int) for cls in _IPS},
}
LEAVES = frozenset(
    {
        NoneType, bool, int, float, complex, str, bytes, bytearray, range,
        date, time, datetime, timedelta, timezone, ZoneInfo, Decimal, Fraction, UUID,
        *_PATHS, *_IPS,
    }
)  # fmt: skip
CONTAINERS = frozenset(
    {list, tuple, set, frozenset, deque, dict, OrderedDict, defaultdict, Counter}
)
