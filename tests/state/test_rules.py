"""Saves that depend on other values: expected values, and rules across settings."""

from __future__ import annotations

import itertools
import traceback
from typing import Any

import pytest
from flask import Flask
from states import CONFS, MakeApp, execute, overtake, put, rows, state_of

from waffleconf_admin import (
    BusyError,
    ConflictError,
    InvalidValue,
    StoreError,
)
from waffleconf_admin.codec import serialize
from waffleconf_admin.state.attempts import Attempts
from waffleconf_admin.state.state import State
from waffleconf_admin.state.task import Origin


def test_expected_values_that_hold_let_a_save_through(state: State) -> None:
    state.update_db({"SITENAME": "A"})
    assert state.update_db({"SITENAME": "B"}, expected={"SITENAME": "A"}) == {"SITENAME": "B"}


def test_expected_of_a_key_without_a_row_is_its_default(state: State) -> None:
    assert state.update_db({"SITENAME": "B"}, expected={"SITENAME": "Waffle"})


def test_expected_values_that_do_not_hold_stop_all_of_it(app: Flask, state: State) -> None:
    state.update_db({"SITENAME": "A"})
    with pytest.raises(ConflictError) as caught:
        state.update_db({"SITENAME": "B", "MAX_FILESIZE": 1}, expected={"SITENAME": "Waffle"})
    assert caught.value.keys == ("SITENAME",)
    assert rows(app) == {"SITENAME": serialize("A")}


def test_a_save_that_is_overtaken_decides_again(app: Flask, state: State) -> None:
    swap = state.configstore.swap
    tries = []

    def overtaken(changes: Any) -> bool:
        if not tries:
            put(app, "SITENAME", serialize("Faster"))
        tries.append(changes)
        return swap(changes)

    state.configstore.swap = overtaken  # type: ignore[method-assign]
    with pytest.raises(ConflictError):
        state.update_db({"SITENAME": "Slower"}, expected={"SITENAME": "Waffle"})
    assert rows(app)["SITENAME"] == serialize("Faster")
    assert state.update_db({"SITENAME": "Last"}) == {"SITENAME": "Last"}


