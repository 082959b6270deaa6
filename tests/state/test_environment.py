"""Environment: a variable holds its setting on every way in and out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from every_type import CONFS as EVERY_CONF
from every_type import VALUES
from flask import Flask
from flask_babel import Babel
from hypothesis import Phase, find, settings
from states import Memory, state_of
from wtforms.validators import EqualTo, Length, ValidationError

from waffleconf_admin import InvalidValue, WaffleAdmin, WaffleConf, anyone, conf, conf_changed
from waffleconf_admin.files import ALL, FileValues, export_values, import_values
from waffleconf_admin.forms import exact_text
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.equality import same
from waffleconf_admin.settings.setting import Setting
from waffleconf_admin.state.form import build_form
from waffleconf_admin.state.state import State
from waffleconf_admin.state.task import Origin

MakeApp = Callable[..., Flask]

CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle", "max": 20},
    "SIZE": {"default": 10, "min": 1, "max": 50},
    "HOURS": {"default": {"mon": [9, 17]}},
    "TOKEN": {"default": "", "secret": True},
    "PIN": {"default": 0, "secret": True},
}


@pytest.fixture
def make(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Flask]]:
    """Makes an app with these variables, each named after its setting."""

    def make(
        variables: dict[str, str], confs: Any = CONFS, orm: str = "sqlalchemy", **options: Any
    ) -> Flask:
        with monkeypatch.context() as patch:
            for key, text in variables.items():
                patch.setenv(f"APP_{key}", text)
            options = {"WAFFLE_ENV_PREFIX": "APP_", "history": True, **options}
            app = make_app(confs, orm, **options)
        app.register_blueprint(WaffleAdmin(can=anyone, actor=lambda: "ana"))
        return app

    yield make


# Every type


def other_value(setting: Setting) -> Any:
    """A value that is not the default, and that a variable can hold."""

    def fits(value: Any) -> bool:
        return not same(value, setting.default) and "\0" not in exact_text(setting, value)

    quick = settings(phases=[Phase.generate], derandomize=True, database=None)
    return find(VALUES[setting.key], fits, settings=quick)


@pytest.fixture(scope="module")
def others() -> dict[str, Any]:
    declared = declare(EVERY_CONF)
    with Flask(__name__).app_context():
        return {key: other_value(setting) for key, setting in declared.items()}


@pytest.fixture(scope="module")
def texts(others: dict[str, Any]) -> dict[str, str]:
    declared = declare(EVERY_CONF)
    with Flask(__name__).app_context():
        return {key: exact_text(declared[key], value) for key, value in others.items()}


@pytest.mark.parametrize("stored_defaults", [True, False])
def test_a_value_of_every_type_holds_wherever_it_is_read(
    make: Any, others: dict[str, Any], texts: dict[str, str], stored_defaults: bool
) -> None:
    app = make(texts, EVERY_CONF, WAFFLE_STORE_DEFAULTS=stored_defaults)
    state = state_of(app)
    assert same({key: app.config[key] for key in others}, others)  # before the first load
    assert same(state.parse_conf(), others)
    assert state.update_conf()
    assert same({key: app.config[key] for key in others}, others)
    with app.test_request_context():
        assert same({key: conf[key] for key in others}, others)
    records = state.read()
    assert {record.layer for record in records.values()} == {"environment"}
    behind = {key: record.behind and record.behind.value for key, record in records.items()}
    assert same(behind, {key: setting.default for key, setting in state.settings.items()})
    assert all((record.text is not None) is stored_defaults for record in records.values())


def _update(state: State, key: str, value: object) -> None:
    state.update_db({key: value})


def _reset(state: State, key: str, _: object) -> None:
    state.reset([key])


def _import(state: State, key: str, value: object) -> None:
    plan = import_values(state, {key: value}, Origin("ana", None, "import"), take_over=ALL)
    (step,) = plan.steps
    if step.action != "same":  # it is left alone: other settings of the file are imported
        assert step.action == "leave"
        raise InvalidValue({key: step.reason})


def _command(state: State, key: str, value: object) -> None:
    with state.app.app_context():
        text = exact_text(state.settings[key], value)
    result = state.app.test_cli_runner().invoke(args=["waffle", "set", key, "--stdin"], input=text)
    assert "Traceback" not in result.output
    if result.exit_code:
        raise InvalidValue({key: result.stderr})


def _form(state: State, key: str, value: object) -> None:
    with state.app.app_context():
        text = exact_text(state.settings[key], value)
    texts = ["", *text.split("\n")] if "SEVERAL" in key or key == "FLAG" else [text]
    with state.app.test_request_context(method="POST", data={key: texts}):
        form = build_form(state)
        form.validate()
        assert not form.changes
        if form.form_errors:
            raise InvalidValue({key: form.form_errors[0]})


WAYS_IN = [_update, _reset, _import, _command, _form]


@pytest.mark.parametrize("way_in", WAYS_IN)
def test_every_way_in_refuses_another_value_of_every_type(
    make: Any, others: dict[str, Any], texts: dict[str, str], way_in: Any
) -> None:
    state = state_of(make(texts, EVERY_CONF, WAFFLE_STORE_DEFAULTS=False))
    for key, setting in state.settings.items():
        if way_in is _import:  # the default is what waits behind: a file may have that
            continue
        with pytest.raises(InvalidValue, match=f"Set by the environment variable APP_{key}"):
            way_in(state, key, setting.default)
    third = make(dict.fromkeys(["SITENAME"], "Bar"))
    with pytest.raises(InvalidValue, match="Set by the environment variable APP_SITENAME"):
        way_in(state_of(third), "SITENAME", "Another")
    assert [record.text for record in state.read().values()] == [None] * len(others)


@pytest.mark.parametrize("way_in", [_update, _import, _command, _form])
def test_every_way_in_skips_the_value_in_force(
    make: Any, others: dict[str, Any], texts: dict[str, str], way_in: Any
) -> None:
    state = state_of(make(texts, EVERY_CONF, WAFFLE_STORE_DEFAULTS=False))
    for key, value in others.items():
        way_in(state, key, value)
    assert not state.history or state.history.list() == []
    assert [record.text for record in state.read().values()] == [None] * len(others)


# Ways in, one by one


def test_an_update_of_all_values_saves_the_others(make: Any) -> None:
    state = state_of(make({"SITENAME": "Bar"}))
    values = state.parse_conf()
    assert state.update_db(values | {"SIZE": 20}, expected=values) == {"SIZE": 20}
    with pytest.raises(InvalidValue) as caught:
        state.update_db(values | {"SIZE": 30, "SITENAME": "Other"})
    assert list(caught.value.errors) == ["SITENAME"]
    assert state.parse_conf(["SIZE"]) == {"SIZE": 20}


def test_a_reset_to_the_value_in_force_is_skipped(make: Any) -> None:
    state = state_of(make({"SITENAME": "Waffle"}))
    state.update_db({"SIZE": 20})
    assert state.reset(["SITENAME", "SIZE"]) == {"SIZE": 10}


@pytest.mark.parametrize("source", ["page", "api"])
def test_a_guess_of_a_secret_is_refused_like_any_other_text(make: Any, source: str) -> None:
    state = state_of(make({"TOKEN": "hunter2"}))
    for typed in ("hunter2", "hunter3"):
        with pytest.raises(InvalidValue, match="APP_TOKEN"):
            state.update_db({"TOKEN": typed}, source=source)
    assert state.update_db({"TOKEN": "hunter2"}) == {}


def test_an_undo_leaves_out_what_the_environment_holds(make: Any) -> None:
    saved = state_of(make({})).update_db({"SITENAME": "Bar", "SIZE": 20})
    state = state_of(make({"SITENAME": "Env"}))
    assert state.history is not None and saved.change_set
    (change,) = [c for c in state.history.of(saved.change_set) if c.key == "SITENAME"]
    assert "APP_SITENAME sets it" in state.history.obstacle(change)
    assert state.history.undo(saved.change_set) == {"SIZE": 10}
    with pytest.raises(InvalidValue, match="APP_SITENAME"):
        state.history.undo(saved.change_set, keys=["SITENAME"])
    behind = state.read(["SITENAME"])["SITENAME"].behind
    assert behind and behind.value == "Bar"


# What waits behind


def test_the_stored_value_holds_again_without_the_variable(make: Any, orm: str) -> None:
    before = state_of(make({}, orm=orm))
    before.update_db({"SITENAME": "Stored", "HOURS": {}})
    held = state_of(make({"SITENAME": "Env", "HOURS": '{"sun": []}'}, orm=orm))
    assert held.parse_conf(["SITENAME", "HOURS"]) == {"SITENAME": "Env", "HOURS": {"sun": []}}
    after = state_of(make({}, orm=orm))
    assert after.parse_conf(["SITENAME", "HOURS"]) == {"SITENAME": "Stored", "HOURS": {}}


def test_no_change_is_announced_when_only_the_stored_value_changes(make: Any) -> None:
    held, other = make({"SITENAME": "Env", "HOURS": "{}"}), state_of(make({}))
    state = state_of(held)
    state.update_conf()
    announced: list[Any] = []

    def note(app: Flask, changes: Any, **_: Any) -> None:
        announced.append(changes)

    with conf_changed.connected_to(note, held):
        other.update_db({"SITENAME": "Stored", "HOURS": {"sun": []}})
        assert state.update_conf() and announced == []
        other.update_db({"SIZE": 20})
        assert state.update_conf() and announced == [{"SIZE": (10, 20)}]
    assert held.config["SITENAME"] == "Env" and held.config["HOURS"] == {}
    behind = state.read()["SITENAME"].behind
    assert behind and behind.value == "Stored"


def test_a_row_that_cannot_be_read_is_no_trouble_while_the_variable_holds(make: Any) -> None:
    app = make({"SITENAME": "Env"})
    with app.app_context():
        state_of(app).configstore.swap({"SITENAME": (None, "!")})
    assert state_of(app).update_conf() and state_of(app).health().attention == ()
    result = app.test_cli_runner().invoke(args=["waffle", "check"])
    assert result.exit_code == 0
    assert "warning  SITENAME  the environment holds it; stored: " in result.stdout


def test_the_value_in_force_is_not_changed_by_who_changes_it_in_place(make: Any) -> None:
    app = make({"HOURS": '{"mon": [9]}'})
    state = state_of(app)
    state.update_conf()
    app.config["HOURS"]["mon"].append(18)
    state.parse_conf()["HOURS"]["mon"].append(18)
    assert state.update_conf() and app.config["HOURS"] == {"mon": [9]}


def test_validate_gets_the_values_in_force(make: Any) -> None:
    given: list[Any] = []
    app = make({"SITENAME": "Env"}, validate=lambda values: given.append(dict(values)))
    state_of(app).update_db({"SIZE": 20})
    assert given == [
        {"SITENAME": "Env", "SIZE": 20, "HOURS": {"mon": [9, 17]}, "TOKEN": "", "PIN": 0}
    ]


# Files


def test_an_export_has_the_stored_value_and_its_import_changes_nothing(
    make: Any, tmp_path: Any
) -> None:
    state_of(make({})).update_db({"SITENAME": "Stored", "SIZE": 20}, source="import")
    app = make({"SITENAME": "Env", "HOURS": "{}"})
    runner = app.test_cli_runner()
    done = runner.invoke(args=["waffle", "export"])
    assert json.loads(done.stdout)["settings"] == {"SITENAME": "Stored", "SIZE": 20}
    assert "SITENAME has the stored value in the file, not that of the environment" in done.stderr
    path = tmp_path / "settings.json"
    path.write_text(done.stdout)
    result = runner.invoke(args=["waffle", "import", str(path), "--prune", "--apply"])
    assert result.exit_code == 0 and "0 settings changed" in result.stderr
    again = state_of(make({})).parse_conf()
    assert (again["SITENAME"], again["SIZE"], again["HOURS"]) == ("Stored", 20, {"mon": [9, 17]})


def test_an_import_leaves_what_the_environment_holds_with_the_reason(
    make: Any, tmp_path: Any
) -> None:
    state_of(make({})).update_db({"SIZE": 20}, source="import")
    app = make({"SITENAME": "Env", "SIZE": "30"})
    path = tmp_path / "settings.json"
    path.write_text('{"waffleconf": 1, "settings": {"SITENAME": "File", "HOURS": {}}}')
    result = app.test_cli_runner().invoke(
        args=["waffle", "import", str(path), "--prune", "--apply"]
    )
    assert result.exit_code == 0
    leaves = [line.split(None, 2) for line in result.stdout.splitlines() if "leave" in line]
    assert [(key, "Set by the environment variable APP_" in rest) for _, key, rest in leaves] == [
        ("SITENAME", True),
        ("SIZE", True),
    ]
    state = state_of(app)
    values = FileValues(app, state.settings)
    assert export_values(values, state.read(), defaults=False).values == {"SIZE": 20, "HOURS": {}}


# Commands


def test_list_and_explain_name_the_variable(make: Any) -> None:
    state_of(make({})).update_db({"SITENAME": "Stored"}, actor="ana")
    runner = make({"SITENAME": "Env", "TOKEN": "hunter2"}).test_cli_runner()
    listed = runner.invoke(args=["waffle", "list"]).stdout
    assert "* SITENAME  Env  (APP_SITENAME)\n" in listed
    assert "* TOKEN     <secret, set>  (APP_TOKEN)\n" in listed
    facts = json.loads(runner.invoke(args=["waffle", "list", "--json"]).stdout)
    assert {key: fact["layer"] for key, fact in facts.items()} == {
        "SITENAME": "environment", "SIZE": "default", "HOURS": "default", "TOKEN": "environment",
        "PIN": "default",
    }  # fmt: skip
    explained = runner.invoke(args=["waffle", "explain", "SITENAME"]).stdout
    lines = [" ".join(line.split()) for line in explained.splitlines()]
    assert lines[1:3] == ["value Env (environment)", "layers environment Env (APP_SITENAME)"]
    assert lines[3].startswith("database Stored (code, ana, ")
    assert lines[4] == "default Waffle (code)"
    assert (
        "environment  -  (APP_SIZE is not set)"
        in runner.invoke(args=["waffle", "explain", "SIZE"]).stdout
    )


# A bad value


@pytest.mark.parametrize(
    ("key", "text", "problem"),
    [
        ("SIZE", "many", "whole number"),
        ("SIZE", "", "whole number"),
        ("SIZE", "51", "At most 50"),
        ("SITENAME", "x" * 21, "At most 20"),
        ("HOURS", "{", "Line 1, column 2"),
        ("HOURS", "[]", "curly brackets"),
        ("PIN", "hunter2", "This must be"),
        ("SITENAME", "caf\udce9", "UTF-8"),
    ],
)
def test_a_bad_value_stops_the_app_and_is_named_with_the_remedy(
    make: Any, key: str, text: str, problem: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        make({key: text})
    message = str(caught.value)
    assert f"{key}: the environment variable APP_{key} does not fit: " in message
    assert problem in message and message.endswith("Correct the variable, or unset it.")
    assert caught.value.__cause__ is None and "hunter2" not in message


def refuse(form: Any, field: Any) -> None:
    raise ValidationError("Not this one.")


def test_validators_of_wtforms_are_asked_at_the_start_and_those_of_the_app_by_check(
    make: Any,
) -> None:
    confs = {
        "NAME": {"default": "", "validators": [Length(max=3, message="Three at most."), refuse]}
    }
    with pytest.raises(InvalidValue, match=r"APP_NAME does not fit: Three at most\."):
        make({"NAME": "long"}, confs)
    app = make({"NAME": "abc"}, confs | {"PICK": {"default": "a", "validators": [EqualTo("NAME")]}})
    assert app.config["NAME"] == "abc"
    result = app.test_cli_runner().invoke(args=["waffle", "check"])
    assert result.exit_code == 1
    assert "error  NAME  APP_NAME is used all the same: Not this one." in result.stdout


def test_choices_of_a_function_are_asked_by_check_only(make: Any) -> None:
    def choices() -> list[str]:
        asked.append(1)
        return ["eu", "us"]

    asked: list[int] = []
    app = make({"REGION": "mars"}, {"REGION": {"default": "eu", "choices": choices}})
    assert app.config["REGION"] == "mars" and asked == []
    result = app.test_cli_runner().invoke(args=["waffle", "check"])
    assert "error  REGION  APP_REGION is used all the same: " in result.stdout


def test_an_empty_variable_holds_too_and_one_of_no_setting_is_ignored(make: Any) -> None:
    app = make({"SITENAME": "", "NOTHING": "x", "WAFFLE_CONFS": "x"})
    assert app.config["SITENAME"] == "" and "NOTHING" not in app.config


def test_without_a_prefix_the_environment_is_not_read(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITENAME", "Env")
    assert make({"SITENAME": "Env"}, WAFFLE_ENV_PREFIX=None).config["SITENAME"] == "Waffle"


@pytest.mark.parametrize("prefix", ["", 5, ["APP_"]])
def test_a_prefix_that_is_none_is_an_error(make: Any, prefix: object) -> None:
    with pytest.raises(ValueError, match=r"WAFFLE_ENV_PREFIX is .*: write a prefix"):
        make({}, WAFFLE_ENV_PREFIX=prefix)


def test_the_environment_is_read_once(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that are declared later have their variable as it was at the start."""
    app = make({"SITENAME": "Env", "LATER": "5", "WRONG": "x"})
    monkeypatch.setenv("APP_SITENAME", "newer")
    app.config["WAFFLE_CONFS"] = CONFS | {"LATER": {"default": 1}}
    assert state_of(app).update_conf()
    assert (app.config["SITENAME"], app.config["LATER"]) == ("Env", 5)
    app.config["WAFFLE_CONFS"] = CONFS | {"WRONG": {"default": 1}}
    assert not state_of(app).update_conf()  # the log names it, and the former settings stay
    assert app.config["SITENAME"] == "Env"


