"""The stored format: both ways with 0.3.1, and nothing runs that a text could name."""

from __future__ import annotations

import base64
import collections
import contextlib
import datetime
import enum
import fractions
import ipaddress
import pathlib
import pickle
import struct
import subprocess
import sys
import textwrap
import threading
import traceback
import uuid
import zoneinfo
from decimal import Decimal
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec.builders import _known_zone
from waffleconf_admin.codec.pickles import classes_in, deserialize, serialize
from waffleconf_admin.fields.special import is_set
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
PLAIN = [
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
@pytest.mark.parametrize("value", PLAIN + DECLARED, ids=repr)
def test_every_protocol_is_read(value: Any, protocol: int) -> None:
    assert same_or_nan(deserialize(stored(pickle.dumps(value, protocol)), CLASSES), value)


@pytest.mark.parametrize("value", PLAIN + DECLARED, ids=repr)
def test_what_is_written_is_read_back(value: Any) -> None:
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
}


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_a_key_comes_back(key: Any) -> None:
    for value in ({key: 1}, {key}, frozenset({(key, (key,))})):
        assert same(deserialize(serialize(value), CLASSES), value)


@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_large_value_stored_in_good_faith_comes_back(value: Any) -> None:
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
def test_any_plain_value_comes_back_equal_and_of_the_same_type(value: Any) -> None:
    assert same_or_nan(deserialize(serialize(value)), value)


@pytest.mark.parametrize("value", [lambda: 0, threading.Lock(), sys.stdout])
def test_what_cannot_be_pickled_is_an_error_of_ours(value: Any) -> None:
    with pytest.raises(InvalidValue, match="can't be stored"):
        serialize(value)


# Equal means same type and equal value


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


@pytest.mark.parametrize("value", PLAIN, ids=repr)
def test_same(value: Any) -> None:
    assert same(value, pickle.loads(pickle.dumps(value)))


# What a text may not do


class Run:
    def __init__(self, call: Any, *args: Any) -> None:
        self.reduced = (call, args)

    def __reduce__(self) -> Any:
        return self.reduced


def pushed(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def reduce(module: str, name: str, args: bytes) -> bytes:
    return f"c{module}\n{name}\n".encode() + b"(" + args + b"tR."


BIG = b"L9999999999L\n"
HOSTILE: dict[str, bytes] = {
    "os.system": pickle.dumps(Run(exec, "raise SystemExit('ran')")),
    "eval through getattr": b"c__builtin__\ngetattr\n(c__builtin__\ndict\nX\x03\x00\x00\x00gettR.",
    "getattr of a declared class": b"c__builtin__\ngetattr\n(c"
    + Point.__module__.encode()
    + b"\nPoint\n"
    + pushed("__init__")
    + b"tR.",
    "dotted name": b"\x80\x04" + pushed("builtins") + pushed("str.join") + b"\x93.",
    "module not imported": b"cantigravity\nx\n.",
    "class as a value": b"c__builtin__\nint\n.",
    "class in a list": b"(lc__builtin__\nint\na.",
    "builder as a value": b"ccollections\nCounter\n.",
    "call of a name that only stands for itself": reduce("__builtin__", "int", pushed("1")),
    "persistent id": b"Pid\n.",
    "extension code": b"\x82\x01.",
    "buffer": b"\x80\x05\x97.",
    "state on a function": b"c_codecs\nencode\n}" + pushed("x") + b"K\x01sb.",
    "state on a class": b"c"
    + Point.__module__.encode()
    + b"\nPoint\nN}"
    + pushed("x")
    + b"K\x01s\x86b.",
    "state on a UUID class": b"cuuid\nUUID\n}(" + pushed("hex") + b"K\x01ub.",
    "state on a value": b"ccollections\nOrderedDict\n)R}" + pushed("items") + b"K\x01sb.",
    "UUID of no number": b"cuuid\nUUID\n)\x81}" + pushed("int") + pushed("x") + b"sb.",
    "defaultdict of a builder": reduce("collections", "defaultdict", b"c_codecs\nencode\n"),
    "bytes of a size": reduce("__builtin__", "bytes", BIG),
    "bytearray of a size": reduce("__builtin__", "bytearray", BIG),
    "set of a range": reduce(
        "__builtin__", "set", b"c__builtin__\nrange\n(" + BIG + b"tR"
    ),
    "deque of a range": reduce(
        "collections", "deque", b"c__builtin__\nrange\n(" + BIG + b"tR"
    ),
    "Counter of a range": reduce(
        "collections", "Counter", b"c__builtin__\nrange\n(" + BIG + b"tR"
    ),
    "huge Fraction": reduce("fractions", "Fraction", pushed("1e999999999")),
    "zone by path": reduce(
        "__builtin__", "getattr", b"czoneinfo\nZoneInfo\n" + pushed("_unpickle")
    )[:-1]
    + b"("
    + pushed("../../../etc/passwd")
    + b"K\x01tR.",
    "encoding other than latin1": reduce("_codecs", "encode", pushed("x") + pushed("utf-16")),
    "memo of 2**31": b"\x80\x02Nr\xff\xff\xff\x0f.",
    "memo of 10**6": b"\x80\x02Nr\x40\x42\x0f\x00.",
    "length beyond the text": b"\x80\x04\x8d" + struct.pack("<Q", 10**12) + b"x.",
    "frame beyond the text": b"\x80\x04\x95" + struct.pack("<Q", 10**12) + b"N.",
    "doubled 16 times": b"N" + b"2\x86" * 16 + b".",
    "doubled 30 times": b"N" + b"2\x86" * 30 + b".",
    "100000 lists deep": b"]" * 100_000 + b"a" * 99_999 + b".",
    "itself inside": b"]q\x00h\x00a.",
    "no stack": b"R.",
    "no stop": b"N",
    "mark as a value": b"(.",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_refused_without_being_quoted(raw: bytes) -> None:
    with pytest.raises(InvalidValue) as caught:
        deserialize(stored(raw), CLASSES)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200
    assert "etc/passwd" not in str(caught.value)


SECRET = "hunter2-hunt"
QUOTED = {
    "member that is gone": pickle.dumps(Shop.Theme.DARK, 2).replace(pushed("dark"), pushed(SECRET)),
    "zone that is gone": pickle.dumps(PARIS, 2).replace(b"Europe/Paris", SECRET.encode()),
    "float": f"F{SECRET}\n.".encode(),
    "address": reduce("ipaddress", "IPv4Address", pushed(SECRET)),
}


@pytest.mark.parametrize("raw", QUOTED.values(), ids=QUOTED.keys())
def test_what_python_says_of_a_damaged_text_is_not_in_the_traceback(raw: bytes) -> None:
    with pytest.raises(InvalidValue, match=r"damaged|no data of a time zone") as caught:
        deserialize(stored(raw), CLASSES)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_hostile_texts_import_call_and_allocate_nothing() -> None:
    script = """
        import resource, sys
        limit = 600 * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
        sys.path.insert(0, sys.argv[1])
        import test_pickles
        from waffleconf_admin import InvalidValue
        from waffleconf_admin.codec.pickles import deserialize
        before = set(sys.modules)
        for name, raw in test_pickles.HOSTILE.items():
            try:
                deserialize(test_pickles.stored(raw), test_pickles.CLASSES)
            except InvalidValue as error:
                assert "MemoryError" not in str(error), name
                continue
            raise AssertionError(name)
        assert not set(sys.modules) - before, set(sys.modules) - before
        assert not hasattr(test_pickles.Point, "x")
        usage = resource.getrusage(resource.RUSAGE_SELF)
        print("refused", len(test_pickles.HOSTILE), usage.ru_maxrss)
    """
    tests = str(pathlib.Path(__file__).parent)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), tests],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.stdout.startswith(f"refused {len(HOSTILE)} "), done.stderr


