"""Values in files: every type, there and back."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import wtforms
from every_type import CONFS, VALUES, Rights, Theme
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings

from waffleconf_admin import InvalidValue
from waffleconf_admin.files import (
    FileValues,
    load_values,
    read_document,
    write_document,
)
from waffleconf_admin.files.values import unchanged
from waffleconf_admin.settings.equality import same


@pytest.fixture
def state(make_app: Callable[..., Flask]) -> Iterator[Any]:
    app = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False)
    with app.app_context():
        yield app.extensions["waffleconf"]


def values_of(state: Any) -> FileValues:
    return FileValues(state.app, state.settings)


def in_a_file(state: Any, key: str, value: object, name: str) -> object:
    """A value after it was written to a file, and read."""
    text = write_document({key: values_of(state).dump(key, value)}, name)
    return load_values(state, read_document(text.encode(), name))[key]


@pytest.mark.parametrize("name", ["json", "yaml"])
@pytest.mark.parametrize("key", CONFS)
def test_a_value_of_any_type_comes_back(state: Any, key: str, name: str) -> None:
    @given(VALUES[key])
    @settings(
        max_examples=8,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    )
    def check(value: Any) -> None:
        assert same(in_a_file(state, key, value, name), value)

    check()


@pytest.mark.parametrize("key", CONFS)
def test_a_default_of_any_type_comes_back(state: Any, key: str) -> None:
    default = state.settings[key].default
    assert same(values_of(state).load(key, values_of(state).dump(key, default)), default)


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("BOOL", True, True),
        ("BOOL_OR_NONE", None, None),
        ("INT", 5, 5),
        ("INT", 10**400, 10**400),
        ("FLOAT", 2.0, 2.0),
        ("FLOAT_ENDLESS", math.inf, "inf"),
        ("DECIMAL", Decimal("9.90"), "9.90"),
        ("STR", "12", "12"),
        ("CHOICE_FEW", "1", "1"),
        ("CHOICE_FEW", 1, 1),
        ("ENUM", Theme.HIGH_CONTRAST, "HIGH_CONTRAST"),
        ("FLAG", Rights.READ | Rights.DELETE, ["READ", "DELETE"]),
        ("SEVERAL_TUPLE", ("fig", 7), ["fig", 7]),
        ("SEVERAL_SET", {"c", "a"}, ["a", "c"]),
        ("DATE", date(2026, 1, 31), "2026-01-31"),
        ("DURATION", timedelta(minutes=90), "1 h 30 min"),
        ("UUID", UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ("BYTES", b"\0\1", "AAE="),
        ("LIST", [1, {"a": None}], [1, {"a": None}]),
        ("TUPLE", (1, "a"), [1, "a"]),
        ("SET", {2, 1}, [1, 2]),
        ("FILE_SIZE", 10_000_000, 10_000_000),
        ("ZONE_NAME", "Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_json_holds_what_it_can_and_texts_stand_for_the_rest(
    state: Any, key: str, value: object, written: object
) -> None:
    assert same(values_of(state).dump(key, value), written)


@pytest.mark.parametrize(
    ("value", "wanted", "is_unchanged"),
    [
        (2, 2.0, True), (2, 2.5, False), (True, 1.0, False), (2.0, 2, False),
        (Decimal("sNaN"), Decimal(1), False), (Decimal("sNaN"), Decimal("sNaN"), True),
    ],
)  # fmt: skip
def test_a_whole_number_is_unchanged_where_a_file_has_a_point(
    value: object, wanted: object, is_unchanged: bool
) -> None:
    assert unchanged(value, wanted) is is_unchanged


def test_a_set_with_what_is_no_longer_a_choice_is_in_no_file(
    make_app: Callable[..., Flask],
) -> None:
    choices = ["a", "b", "gone"]
    app = make_app({"TAGS": {"default": {"a"}, "choices": lambda: choices}})
    with app.app_context():
        app.extensions["waffleconf"].update_db({"TAGS": {"a", "gone"}})
    choices.pop()
    result = app.test_cli_runner().invoke(args=["waffle", "export"])
    assert result.exit_code == 0
    assert "TAGS was left out: no file can hold it" in result.stderr
    assert json.loads(result.stdout)["settings"] == {}


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("FLOAT", 5, 5.0),
        ("DECIMAL", 5, Decimal(5)),
        ("DECIMAL", 9, Decimal("9")),
        ("RANGE_FLOAT", 1, 1.0),
        ("FILE_SIZE", "10 MB", 10_000_000),
        ("BOOL", "on", True),
        ("DURATION", "PT2H", timedelta(hours=2)),
        ("NONE", "x", "x"),
    ],
)
def test_more_than_is_written_is_read(state: Any, key: str, written: object, value: object) -> None:
    assert same(values_of(state).load(key, written), value)


@pytest.mark.parametrize(
    ("key", "written", "message"),
    [
        ("INT", "12", "Write it without quotes: 12."),
        ("INT", "many", "Enter a whole number, such as 1000."),
        ("INT", 1.5, "This must be a whole number, not float."),
        ("INT", True, "This must be a whole number, not bool."),
        ("INT", None, "This must be a whole number, not NoneType."),
        ("INT", [1], "This must be a whole number, not list."),
        ("BOOL", "true", "Write it without quotes: true."),
        ("BOOL", 1, "This must be yes or no (True or False), not int."),
        ("STR", 5, "This must be text, not int."),
        ("STR", {}, "This must be text, not dict."),
        ("FLOAT", "1.5", "Write it without quotes: 1.5."),
        ("FLOAT", 10**400, "digits"),
        ("DECIMAL", 1.1, 'Write it in quotes: "1.1".'),
        ("DATE", 20260131, "This must be a date, not int."),
        ("DATE", "31.1.2026", "Enter"),
        ("LIST", "[1]", "This must be a list, not str."),
        ("LIST", {}, "Enter a list"),
        ("SET", [1, 1], "twice"),
        ("DICT", [], "Enter names with values"),
        ("CHOICE_FEW", 2, "This is not one of the choices."),
        ("SEVERAL_LIST", "apple", "This must be a list, not str."),
        ("SEVERAL_LIST", ["apple", "apple"], "twice"),
        ("SEVERAL_LIST", ["plum"], "This is not one of the choices."),
        ("ENUM", "light", "This is not one of the choices."),
        ("NOBODY", 1, "There is no setting of that name."),
    ],
)
def test_what_is_no_value_is_refused(state: Any, key: str, written: object, message: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        values_of(state).load(key, written)
    assert [*caught.value.errors] == [key] and message in caught.value.errors[key]


def test_all_that_is_wrong_is_named(state: Any) -> None:
    with pytest.raises(InvalidValue) as caught:
        load_values(state, {"INT": "x", "STR": "fine", "NOBODY": 1, "DATE": 5})
    assert [*caught.value.errors] == ["INT", "NOBODY", "DATE"]


def test_what_a_save_would_refuse_is_named_beside_what_is_no_value(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app({"SIZE": {"default": 1, "max": 5}, "RATE": {"default": 1}})
    with pytest.raises(InvalidValue) as caught:
        load_values(app.extensions["waffleconf"], {"SIZE": 9, "RATE": "x"})
    assert caught.value.errors == {
        "SIZE": "At most 5.",
        "RATE": "Enter a whole number, such as 1000.",
    }


@pytest.mark.parametrize(
    ("declared", "value"),
    [
        ({"default": 1}, 1.5),
        ({"default": {}}, {1: 2}),
        ({"default": []}, [b"x"]),
        ({"default": "x"}, "a\0b"),
        ({"default": 1 + 2j}, 1 + 2j),
        ({"default": "a", "choices": ["a", "b"]}, "c"),
    ],
)
def test_a_value_that_no_file_can_hold_is_refused(
    make_app: Callable[..., Flask], declared: dict[str, Any], value: object
) -> None:
    state = make_app({"K": declared}).extensions["waffleconf"]
    with pytest.raises(InvalidValue, match="No file can hold this value"):
        values_of(state).dump("K", value)


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb\n"])
def test_the_ends_of_lines_are_those_of_the_file(make_app: Callable[..., Flask], text: str) -> None:
    state = make_app({"K": {"default": ""}}).extensions["waffleconf"]
    assert values_of(state).dump("K", text) == text
    assert values_of(state).load("K", text) == text


def test_fields_of_an_app_read_values_of_files(make_app: Callable[..., Flask]) -> None:
    def field(setting: object) -> Any:
        return wtforms.StringField(filters=[str.strip], validators=[wtforms.validators.Length(2)])

    state = make_app({"K": {"default": "xx", "field": field}}).extensions["waffleconf"]
    assert values_of(state).load("K", " yy ") == "yy"
    assert values_of(state).dump("K", "yy") == "yy"
    with pytest.raises(InvalidValue, match="at least 2"):
        values_of(state).load("K", "y")


@pytest.mark.parametrize(
    ("default", "written"),
    [
        ("", ["hunter2"]),
        (1, "hunter2"),
        ({}, ["hunter2"]),
        (Decimal(0), 12345.5),
        ("", "hunter2\0"),
    ],
)
def test_what_is_said_of_a_secret_never_quotes_it(
    make_app: Callable[..., Flask], default: object, written: object
) -> None:
    state = make_app({"K": {"default": default, "secret": True}}).extensions["waffleconf"]
    with pytest.raises(InvalidValue) as caught:
        values_of(state).load("K", written)
    assert not re.search("hunter2|12345", str(caught.value)) and caught.value.__cause__ is None
