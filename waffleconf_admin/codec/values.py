"""Values: the types that need no declaration, and what values are made of."""

from __future__ import annotations

import ipaddress
import pathlib
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import MemberDescriptorType, NoneType
from uuid import UUID
from zoneinfo import ZoneInfo

PATHS = (
    pathlib.Path, pathlib.PosixPath, pathlib.WindowsPath,
    pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath,
)  # fmt: skip
ADDRESSES = (
    ipaddress.IPv4Address, ipaddress.IPv4Interface, ipaddress.IPv4Network,
    ipaddress.IPv6Address, ipaddress.IPv6Interface, ipaddress.IPv6Network,
)  # fmt: skip
#: Types of values that hold no others.
SCALARS = frozenset(
    {
        NoneType, bool, int, float, complex, str, bytes, bytearray, range,
        date, time, datetime, timedelta, timezone, ZoneInfo, Decimal, Fraction, UUID,
        *PATHS, *ADDRESSES,
    }
)  # fmt: skip
CONTAINERS = frozenset(
    {list, tuple, set, frozenset, deque, dict, OrderedDict, defaultdict, Counter}
)
#: Types whose objects hold nothing in attributes.
_BUILTIN = frozenset({list, tuple, set, frozenset, deque, dict})


class Internal:
    """What stands for a name while a value is made, and must not become part of it."""


def is_standard(cls: type) -> bool:
    """Whether values of this type are allowed without being declared."""
    return cls in SCALARS or cls in CONTAINERS


def each_part(value: object, attributes: bool = True) -> Iterator[object]:
    """Yield *value* and all that it is made of, each object once.

    :param attributes: what objects have in attributes too, not only items of containers.
    """
    parts = parts_of if attributes else _items
    done: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if id(item) not in done:
            done.add(id(item))
            todo += parts(item)
            yield item


def parts_of(value: object) -> list[object]:
    """Return the items of a container, or the attributes of an object."""
    cls = type(value)
    if cls in SCALARS or isinstance(value, (Enum, type)):
        return []
    parts = _items(value)
    if cls not in _BUILTIN:
        parts += getattr(value, "__dict__", {}).values()
        parts += _slots(value)
    return parts


def _items(value: object) -> list[object]:
    if isinstance(value, Enum):
        return []
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, (list, tuple, set, frozenset, deque)) else []


def _slots(value: object) -> Iterator[object]:
    for cls in type(value).__mro__:
        for member in vars(cls).values() if "__slots__" in vars(cls) else ():
            if type(member) is MemberDescriptorType:
                try:
                    yield member.__get__(value)
                except AttributeError:  # nothing is in it
                    continue
