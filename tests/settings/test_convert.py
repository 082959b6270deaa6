"""Stored values of a former type that a function of the declaration converts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from states import put, state_of

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import serialize

MakeApp = Callable[..., Flask]

#: The values that the function was called with.
calls: list[object] = []


def seconds(minutes: Any) -> int:
    """Was a text of minutes, is a number of seconds."""
    assert current_app.name == "shop"
    calls.append(minutes)
    return int(minutes) * 60


async def seconds_async(minutes: Any) -> int:
    return seconds(minutes)


TIMEOUT: dict[str, Any] = {"default": 300, "type": int, "max": 3600, "convert": seconds}


@pytest.fixture(autouse=True)
def no_calls() -> None:
    calls.clear()


@pytest.mark.parametrize("convert", [seconds, seconds_async])
def test_a_value_of_the_former_type_is_converted_and_its_row_stays(
    make_app: MakeApp, orm: str, convert: Any
) -> None:
    app = make_app({"TIMEOUT": {**TIMEOUT, "convert": convert}}, orm, history=True)
    state = state_of(app)
    put(app, "TIMEOUT", text := serialize("25"))
    state.update_conf()
    assert app.config["TIMEOUT"] == state.parse_conf()["TIMEOUT"] == 1500  # not 25
    record = state.read()["TIMEOUT"]
    assert (record.served, record.text, calls) == ("converted", text, ["25"])
    assert state.health().attention == ("TIMEOUT",)
    checked = app.test_cli_runner().invoke(args=["waffle", "check"]).stdout
    assert "warning  TIMEOUT  a converted value is used" in checked
    state.update_db({"TIMEOUT": 1500})  # a save stores it, though the value stays the same
    assert state.read()["TIMEOUT"].served == "stored" and not state.health().attention


def test_a_value_that_fits_is_never_converted(make_app: MakeApp) -> None:
    app = make_app({"TIMEOUT": TIMEOUT})
    for value in (60, 7200):  # what breaks a newer limit was allowed when it was saved
        put(app, "TIMEOUT", serialize(value))
        state_of(app).update_conf()
        assert app.config["TIMEOUT"] == value
    assert calls == []


def test_the_type_of_the_default_is_the_type_to_convert_to(make_app: MakeApp) -> None:
    app = make_app({"TIMEOUT": {"default": 300, "convert": seconds}})
    put(app, "TIMEOUT", serialize("25"))
    state_of(app).update_conf()
    assert app.config["TIMEOUT"] == 1500
    with pytest.raises(InvalidValue):
        state_of(app).update_db({"TIMEOUT": "25"})


@pytest.mark.parametrize(
    ("convert", "why"),
    [
        (seconds, "failed (ValueError)"),
        (lambda value: "still a text", "returned the wrong type: str"),
        (lambda value: None, "returned the wrong type: NoneType"),
    ],
    ids=["raises", "another type", "nothing"],
)
@pytest.mark.parametrize("secret", [False, True])
def test_where_the_function_fails_the_default_is_served(
    make_app: MakeApp,
    caplog: pytest.LogCaptureFixture,
    convert: Any,
    why: str,
    secret: bool,
) -> None:
    app = make_app({"TIMEOUT": {**TIMEOUT, "convert": convert, "secret": secret}})
    put(app, "TIMEOUT", serialize("25 hunter2"))
    for _ in range(2):
        state_of(app).update_conf()
    assert app.config["TIMEOUT"] == 300
    assert state_of(app).health().attention == ("TIMEOUT",)
    assert caplog.text.count(f"TIMEOUT: its function convert {why}") == 1
    assert "hunter2" not in caplog.text or not secret


def test_the_function_gets_a_value_of_its_own(make_app: MakeApp) -> None:
    app = make_app({"HOURS": {"default": (9, 17), "type": tuple, "convert": dict.popitem}})
    put(app, "HOURS", serialize({"mon": 9}))
    state_of(app).update_conf()
    assert app.config["HOURS"] == ("mon", 9)


def test_a_function_that_fails_changes_no_value_of_the_history(
    make_app: MakeApp,
) -> None:
    state_of(make_app({"HOURS": {"default": {}}}, history=True)).update_db({"HOURS": {"mon": 9}})
    anew = {"default": (9, 17), "type": tuple, "convert": dict.clear}
    history = state_of(make_app({"HOURS": anew}, history=True)).history
    assert history and history.list("HOURS")[0].new == {"mon": 9}


def test_values_of_the_former_type_in_the_history_can_be_restored(make_app: MakeApp) -> None:
    old = state_of(make_app({"TIMEOUT": {"default": "5"}}, history=True))
    saved = old.update_db({"TIMEOUT": "25"})
    old.update_db({"TIMEOUT": "30"})
    new = state_of(make_app({"TIMEOUT": TIMEOUT}, history=True))
    assert new.history
    assert [change.new for change in new.history.list("TIMEOUT")] == [1800, 1500]
    new.history.undo(new.history.list()[0].change_set)
    assert new.parse_conf()["TIMEOUT"] == 1500
    assert saved.change_set


def test_a_renamed_setting_may_have_another_type(make_app: MakeApp) -> None:
    old = state_of(make_app({"MINUTES": {"default": 5, "type": int}}))
    old.update_db({"MINUTES": 25})
    entry = {
        "default": timedelta(minutes=5),
        "was": "MINUTES",
        "convert": lambda value: timedelta(minutes=value),
    }
    new = state_of(make_app({"LIFETIME": entry}))
    new.update_conf()
    assert new.app.config["LIFETIME"] == timedelta(minutes=25)
    new.update_db({"LIFETIME": timedelta(minutes=30)})
    old.update_conf()
    assert old.app.config["MINUTES"] == 5  # it can't read the new type: its default


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"default": None, "convert": seconds}, "convert: declare the type that it returns"),
        ({"default": 1, "convert": "int"}, "convert: write a function of the stored value"),
    ],
)
def test_a_mistake_is_an_error_at_the_start(
    make_app: MakeApp, entry: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        make_app({"TIMEOUT": entry})


def test_an_async_function_that_yields_is_refused(make_app: MakeApp) -> None:
    async def yields(value: Any) -> Any:
        yield value

    with pytest.raises(TypeError, match="TIMEOUT: convert: this is an async function"):
        make_app({"TIMEOUT": {**TIMEOUT, "convert": yields}})


def test_a_function_that_reads_the_database_does_not_hinder_a_load(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)

    def from_another_setting(value: Any) -> int:
        state = current_app.extensions["waffleconf"]
        return int(state.parse_conf(["FACTOR"])["FACTOR"]) * int(value)

    confs = {"FACTOR": {"default": 60}, "TIMEOUT": {**TIMEOUT, "convert": from_another_setting}}
    app = make_app(confs)
    put(app, "TIMEOUT", serialize("25"))
    with app.app_context():
        assert app.config["TIMEOUT"] == 1500
    assert not caplog.records
