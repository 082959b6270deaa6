"""Stored values that don't fit what is declared today: converted, replaced, or served and said."""

from __future__ import annotations

import datetime
import enum
import ipaddress
import json
import pathlib
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from every_type import CONFS, VALUES
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from redeclared import CHANGED, INT, STORED

from waffleconf_admin import InvalidValue, WaffleAdmin
from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.settings.conversion import convert
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.equality import same
from waffleconf_admin.settings.setting import Setting
from waffleconf_admin.store import Swap

MakeApp = Callable[..., Flask]


class Plan(enum.Enum):
    FREE = "free"
    GOLD = "gold"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


def setting(**entry: Any) -> Setting:
    return declare({"KEY": entry})["KEY"]


PAGES: dict[str, Any] = {"default": ["a"], "choices": ["a", "b", "c"]}
NOON = datetime.datetime(2026, 1, 31, 12, 0)
NOON_UTC = NOON.replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("entry", "stored", "value"),
    [
        (INT, "25", 25),
        (INT, 25.0, 25),
        (INT, Decimal("25"), 25),
        (INT, Level.HIGH, Level.HIGH),
        ({"default": 1.5, "type": float}, "2.5", 2.5),
        ({"default": 1.5, "type": float}, "2", 2.0),
        ({"default": 1.5, "type": float}, Decimal("0.1"), 0.1),
        ({"default": Decimal("1.5"), "type": Decimal}, "1.10", Decimal("1.10")),
        ({"default": Decimal("1.5"), "type": Decimal}, 0.1, Decimal("0.1")),
        ({"default": Decimal("1.5"), "type": Decimal}, 7, Decimal("7")),
        ({"default": False, "type": bool}, "off", False),
        ({"default": False, "type": bool}, "On", True),
        ({"default": True, "type": bool}, "false", False),
        ({"default": False, "type": bool}, 1, True),
        ({"default": False, "type": bool}, 0.0, False),
        ({"default": "x", "type": str}, 25, "25"),
        ({"default": "x", "type": str}, 2.5, "2.5"),
        ({"default": "x", "type": str}, UUID(int=1), str(UUID(int=1))),
        ({"default": "x", "type": str}, Plan.GOLD, "gold"),
        ({"default": None, "type": int}, "25", 25),
        ({"default": None, "type": "filesize"}, "10 MB", 10_000_000),
        ({"default": 5, "type": "range", "min": 0, "max": 10}, "7", 7),
        ({"default": Plan.FREE, "type": Plan}, "gold", Plan.GOLD),
        ({"default": Plan.FREE, "type": Plan}, "GOLD", Plan.GOLD),
        ({"default": Level.LOW, "type": Level}, 2, Level.HIGH),
        ({"default": Rights.READ, "type": Rights}, 3, Rights.READ | Rights.WRITE),
        ({"default": NOON.date(), "type": datetime.date}, "2026-02-01", datetime.date(2026, 2, 1)),
        ({"default": NOON, "type": datetime.datetime}, "2026-01-31 12:00", NOON),
        ({"default": NOON, "type": datetime.datetime}, "2026-01-31T12:00:00", NOON),
        ({"default": NOON_UTC, "type": datetime.datetime}, "2026-01-31T12:00:00+00:00", NOON_UTC),
        ({"default": None, "type": datetime.datetime}, NOON_UTC, NOON_UTC),
        ({"default": NOON_UTC}, NOON, NOON),
        ({"default": None, "type": datetime.timedelta}, "1 h", datetime.timedelta(hours=1)),
        ({"default": None, "type": UUID}, str(UUID(int=1)), UUID(int=1)),
        ({"default": None, "type": pathlib.Path}, "/srv", pathlib.Path("/srv")),
        ({"default": None, "type": ZoneInfo}, "Asia/Tokyo", ZoneInfo("Asia/Tokyo")),
        (
            {"default": ipaddress.ip_address("::1"), "type": ipaddress.IPv6Address},
            "2001:db8::1",
            ipaddress.ip_address("2001:db8::1"),
        ),
        ({"default": [], "type": list}, ("a", 1), ["a", 1]),
        ({"default": (), "type": tuple}, ["a", 1], ("a", 1)),
        ({"default": [], "type": list}, '["a", 1]', ["a", 1]),
        ({"default": {}, "type": dict}, '{"a":[1]}', {"a": [1]}),
        ({"default": set(), "type": set}, frozenset({1}), {1}),
        ({"default": 10, "min": 1}, "25", 25),
        ({"default": None, "max": 9}, 25, "25"),
        ({"default": 1, "choices": [1, 2]}, "2", 2),
        ({"default": 1, "choices": [1, 2]}, "3", 3),  # a choice that there is no longer
        ({"default": 1.0, "choices": [1.0, 2.5]}, 1, 1.0),
        ({"default": Plan.FREE, "choices": Plan}, "gold", Plan.GOLD),
        ({"default": [1], "choices": [1, 2]}, ["2", 1], [2, 1]),
        ({"default": [1], "choices": [1, 2]}, ("2", "1"), (2, 1)),
        ({"default": {1}, "choices": [1, 2]}, {"2"}, {2}),
        ({"default": ["a"], "choices": ["a", "b"]}, '["b"]', ["b"]),
    ],
)  # fmt: skip
def test_a_value_of_another_type_is_converted_where_nothing_is_lost(
    entry: dict[str, Any], stored: Any, value: Any
) -> None:
    served, which = setting(**entry).serve(stored)
    assert same(served, value), served
    assert which == ("stored" if stored is value else "converted")


