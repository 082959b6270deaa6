"""Unpickling through an allow-list: plain values, the standard library's, and declared classes.

Three steps: the opcodes are followed without being carried out, then loaded with every name
resolved to one of our own builders, then the finished value is walked and counted.
"""

from __future__ import annotations

import io
import ipaddress
import pathlib
import pickle
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from .exceptions import InvalidValue
from .opcodes import GETATTR, RECONSTRUCTOR, Name, follow, modern, plain, refused

MAX_ITEMS = 1_000_000  #: values in a value, shared ones counted each time they would be printed
MAX_DEPTH = 100  #: containers in containers


def load(raw: bytes, classes: Iterable[type]) -> Any:
    """Return the value of a pickle without running anything that *classes* don't bring along.

    :raises InvalidValue: it names something that is not allowed, or is too large.
    :raises Exception: others, for a damaged one; their texts may quote it.
    """
    allowed = {(cls.__module__, cls.__qualname__): cls for cls in classes}
    follow(raw, may_call=allowed.keys() | _BUILDERS.keys(), may_set=allowed.keys() | {_UUID})
    value = _Unpickler(raw, allowed).load()
    _walk(value, frozenset(allowed.values()))
    return value


def all_in(value: Any) -> Iterator[Any]:
    """*value* and all that it is made of, each object once."""
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if id(item) not in seen:
            seen.add(id(item))
            todo += _parts(item)
            yield item


def _parts(value: Any) -> list[Any]:
    """What *value* is made of: items of a container, attributes of an object."""
    if type(value) in _LEAVES or isinstance(value, (Enum, type)):
        return []
    parts: list[Any] = list(getattr(value, "__dict__", {}).values())
    if isinstance(value, dict):
        parts += [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple, set, frozenset, deque)):
        parts += value
    return parts


def is_plain(kind: type) -> bool:
    """Whether values of this type are allowed without being declared."""
    return kind in _LEAVES or kind in _CONTAINERS


def _walk(value: Any, allowed: frozenset[type]) -> None:
    """Refuse a value with a part of another type, or too large or deep to be printed or compared.

    What an object of a declared class keeps inside is its own affair, and only counted.
    """
    count = 0
    todo = [(value, 0, True)]
    while todo:
        item, depth, strict = todo.pop()
        count += 1
        if count > MAX_ITEMS or depth > MAX_DEPTH:
            raise InvalidValue("the value is too large or too deeply nested")
        kind = type(item)
        if kind in _LEAVES:
            if kind is UUID and type(item.int) is not int:
                raise InvalidValue("the stored text is damaged (UUID)")
        elif kind in _CONTAINERS or kind in allowed or not strict:
            strict = strict and kind not in allowed
            todo += [(part, depth + 1, strict) for part in _parts(item)]
        else:
            raise InvalidValue(f"the stored text holds a {plain(kind.__qualname__)}, not a value")


# The names that a pickle may use, each with the only way in which it may be called.


def _only(call: Callable[..., Any], *types: type) -> Callable[..., Any]:
    """*call*, for arguments of exactly these types: bytes(10**10) or set(range(10**10)) is not."""

    def build(*args: Any) -> Any:
        if any(type(arg) not in types for arg in args):
            raise InvalidValue("the stored text is damaged (argument)")
        return call(*args)

    return build


