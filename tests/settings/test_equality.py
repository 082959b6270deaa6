"""Equal means of the same type and of equal value, all the way down."""

from __future__ import annotations

import pickle
from collections import Counter, OrderedDict, defaultdict, deque
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from waffleconf_admin.fields.base import is_set
from waffleconf_admin.settings.equality import ValueMap, same

PARIS = ZoneInfo("Europe/Paris")
NOON_UTC = datetime(2026, 1, 1, 12, tzinfo=UTC)
NAN, OTHER_NAN = float("nan"), float("nan")


class Unusual:
    """An object that can be hashed, but not be compared."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __hash__(self) -> int:
        return 1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (True, 1), (1, 1.0), ([1], [True]), ({"a": 1}, {"a": True}), ({1}, {True}), (0.0, -0.0),
        ((1,), [1]), (Decimal("1.0"), Decimal("1.00")), ("a", b"a"), ([1], [1, 2]), ({1: 2}, {}),
        (NOON_UTC, NOON_UTC.astimezone(PARIS)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (None, False),
        ({(1,)}, {(True,)}), ({1, False}, {True, 0}), ({1, "a"}, {True, "a"}), ({0.0}, {-0.0}),
        ({Decimal("1.0")}, {Decimal("1.00")}), ({1.0, NAN}, {NAN, OTHER_NAN}),
        ({frozenset({1})}, {frozenset({True})}), ({NOON_UTC}, {NOON_UTC.astimezone(PARIS)}),
        ({NAN, OTHER_NAN, Decimal("NaN")}, {NAN, Decimal("NaN"), Decimal("NAN")}),
        ({time(1)}, {time(1, fold=1)}), ({1}, {1, 2}), ({1}, frozenset({1})),
        (Unusual(1), Unusual(2)), ([1, bytearray(b"x")], [True, bytearray(b"x")]),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, fold=1)),
        (deque([1], 2), deque([1], 3)), (deque(maxlen=0), deque()), (deque([1]), deque([True])),
        (defaultdict(int, a=1), defaultdict(list, a=1)), (defaultdict(int), defaultdict()),
        (OrderedDict(a=1, b=2), OrderedDict(b=2, a=1)), (Counter("a"), {"a": 1}),
    ],
)  # fmt: skip
def test_different(a: Any, b: Any) -> None:
    for one, other in [(a, b), (b, a)]:
        assert not same(one, other)
        assert ValueMap([(one, "its")]).get(other) is None


class Hashless:
    """An object whose hash fails in a way of its own."""

    def __repr__(self) -> str:
        return "Hashless"

    def __eq__(self, other: object) -> bool:
        return type(other) is Hashless

    def __hash__(self) -> int:
        raise LookupError


VALUES = [
    float("nan"), [float("nan")], Decimal("NaN"), {"a": [(1, {2})]}, b"x", NOON_UTC, PARIS,
    {float("nan")}, {(1, frozenset({2.5}))}, deque([1], 2), defaultdict(list, a=[1]),
    OrderedDict(b=2, a=1), {Decimal("1.0")}, bytearray(b"x"), Hashless(),
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)  # a set of one has one repr
def test_same(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert same(value, copy)
    assert ValueMap([(value, "its"), (copy, "another's")]).get(copy) == "its"


class Older:
    """A class that has got another attribute since an object of it was stored."""

    def __eq__(self, other: object) -> bool:
        return self.added == other.added  # type: ignore[attr-defined, no-any-return]

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_is_not_the_same() -> None:
    assert not same(Older(), Older())
    assert is_set(Older())
    assert not same({Unusual(1)}, {Unusual(2)})
