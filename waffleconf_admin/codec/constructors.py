"""Constructors: the standard names that a stored text may use, and how each may be called."""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pickle import UnpicklingError
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ..exceptions import InvalidValue
from ..i18n import mark
from .allowed import Name
from .limits import MAX_DIGITS, Budget, too_many_digits
from .values import ADDRESSES, PATHS, Internal

_ZONE = re.compile(r"[A-Za-z0-9_+-]++(?:/[A-Za-z0-9_+-]++)*+")
_MAX_NAME = 100  # characters of a time zone, or of an address with its scope
_COST = 10  # of a call in steps: an empty container takes some hundred bytes


@dataclass(frozen=True, slots=True)
class Constructor(Internal):
    """A standard function or class on the unpickler's stack, with its only way to be called.

    :param types: of arguments, exactly: bytes(10**10) and set(range(10**10)) are refused by them.
    :param limited: whether the function takes the budget as its first argument.
    """

    function: Callable[..., object]
    types: tuple[type, ...]
    limited: bool = False

    def call(self, budget: Budget, args: tuple[object, ...]) -> object:
        """Return what the function makes of the arguments.

        :raises Exception: they are not what a pickler writes, or too large.
        """
        budget.spend(_COST)
        for arg in args:
            if type(arg) not in self.types:
                raise UnpicklingError("an argument of another type")
        return self.function(budget, *args) if self.limited else self.function(*args)


def _latin1(text: str, encoding: str) -> bytes:
    """Stands for _codecs.encode: how protocols 0 to 2 write bytes."""
    if encoding not in ("latin1", "latin-1"):  # to ask for another one would import its module
        raise UnpicklingError("another encoding")
    return text.encode("latin1")


def _bytearray(content: bytes | str = b"", encoding: str = "latin1") -> bytearray:
    return bytearray(content if isinstance(content, bytes) else _latin1(content, encoding))


def _decimal(text: str) -> Decimal:
    if len(text) > MAX_DIGITS:
        raise too_many_digits()
    number = Decimal(text)
    if number.is_finite() and abs(number.adjusted()) > MAX_DIGITS:
        raise too_many_digits()  # an int made of Decimal("1e999999999") would fill the memory
    return number


def _fraction(numerator: int | str, denominator: int = 1) -> Fraction:
    if isinstance(numerator, int):
        return Fraction(numerator, denominator)
    first, _, second = numerator.partition("/")  # up to Python 3.10
    return Fraction(int(first), int(second or "1"))  # Fraction("1e999999999") fills the memory


def _zone(key: str, *_: object) -> ZoneInfo:
    if len(key) > _MAX_NAME or not _ZONE.fullmatch(key):
        raise UnpicklingError("no name of a time zone")
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


def _short(cls: type) -> Callable[..., object]:
    """A class whose texts may not be long: what prints them does not measure them."""

    def make(*args: object) -> object:
        if any(isinstance(arg, str) and len(arg) > _MAX_NAME for arg in args):
            raise UnpicklingError("a long name")
        return cls(*args)

    return make


def _set(budget: Budget, items: Sequence[object] = ()) -> set[object]:
    budget.check_keys(items, len(items))
    return set(items)


def _frozenset(budget: Budget, items: Sequence[object] = ()) -> frozenset[object]:
    budget.check_keys(items, len(items))
    return frozenset(items)


def _counter(budget: Budget, counts: dict[object, object] | None = None) -> Counter[object]:
    budget.check_keys(counts or {}, len(counts or {}))
    return Counter(counts)


def _ordered(budget: Budget, pairs: Sequence[Any] = ()) -> OrderedDict[object, object]:
    budget.check_keys([key for key, _ in pairs], len(pairs))  # a list of lists, of Python 2
    return OrderedDict(pairs)


def _deque(
    budget: Budget, items: Sequence[object] = (), length: int | None = None
) -> deque[object]:
    budget.check_nested(items)
    return deque(items, length)


def _defaultdict(factory: Any = None) -> defaultdict[Any, object]:
    if factory is _SET:
        factory = set
    if factory is not None and factory is not set and factory not in FACTORIES:
        raise UnpicklingError("another factory")
    return defaultdict(factory)


#: Stand for themselves, as the factory of a defaultdict does; a pickle may not call them.
FACTORIES: tuple[Any, ...] = (bool, int, float, str, list, tuple, dict)
_SET = Constructor(_set, (list, tuple), limited=True)
CONSTRUCTORS: dict[Name, Any] = {
    ("_codecs", "encode"): Constructor(_latin1, (str,)),
    ("builtins", "object"): object,
    **{("builtins", cls.__name__): cls for cls in FACTORIES},
    ("builtins", "bytes"): Constructor(bytes, (list,)),
    ("builtins", "bytearray"): Constructor(_bytearray, (bytes, str)),
    ("builtins", "complex"): Constructor(complex, (float,)),
    ("builtins", "range"): Constructor(range, (int,)),
    ("builtins", "set"): _SET,
    ("builtins", "frozenset"): Constructor(_frozenset, (list, tuple), limited=True),
    ("collections", "OrderedDict"): Constructor(_ordered, (list,), limited=True),
    ("collections", "Counter"): Constructor(_counter, (dict,), limited=True),
    ("collections", "deque"): Constructor(_deque, (list, tuple, int, NoneType), limited=True),
    ("collections", "defaultdict"): Constructor(_defaultdict, (type, Constructor, NoneType)),
    ("datetime", "date"): Constructor(date, (bytes, int)),
    ("datetime", "time"): Constructor(time, (bytes, int, timezone, ZoneInfo)),
    ("datetime", "datetime"): Constructor(datetime, (bytes, int, timezone, ZoneInfo)),
    ("datetime", "timedelta"): Constructor(timedelta, (int,)),
    ("datetime", "timezone"): Constructor(_short(timezone), (timedelta, str)),
    ("decimal", "Decimal"): Constructor(_decimal, (str,)),
    ("fractions", "Fraction"): Constructor(_fraction, (int, str)),
    ("uuid", "UUID"): UUID,
    ("zoneinfo", "ZoneInfo._unpickle"): Constructor(_zone, (str, bool, int)),
    **{("pathlib", cls.__name__): Constructor(cls, (str,)) for cls in PATHS},
    **{("pathlib._local", cls.__name__): Constructor(cls, (str,)) for cls in PATHS},  # 3.13
    **{("ipaddress", cls.__name__): Constructor(_short(cls), (str, int)) for cls in ADDRESSES},
}
