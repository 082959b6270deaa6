"""Equal means of the same type and of equal value, all the way down."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from waffleconf_admin.fields.base import is_set
from waffleconf_admin.settings.equality import same

PARIS = ZoneInfo("Europe/Paris")
NOON_UTC = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (True, 1), (1, 1.0), ([1], [True]), ({"a": 1}, {"a": True}), ({1}, {True}), (0.0, -0.0),
        ((1,), [1]), (Decimal("1.0"), Decimal("1.00")), ("a", b"a"), ([1], [1, 2]), ({1: 2}, {}),
        (NOON_UTC, NOON_UTC.astimezone(PARIS)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}), (None, False),
    ],
)  # fmt: skip
def test_different(a: Any, b: Any) -> None:
    assert not same(a, b)
    assert not same(b, a)


VALUES = [float("nan"), [float("nan")], Decimal("NaN"), {"a": [(1, {2})]}, b"x", NOON_UTC, PARIS]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_same(value: Any) -> None:
    assert same(value, pickle.loads(pickle.dumps(value)))


class Older:
    """A class that has got another attribute since an object of it was stored."""

    def __eq__(self, other: object) -> bool:
        return self.added == other.added  # type: ignore[attr-defined, no-any-return]

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_is_not_the_same() -> None:
    assert not same(Older(), Older())
    assert is_set(Older())