@pytest.mark.parametrize(
    ("entry", "stored"),
    [
        *((INT, stored) for stored in ("025", "+5", " 5", "5\n", "٥", "2.5", "x", "", "9" * 5000)),
        *((INT, stored) for stored in (2.5, float("nan"), float("inf"), Decimal("sNaN"), True)),
        *((INT, stored) for stored in (None, [], {}, b"5", Plan.FREE)),
        ({"default": 10, "min": 1}, None),
        ({"default": 10, "min": 1}, True),
        ({"default": 10, "min": 1}, 2.5),
        ({"default": False, "type": bool}, "maybe"),
        ({"default": False, "type": bool}, "yes"),
        ({"default": False, "type": bool}, "1"),
        ({"default": False, "type": bool}, " on"),
        ({"default": False, "type": bool}, ""),
        ({"default": False, "type": bool}, 2),
        ({"default": False, "type": bool}, None),
        ({"default": 1.5, "type": float}, "1e5"),
        ({"default": 1.5, "type": float}, "2.50"),
        ({"default": 1.5, "type": float}, "nan"),
        ({"default": Decimal(1), "type": Decimal}, "1_0"),
        ({"default": Decimal(1), "type": Decimal}, "1e999999999"),
        ({"default": Decimal(1), "type": Decimal}, "9" * 1_000_000),
        ({"default": Decimal(1), "type": Decimal}, "Infinity"),
        ({"default": "x", "type": str}, True),
        ({"default": "x", "type": str}, None),
        ({"default": "x", "type": str}, ["a"]),
        ({"default": "x", "type": str}, NOON.replace(tzinfo=ZoneInfo("Europe/Berlin"))),
        ({"default": "x", "type": str}, Level.LOW),
        ({"default": Plan.FREE, "type": Plan}, "silver"),
        ({"default": Plan.FREE, "type": Plan}, Level.LOW),
        ({"default": Rights.READ, "type": Rights}, 4),
        ({"default": NOON, "type": datetime.datetime}, "20260131T1200"),
        ({"default": NOON, "type": datetime.datetime}, "2026-01-31T12:00:00+00:00"),
        ({"default": NOON, "type": datetime.datetime}, NOON_UTC),
        ({"default": NOON_UTC, "type": datetime.datetime}, NOON),
        ({"default": NOON_UTC, "type": datetime.datetime}, "2026-01-31T12:00:00"),
        ({"default": NOON_UTC.timetz(), "type": datetime.time}, NOON.time()),
        ({"default": NOON_UTC, "type": datetime.datetime | None}, NOON),
        ({"default": NOON.date(), "type": datetime.date}, NOON),
        ({"default": None, "type": datetime.timedelta}, 5),
        ({"default": None, "type": pathlib.Path}, "a//b"),
        ({"default": None, "type": pathlib.Path}, ""),
        ({"default": None, "type": UUID}, 1),
        ({"default": None, "type": ZoneInfo}, "../etc/passwd"),
        ({"default": None, "type": bytes}, "AAEC"),
        ({"default": [], "type": list}, "a"),
        ({"default": [], "type": list}, '{"a": 1}'),
        ({"default": [], "type": list}, "[1.10]"),
        ({"default": [], "type": list}, {1}),
        ({"default": {}, "type": dict}, '{"a": 1, "a": 2}'),
        ({"default": set(), "type": set}, [1]),
        ({"default": "", "type": "url"}, "javascript:alert(1)"),
        ({"default": "", "type": "email"}, 5),
        ({"default": "", "type": "timezone"}, "Atlantis"),
        ({"default": 1, "choices": [1, 2]}, "x"),
        ({"default": 1, "choices": [1, 2]}, None),
        ({"default": 1, "choices": [1, 2]}, True),
        (PAGES, "a"),
        (PAGES, None),
        (PAGES, ["a", True]),
        ({"default": {1}, "choices": [1, 2]}, {"1", 1}),
        ({"default": None, "max": 9}, True),
        ({"default": NOON, "min": NOON}, NOON.replace(tzinfo=datetime.UTC)),
    ],
)
def test_else_the_default_is_served_and_a_save_is_refused(
    entry: dict[str, Any], stored: Any
) -> None:
    made = setting(**entry)
    served, which = made.serve(stored)
    assert same(served, made.default) and which == "default"
    assert made.problem(stored)


