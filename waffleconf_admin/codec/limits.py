"""Limits: how much time and memory one stored text may take."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import cached_property
from pickle import UnpicklingError  # nosec B403 # the exception alone
from types import NoneType

from ..exceptions import InvalidValue
from ..i18n import mark
from .values import CONTAINERS, PATHS, SCALARS, Internal, parts_of

MAX_STEPS = 4_000_000  #: opcodes; and items that all calls and keys together copy or hash
MAX_ITEMS = 1_000_000  #: of a value, each counted as often as it is named
MAX_DEPTH = 100  #: containers in containers
MAX_DIGITS = 4300  #: of a number; Python prints no longer ones
CALL_COST = 10  #: steps: an empty container takes some hundred bytes
NEW_FLAGS_COST = 1000  #: steps: Python keeps each combination of flags for ever

_MAX_KEY = 1000  #: items of one key
_MAX_LOOKUPS = 200_000_000  #: places of a hash table that are looked at, in the worst order of keys
_MAX_COLLISIONS = 100  #: keys with the hash of another one
_MAX_NESTED = 1000  #: deques and defaultdicts directly in one another

#: Their hashes can't be foreseen, or are few.
_SAFE_KEYS = frozenset({str, bytes, bool, NoneType})
#: How keys are hashed: in a time that grows with their length. What has a hash of its own, as a
#: frozen dataclass has, may not be a key: it may hold anything.
_HASHES: frozenset[object] = frozenset(
    cls.__hash__ for cls in (*SCALARS - {bytearray}, tuple, frozenset)
)
_DISTINCT = 2**61 - 1  # smaller ints have a hash of their own
_LONG = frozenset({Decimal, Fraction, range, *PATHS})  # scalars that print any number of characters


def cost(value: object) -> int:
    """How many items a value counts for: copying, printing or hashing it takes about that long."""
    if isinstance(value, (str, bytes, bytearray)):
        return 1 + len(value) // 16
    if isinstance(value, int):
        return 1 + value.bit_length() // 128
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        return 1 + len(value)
    return 1 + len(str(value)) // 16 if type(value) in _LONG else 1


def too_many_digits() -> InvalidValue:
    return InvalidValue(mark("a number has more than %(count)s digits", count=MAX_DIGITS))


def too_large() -> InvalidValue:
    return InvalidValue(mark("the value is too large or too deeply nested"))


class Budget:
    """What one value takes while it is made; each method raises `InvalidValue` for too much."""

    _spent = _nested = _lookups = _collisions = 0

    @cached_property
    def _by_hash(self) -> dict[str, object]:
        return {}  # by the hash as a text: a table of chosen numbers could be slow itself

    def spend(self, steps: int) -> None:
        """Count work that no opcode of its own stands for."""
        self._spent += steps
        if self._spent > MAX_STEPS:
            raise too_large()

    def spend_arguments(self, args: tuple[object, ...]) -> None:
        """Count what a call copies: it may be given the same long text again and again."""
        self.spend(sum(map(cost, args)))

    def check_nested(self, items: Iterable[object]) -> None:
        """Count what goes into a deque or defaultdict: Python frees chains of them recursively."""
        self._nested += sum(isinstance(item, (deque, defaultdict)) for item in items)
        if self._nested > _MAX_NESTED:
            raise too_large()

    def check_keys(self, keys: Collection[object], size: int) -> None:
        """Count keys before they are hashed and looked up.

        Numbers, and what holds numbers, can be chosen so that each is looked for in the places of
        all others: such keys are refused when there are too many of them, or when they collide.

        :param keys: of a dict, or items of a set.
        :param size: how many the dict or set will have.
        """
        numbers = [key for key in keys if type(key) not in _SAFE_KEYS]
        self._lookups += len(numbers) * size
        if self._lookups > _MAX_LOOKUPS:
            raise InvalidValue(mark("the value has too many keys that are not text"))
        for key in numbers:
            if not (type(key) is float or (type(key) is int and -_DISTINCT < key < _DISTINCT)):
                self._check_items(key)
                self._check_collision(key)

    def _check_items(self, key: object) -> None:
        todo: list[object] = [key]
        count = 0
        while todo:
            item = todo.pop()
            count += 1 if type(item) in _SAFE_KEYS else cost(item)
            if count > _MAX_KEY:
                raise InvalidValue(mark("the value has too large a key"))
            if not isinstance(item, Enum) and type(item).__hash__ not in _HASHES:
                name = type(item).__qualname__[:100]
                raise InvalidValue(mark("a %(name)s can't be a key, nor in a set", name=name))
            if isinstance(item, (tuple, frozenset)):
                todo += item
        self.spend(count)

    def _check_collision(self, key: object) -> None:
        first = self._by_hash.setdefault(str(hash(key)), key)
        if first is not key and first != key:
            self._collisions += 1
            if self._collisions > _MAX_COLLISIONS:
                raise InvalidValue(mark("the value has too many keys with the same hash"))


def check_value(value: object, declared: frozenset[type]) -> None:
    """Refuse a value that is too large or too deep to be printed or compared, or that has a part
    of a type that is neither standard nor declared.

    :raises InvalidValue: it is refused.
    :raises UnpicklingError: it has a part that is no value at all.
    """
    if type(value) not in SCALARS:
        _Measure(declared).measure(value)


class _Measure:
    """Counts the items and levels of a value, of each container once however often it is named."""

    def __init__(self, declared: frozenset[type]) -> None:
        self._declared = declared
        self._known: dict[tuple[int, bool], tuple[int, int]] = {}

    def measure(self, value: object, depth: int = 0, strict: bool = True) -> tuple[int, int]:
        """Return how many items and levels a container has.

        :param strict: whether all types in it must be standard or declared. What an object of a
            declared class has inside may be of any type.
        """
        found = self._known.get((id(value), strict))
        if found is None:
            if depth > MAX_DEPTH:  # it may be inside itself
                raise too_large()
            self._check_type(value, strict)
            found = self._sum(value, depth + 1, strict and type(value) not in self._declared)
            self._known[id(value), strict] = found
        if found[0] > MAX_ITEMS or depth + found[1] > MAX_DEPTH:
            raise too_large()
        return found

    def _sum(self, value: object, depth: int, strict: bool) -> tuple[int, int]:
        parts = parts_of(value)
        items, levels = 1, 1 if parts else 0
        for part in parts:
            if type(part) in SCALARS:
                items += cost(part)
            else:
                count, below = self.measure(part, depth, strict)
                items += count
                levels = max(levels, below + 1)
            if items > MAX_ITEMS:
                raise too_large()
        return items, levels

    def _check_type(self, value: object, strict: bool) -> None:
        cls = type(value)
        if isinstance(value, Internal):
            raise UnpicklingError("a name")
        if strict and not (cls in CONTAINERS or cls in self._declared):
            name = cls.__qualname__[:100]
            raise InvalidValue(mark("the stored text holds a %(name)s, not a value", name=name))
