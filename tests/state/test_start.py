"""The start: what init_app does, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from states import CONFS, VALUES, MakeApp, Memory, state_of

from waffleconf_admin import (
    AlchemyWaffleStore,
    InvalidValue,
    PeeweeWaffleStore,
    WaffleAdmin,
    WaffleConf,
    WaffleStore,
)
from waffleconf_admin.defaults import DEFAULTS


def test_init_runs_no_query_and_puts_the_defaults_into_app_config(
    make_app: MakeApp, orm: str, tmp_path: Any
) -> None:
    app = make_app(CONFS, orm, create=False)
    assert {key: app.config[key] for key in CONFS} == VALUES
    assert not (tmp_path / "test.db").exists()


def test_init_leaves_what_the_developer_has_set(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, SITENAME="Set in code")
    assert app.config["SITENAME"] == "Set in code"
    state_of(app).update_conf()
    assert app.config["SITENAME"] == "Waffle"


def test_every_setting_of_the_extension_gets_its_default(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    fixed = {"WAFFLE_CONFS", "WAFFLE_WATCHER_FILE"}
    assert {key: app.config[key] for key in DEFAULTS.keys() - fixed} == {
        key: DEFAULTS[key] for key in DEFAULTS.keys() - fixed
    }


def test_apps_do_not_share_what_stands_in_their_configuration() -> None:
    first, second = Flask("first"), Flask("second")
    for app in (first, second):
        WaffleConf(app, Memory())
    first.config["WAFFLE_CONFS"]["A"] = {"default": 1}
    assert second.config["WAFFLE_CONFS"] == {}


def test_defaults_are_copies(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm)
    app.config["HOURS"]["tue"] = [1, 2]
    state_of(app).parse_conf()["HOURS"]["wed"] = [3, 4]
    assert CONFS["HOURS"]["default"] == {"mon": [9, 18]}
    assert state_of(app).parse_conf()["HOURS"] == {"mon": [9, 18]}


def test_a_declaration_with_a_mistake_stops_the_start(make_app: MakeApp) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_app({"PAGE": {"default": 5, "min": 10, "max": 1}})
    assert "PAGE" in caught.value.errors


@pytest.mark.parametrize(
    "wrong",
    [
        {"WAFFLE_WATCH_INTERVAL": -1},
        {"WAFFLE_WATCH_INTERVAL": "soon"},
        {"WAFFLE_RESYNC_INTERVAL": 0},
        {"WAFFLE_CLASSES": ["shop.Point"]},
        {"WAFFLE_CLASSES": dict},
        {"WAFFLE_MULTIPROC": "false"},
        {"WAFFLE_AUTOLOAD": "no"},
        {"WAFFLE_STORE_DEFAULTS": "0"},
        {"WAFFLE_SERIALIZER": "yaml"},
        {"WAFFLE_SERIALIZER": None},
        {"WAFFLE_WATCHER_FILE": 5},
        {"WAFFLE_WATCHER_MODE": 0o440},
        {"WAFFLE_WATCHER_MODE": "0664"},
        {"WAFFLE_CLASSES": {"Point": int}},
        {"WAFFLE_TEMPLATE": None},
        {"WAFFLE_TEMPLATE": ""},
    ],
    ids=repr,
)
def test_a_setting_of_the_extension_that_cannot_be_used_is_named(wrong: dict[str, Any]) -> None:
    app = Flask("shop")
    app.config.update(wrong)
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} is "):
        WaffleConf(app, Memory())


@pytest.mark.parametrize(
    ("config", "stored"),
    [
        ({}, True),
        ({"WAFFLE_SERIALIZER": "pickle"}, True),
        ({"WAFFLE_SERIALIZER": "json"}, False),
        ({"WAFFLE_SERIALIZER": "json", "WAFFLE_STORE_DEFAULTS": True}, True),
        ({"WAFFLE_SERIALIZER": "pickle", "WAFFLE_STORE_DEFAULTS": False}, False),
    ],
    ids=repr,
)
def test_with_json_defaults_are_not_stored_unless_that_is_set(
    config: dict[str, Any], stored: bool
) -> None:
    app = Flask("shop")
    app.config.update(config, WAFFLE_CONFS={"KEY": {"default": 1}})
    store = Memory()
    WaffleConf(app, store).state.parse_conf()
    assert (app.config["WAFFLE_STORE_DEFAULTS"], bool(store.kept)) == (stored, stored)


def test_a_misspelt_setting_of_the_extension_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("shop")
    app.config.update(WAFFLE_WATCH_TYPE="redis", WAFFLE_FLAVOUR="vanilla")
    WaffleConf(app, Memory())
    (record,) = caplog.records
    assert "WAFFLE_WATCH_TYPE is not a setting" in record.getMessage()
    assert "WAFFLE_WATCHTYPE?" in record.getMessage()


def test_second_init_on_one_app_is_an_error(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    with pytest.raises(RuntimeError, match="initialised on this app already"):
        WaffleConf(app, state_of(app).configstore)


def test_no_store_is_an_error_that_shows_one() -> None:
    with pytest.raises(RuntimeError, match="AlchemyWaffleStore"):
        WaffleConf(Flask("shop"))


@pytest.mark.parametrize("given", [WaffleAdmin(), WaffleStore, {"SITENAME": 1}, "sqlite://"])
def test_what_is_no_store_is_an_error_that_shows_one(given: Any) -> None:
    app = Flask("shop")
    with pytest.raises(TypeError, match="AlchemyWaffleStore"):
        WaffleConf(app, given)
    assert not app.extensions


@pytest.mark.parametrize("store", [AlchemyWaffleStore, PeeweeWaffleStore])
def test_a_store_without_its_model_is_an_error_that_names_it(store: Any) -> None:
    with pytest.raises(TypeError, match=f"{store.__name__} has no model: write .*model=Conf"):
        WaffleConf(Flask("shop"), store(db=object()))


def test_one_extension_serves_two_apps(make_app: MakeApp, orm: str) -> None:
    store = state_of(make_app(CONFS, orm)).configstore
    waffle = WaffleConf(configstore=store)
    assert waffle.state is None
    first, second, stranger = Flask("first"), Flask("second"), Flask("third")
    waffle.init_app(first)
    waffle.init_app(second, store)
    assert waffle.state is state_of(second)
    for app in (first, second):
        with app.app_context():
            assert waffle.state is state_of(app)
    with stranger.app_context(), pytest.raises(RuntimeError, match=r"call init_app\(app, store\)"):
        _ = waffle.state


def test_the_state_of_another_extension_is_not_ours(make_app: MakeApp) -> None:
    app, other = make_app(CONFS), make_app(CONFS)
    with app.app_context(), pytest.raises(RuntimeError, match="not initialised"):
        _ = other.waffle.state  # type: ignore[attr-defined]