@pytest.mark.parametrize(
    ("entry", "stored", "problem"),
    [
        (INT, 500, "At most 100."),
        (INT, 0, "At least 1."),
        ({"default": "a", "max": 2}, "abc", "At most 2 characters."),
        ({"default": "a", "choices": ["a", "b"]}, "c", "This is not one of the choices."),
        (PAGES, ["a", "z"], "Something in this is not one of the choices."),
    ],
)
def test_what_breaks_limits_or_choices_is_served_and_said(
    entry: dict[str, Any], stored: Any, problem: str
) -> None:
    made = setting(**entry)
    assert made.serve(stored) == (stored, "stored")
    assert made.stored_problem(stored) == problem


@pytest.mark.parametrize("stored", ["25", None, [1], 2.5, True, Plan.GOLD])
@pytest.mark.parametrize("entry", [{"default": 10}, {"default": "x", "validators": [print]}])
def test_where_only_the_default_tells_any_type_is_served_and_saved(
    entry: dict[str, Any], stored: Any
) -> None:
    made = setting(**entry)
    assert made.serve(stored) == (stored, "stored")
    assert made.problem(stored) is made.stored_problem(stored) is None


def test_a_function_of_choices_is_not_asked_about_what_is_stored() -> None:
    def choices() -> list[str]:
        raise AssertionError("asked at a load")

    made = setting(default="a", choices=choices)
    assert made.serve(5) == (5, "stored")
    assert made.stored_problem(5) is None


ANY = st.one_of(
    *VALUES.values(),
    st.sampled_from([None, True, False, Plan.GOLD, Level.LOW, Rights.READ, NOON, "on", "5", "2.0"]),
    st.text(max_size=4),
    st.lists(st.sampled_from(["a", "b", "1", 1, 2.0, None]), max_size=3),
)


@st.composite
def declarations(draw: st.DrawFn) -> dict[str, Any]:
    """What declares a setting: of every type, with limits, or with choices of any type."""
    if draw(st.booleans()):
        return dict(CONFS[draw(st.sampled_from(sorted(CONFS)))])
    if draw(st.booleans()):
        choices = draw(st.lists(ANY, min_size=1, max_size=4))
        choices = [(choice, "label") for choice in choices]
        default = draw(st.sampled_from([choice for choice, _ in choices] + [None]))
        several = [[default], (default,)] if default is not None else [default]
        return {"default": draw(st.sampled_from([default, *several])), "choices": choices}
    low = draw(st.integers(-3, 3) | st.floats(-3, 3) | st.decimals(-3, 3))
    return {"default": draw(st.sampled_from([low, None])), "min": low}