def test_classes_are_refused_unless_declared() -> None:
    text = serialize(Point(1))
    assert deserialize(text, [Point]) == Point(1)
    with pytest.raises(InvalidValue, match=r"class .*\.Point is not allowed"):
        deserialize(text)


@pytest.mark.parametrize("text", ["x", "gAR!", "é", "=", "gASVBQ"])
def test_what_is_not_base64_of_a_pickle_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        deserialize(text)


def test_a_text_beyond_the_bound_is_refused_before_it_is_decoded() -> None:
    with pytest.raises(InvalidValue, match="longer"):
        deserialize("A" * (16 * 2**20 + 1))


@pytest.mark.parametrize("value", PLAIN[:20] + DECLARED, ids=lambda value: repr(value)[:20])
def test_a_text_cut_anywhere_is_refused(value: Any) -> None:
    raw = pickle.dumps(value, 2)
    for length in range(min(len(raw), 300)):
        with pytest.raises(InvalidValue):
            deserialize(stored(raw[:length]), CLASSES)


@given(st.binary())
def test_any_bytes_give_a_value_or_our_error(raw: bytes) -> None:
    try:
        deserialize(stored(raw), CLASSES)
    except InvalidValue as error:
        assert str(error).isprintable()


@given(st.sampled_from(PLAIN + DECLARED), st.integers(0), st.integers(0, 7))
def test_any_flipped_bit_gives_a_value_or_our_error(value: Any, at: int, bit: int) -> None:
    raw = bytearray(pickle.dumps(value, 4))
    raw[at % len(raw)] ^= 1 << bit
    with contextlib.suppress(InvalidValue):
        deserialize(stored(bytes(raw)), CLASSES)


def test_the_classes_of_a_default_are_found_inside_it() -> None:
    default = {"a": [Point(Shop.Theme.DARK)], "b": Names([Days.MON])}
    assert classes_in(default) == {Point, Shop.Theme, Names, Days}
    # What it keeps in attributes may be the whole app.
    assert classes_in(default, attributes=False) == {Point, Names, Days}


def test_a_class_as_a_default_allows_nothing() -> None:
    assert classes_in([int, type, len, lambda: 0]) == set()


class Older:
    """A class that has got another attribute since an object of it was stored."""

    def __eq__(self, other: object) -> bool:
        return self.added == other.added  # type: ignore[attr-defined, no-any-return]

    __hash__ = None  # type: ignore[assignment]


def test_what_cannot_be_compared_is_not_the_same() -> None:
    assert not same(Older(), Older())
    assert is_set(Older())
