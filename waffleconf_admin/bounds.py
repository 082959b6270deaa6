"""Bounds: how much work and memory a stored text may ask for."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from types import NoneType
from typing import Any

from .exceptions import InvalidValue
from .words import mark

MAX_STEPS = 4_000_000  #: opcodes of one text
MAX_ITEMS = 1_000_000  #: values in a value, and in all that is copied to make it
MAX_KEYS = 10_000  #: keys whose hash a text can choose, so that many share one
MAX_DEPTH = 100  #: containers in containers
MAX_DIGITS = 4300  #: of a number; Python prints no longer ones
_SMALL = 2**60  # below it each int has a hash of its own


def damaged(what: str) -> InvalidValue:
    """The error for what no pickler writes."""
    return InvalidValue(mark("the stored text is damaged (%(what)s)", what=what))


def too_long() -> InvalidValue:
    """The error for a number that Python would not print."""
    return InvalidValue(mark("a number has more than %(count)s digits", count=MAX_DIGITS))


def plain(text: str) -> str:
    """A bounded text without control characters of what stands in a stored text."""
    return ascii(text[:100])[1:-1][:100]


def weight(value: Any) -> int:
    """How many items a value counts for: it takes about as long to copy, reckon with or print."""
    if isinstance(value, (str, bytes, bytearray)):
        return 1 + len(value) // 16
    if isinstance(value, int):
        return 1 + value.bit_length() // 128
    if isinstance(value, Fraction):
        return weight(value.numerator) + weight(value.denominator)
    if isinstance(value, Decimal):
        return 1 + len(value.as_tuple().digits) // 16
    return 1 + len(value) if isinstance(value, (list, tuple, dict, set, frozenset)) else 1


class Budget:
    """What one text has used up of what it may use."""

    def __init__(self) -> None:
        self._spent = 0
        self._keys = 0

    def spend(self, items: int) -> None:
        """Count what is copied: the same large text or list can be named again and again."""
        self._spent += items
        if self._spent > MAX_ITEMS:
            raise InvalidValue(mark("the value is too large"))

    def hashed(self, keys: Iterable[Any]) -> None:
        """Count what is about to be hashed, and compared with what has the same hash.

        Hashes of texts can't be foreseen, and small numbers have one each; the others can be made
        equal by thousands. A tuple costs as much as all that is in it, each time.
        """
        todo = [(key, 0) for key in keys if not _is_harmless(key)]
        while todo:
            key, depth = todo.pop()
            self._keys += 1
            if self._keys > MAX_KEYS or depth > MAX_DEPTH:
                raise InvalidValue(mark("the value has too many unusual keys"))
            if isinstance(key, (tuple, frozenset)):
                if len(key) > MAX_KEYS:
                    raise InvalidValue(mark("the value has too large a key"))
                todo += ((part, depth + 1) for part in key)


def _is_harmless(key: Any) -> bool:
    kind = type(key)
    return kind in (str, bytes, float, bool, NoneType) or (kind is int and -_SMALL < key < _SMALL)