@settings(max_examples=400, deadline=None)
@given(entry=declarations(), value=ANY)
def test_whatever_a_save_accepts_is_served_as_it_is(entry: dict[str, Any], value: Any) -> None:
    """And what is not served as it is, no save accepts."""
    try:
        made = setting(**entry)
    except InvalidValue:
        return  # not a declaration
    classes = [Plan, Level, Rights, *(type(choice.value) for choice in made.choices or ())]  # type: ignore[union-attr]
    stored = deserialize(serialize(value), [*classes, type(value), type(made.default)])
    served, which = made.serve(stored)
    if made.problem(value) is None:
        assert which == "stored" and same(served, value)
        assert made.stored_problem(stored) is None
    if which != "stored":
        assert made.problem(value)
        assert made.type_problem(served) is None


@settings(max_examples=500, deadline=None)
@given(
    value=ANY,
    value_type=st.sampled_from([bool, int, float, str, Decimal, list, tuple, Plan, Level]),
)
def test_what_is_converted_says_the_same(value: Any, value_type: type) -> None:
    try:
        made = convert(value, value_type)
    except ValueError:
        return
    assert value is not None
    if value_type is bool:
        assert str(value).lower() in ("true", "on", "false", "off") or value in (0, 1)
    elif value_type in (int, float, Decimal) and not isinstance(value, enum.Enum):
        assert value == made or Decimal(str(value)) == Decimal(str(made))
    elif isinstance(value, str) and isinstance(made, enum.Enum):
        assert value in (made.value, made.name)
    elif isinstance(value, str) and value_type in (list, tuple):
        assert same(value_type(json.loads(value)), made)
    elif not isinstance(value, enum.Enum):
        assert same(convert(made, type(value)), value)


# What people read


SERVED: dict[str, Any] = {"LIMIT": 25, "OPEN": True, "SHARE": 500, "NAME": 7, "TOKEN": 1}


