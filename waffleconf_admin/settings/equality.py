"""Equality of values: the same type and value, all the way down."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterable
from datetime import datetime, time
from decimal import Decimal
from types import NoneType
from typing import Any, Generic, TypeVar

T = TypeVar("T")

#: Types whose values are the same where they are equal.
_EXACT = frozenset({NoneType, bool, int, str, bytes})


def same(a: Any, b: Any) -> bool:
    """Whether *a* and *b* have the same type and value, all the way down: True is not 1.

    The order of the keys of a dict is part of its value, and so are the factory of a defaultdict
    and the greatest length of a deque.
    """
    # Any: that both have the type that is asked for below, no type checker can follow.
    if a is b:
        return True
    cls = type(a)
    if cls is not type(b):
        return False
    if cls in _EXACT:
        return bool(a == b)
    if isinstance(a, dict):
        if len(a) != len(b) or (cls is not dict and not same(_factory(a), _factory(b))):
            return False
        return all(same(x, y) and same(a[x], b[y]) for x, y in zip(a, b, strict=True))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, deque):
        return a.maxlen == b.maxlen and same(list(a), list(b))
    if isinstance(a, (set, frozenset)):
        return len(a) == len(b) and _same_items(a, b)
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if cls is datetime and a.tzinfo is None and b.tzinfo is None:
        return bool(a == b) and a.fold == b.fold
    if isinstance(a, (complex, Decimal, datetime, time)):
        return repr(a) == repr(b)  # 1.0 is not 1.00, noon in Paris is not 11:00 in London
    try:
        return bool(a == b)
    except Exception:  # an object from before its class got another attribute, say
        return False


def key_of(value: Any) -> Hashable:
    """Return what two values have in common exactly when they are the `same`.

    It is quick to find in a dict or a set. Hashing it raises TypeError if the value holds an object
    that has no hash.
    """
    cls = type(value)
    if cls in _EXACT:
        return cls, value
    if isinstance(value, dict):
        items = tuple((key_of(key), key_of(item)) for key, item in value.items())
        return cls, _factory(value), items
    if isinstance(value, (list, tuple)):
        return cls, tuple(map(key_of, value))
    if isinstance(value, deque):
        return cls, value.maxlen, tuple(map(key_of, value))
    if isinstance(value, (set, frozenset)):
        return cls, frozenset(_counts(value).items())
    if isinstance(value, float):
        return cls, (value, math.copysign(1, value)) if value == value else "nan"
    if isinstance(value, (complex, Decimal, datetime, time)):
        return cls, repr(value)
    return cls, value


class ValueMap(Generic[T]):
    """What belongs to each of some values, found by a value that is the `same`.

    Of values that have a hash, one is found at once among thousands.
    """

    def __init__(self, items: Iterable[tuple[object, T]] = ()) -> None:
        self._hashed: dict[Hashable, T] = {}
        self._others: list[tuple[object, T]] = []
        for value, item in items:
            self.add(value, item)

    def add(self, value: object, item: T) -> None:
        """Add what belongs to a value, unless something does already."""
        try:
            self._hashed.setdefault(key_of(value), item)
        except Exception:  # it has no hash, or its class raises something of its own
            self._others.append((value, item))

    def get(self, value: object) -> T | None:
        """Return what belongs to a value; None: nothing does."""
        try:
            return self._hashed.get(key_of(value))
        except Exception:
            return next((item for other, item in self._others if same(other, value)), None)


def _factory(value: object) -> object:
    """What makes the values that a dict lacks; None: nothing."""
    return value.default_factory if isinstance(value, defaultdict) else None


def _same_items(a: Any, b: Any) -> bool:
    """Whether two sets have the same items."""
    types = set(map(type, a))
    if len(types) == 1 and types <= _EXACT:
        return types == set(map(type, b)) and bool(a == b)
    try:
        return _counts(a) == _counts(b)
    except Exception:  # items have no hash, or can't be compared
        return False


def _counts(items: Iterable[object]) -> dict[Hashable, int]:
    """How many items have each key: a set may hold several NaN."""
    return dict(Counter(map(key_of, items)))
