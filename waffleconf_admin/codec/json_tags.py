"""JSON tags: how values are stored as JSON whose types it lacks."""

from __future__ import annotations

import base64
import re
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from enum import Enum, Flag
from fractions import Fraction
from functools import reduce
from operator import or_
from types import NoneType
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from .allowed import Allowed, no_member, not_allowed
from .constructors import FACTORIES, Constructor
from .limits import NEW_FLAGS_COST, Budget
from .makers import (
    make_counter,
    make_decimal,
    make_deque,
    make_dict,
    make_fraction,
    make_frozenset,
    make_int,
    make_ordered_dict,
    make_set,
    make_zone,
    short,
)
from .values import ADDRESSES, PATHS

#: What the name of a tag begins with.
MARK = "$"
#: What PostgreSQL's jsonb takes in no text: NUL, and half of a surrogate pair.
UNSTORABLE = re.compile("([\0\ud800-\udfff])")


class Tag(NamedTuple):
    """How values of one type are stored: as ``{"$type": content}``."""

    type: type
    #: Returns the content, which is written in turn. Any: it takes values of this type.
    write: Callable[[Any], object]
    make: Constructor  #: makes the value of the content …
    spread: bool = False  #: … or, if the content is a list, of its items

    @property
    def name(self) -> str:
        return MARK + self.type.__name__

    def read(self, budget: Budget, content: object) -> object:
        """Return the value.

        :raises Exception: the content is not what `write` returns, or too large.
        """
        spread = self.spread and isinstance(content, list)
        return self.make.call(budget, tuple(content) if spread else (content,))  # type: ignore[arg-type]


# Each pair of functions writes what the other reads.


def _write_text(text: str) -> list[object]:
    """The text in pieces, with numbers for the characters that can't be stored."""
    pieces = UNSTORABLE.split(text)
    return [ord(piece) if UNSTORABLE.match(piece) else piece for piece in pieces if piece]


def _read_text(pieces: list[object]) -> str:
    return "".join(chr(piece) if type(piece) is int else piece for piece in pieces)  # type: ignore[misc]


def _write_bytes(content: bytes | bytearray) -> str:
    return base64.b64encode(content).decode("ascii")


def _read_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _write_set(items: Iterable[Any]) -> list[object]:
    """The items in an order that does not depend on their hashes."""
    try:
        return sorted(items)
    except Exception:  # some can't be compared
        return sorted(items, key=repr)


def _write_pairs(items: Mapping[object, object]) -> list[object]:
    return [list(pair) for pair in items.items()]


def _write_deque(items: deque[object]) -> list[object]:
    return [list(items), items.maxlen]


_FACTORIES = {factory.__name__: factory for factory in (*FACTORIES, set)}


def _write_defaultdict(items: defaultdict[object, object]) -> list[object]:
    factory = items.default_factory
    if factory is not None and factory not in _FACTORIES.values():
        raise ValueError("another factory")
    return [factory and factory.__name__, dict(items)]


def _read_defaultdict(
    budget: Budget, factory: str | None, items: dict[object, object]
) -> defaultdict[object, object]:
    budget.check_nested(items.values())
    return defaultdict(None if factory is None else _FACTORIES[factory], items)


def _has_offset_only(zone: tzinfo | None) -> bool:
    """Whether ISO 8601 says all of a time zone."""
    return zone is None or (type(zone) is timezone and len(_arguments_of(zone)) == 1)


def _arguments_of(zone: Any) -> list[object]:
    return list(zone.__getinitargs__())  # its offset, and its name if it was given one


def _write_zone(zone: ZoneInfo) -> str:
    if zone.key is None:
        raise ValueError("a time zone without a name")
    return zone.key


def _write_clock(clock: time | datetime) -> object:
    """The time as a text; with its zone and fold where the text does not say them."""
    if not clock.fold and _has_offset_only(clock.tzinfo):
        return clock.isoformat()
    return [clock.replace(tzinfo=None, fold=0).isoformat(), clock.tzinfo, clock.fold]


def _read_clock(cls: type[time] | type[datetime]) -> Callable[..., object]:
    def read(text: str, zone: tzinfo | None = None, fold: int = 0) -> object:
        made = cls.fromisoformat(text)
        return made.replace(tzinfo=zone, fold=fold) if zone or fold else made

    return read


