"""A setting of every type, with the values that it may have."""

from __future__ import annotations

import enum
import ipaddress
import pathlib
import string
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")


class Theme(enum.Enum):
    LIGHT = "light"
    DARK = "dark"
    HIGH_CONTRAST = "contrast"


class Level(enum.IntEnum):
    DEBUG = 10
    INFO = 20
    WARNING = 30
    ERROR = 40
    FATAL = 50


class Size(str, enum.Enum):  # noqa: UP042
    SMALL = "s"
    LARGE = "l"


class Rights(enum.Flag):
    READ = 1
    WRITE = 2
    DELETE = 4


# Newlines that HTTP would change, NUL and half characters are no text for a page.
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))
LINE = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1)
INTS = st.integers() | st.integers(-(10**300), 10**300)
SMALL = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    SMALL | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False) | st.builds(
    Decimal,
    st.sampled_from(["0", "-0", "1.10", "1E+3", "0E-9", "0.1234567890123456789012345678901"]),
)
#: A time that the clocks skip, or that they show twice, is a value too.
NIGHTS = st.builds(
    datetime,
    st.just(2026),
    st.sampled_from([3, 10]),
    st.sampled_from([25, 29]),
    st.integers(1, 3),
    st.integers(0, 59),
)


def first(moment: Any) -> Any:
    """Without the fold that means nothing here, which no text could tell."""
    return moment.replace(fold=0)


TIMES, DATETIMES = st.times().map(first), st.datetimes().map(first)
NAIVE = DATETIMES | st.sampled_from([datetime.min, datetime.max]) | NIGHTS
FOLDS = st.builds(lambda moment: moment.replace(tzinfo=BERLIN), NIGHTS) | st.just(
    datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1)
)
ZONED = st.datetimes(timezones=st.just(BERLIN)).map(first) | FOLDS
OFFSETS = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
AWAY = st.datetimes(timezones=OFFSETS).map(first)
HOSTS = st.text(string.ascii_lowercase, min_size=1, max_size=10)


def one_of(*values: Any) -> Any:
    return st.sampled_from(values)


def with_networks(addresses: Any, bits: int) -> Any:
    """Addresses with the length of a prefix."""
    return st.builds(lambda address, length: f"{address}/{length}", addresses, st.integers(0, bits))


V4, V6 = st.ip_addresses(v=4), st.ip_addresses(v=6)
FRUITS = ["apple", "pear", ("fig", "Fig, dried"), "two\nlines", "", 7]
BASKETS = st.lists(one_of("apple", "pear", "fig", "two\nlines", "", 7), unique=True)
SOME = st.sets(one_of("a", "b", "c", "d", "e", "f"))
LETTERS = list("abcdef")

