"""Short pickles: the short way reads nothing that the long way reads otherwise, or refuses."""

from __future__ import annotations

import base64
import pickle
import struct
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hostile_pickles import SMALL
from hypothesis import given
from hypothesis import strategies as st
from stored_values import OBJECTS, STANDARD, VALUES

from waffleconf_admin.codec import Allowed, deserialize
from waffleconf_admin.codec.short_pickles import LONG, read_short
from waffleconf_admin.codec.unpickler import Unpickler


def result(read: Callable[[], object]) -> str:
    try:
        return repr(read())
    except Exception:
        return "refused"


def check(raw: bytes) -> None:
    """Both ways give the same, or one of them does not take it: the short one."""
    long = result(Unpickler(raw, Allowed(())).load)
    assert result(lambda: deserialize(base64.b64encode(raw))) == long
    short = result(lambda: read_short(raw))
    assert short in (long, repr(LONG))


def flipped(raw: bytes) -> Iterator[bytes]:
    """Yield the same bytes with each bit flipped in turn."""
    for at in range(len(raw) * 8):
        other = bytearray(raw)
        other[at // 8] ^= 1 << at % 8
        yield bytes(other)


LIST = ["a", "b"]
SHORT = [
    None, True, False, 0, 255, 256, 65535, 65536, -1, 1.5, float("nan"), "", "é", "x" * 300,
    [], {}, ["jpg", "png", 3], {"width": 1, "height": 2**40}, [[1, [2.5, None]], {"a": {"b": []}}],
    {1: "a", -2**60: True, 0.5: None}, [LIST, LIST], {"a": [{"b": 1}, {"b": 2}]}, {"": "q\x00."},
    date(2026, 1, 31), date(9999, 12, 31), datetime(2026, 2, 3, 4, 5, 6, 7), datetime(1, 1, 1),
    timedelta(0), timedelta(-1, 70_000, 999_999), timedelta.max, Decimal("-1.50"), Decimal("NaN"),
    UUID(int=0), UUID(int=300), UUID(int=70_000), UUID(int=2**63), UUID(int=2**128 - 1),
]  # fmt: skip


@pytest.mark.parametrize("value", SHORT, ids=lambda value: repr(value)[:30])
def test_the_short_way_gives_what_the_long_way_gives(value: object) -> None:
    raw = pickle.dumps(value, 2)
    assert read_short(raw) is not LONG
    for other in [raw, raw + b".", raw[:-1], b"", raw[:3] + b"N" + raw[3:], *flipped(raw)]:
        check(other)
    for length in range(len(raw)):
        check(raw[:length])


@given(value=VALUES)
def test_both_ways_give_the_same_for_any_value(value: object) -> None:
    check(pickle.dumps(value, 2))
    check(pickle.dumps(value, 4))


@given(st.binary(), st.lists(st.sampled_from(sorted(b"N\x88K\x01]}(aesuq\x00h\x00X\x8a.0t)R"))))
def test_both_ways_give_the_same_for_any_bytes(content: bytes, opcodes: list[int]) -> None:
    for raw in (content, b"\x80\x02" + content, b"\x80\x02" + bytes(opcodes) + b"."):
        check(raw)


HOSTILE = {
    **SMALL,
    "a list in itself": b"\x80\x02]q\x00h\x00a.",
    "a dict in itself": b"\x80\x02}q\x00K\x01h\x00s.",
    "lists doubled": (
        b"\x80\x02"
        + b"]q\x00"
        + b"".join(b"]q%c(h%ch%ce" % (n, n - 1, n - 1) for n in range(1, 60))
        + b"."
    ),
    "101 lists": b"\x80\x02" + b"]" * 102 + b"a" * 101 + b".",
    "a list as a key": b"\x80\x02}]Ns.",
    "an item of a list by its number": b"\x80\x02](K\x01eK\x00K\x05s.",
    "a text that is longer than the pickle": b"\x80\x02]X\xff\xff\xff\xffa.",
    "a text that hides opcodes": b"\x80\x02]X\x02\x00\x00\x00R.a.",
    "ints with one hash": (
        b"\x80\x02}("
        + b"".join(b"\x8a\x08" + struct.pack("<q", (2**61 - 1) * k) + b"N" for k in (1, 2, 3))
        + b"u."
    ),
    "a number that is too long": b"\x80\x02\x8b" + struct.pack("<I", 900) + b"\x7f" * 900 + b".",
    "a date that is none": pickle.dumps(date(2026, 1, 31), 2).replace(b"\x01\x1fq", b"\x0d\x1fq"),
    "a datetime as a date": pickle.dumps(datetime(2026, 1, 31), 2).replace(
        b"\ndatetime", b"\ndate"
    ),
    "a negative UUID": pickle.dumps(UUID(int=1), 2).replace(b"K\x01", b"J\xff\xff\xff\xff"),
    "a UUID that is too large": pickle.dumps(UUID(int=2**128 - 1), 2).replace(
        b"\x8a\x11", b"\x8a\x12\x01"
    ),
    "a Decimal that is too large": pickle.dumps(Decimal("1e99999"), 2),
    "a Decimal of letters": pickle.dumps(Decimal("NaN"), 2).replace(b"NaN", b"abc"),
    "a timedelta that is too large": (
        b"\x80\x02cdatetime\ntimedelta\nq\x00J\xff\xff\xff\x7fK\x00K\x00\x87q\x01Rq\x02."
    ),
}


@pytest.mark.parametrize("raw", HOSTILE.values(), ids=HOSTILE)
def test_both_ways_give_the_same_for_what_is_hostile(raw: bytes) -> None:
    check(raw)


@pytest.mark.parametrize("value", [*STANDARD, *OBJECTS], ids=lambda value: repr(value)[:30])
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_both_ways_give_the_same_in_every_protocol(value: object, protocol: int) -> None:
    check(pickle.dumps(value, protocol))
