"""Pickles: values come back unchanged from texts that 0.3.1 reads, and from those that it wrote."""

from __future__ import annotations

import base64
import collections
import datetime
import enum
import fractions
import ipaddress
import pathlib
import pickle
import sys
import threading
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import classes_in, deserialize, is_text_of, serialize
from waffleconf_admin.codec.constructors import _known_zone
from waffleconf_admin.settings.equality import same
from waffleconf_admin.settings.value_types import time_zones

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
DECLARED = [Shop.Theme.DARK, Days.MON | Days.TUE, Point([1, "a"]), Names(["a"]), [Point(1)] * 2]


def same_or_nan(a: Any, b: Any) -> bool:
    return same(a, b) or (a != a and b != b)


def stored(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", STANDARD + DECLARED, ids=repr)
def test_every_protocol_is_read(value: Any, protocol: int) -> None:
    assert same_or_nan(deserialize(stored(pickle.dumps(value, protocol)), CLASSES), value)


@pytest.mark.parametrize("value", STANDARD + DECLARED, ids=repr)
def test_a_value_comes_back(value: Any) -> None:
    assert same_or_nan(deserialize(serialize(value), CLASSES), value)


FLAKE = 1_400_000_000_000_000_000  # an id of 64 bits, as many services have them
KEYS = [
    None, True, -1, -2, 0, 2**61 - 1, FLAKE, 2**100, 10**4299, 0.5, 2.0**61, 1j, "a", b"a", "",
    datetime.date(2026, 1, 1), datetime.time(1, 2), datetime.timedelta(1), NOON_UTC, UTC,
    Decimal("1.50"), fractions.Fraction(1, 3), uuid.UUID(int=7), pathlib.PurePosixPath("/a"),
    ipaddress.ip_address("10.0.0.1"), ipaddress.ip_address("::1"),
    ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_interface("::1/64"), range(3),
    Shop.Theme.DARK, Days.MON, (), (1, ("a", None)), frozenset({(1, 2)}), Pair(1, "a"),
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


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_a_key_comes_back(key: Any) -> None:
    for value in ({key: 1}, {key}, frozenset({(key, (key,))})):
        assert same(deserialize(serialize(value), CLASSES), value)


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_large_value_comes_back(value: Any) -> None:
    assert same(deserialize(serialize(value)), value)


def test_the_file_of_a_time_zone_is_read_once() -> None:
    names = ["Europe/Paris", "Asia/Tokyo", "UTC", "Etc/GMT+3", "America/Lima"] * 3
    zones = [zoneinfo.ZoneInfo(name) for name in (*names, *sorted(time_zones())[:20])]
    before = _known_zone.cache_info().misses
    assert deserialize(serialize(zones * 50)) == zones * 50
    assert _known_zone.cache_info().misses - before <= 25


def test_the_format_is_that_of_031() -> None:
    # What 0.3.1 writes on Python 3.9, and what it can read on any Python.
    assert deserialize("gASVBQAAAAAAAACMAXiULg==") == "x"
    assert pickle.loads(base64.b64decode(serialize(["x", b"y"]))) == ["x", b"y"]
    assert base64.b64decode(serialize("x")).startswith(b"\x80\x02")


def test_bytes_and_line_breaks_of_other_base64_writers_are_read() -> None:
    text = base64.encodebytes(pickle.dumps("x" * 200))
    assert b"\n" in text.strip()
    assert deserialize(text) == deserialize(text.decode()) == "x" * 200


def test_text_of_python_2_is_read() -> None:
    assert deserialize(stored(b"S'crepe'\n.")) == "crepe"
    assert deserialize(stored("Vcr\xeape\n.".encode("latin1"))) == "crêpe"
    assert deserialize(stored(b"c__builtin__\nxrange\n(I0\nI3\nI1\ntR.")) == range(3)


def test_the_fold_of_a_datetime_survives() -> None:
    late = datetime.datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1)
    read = deserialize(serialize({"at": [late]}))["at"][0]
    assert (read.fold, read.utcoffset()) == (1, late.utcoffset())


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
    )
)
def test_any_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    assert same_or_nan(deserialize(serialize(value)), value)


@pytest.mark.parametrize("value", [lambda: 0, threading.Lock(), sys.stdout])
def test_a_value_that_cannot_be_pickled_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue, match="can't be stored"):
        serialize(value)


def test_classes_are_refused_unless_declared() -> None:
    text = serialize(Point(1))
    assert deserialize(text, [Point]) == Point(1)
    with pytest.raises(InvalidValue, match=r"class .*\.Point is not allowed"):
        deserialize(text)


@pytest.mark.parametrize("text", ["x", "gAR!", "é", "=", "gASVBQ"])
def test_a_text_that_is_not_base64_of_a_pickle_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        deserialize(text)


def test_a_long_text_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(InvalidValue, match="longer"):
        deserialize("A" * (16 * 2**20 + 1))


def test_the_classes_of_a_default_are_found_inside_it() -> None:
    default = {"a": [Point(Shop.Theme.DARK)], "b": Names([Days.MON])}
    assert classes_in(default) == {Point, Shop.Theme, Names, Days}
    # What it keeps in attributes may be the whole app.
    assert classes_in(default, attributes=False) == {Point, Names, Days}


CHANGED = [
    ([1, 2], [1, 2, 3]), ([1], [True]), ([1], (1,)), ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": [0.0]}, {"a": [-0.0]}), ([Decimal("1.5")], [Decimal("1.50")]),
    ([datetime.datetime(2026, 10, 25, 2, 30)], [datetime.datetime(2026, 10, 25, 2, 30, fold=1)]),
    (Point([1]), Point([1, 2])), ([1], [threading.Lock()]), ([1], [lambda: 0]),
]  # fmt: skip


@pytest.mark.parametrize(("value", "other"), CHANGED, ids=repr)
def test_a_text_is_that_of_a_value_until_it_is_changed_in_place(value: Any, other: Any) -> None:
    text = serialize(value)
    assert is_text_of(text, deserialize(text, CLASSES))
    assert not is_text_of(text, other)


def test_a_damaged_text_is_that_of_no_value() -> None:
    assert not is_text_of("é", [1]) and not is_text_of("gAR", [1])


def test_a_class_as_a_default_allows_nothing() -> None:
    assert classes_in([int, type, len, lambda: 0]) == set()
