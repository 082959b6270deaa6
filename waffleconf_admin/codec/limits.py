"""Bounds: how much work and memory a stored text may ask for."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum
from fractions import Fraction
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

from ..exceptions import InvalidValue
from ..i18n import mark

MAX_STEPS = 4_000_000  #: opcodes of one text
MAX_ITEMS = 1_000_000  #: values in a value, and in all that is copied to make it …
ITEMS_OF_ANY, ITEMS_PER_BYTE = 10_000, 100  #: … and no more than so many by its length
MAX_KEY = 10_000  #: values in a key
MAX_LOOKS = 200_000_000  #: at the places of a table, in the worst order of its keys
MAX_ALIKE = 100  #: keys with the hash of another one
MAX_DEPTH = 100  #: containers in containers
MAX_DIGITS = 4300  #: of a number; Python prints no longer ones
_SMALL = 2**61 - 1  # below it each int has a hash of its own


def damaged(what: str) -> InvalidValue:
    """The error for what no pickler writes."""
    return InvalidValue(mark("the stored text is damaged (%(what)s)", what=what))


def too_long() -> InvalidValue:
    """The error for a number that Python would not print."""
    return InvalidValue(mark("a number has more than %(count)s digits", count=MAX_DIGITS))


def plain(text: str) -> str:
    """A bounded text without control characters of what stands in a stored text."""
    return ascii(text[:100])[1:-1][:100]


#: What may be a key of a dict, or in a set. `object` stands for what is compared by identity.
_KEYS: tuple[type, ...] = (
    object, NoneType, int, float, complex, str, bytes, range, Decimal, Fraction, UUID, PurePath,
    date, datetime, time, timedelta, timezone,
    IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network,
)  # fmt: skip
#: How it is hashed: in a time that goes with its length. What inherits from it and has a hash of
#: its own, as a frozen dataclass has, may not be one: that may be of anything.
_HASHES = frozenset(kind.__hash__ for kind in (*_KEYS, tuple, frozenset))
_NAMED = (PurePath, tzinfo, IPv6Address, IPv6Network)  # as long as a text in them


def weight(value: Any) -> int:
    """How many items a value counts for: it takes about as long to copy, reckon with or print."""
    if isinstance(value, (str, bytes, bytearray)):
        return 1 + len(value) // 16
    if isinstance(value, int):
        return 1 + value.bit_length() // 128
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return 1 + len(value)
    if isinstance(value, Fraction):
        return weight(value.numerator) + weight(value.denominator)
    if isinstance(value, Decimal):
        return 1 + len(value.as_tuple().digits) // 16
    if isinstance(value, range):
        return weight(value.start) + weight(value.stop) + weight(value.step)
    if isinstance(value, (datetime, time)):
        return 1 + weight(value.tzinfo)
    return 1 + len(str(value)) // 16 if isinstance(value, _NAMED) else 1


def most_items(length: int) -> int:
    """How many items a text of so many bytes may stand for, where it names some more than once."""
    return min(MAX_ITEMS, ITEMS_OF_ANY + ITEMS_PER_BYTE * length)


class Budget:
    """What one text has used up of what it may use.

    :param length: of the text, in bytes.
    """

    def __init__(self, length: int) -> None:
        self._left = most_items(length)
        self._looks = 0
        self._alike = 0
        # By the hash as a text, for nobody can foresee how that is hashed in turn.
        self._first: dict[str, Any] = {}

    def spend(self, items: int) -> None:
        """Count what is copied: the same large text or list can be named again and again."""
        self._left -= items
        if self._left < 0:
            raise InvalidValue(mark("the value is too large"))

    def hashed(self, keys: Collection[Any], size: int) -> None:
        """Count what is about to be hashed, and to be looked for in a dict or set.

        Hashes of texts can't be foreseen. Those of numbers can, and of what has numbers in it: a
        few thousand can be chosen so that each is looked for in the places of all others.

        :param size: how many keys the dict or set has then.
        :raises InvalidValue: one of them may not be a key, or all together take too long.
        """
        chosen = [key for key in keys if type(key) not in (str, bytes, bool, NoneType)]
        self._looks += len(chosen) * size
        if self._looks > MAX_LOOKS:
            raise InvalidValue(mark("the value has too many keys that are not text"))
        for key in chosen:
            if not (type(key) is float or (type(key) is int and -_SMALL < key < _SMALL)):
                self._weigh(key)
                self._compare(key)

    def _weigh(self, key: Any) -> None:
        """Count a key with all that is in it, as often as it is there: so often it is hashed."""
        todo, count = [(key, 0)], 0
        while todo:
            part, depth = todo.pop()
            count += weight(part)
            if count > MAX_KEY or depth > MAX_DEPTH:
                raise InvalidValue(mark("the value has too large a key"))
            if not isinstance(part, Enum) and type(part).__hash__ not in _HASHES:
                name = plain(type(part).__qualname__)
                raise InvalidValue(mark("a %(name)s can't be a key, nor in a set", name=name))
            if isinstance(part, (tuple, frozenset)):
                todo += ((inner, depth + 1) for inner in part)
        self.spend(count)

    def _compare(self, key: Any) -> None:
        """Count a key that has the hash of another one."""
        first = self._first.setdefault(str(hash(key)), key)
        if first is not key and first != key:
            self._alike += 1
            if self._alike > MAX_ALIKE:
                raise InvalidValue(mark("the value has too many keys with the same hash"))
