"""Texts to values: what people may write, and what they are told of anything else."""

from __future__ import annotations

import ipaddress
import pathlib
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from controls import field, read
from every_type import BERLIN, Rights, Theme

from waffleconf_admin.fields.binding import process_values
from waffleconf_admin.settings.equality import same

HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, 0)


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [
        (1, "5", 5),
        (1, " +5 ", 5),
        (1, "-0", 0),
        (1, "007", 7),
        (1, "9" * 4000, int("9" * 4000)),
        (1.5, "5", 5.0),
        (1.5, "-0", -0.0),
        (1.5, ".5", 0.5),
        (1.5, "1e-3", 0.001),
        (1.5, "1E308", 1e308),
        (float("inf"), "-inf", float("-inf")),
        ("x", "", ""),
        ("x", "  a  ", "  a  "),
        ("x", "a\r\nb\rc\n", "a\nb\nc\n"),
        ("x", "None", "None"),
        (None, "", None),
        (None, " ", " "),
        ([], "[1, 2.0, null]", [1, 2.0, None]),
        ([], "\n[]\n ", []),
        ({}, '{"é": {"b": []}}', {"é": {"b": []}}),
        ({}, '{"a": "\\u00e9\\n"}', {"a": "é\n"}),
        (True, "off", False),
        (True, "0", False),
        (False, "YES", True),
        (False, " true ", True),
    ],
)
def test_a_basic_type_is_read(default: Any, text: str, value: Any) -> None:
    assert same(read(text, default=default), value)


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ({"default": HOUR}, "1 h 30 min", timedelta(minutes=90)),
        ({"default": HOUR}, "1h30m", timedelta(minutes=90)),
        ({"default": HOUR}, "1.5 hours", timedelta(minutes=90)),
        ({"default": HOUR}, "PT1H30M", timedelta(minutes=90)),
        ({"default": HOUR}, "P1DT0.5S", timedelta(days=1, microseconds=500_000)),
        ({"default": HOUR}, "-P2W", timedelta(days=-14)),
        ({"default": HOUR}, "2 weeks, 1 day", timedelta(days=15)),
        ({"default": HOUR}, "- 10 ms", timedelta(milliseconds=-10)),
        ({"default": 1, "type": "filesize"}, "10 MB", 10_000_000),
        ({"default": 1, "type": "filesize"}, "10mib", 10 * 2**20),
        ({"default": 1, "type": "filesize"}, "1.5 GB", 1_500_000_000),
        ({"default": 1, "type": "filesize"}, "1024", 1024),
        ({"default": Decimal(1)}, " 1.10 ", Decimal("1.10")),
        ({"default": Decimal(1)}, "1e-30", Decimal("1E-30")),
        ({"default": Decimal("NaN")}, "Infinity", Decimal("Infinity")),
        ({"default": NOON}, "2026-01-31 12:00", NOON),
        ({"default": NOON}, "2026-01-31T12:00:00.000", NOON),
        ({"default": NOON.replace(tzinfo=UTC)}, "2026-01-31 12:00", NOON.replace(tzinfo=UTC)),
        ({"default": NOON.replace(tzinfo=UTC)}, "2026-01-31T13:00+01:00", NOON.replace(tzinfo=UTC)),
        (
            {"default": NOON.replace(tzinfo=BERLIN)},
            "2026-01-31 11:00Z",
            NOON.replace(tzinfo=BERLIN),
        ),
        (
            {"default": NOON.replace(tzinfo=UTC)},
            "2026-01-31 12:00 Europe/Berlin",
            NOON.replace(tzinfo=BERLIN),
        ),
        (
            {"default": NOON.replace(tzinfo=UTC)},
            "2026-10-25 02:30+01:00 Europe/Berlin",
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        ),
        (
            {"default": None, "type": datetime},
            "2026-01-31 12:00-05:30",
            NOON.replace(tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
        ),
        ({"default": time(12)}, "23:59:59.5", time(23, 59, 59, 500_000)),
        ({"default": UUID(int=1)}, "{00000000-0000-0000-0000-00000000000a}", UUID(int=10)),
        ({"default": ["a"], "choices": list("abc")}, "c, a", ["c", "a"]),
        ({"default": ["a"], "choices": list("abc")}, "", []),
        ({"default": Rights.READ}, "READ|WRITE", Rights.READ | Rights.WRITE),
        ({"default": Theme.LIGHT}, "DARK", Theme.DARK),
        ({"default": b""}, "AAEC /w==\n", b"\0\1\2\xff"),
        ({"default": ()}, "[[1], 2]", ([1], 2)),
        ({"default": set()}, '[1, "1"]', {1, "1"}),
        ({"default": pathlib.PureWindowsPath("a")}, "C:/b", pathlib.PureWindowsPath("C:/b")),
        ({"default": BERLIN}, "Asia/Tokyo", ZoneInfo("Asia/Tokyo")),
    ],
)
def test_a_text_is_read(declared: dict[str, Any], text: str, value: Any) -> None:
    assert same(read(text, **declared), value)


