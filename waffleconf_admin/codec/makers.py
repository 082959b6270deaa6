"""Makers: standard values from what stored texts hold of them, within limits."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..exceptions import InvalidValue
from ..i18n import mark
from ..time_zones import ZONE_NAME
from .limits import MAX_DIGITS, Budget, too_many_digits

_MAX_NAME = 100  # characters of a time zone, or of an address with its scope


def make_int(text: str) -> int:
    if len(text) - text.startswith("-") > MAX_DIGITS:
        raise too_many_digits()
    return int(text)


def make_decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise too_many_digits()
    number = Decimal(text)
    if number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise too_many_digits()  # an int made of Decimal("1e999999999") would fill the memory
    return number


def make_fraction(numerator: int | str, denominator: int = 1) -> Fraction:
    if isinstance(numerator, int):
        return Fraction(numerator, denominator)
    first, _, second = numerator.partition("/")  # up to Python 3.10
    return Fraction(int(first), int(second or "1"))  # Fraction("1e999999999") fills the memory


def make_zone(key: str, *_: object) -> ZoneInfo:
    if len(key) > _MAX_NAME or not ZONE_NAME.fullmatch(key):
        raise ValueError("no name of a time zone")
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


def short(cls: type) -> Callable[..., object]:
    """A class whose texts may not be long: what prints them does not measure them."""

    def make(*args: object) -> object:
        if any(isinstance(arg, str) and len(arg) > _MAX_NAME for arg in args):
            raise ValueError("a long name")
        return cls(*args)

    return make


def make_set(budget: Budget, items: Sequence[object] = ()) -> set[object]:
    budget.check_keys(items, len(items))
    return set(items)


def make_frozenset(budget: Budget, items: Sequence[object] = ()) -> frozenset[object]:
    budget.check_keys(items, len(items))
    return frozenset(items)


def make_counter(budget: Budget, counts: dict[object, object] | None = None) -> Counter[object]:
    budget.check_keys(counts or {}, len(counts or {}))
    return Counter(counts)


def make_dict(budget: Budget, pairs: Sequence[tuple[object, object]]) -> dict[object, object]:
    budget.check_keys([key for key, _ in pairs], len(pairs))
    return dict(pairs)


def make_ordered_dict(
    budget: Budget, pairs: Sequence[tuple[object, object]] = ()
) -> OrderedDict[object, object]:
    budget.check_keys([key for key, _ in pairs], len(pairs))  # a list of lists, of Python 2
    return OrderedDict(pairs)


def make_deque(
    budget: Budget, items: Sequence[object] = (), length: int | None = None
) -> deque[object]:
    budget.check_nested(items)
    return deque(items, length)
