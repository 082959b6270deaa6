"""Constructors: the standard names that a stored text may use, and how each may be called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from pickle import UnpicklingError  # nosec B403 # the exception alone
from types import NoneType
from uuid import UUID
from zoneinfo import ZoneInfo

from .allowed import Name
from .limits import CALL_COST, Budget
from .makers import (
    make_counter,
    make_decimal,
    make_deque,
    make_fraction,
    make_frozenset,
    make_ordered_dict,
    make_set,
    make_zone,
    short,
)
from .values import ADDRESSES, PATHS, Internal


@dataclass(frozen=True, slots=True)
class Constructor(Internal):
    """A standard function or class with the only way in which a stored text may call it.

    :param types: of arguments, exactly: bytes(10**10) and set(range(10**10)) are refused by them.
    :param limited: whether the function takes the budget as its first argument.
    """

    function: Callable[..., object]
    types: tuple[type, ...]
    limited: bool = False

    def call(self, budget: Budget, args: tuple[object, ...]) -> object:
        """Return what the function makes of the arguments.

        :raises Exception: they are not what is written for it, or too large.
        """
        budget.spend(CALL_COST)
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


def _defaultdict(factory: object = None) -> defaultdict[object, object]:
    if factory is _SET:
        factory = set
    if factory is not None and factory is not set and factory not in FACTORIES:
        raise UnpicklingError("another factory")
    return defaultdict(factory)


#: Stand for themselves, as the factory of a defaultdict does; a pickle may not call them.
FACTORIES: tuple[type, ...] = (bool, int, float, str, list, tuple, dict)
_SET = Constructor(make_set, (list, tuple), limited=True)
CONSTRUCTORS: dict[Name, object] = {
    ("_codecs", "encode"): Constructor(_latin1, (str,)),
    ("builtins", "object"): object,
    **{("builtins", cls.__name__): cls for cls in FACTORIES},
    ("builtins", "bytes"): Constructor(bytes, (list,)),
    ("builtins", "bytearray"): Constructor(_bytearray, (bytes, str)),
    ("builtins", "complex"): Constructor(complex, (float,)),
    ("builtins", "range"): Constructor(range, (int,)),
    ("builtins", "set"): _SET,
    ("builtins", "frozenset"): Constructor(make_frozenset, (list, tuple), limited=True),
    ("collections", "OrderedDict"): Constructor(make_ordered_dict, (list,), limited=True),
    ("collections", "Counter"): Constructor(make_counter, (dict,), limited=True),
    ("collections", "deque"): Constructor(make_deque, (list, tuple, int, NoneType), limited=True),
    ("collections", "defaultdict"): Constructor(_defaultdict, (type, Constructor, NoneType)),
    ("datetime", "date"): Constructor(date, (bytes, int)),
    ("datetime", "time"): Constructor(time, (bytes, int, timezone, ZoneInfo)),
    ("datetime", "datetime"): Constructor(datetime, (bytes, int, timezone, ZoneInfo)),
    ("datetime", "timedelta"): Constructor(timedelta, (int,)),
    ("datetime", "timezone"): Constructor(short(timezone), (timedelta, str)),
    ("decimal", "Decimal"): Constructor(make_decimal, (str,)),
    ("fractions", "Fraction"): Constructor(make_fraction, (int, str)),
    ("uuid", "UUID"): UUID,
    ("zoneinfo", "ZoneInfo._unpickle"): Constructor(make_zone, (str, bool, int)),
    **{("pathlib", cls.__name__): Constructor(cls, (str,)) for cls in PATHS},
    **{("pathlib._local", cls.__name__): Constructor(cls, (str,)) for cls in PATHS},  # 3.13
    **{("ipaddress", cls.__name__): Constructor(short(cls), (str, int)) for cls in ADDRESSES},
}