#: What declares a setting, and the values that its control gives back.
EVERY_TYPE: dict[str, tuple[dict[str, Any], Any]] = {
    "BOOL": ({"default": True}, st.booleans()),
    "BOOL_NULLABLE": ({"default": True, "type": bool | None}, one_of(None, True, False)),
    "BOOL_OR_NONE": ({"default": None, "type": bool}, one_of(None, True, False)),
    "INT": ({"default": 1}, INTS),
    "INT_LIMITED": ({"default": 5, "min": 1, "max": 99}, st.integers(1, 99)),
    "INT_OR_NONE": ({"default": None, "type": int}, st.none() | INTS),
    "INT_NULLABLE": ({"default": 1, "type": int | None}, st.none() | INTS),
    "INT_02": ({"default": 1, "type": "int"}, INTS),
    "FLOAT": ({"default": 1.5}, st.floats(allow_nan=False, allow_infinity=False)),
    "FLOAT_ENDLESS": ({"default": float("inf")}, st.floats()),
    "FLOAT_OR_NONE": (
        {"default": None, "type": "float"},
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
    ),
    "DECIMAL": ({"default": Decimal("9.90")}, DECIMALS),
    "DECIMAL_LIMITED": (
        {"default": Decimal(1), "min": Decimal(0), "max": Decimal(10)},
        st.decimals(0, 10),
    ),
    "DECIMAL_OR_NONE": ({"default": None, "type": Decimal}, st.none() | DECIMALS),
    "STR": ({"default": "Waffle"}, TEXT),
    "STR_LINES": ({"default": "a\nb", "multiline": True}, TEXT),
    "STR_OR_NONE": ({"default": None, "type": str}, st.none() | TEXT.filter(bool)),
    "STR_NULLABLE": ({"default": "a", "type": str | None}, st.none() | TEXT.filter(bool)),
    "NONE": ({"default": None}, st.none() | TEXT.filter(bool)),
    "CHOICE_FEW": (
        {"default": 1, "choices": [1, "1", (2.0, "Two"), True]},
        one_of(1, "1", 2.0, True),
    ),
    "CHOICE_MANY": ({"default": "a", "choices": LETTERS}, one_of(*LETTERS)),
    "CHOICE_OR_NONE": ({"default": None, "choices": LETTERS}, one_of(None, *LETTERS)),
    "CHOICE_NULLABLE": (
        {"default": "a", "type": Literal["a", "b", None]},
        one_of(None, "a", "b"),
    ),
    "CHOICE_TEXTS": (
        {"default": "x\ry", "choices": ["x\ry", "a\nb", "", " ", "n\0", "\ud800", "é" * 2000]},
        one_of("x\ry", "a\nb", "", " ", "n\0", "\ud800", "é" * 2000),
    ),
    "SEVERAL_LIST": ({"default": ["pear", 7], "choices": FRUITS}, BASKETS),
    "SEVERAL_TUPLE": ({"default": (), "choices": FRUITS}, BASKETS.map(tuple)),
    "SEVERAL_SET": ({"default": {"a"}, "choices": LETTERS}, SOME),
    "SEVERAL_FROZENSET": ({"default": frozenset(), "choices": LETTERS}, SOME.map(frozenset)),
    "SEVERAL_LITERAL": (
        {"default": ["a"], "type": list[Literal["a", "b", "c", "d", "e", "f"]]},
        SOME.map(sorted),
    ),
    "SEVERAL_OR_NONE": (
        {"default": None, "type": list, "choices": LETTERS},
        st.none() | SOME.filter(bool).map(sorted),
    ),
    "DATE": ({"default": date(2026, 1, 31)}, st.dates()),
    "DATE_LIMITED": (
        {"default": date(2026, 1, 31), "min": date(2026, 1, 1), "max": date(2026, 12, 31)},
        st.dates(date(2026, 1, 1), date(2026, 12, 31)),
    ),
    "DATE_OR_NONE": ({"default": None, "type": date}, st.none() | st.dates()),
    "TIME": ({"default": time(18, 30)}, TIMES),
    "TIME_UTC": (
        {"default": time(18, 30, tzinfo=UTC)},
        TIMES.map(lambda clock: clock.replace(tzinfo=UTC)),
    ),
    "TIME_OR_NONE": ({"default": None, "type": time}, st.none() | TIMES),
    "DATETIME": ({"default": datetime(2026, 1, 31, 18, 30)}, NAIVE),
    "DATETIME_UTC": (
        {"default": datetime(2026, 1, 31, 18, 30, tzinfo=UTC)},
        DATETIMES.map(lambda moment: moment.replace(tzinfo=UTC)) | AWAY | ZONED,
    ),
    "DATETIME_BERLIN": ({"default": datetime(2026, 1, 31, 18, 30, tzinfo=BERLIN)}, ZONED),
    "DATETIME_OR_NONE": ({"default": None, "type": datetime}, st.none() | NAIVE),
    "DATETIME_ZONED_OR_NONE": ({"default": None, "type": datetime}, st.none() | ZONED | AWAY),
    "DURATION": ({"default": timedelta(hours=1, minutes=30)}, st.timedeltas()),
    "DURATION_OR_NONE": ({"default": None, "type": timedelta}, st.none() | st.timedeltas()),
    "ENUM": ({"default": Theme.LIGHT}, one_of(*Theme)),
    "ENUM_OR_NONE": ({"default": None, "type": Theme}, one_of(None, *Theme)),
    "ENUM_INT": ({"default": Level.INFO}, one_of(*Level)),
    "ENUM_STR": ({"default": Size.SMALL}, one_of(*Size)),
    "ENUM_SOME": (
        {"default": Theme.LIGHT, "choices": [Theme.LIGHT, Theme.DARK]},
        one_of(*list(Theme)[:2]),
    ),
    "FLAG": ({"default": Rights.READ}, st.integers(0, 7).map(Rights)),
    "UUID": ({"default": UUID(int=1)}, st.uuids()),
    "UUID_OR_NONE": ({"default": None, "type": UUID}, st.none() | st.uuids()),
    "IPV4": ({"default": ipaddress.ip_address("192.0.2.1")}, V4),
    "IPV6": ({"default": ipaddress.ip_address("2001:db8::1")}, V6),
    "IPV4_NETWORK": (
        {"default": ipaddress.ip_network("192.0.2.0/24")},
        with_networks(V4, 32).map(lambda text: ipaddress.ip_network(text, strict=False)),
    ),
    "IPV6_NETWORK": (
        {"default": ipaddress.ip_network("2001:db8::/32")},
        with_networks(V6, 128).map(lambda text: ipaddress.ip_network(text, strict=False)),
    ),
    "IPV4_INTERFACE": (
        {"default": ipaddress.ip_interface("192.0.2.1/24")},
        with_networks(V4, 32).map(ipaddress.ip_interface),
    ),
    "IPV6_INTERFACE": (
        {"default": ipaddress.ip_interface("2001:db8::1/64")},
        with_networks(V6, 128).map(ipaddress.ip_interface),
    ),
    "PATH": ({"default": pathlib.Path("/srv/uploads")}, LINE.map(pathlib.Path)),
    "PATH_PURE": ({"default": pathlib.PurePosixPath("a")}, LINE.map(pathlib.PurePosixPath)),
    "PATH_WINDOWS": (
        {"default": pathlib.PureWindowsPath("C:/a")},
        LINE.map(pathlib.PureWindowsPath),
    ),
    "PATH_OR_NONE": ({"default": None, "type": pathlib.Path}, st.none() | LINE.map(pathlib.Path)),
    "BYTES": ({"default": b"\0\xff"}, st.binary()),
    "BYTES_OR_NONE": ({"default": None, "type": bytes}, st.none() | st.binary(min_size=1)),
    "BYTEARRAY": ({"default": bytearray(b"x")}, st.binary().map(bytearray)),
    "LIST": ({"default": []}, st.lists(JSON, max_size=4)),
    "LIST_OR_NONE": ({"default": None, "type": "list"}, st.none() | st.lists(JSON, max_size=4)),
    "DICT": ({"default": {}}, st.dictionaries(TEXT, JSON, max_size=4)),
    "DICT_OR_NONE": (
        {"default": None, "type": dict},
        st.none() | st.dictionaries(TEXT, JSON, max_size=4),
    ),
    "TUPLE": ({"default": (1, "a")}, st.lists(JSON, max_size=4).map(tuple)),
    "SET": ({"default": {1, "a"}}, st.sets(SMALL | TEXT, max_size=4)),
    "FROZENSET": ({"default": frozenset({1})}, st.frozensets(SMALL | TEXT, max_size=4)),
    "EMAIL": (
        {"default": "anna@example.org", "type": "email"},
        st.just("") | st.emails().filter(lambda text: not set(text) & set('"(),:;<>')),
    ),
    "URL": (
        {"default": "https://example.org", "type": "url"},
        st.just("") | st.builds("{}://{}.org/{}".format, one_of("https", "http"), HOSTS, LINE),
    ),
    "COLOR": (
        {"default": "#0a5bd6", "type": "color"},
        st.just("") | st.from_regex(r"#([0-9a-fA-F]{6}|[0-9a-f]{3})", fullmatch=True),
    ),
    "RANGE": ({"default": 5, "type": "range", "min": 0, "max": 10}, st.integers(0, 10)),
    "RANGE_FLOAT": (
        {"default": 0.5, "type": "range", "min": 0, "max": 1},
        st.floats(0, 1),
    ),
    "FILE_SIZE": (
        {"default": 10_000_000, "type": "filesize"},
        INTS.map(abs) | one_of(2**20, 10**9, 1536),
    ),
    "FILE_SIZE_OR_NONE": ({"default": None, "type": "filesize"}, st.none() | st.integers(0)),
    "ZONE_NAME": (
        {"default": "UTC", "type": "timezone"},
        one_of("UTC", "Europe/Berlin", "America/New_York"),
    ),
    "ZONE": ({"default": BERLIN}, one_of("UTC", "Asia/Tokyo").map(ZoneInfo)),
    "ZONE_OR_NONE": ({"default": None, "type": ZoneInfo}, one_of(None, BERLIN)),
}

CONFS = {key: declared for key, (declared, _) in EVERY_TYPE.items()}
VALUES = {key: values for key, (_, values) in EVERY_TYPE.items()}


def in_order(key: str, value: Any) -> Any:
    """A list of choices in one order: its check boxes have none."""
    if key.startswith("SEVERAL") and isinstance(value, (list, tuple)):
        return type(value)(sorted(value, key=repr))
    return value