def _latin1(text: str, encoding: str) -> bytes:
    """Stands for _codecs.encode: how protocols 0 to 2 write bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise InvalidValue("the stored text is damaged (encoding)")
    return text.encode("latin1")


def _fraction(numerator: int | str, denominator: int = 1) -> Fraction:
    if isinstance(numerator, int):
        return Fraction(numerator, denominator)
    first, _, second = numerator.partition("/")  # up to Python 3.10
    return Fraction(int(first), int(second or "1"))  # Fraction("1e999999999") fills the memory


def _zone(key: str, *_: Any) -> ZoneInfo:
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", key):
        raise InvalidValue("the stored text is damaged (time zone)")
    return ZoneInfo(key)


def _defaultdict(factory: Any = None) -> defaultdict[Any, Any]:
    real = {None: None, _SET: set, **{kind: kind for kind in _NAMED}}
    return defaultdict(real[factory])


def _reconstruct(cls: type, base: type, state: Any) -> Any:
    """Stands for copyreg._reconstructor: how protocols 0 and 1 make an object."""
    if base is object:
        return object.__new__(cls)
    if base not in _NAMED or type(state) is not base:
        raise InvalidValue("the stored text is damaged (base)")
    made = base.__new__(cls, state)
    base.__init__(made, state)
    return made


_UUID: Name = ("uuid", "UUID")
#: Stand for themselves, as the factory of a defaultdict does; a pickle may not call them.
_NAMED: tuple[Any, ...] = (bool, int, float, str, list, tuple, dict)
_SET = _only(set, list, tuple)
_PATHS = (
    pathlib.Path,
    pathlib.PosixPath,
    pathlib.WindowsPath,
    pathlib.PurePath,
    pathlib.PurePosixPath,
    pathlib.PureWindowsPath,
)
_IPS = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)
_BUILDERS: dict[Name, Callable[..., Any]] = {
    ("_codecs", "encode"): _only(_latin1, str),
    RECONSTRUCTOR: _reconstruct,
    ("builtins", "set"): _SET,
    ("builtins", "frozenset"): _only(frozenset, list, tuple),
    ("builtins", "bytes"): _only(bytes, list),
    ("builtins", "bytearray"): _only(bytearray, bytes, str),
    ("builtins", "complex"): _only(complex, float),
    ("builtins", "range"): _only(range, int),
    ("collections", "OrderedDict"): _only(OrderedDict, list),
    ("collections", "Counter"): _only(Counter, dict),
    ("collections", "deque"): _only(deque, list, tuple, int, NoneType),
    ("collections", "defaultdict"): _defaultdict,
    ("datetime", "date"): _only(date, bytes, int),
    ("datetime", "time"): _only(time, bytes, int, timezone, ZoneInfo),
    ("datetime", "datetime"): _only(datetime, bytes, int, timezone, ZoneInfo),
    ("datetime", "timedelta"): _only(timedelta, int),
    ("datetime", "timezone"): _only(timezone, timedelta, str),
    ("decimal", "Decimal"): _only(Decimal, str),
    ("fractions", "Fraction"): _only(_fraction, int, str),
    ("zoneinfo", "ZoneInfo._unpickle"): _only(_zone, str, bool, int),
    _UUID: UUID,
    **{("pathlib", cls.__name__): _only(cls, str) for cls in _PATHS},
    **{("pathlib._local", cls.__name__): _only(cls, str) for cls in _PATHS},  # Python 3.13
    **{("ipaddress", cls.__name__): _only(cls, str, int) for cls in _IPS},
}
_SYMBOLS: dict[Name, Any] = {("builtins", kind.__name__): kind for kind in (object, *_NAMED)}
_LEAVES = frozenset(
    {
        NoneType, bool, int, float, complex, str, bytes, bytearray, range,
        date, time, datetime, timedelta, timezone, ZoneInfo, Decimal, Fraction, UUID,
        *_PATHS, *_IPS,
    }
)  # fmt: skip
_CONTAINERS = frozenset(
    {list, tuple, set, frozenset, deque, dict, OrderedDict, defaultdict, Counter}
)


class _Prefix(NamedTuple):
    """A name that is not allowed by itself but has an allowed one inside: Shop of Shop.Theme."""

    module: str
    name: str


class _Unpickler(pickle.Unpickler):
    def __init__(self, raw: bytes, allowed: dict[Name, type]) -> None:
        super().__init__(io.BytesIO(raw), encoding="utf-8")
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        """Resolve by table only: nothing is imported, no attribute is looked up."""
        wanted = modern(module, name)
        if wanted == GETATTR:
            return self._attribute
        for table in (self._allowed, _BUILDERS, _SYMBOLS):
            if wanted in table:
                return table[wanted]
        if any(
            m == wanted[0] and n.startswith(name + ".") for m, n in (*self._allowed, *_BUILDERS)
        ):
            return _Prefix(*wanted)
        raise refused(wanted)

    def _attribute(self, owner: Any, name: str) -> Any:
        if isinstance(owner, _Prefix):
            return self.find_class(owner.module, f"{owner.name}.{name}")
        return self.find_class(owner.__module__, f"{owner.__qualname__}.{name}")