def _write_duration(duration: timedelta) -> object:
    """The seconds, and the microseconds if there are any."""
    seconds = duration.days * 86400 + duration.seconds
    return [seconds, duration.microseconds] if duration.microseconds else seconds


def _read_duration(seconds: int, microseconds: int = 0) -> timedelta:
    return timedelta(seconds=seconds, microseconds=microseconds)


_CLOCK = (str, int, NoneType, timezone, ZoneInfo)
TAGS = (
    # What JSON has itself, where it has not all values.
    Tag(str, _write_text, Constructor(_read_text, (list,))),
    Tag(int, str, Constructor(make_int, (str,))),
    Tag(float, repr, Constructor(short(float), (str,))),
    Tag(dict, _write_pairs, Constructor(make_dict, (list,), limited=True)),
    # What it lacks.
    Tag(tuple, list, Constructor(tuple, (list,))),
    Tag(set, _write_set, Constructor(make_set, (list,), limited=True)),
    Tag(frozenset, _write_set, Constructor(make_frozenset, (list,), limited=True)),
    Tag(
        deque,
        _write_deque,
        Constructor(make_deque, (list, int, NoneType), limited=True),
        spread=True,
    ),
    Tag(OrderedDict, _write_pairs, Constructor(make_ordered_dict, (list,), limited=True)),
    Tag(Counter, dict, Constructor(make_counter, (dict,), limited=True)),
    Tag(
        defaultdict,
        _write_defaultdict,
        Constructor(_read_defaultdict, (str, NoneType, dict), limited=True),
        spread=True,
    ),
    Tag(bytes, _write_bytes, Constructor(_read_bytes, (str,))),
    Tag(bytearray, _write_bytes, Constructor(lambda text: bytearray(_read_bytes(text)), (str,))),
    Tag(complex, lambda it: [it.real, it.imag], Constructor(complex, (float,)), spread=True),
    Tag(range, lambda it: [it.start, it.stop, it.step], Constructor(range, (int,)), spread=True),
    Tag(date, date.isoformat, Constructor(date.fromisoformat, (str,))),
    Tag(time, _write_clock, Constructor(_read_clock(time), _CLOCK), spread=True),
    Tag(datetime, _write_clock, Constructor(_read_clock(datetime), _CLOCK), spread=True),
    Tag(timedelta, _write_duration, Constructor(_read_duration, (int,)), spread=True),
    Tag(timezone, _arguments_of, Constructor(short(timezone), (timedelta, str)), spread=True),
    Tag(ZoneInfo, _write_zone, Constructor(make_zone, (str,))),
    Tag(Decimal, str, Constructor(make_decimal, (str,))),
    Tag(Fraction, str, Constructor(make_fraction, (str,))),
    Tag(UUID, str, Constructor(UUID, (str,))),
    *(Tag(cls, str, Constructor(cls, (str,))) for cls in PATHS),
    *(Tag(cls, str, Constructor(short(cls), (str,))) for cls in ADDRESSES),
)
BY_TYPE = {tag.type: tag for tag in TAGS}
BY_NAME = {tag.name: tag for tag in TAGS}


#: The tag of members of Enums, which are named with their class: ``[module, class, name]``.
ENUM = f"{MARK}Enum"


def write_enum(member: Enum) -> list[object]:
    """Return the content of the tag; of a combination of flags the names of all, in a list."""
    cls = type(member)
    names: object = member.name
    if isinstance(member, Flag):
        flags = list(member)
        unnamed = member.value & ~reduce(or_, (flag.value for flag in flags), 0)
        names = [*(flag.name for flag in flags), *([unnamed] if unnamed else [])]
    return [cls.__module__, cls.__qualname__, names]


def read_enum(allowed: Allowed, budget: Budget, content: Any) -> object:
    """Return the member of a class that is declared.

    :raises InvalidValue: the class is not declared, or has no such member.
    :raises Exception: others, for what names no member.
    """
    module, name, names = content
    cls: Any = allowed.find((module, name))
    if cls is None or not issubclass(cls, Enum):
        raise not_allowed(module, name)
    try:
        if not issubclass(cls, Flag):
            return cls.__members__[names]
        flags = [flag if type(flag) is int else cls.__members__[flag].value for flag in names]
    except KeyError:
        raise no_member(cls) from None
    value = reduce(or_, flags, 0)
    if value not in cls._value2member_map_:
        budget.spend(NEW_FLAGS_COST)
    return cls(value)