@pytest.fixture
def app(make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture) -> Flask:
    """An app with such rows, and a history of how they came about."""
    former = {key: {"default": None, "secret": key == "TOKEN"} for key in CHANGED}
    former_app = make_app(former, orm, history=True, WAFFLE_STORE_DEFAULTS=False)
    former_app.extensions["waffleconf"].update_db(STORED)
    app = make_app(CHANGED, orm, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    return app


def state_of(app: Flask) -> Any:
    return app.extensions["waffleconf"]


def texts(app: Flask) -> dict[str, Any]:
    return {key: record.text for key, record in state_of(app).read().items()}


def test_what_a_view_reads_is_of_the_declared_type(app: Flask) -> None:
    before = texts(app)
    assert state_of(app).update_conf()
    assert {key: app.config[key] for key in CHANGED} == SERVED
    assert state_of(app).parse_conf() == SERVED
    assert texts(app) == before  # the rows are left alone


def test_the_log_says_it_once_and_never_a_value(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.clear()
    for _ in range(3):
        state_of(app).update_conf()
        state_of(app).parse_conf()
    said = {record.args[0]: record for record in caplog.records}  # type: ignore[index]
    assert len(caplog.records) == len(said)
    assert said.keys() == {"LIMIT", "OPEN", "SHARE", "TOKEN"}
    assert "must be yes or no (True or False), not str" in said["OPEN"].getMessage()
    assert "converted" in said["LIMIT"].getMessage() and "At most 100" in said["SHARE"].getMessage()
    assert "str" not in said["TOKEN"].getMessage().replace("stored", "")
    for value in ("25", "perhaps", "hunter2", "500"):
        assert value not in caplog.text


def test_another_text_is_said_anew(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    state_of(app).update_conf()
    caplog.clear()
    with_former_type = make_row(app, "OPEN", "neither")
    assert with_former_type != texts(app)["LIMIT"]
    state_of(app).update_conf()
    assert [record.args[0] for record in caplog.records] == ["OPEN"]  # type: ignore[index]


def make_row(app: Flask, key: str, value: Any) -> str:
    """Store a value that no save would take."""
    state, text = state_of(app), serialize(value)
    assert state._repository.swap({key: Swap(texts(app)[key], text)})
    return text


def test_health_names_the_settings(app: Flask) -> None:
    assert state_of(app).health().attention == ()
    state_of(app).update_conf()
    health = state_of(app).health()
    assert health.attention == ("LIMIT", "OPEN", "SHARE", "TOKEN")
    assert "LIMIT, OPEN, SHARE, TOKEN" in health.trouble
    state_of(app).update_db({"LIMIT": 25, "SHARE": 5, "TOKEN": 2})
    state_of(app).reset(["OPEN"])
    assert (state_of(app).health().attention, state_of(app).health().trouble) == ((), None)


@pytest.mark.parametrize("key", ["LIMIT", "OPEN", "TOKEN"])
def test_saving_what_is_served_rewrites_the_row(app: Flask, key: str) -> None:
    state = state_of(app)
    assert state.update_db({key: SERVED[key]}) == {key: SERVED[key]}
    assert texts(app)[key] == serialize(SERVED[key])
    assert state.update_db({key: SERVED[key]}) == {}


def test_what_is_expected_is_what_is_served(app: Flask) -> None:
    state = state_of(app)
    assert state.update_db({"LIMIT": 30}, expected={"LIMIT": 25, "OPEN": True}) == {"LIMIT": 30}


def test_the_command_line_marks_the_rows(app: Flask) -> None:
    said = app.test_cli_runner().invoke(args=["waffle", "list"]).stderr
    assert "LIMIT: a converted value is used: This must be a whole number, not str." in said
    assert "OPEN: the default is used: This must be yes or no" in said
    assert "SHARE: it is used all the same: At most 100." in said
    assert "TOKEN: the default is used: No more is said about a secret." in said
    assert "NAME" not in said


def test_declarations_that_change_while_the_app_runs_hold_at_once(app: Flask) -> None:
    state = state_of(app)
    state.update_conf()
    state.update_db({"NAME": "12"})
    app.config["WAFFLE_CONFS"] = {**CHANGED, "NAME": {"default": 3, "type": int}}
    assert state.current()["NAME"] == 12
    app.config["WAFFLE_CONFS"] = {**CHANGED, "NAME": {"default": True, "type": bool}}
    app.config["WAFFLE_AUTOLOAD"] = False  # nothing is read anew
    assert state.current()["NAME"] is True


# The history


def test_the_history_reads_values_as_the_settings_do(app: Flask) -> None:
    changes = {change.key: change for change in state_of(app).history.list()}
    assert (changes["LIMIT"].new, changes["OPEN"].new) == (25, "perhaps")


def test_an_undo_claims_no_conflict_that_there_is_not(app: Flask) -> None:
    state = state_of(app)
    saved = state.update_db({"LIMIT": 30, "OPEN": False})
    assert state.history.undo(saved.change_set) == {"LIMIT": 25}  # of the type that is declared now
    assert state.parse_conf(["LIMIT", "OPEN"]) == {"LIMIT": 25, "OPEN": False}


def test_an_undo_of_a_value_that_is_served_converted_is_no_conflict(app: Flask) -> None:
    state = state_of(app)
    [first] = {change.change_set for change in state.history.list("SHARE")}
    assert "LIMIT" in state.history.undo(first, keys=["LIMIT", "NAME"])


def test_an_undo_restores_nothing_that_is_refused(app: Flask) -> None:
    state = state_of(app)
    saved = state.update_db({"OPEN": False})
    with pytest.raises(InvalidValue, match="OPEN: it is of another type now"):
        state.history.undo(saved.change_set)
    saved = state.update_db({"SHARE": 5})
    with pytest.raises(InvalidValue, match="no longer allowed: At most 100"):
        state.history.undo(saved.change_set)
    assert state.parse_conf(["OPEN", "SHARE"]) == {"OPEN": False, "SHARE": 5}


def test_an_undo_of_what_is_replaced_expects_the_default(app: Flask) -> None:
    state = state_of(app)
    [first] = {change.change_set for change in state.history.list("SHARE")}
    assert state.history.undo(first, keys=["OPEN"]) == {"OPEN": True}  # there was no row before
    assert texts(app)["OPEN"] is None


def test_a_very_long_text_is_no_path() -> None:
    text = "n" * 5000
    assert convert(text, pathlib.PurePosixPath) == pathlib.PurePosixPath(text)
    with pytest.raises(ValueError):
        convert(text + "n", pathlib.PurePosixPath)
