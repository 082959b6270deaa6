"""Values of every type that stored texts can hold, and classes that an app may declare."""

from __future__ import annotations

import collections
import datetime
import enum
import fractions
import ipaddress
import pathlib
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any, NamedTuple

from hypothesis import strategies as st

from waffleconf_admin.settings.equality import same

UTC = datetime.UTC
PARIS = zoneinfo.ZoneInfo("Europe/Paris")
NOON_UTC = datetime.datetime(2026, 1, 1, 12, tzinfo=UTC)


class Shop:
    class Theme(enum.Enum):
        LIGHT = "light"
        DARK = "dark"


class Days(enum.Flag):
    MON = 1
    TUE = 2


class Point:
    def __init__(self, x: Any) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and self.x == other.x

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Point({self.x!r})"


class Pair(NamedTuple):
    a: Any
    b: Any


class Names(list):  # type: ignore[type-arg]
    pass


CLASSES = [Shop.Theme, Days, Point, Names, Pair]
STANDARD = [
    None, True, False, 0, 1, -5, 2**100, 1.5, -0.0, float("inf"), float("nan"), 1j,
    "", "Crêperie\r\n\0", "x" * 70_000, b"", b"ab\xff", bytearray(b"x"), bytearray(),
    [], [1, [2]], (), (1,), (1, 2, 3, 4), {}, {"a": {"b": [1]}}, {1: 2}, set(), {1, 2},
    frozenset({3}), range(3), collections.OrderedDict(a=1), collections.Counter("aab"),
    collections.deque([1, 2], maxlen=3), collections.defaultdict(list, a=[1]),
    collections.defaultdict(set), collections.defaultdict(None, a=1),
    datetime.date(9999, 12, 31), datetime.time(1, 2, 3, 4), datetime.timedelta(-1, 2, 3),
    datetime.datetime(1, 1, 1), datetime.datetime(2026, 11, 20, tzinfo=UTC),
    datetime.datetime(2026, 7, 1, tzinfo=PARIS), PARIS,
    datetime.timezone(datetime.timedelta(hours=1), "x"), Decimal("1.50"), Decimal("NaN"),
    fractions.Fraction(1, 3), uuid.UUID(int=7),
    pathlib.PurePosixPath("/a/b"), pathlib.Path("c"), pathlib.PureWindowsPath("c:\\x"),
    ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("10.0.0.1/8"),
]  # fmt: skip
ENUMS = [Shop.Theme.DARK, Days.MON | Days.TUE, Days(0), [Shop.Theme.DARK, {"a": Days.MON}]]
OBJECTS = [Point([1, "a"]), Names(["a"]), [Point(1)] * 2]


FLAKE = 1_400_000_000_000_000_000  # an id of 64 bits, as many services have them
KEYS = [
    None, True, -1, -2, 0, 2**61 - 1, FLAKE, 2**100, 10**4299, 0.5, 2.0**61, 1j, "a", b"a", "",
    datetime.date(2026, 1, 1), datetime.time(1, 2), datetime.timedelta(1), NOON_UTC, UTC,
    Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=7), pathlib.PurePosixPath("/a"),
    ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("::1/64"), range(3),
    Shop.Theme.DARK, Days.MON, (), (1, ("a", None)), frozenset({(1, 2)}),
]  # fmt: skip
LARGE = {
    "ids": {FLAKE + n for n in range(10_000)},
    "ids as keys": dict.fromkeys(range(10_000), "x"),
    "pairs": {(f"a{n}", n): n for n in range(5000)},
    "UUIDs": {uuid.UUID(int=n << 64 | n) for n in range(5000)},
    "small dicts": [{-1: "a", -2: "b", 1.0: "c", (1, 2): "d"} for _ in range(5000)],
    "texts": {f"text {n}" for n in range(100_000)},
    "one list often": [["x"] * 200] * 200,
    "one text often": ["a" * 300] * 2000,
    "decimals": [Decimal(n) / 4 for n in range(20_000)],
    "small defaultdicts": [collections.defaultdict(list, a=[n]) for n in range(5000)],
}

OFFSETS = st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23))
ZONES = st.one_of(
    st.none(),
    st.just(PARIS),
    st.builds(datetime.timezone, OFFSETS),
    st.builds(datetime.timezone, OFFSETS, st.sampled_from(["CET", "UTC+01:00", "é"])),
)
FOLDS = st.sampled_from([0, 1])
#: All characters, half surrogate pairs and NUL too; and names that look like those of tags.
TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["$date", "$dict", "$str", "$Enum", "$", "\ud83d\ude00", "n\0", '"$date"', "\\u0024date"]
)
HASHABLE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.integers(-(10**400), 10**400), TEXTS,
        st.floats(allow_nan=False), st.binary(), st.dates(), st.timedeltas(), st.uuids(),
        st.complex_numbers(allow_nan=False), st.decimals(allow_nan=False), st.fractions(),
        st.builds(datetime.datetime.replace, st.datetimes(), tzinfo=ZONES, fold=FOLDS),
        st.builds(datetime.time.replace, st.times(), tzinfo=ZONES, fold=FOLDS),
        st.ip_addresses(), st.sampled_from(ENUMS[:3]),
    ),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=3,
)  # fmt: skip
VALUES = st.recursive(
    HASHABLE | st.floats() | st.binary().map(bytearray) | st.decimals(),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.sets(HASHABLE, max_size=4),
        st.dictionaries(TEXTS, inner, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=4),
        st.dictionaries(HASHABLE, inner, max_size=4).map(collections.OrderedDict),
        st.builds(collections.deque, st.lists(inner, max_size=4), st.none() | st.integers(0, 4)),
        st.builds(
            collections.defaultdict,
            st.sampled_from([None, list, set, int, dict]),
            st.dictionaries(TEXTS, inner, max_size=4),
        ),
        st.dictionaries(HASHABLE, st.integers()).map(collections.Counter),
    ),
    max_leaves=8,
)


def same_or_nan(a: Any, b: Any) -> bool:
    return same(a, b) or (a != a and b != b)
