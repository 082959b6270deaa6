"""Values to texts and back: what a field can edit, and what it can only show."""

from __future__ import annotations

import ipaddress
import pathlib
from datetime import datetime, time
from typing import Any

import pytest
from controls import field, setting
from every_type import BERLIN
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from waffleconf_admin import fields
from waffleconf_admin.fields.factory import standalone_field
from waffleconf_admin.fields.value_text import generic_text
from waffleconf_admin.forms import show_text
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.equality import same

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)  # fmt: skip
PLAIN = st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = PLAIN | st.lists(JSON) | st.dictionaries(TEXTS, JSON)
NOON = datetime(2026, 1, 31, 12, 0)


@given(VALUES)
def test_the_text_of_a_default_is_read_as_that_value(value: Any) -> None:
    made = setting(default=value)
    alone = standalone_field(made, fields.choose_source(made))
    assert same(alone.read(alone.format(value)), value)
    assert alone.round_trips(value)


@pytest.mark.parametrize("value", [2, -3, 2**53])
def test_a_whole_number_is_fine_where_decimals_are_declared(value: int) -> None:
    made = field(value, default=1.5)
    assert made.editable
    assert made.text == str(value)


@pytest.mark.parametrize(
    ("value", "entry", "why"),
    [
        ("5", {"default": 1}, "it is of type str, and this control is for a whole number"),
        (True, {"default": 1}, "it is of type bool"),
        (1, {"default": True}, "it is of type int"),
        (None, {"default": 1}, "it is of type NoneType"),
        (5, {"default": "x"}, "it is of type int, and this control is for text"),
        (5, {"default": None}, "it is of type int"),
        ("", {"default": None}, "could not give its value back"),
        ("a\r\nb", {"default": "x"}, "could not give its value back"),
        ("a\0b", {"default": "x"}, "could not give its value back"),
        ("\ud800", {"default": "x"}, "could not give its value back"),
        (10**5000, {"default": 1}, "too many digits"),
        (2**53 + 1, {"default": 1.5}, "more digits"),
        (float("nan"), {"default": 1.5}, "could not give its value back"),
        ({1: 2}, {"default": {}}, "could not give its value back"),
        ([(1, 2)], {"default": []}, "could not give its value back"),
        ([{1}], {"default": []}, "JSON can't hold"),
        ([10**5000], {"default": []}, "JSON can't hold"),
        (["x" * 2**21], {"default": []}, "too large"),
        ({}, {"default": []}, "it is of type dict"),
        ((1, (2, 3)), {"default": (1, 2)}, "could not give its value back"),
        (1j, {"default": 1j}, "no control for values of type complex"),
        (object, {"default": object}, "no control for values of type type"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_does_not_round_trip_is_static_with_the_reason(
    value: Any, entry: dict[str, Any], why: str
) -> None:
    made = field(value, **entry)
    assert (made.control, made.editable) == ("static", False)
    assert made.reason.startswith("It can only be changed in code: ")
    assert why in made.reason
    # A reset is no remedy for a default that has no control either.
    remedy = "Reset it, or save another value from code."
    assert made.reason.endswith(remedy) == (not same(value, entry["default"]))
    assert len(made.value_text) <= 1000
    made().encode()


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        ({1: "a"}, {"default": {}}),
        ({"a": (1,)}, {"default": {}}),
        ((1, (2,)), {"default": ()}),
        ({(1, 2)}, {"default": set()}),
        (["a", "a"], {"default": [], "choices": ["a"]}),
        (time(1, fold=1), {"default": time(1)}),
        (NOON.replace(fold=1), {"default": NOON}),
        (ipaddress.ip_address("::1"), {"default": ipaddress.ip_address("192.0.2.1")}),
        (pathlib.Path("a\nb"), {"default": pathlib.Path("/")}),
        (pathlib.Path(" a"), {"default": pathlib.Path("/")}),
        (pathlib.PurePosixPath("a"), {"default": pathlib.Path("/")}),
        (b"x" * 2**21, {"default": b""}),
        (10**5000, {"default": 1, "type": "filesize"}),
        ("UTC", {"default": BERLIN}),
        (object(), {"default": 1}),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_is_not_of_the_declared_type_is_static_with_the_reason(
    value: Any, declared: dict[str, Any]
) -> None:
    made = field(value, **declared)
    assert (made.control, made.editable) == ("static", False)
    assert made.reason.startswith("It can only be changed in code: ")
    assert made.value_text == generic_text(value)


class Nasty:
    def __str__(self) -> str:
        raise LookupError("<b>")


def test_a_value_that_does_not_print_is_shown_by_its_type() -> None:
    assert "Nasty" in field(default=Nasty()).value_text


class Wordless(fields.IntegerField):
    def display(self, value: Any) -> str:
        raise OverflowError


def test_a_field_that_fails_to_display_a_value_leaves_it_to_python() -> None:
    made = field(7, default=5, field=Wordless)
    assert (made.editable, made.value_text, made.default_text) == (True, "7", "5")


def test_our_own_fields_can_be_extended() -> None:
    class Percent(fields.IntegerField):
        def format_value(self, value: Any) -> str:
            return f"{value} %"

        def parse_value(self, text: str) -> int:
            return super().parse_value(text.removesuffix("%").strip())

    made = field(default=50, field=Percent)
    assert (made.text, made.editable) == ("50 %", True)
    made.process(MultiDict({"KEY": "75%"}))
    assert made.data == 75


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (1_234_567, "1234567 B"),
        (-(512 * 1024), "-512 KiB"),
        (10**15, "1 PB"),
    ],
)
def test_a_size_has_the_shortest_text_that_is_not_rounded(size: int, text: str) -> None:
    assert field(size, default=-1, type="filesize").text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "[]"),
        ({"mon": [["09:00", "18:00"]]}, '{"mon": [["09:00", "18:00"]]}'),
        (
            {"mon": [["09:00", "12:30"], ["14:00", "18:00"]]},
            '{\n  "mon": [\n    ["09:00", "12:30"],\n    ["14:00", "18:00"]\n  ]\n}',
        ),
        (["x" * 36], f'["{"x" * 36}"]'),
        (["x" * 37], f'[\n  "{"x" * 37}"\n]'),
        (["x", "{"], '["x", "{"]'),
    ],
)
def test_json_has_short_lists_on_one_line(value: Any, text: str) -> None:
    setting = declare({"A": {"default": value}})["A"]
    assert show_text(setting, value) == text


class Colour:
    """A class without texts of its values."""


def test_a_value_without_a_text_has_the_name_of_its_class() -> None:
    assert generic_text(Colour()) == "(Colour)"