@pytest.mark.parametrize(
    "entry", [{}, {"choices": ["a"]}, *({"type": t} for t in (int, float, str, bool, dict, list))]
)
def test_blank_is_none_where_the_default_is(entry: dict[str, Any]) -> None:
    assert read("", default=None, **entry) is None


@pytest.mark.parametrize(
    ("default", "text", "message"),
    [
        (1, "", "Enter a whole number, such as 1000."),
        (1, "abc", "Enter a whole number, such as 1000."),
        (1, "1.5", "Enter a whole number, such as 1000."),
        (1, "1_0", "Enter a whole number, such as 1000."),
        (1, "nan", "Enter a whole number, such as 1000."),
        (1, "1 00", "Enter a whole number, such as 1000."),
        (1, "1_000", "Enter a whole number, such as 1000."),
        (1, "9" * 5000, "This number has too many digits."),
        (1.5, "", "Enter a number, such as 1.5."),
        (1.5, "abc", "Enter a number, such as 1.5."),
        (1.5, "1 00.5", "Enter a number, such as 1.5."),
        (1.5, "1e999", "This number is too large."),
        (1.5, "inf", "Enter a finite number, such as 1000000."),
        (1.5, "nan", "Enter a finite number, such as 1000000."),
        (1.5, "infinity", "Enter a number, such as 1.5."),
        ("x", "a\0b", "A NUL character can't be kept: take it out."),
        ("x", "\ud800", "Some of this is not text: type it again."),
        (True, "maybe", "Enter true or false."),
        (True, "", "Enter true or false."),
        ([], "", "Line 1, column 1: a value is missing (text needs double quotes)."),
        ([], "[1 2]", "Line 1, column 4: a comma is missing, or a bracket."),
        ([], "[\n1,\n2", "Line 3, column 2: a comma is missing, or a bracket."),
        ({}, '{"a" 1}', "Line 1, column 6: a colon is missing after the name."),
        ({}, "{a: 1}", "Line 1, column 2: a name in double quotes is missing."),
        ([], "[1] x", "Line 1, column 5: something follows after the end."),
        ([], '["a', "Line 1, column 2: the text that begins here has no closing quote."),
        ([], '["\n"]', "Line 1, column 3: within text, write a new line as \\n and a tab as \\t."),
        ([], '["\\q"]', "Line 1, column 3: within text, write a backslash as \\\\."),
        ([], "{}", 'Enter a list, in square brackets: ["a", "b"].'),
        ({}, "[]", 'Enter names with values, in curly brackets: {"name": "value"}.'),
        ({}, '{"a": 1, "a": 2}', "The name “a” is there twice: take one out."),
        ([], "[NaN]", "NaN is not a number in JSON."),
        ([], f"[{'9' * 5000}]", "A number in this has too many digits."),
        ([], "[1e999]", "A number in this is too large."),
        ({}, '{"a": [-1.5e999]}', "A number in this is too large."),
        ([], "[" * 100_000, "There are too many brackets inside each other."),
        ([], '["\\ud800"]', "After a \\u there is half a character: write the character itself."),
    ],
    ids=lambda case: repr(case)[:30].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_a_text_that_is_no_basic_value_gets_a_clear_message(
    default: Any, text: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read(text, default=default)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("declared", "text", "message"),
    [
        ({"default": HOUR}, "90", "Enter a length of time, such as 1 h 30 min."),
        ({"default": HOUR}, "P1M", "Enter a length of time, such as 1 h 30 min."),
        ({"default": HOUR}, "0.0000001 s", "This is finer than a millionth of a second."),
        ({"default": HOUR}, "99999999999 d", "This length of time is too large."),
        ({"default": 1, "type": "filesize"}, "10 XB", "Enter a size, such as 10 MB"),
        ({"default": 1, "type": "filesize"}, "1.2345 kB", "This is not a whole number of bytes."),
        ({"default": Decimal(1)}, "1,5,0", "Enter a number, such as 1.5."),
        ({"default": Decimal(1)}, "NaN", "Enter a finite number"),
        ({"default": date(2026, 1, 1)}, "31.1.2026", "Enter a date, such as 2026-01-31."),
        ({"default": date(2026, 1, 1)}, "2026-02-30", "There is no such day."),
        ({"default": NOON}, "2026-01-31", "Enter a date and time, such as 2026-01-31 18:30."),
        ({"default": NOON}, "2026-01-31 25:00", "There is no such day or time."),
        ({"default": NOON}, "2026-01-31 12:00 UTC", "Enter it without a time zone."),
        ({"default": time(12)}, "2026-01-31 12:00", "Enter a time of day, such as 18:30."),
        (
            {"default": NOON.replace(tzinfo=UTC)},
            "2026-01-31 12:00 Mars/Olympus",
            "There is no time zone “Mars/Olympus”: enter one such as Europe/Berlin.",
        ),
        (
            {"default": NOON.replace(tzinfo=BERLIN)},
            "2026-03-29 02:30",
            "In Europe/Berlin the clocks skip this time: enter another.",
        ),
        (
            {"default": NOON.replace(tzinfo=BERLIN)},
            "2026-01-31 12:00+05:00 Europe/Berlin",
            "At that time Europe/Berlin is +01:00 from UTC.",
        ),
        ({"default": UUID(int=1)}, "12", "Enter a UUID, such as"),
        ({"default": pathlib.Path("/")}, "a\0", "Enter a path, such as /srv/uploads."),
        (
            {"default": ipaddress.ip_address("::1")},
            "192.0.2.1",
            "Enter an IPv6 address, such as 2001:db8::1.",
        ),
        (
            {"default": ipaddress.ip_network("192.0.2.0/24")},
            "192.0.2.1/24",
            "This is an address in a network, not a network",
        ),
        ({"default": b""}, "é", "Enter bytes as base64"),
        ({"default": ["a"], "choices": ["a"]}, "a,z", "“z” is not one of the choices."),
        ({"default": Rights.READ}, "FLY", "“FLY” is not one of the choices."),
        ({"default": Theme.LIGHT}, "NEON", "This is not one of the choices."),
        ({"default": set()}, "[1, 1]", "Something in this is there twice: take one out."),
        ({"default": set()}, "[[1]]", "In this list there can't be lists or names with values."),
        ({"default": ()}, "{}", "Enter a list, in square brackets"),
        ({"default": []}, "[" * 102 + "]" * 102, "There are too many brackets inside each other."),
        ({"default": BERLIN}, "Mars/Olympus", "This is not one of the choices."),
    ],
)
def test_a_text_that_is_no_value_gets_a_clear_message(
    declared: dict[str, Any], text: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read(text, **declared)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ([], False),
        ([""], False),
        (["", "on"], True),
        (["on", ""], False),
        (["y"], True),
        (["anything"], True),
        *([[word], False] for word in ("false", "False", "0", "no", "OFF", "n", " off ")),
    ],
)
def test_a_box_reads_the_last_value(sent: list[str], value: bool) -> None:
    made = field(default=not value)
    process_values(made, sent)
    assert made.data is value


def test_other_controls_read_the_first_value() -> None:
    made = field(default="x")
    process_values(made, ["first", "second"])
    assert made.data == "first"