def test_a_save_that_is_always_overtaken_gives_up(
    app: Flask, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(changes: Any) -> bool:
        put(app, "SITENAME", serialize(f"Faster {next(numbers)}"))
        return False

    numbers = itertools.count()
    monkeypatch.setattr("waffleconf_admin.spread.time.sleep", lambda seconds: None)
    monkeypatch.setattr(state.configstore, "swap", overtaken)
    with pytest.raises(BusyError, match="Others kept saving SITENAME"):
        state.update_db({"SITENAME": "x"})


def test_rows_that_are_at_last_as_at_first_were_overtaken_too() -> None:
    attempts = Attempts()
    for text in ("a", "b", "a"):
        attempts.note({"SITENAME": text})
    assert isinstance(attempts.failure(["SITENAME"]), BusyError)


def test_a_save_that_the_table_ignores_says_so(app: Flask, state: State) -> None:
    put(app, "SITENAME", serialize("Waffle"))
    ignore = "CREATE TRIGGER ignores BEFORE {} ON confs BEGIN SELECT raise(IGNORE); END"
    saves = {
        "UPDATE": lambda: state.update_db({"SITENAME": "x"}),
        "DELETE": lambda: state.reset(["SITENAME"]),
    }
    for statement, save in saves.items():
        execute(app, ignore.format(statement))
        with pytest.raises(StoreError, match="does not write SITENAME") as caught:
            save()
        assert not isinstance(caught.value, BusyError)  # to try again is no use
        execute(app, "DROP TRIGGER ignores")
    assert rows(app)["SITENAME"] == serialize("Waffle")


def test_a_deletion_or_conversion_that_the_table_ignores_says_so(app: Flask, state: State) -> None:
    put(app, "SITENAME", serialize("Waffle"))
    put(app, "GONE", serialize(1))
    ignore = "CREATE TRIGGER no_{0} BEFORE {0} ON confs BEGIN SELECT raise(IGNORE); END"
    for statement in ("UPDATE", "DELETE"):
        execute(app, ignore.format(statement))
    with pytest.raises(StoreError, match="does not write GONE") as caught:
        state.undeclared.delete(["GONE"], Origin("ops", None, "cli"))
    assert not isinstance(caught.value, BusyError)
    with pytest.raises(StoreError, match="does not write SITENAME") as caught:
        state.format_conversion("json").run()
    assert not isinstance(caught.value, BusyError)


def lower_than_limit(values: dict[str, Any]) -> dict[str, str]:
    wrong = len(values["SITENAME"]) > values["MAX_FILESIZE"]
    return {"SITENAME": "Longer than MAX_FILESIZE."} if wrong else {}


def test_a_rule_sees_all_values_as_they_would_be(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=lower_than_limit)
    state = state_of(app)
    with pytest.raises(InvalidValue) as caught:
        state.update_db({"MAX_FILESIZE": 3})
    assert caught.value.errors == {"SITENAME": "Longer than MAX_FILESIZE."}
    assert rows(app) == {}
    assert state.update_db({"MAX_FILESIZE": 3, "SITENAME": "abc"})
    with pytest.raises(InvalidValue):
        state.reset(["SITENAME"])


def test_a_rule_that_changes_a_value_in_place_changes_none_that_is_served(
    make_app: MakeApp,
) -> None:
    def rule(values: dict[str, Any]) -> None:
        values["HOURS"].clear()

    app = make_app(CONFS, validate=rule)
    state = state_of(app)
    state.refresh()
    state.update_db({"SITENAME": "A"})
    assert app.config["HOURS"] == state.current()["HOURS"] == CONFS["HOURS"]["default"]


def test_a_save_that_changes_nothing_breaks_no_rule(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=lambda values: {"SITENAME": "Never."})
    put(app, "SITENAME", serialize("A"))
    assert state_of(app).update_db({"SITENAME": "A"}) == {}
    with pytest.raises(InvalidValue, match="Never"):
        state_of(app).update_db({"SITENAME": "B"})


def test_a_rule_holds_though_somebody_saves_the_other_half_meanwhile(
    make_app: MakeApp, orm: str
) -> None:
    app = make_app(CONFS, orm, validate=lower_than_limit)
    overtake(app, "SITENAME", "Longer than six")
    with pytest.raises(InvalidValue, match="Longer than MAX_FILESIZE"):
        state_of(app).update_db({"MAX_FILESIZE": 6, "HOURS": {}})
    assert set(rows(app)) == {"SITENAME"}


def test_expected_holds_for_keys_that_are_not_written(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm)
    overtake(app, "SITENAME", "Other")
    with pytest.raises(ConflictError):
        state_of(app).update_db({"MAX_FILESIZE": 3}, expected={"SITENAME": "Waffle"})
    assert set(rows(app)) == {"SITENAME"}


def test_an_expected_key_that_is_not_declared_is_an_error(state: State) -> None:
    with pytest.raises(InvalidValue, match="SITENAMES"):
        state.update_db({"SITENAME": "x"}, expected={"SITENAMES": "Waffle"})


def test_a_rule_is_asked_only_of_values_that_keep_their_declarations(make_app: MakeApp) -> None:
    confs = CONFS | {"MAX_FILESIZE": {"default": 1000, "type": int}}
    state = state_of(make_app(confs, validate=lower_than_limit))
    with pytest.raises(InvalidValue, match="whole number"):
        state.update_db({"MAX_FILESIZE": "many"})


def broken_rule(values: dict[str, Any]) -> dict[str, str]:
    raise ZeroDivisionError(values["TOKEN"])


@pytest.mark.parametrize("rule", [broken_rule, lambda values: ["wrong"], lambda values: 1])
def test_a_rule_that_fails_is_an_error_of_ours_without_its_text(
    make_app: MakeApp, rule: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, validate=rule)
    with pytest.raises(InvalidValue, match="validate=") as caught:
        state_of(app).update_db({"TOKEN": f"hunter{2}"})
    assert rows(app) == {}
    assert "hunter2" not in caplog.text
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def quoting_rule(values: dict[str, Any]) -> dict[str, str]:
    return {"SITENAME": f"Must not be {values['SITENAME']} with {values['TOKEN']}."}


def test_what_a_rule_says_is_said_as_it_is(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=quoting_rule)
    with pytest.raises(InvalidValue) as caught:
        state_of(app).update_db({"SITENAME": "x", "TOKEN": "hunter2"})
    assert caught.value.errors == {"SITENAME": "Must not be x with hunter2."}