def test_a_value_of_the_configuration_is_replaced_at_the_start(make: Any) -> None:
    app = make({"SITENAME": "Env"}, SITENAME="from a file", WAFFLE_AUTOLOAD=False)
    assert app.config["SITENAME"] == "Env"


def test_one_app_has_the_prefix_and_the_other_has_not(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one process: the layer belongs to the app."""
    held, free = make({"SITENAME": "Env"}), make({}, WAFFLE_ENV_PREFIX=None)
    state_of(free).update_db({"SITENAME": "Stored"})
    assert state_of(held).update_conf() and state_of(free).update_conf()
    assert (held.config["SITENAME"], free.config["SITENAME"]) == ("Env", "Stored")
    assert isinstance(held.waffle, WaffleConf)


def test_what_does_not_fit_is_said_in_english_whatever_the_app_speaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It ends the start of the app: the operator reads it, as a traceback or in a log."""
    monkeypatch.setenv("APP_SIZE", "99")
    app = Flask("shop")
    app.config.update(WAFFLE_ENV_PREFIX="APP_", BABEL_DEFAULT_LOCALE="de")
    app.config["WAFFLE_CONFS"] = {"SIZE": {"default": 10, "max": 50}}
    Babel(app)
    with pytest.raises(InvalidValue, match=r"APP_SIZE does not fit: At most 50\. Correct the"):
        WaffleConf(app, Memory())
