"""Declarations that change while the app runs."""

from __future__ import annotations

import pytest
from flask import Flask
from states import CONFS, MakeApp, put, state_of

from waffleconf_admin import (
    InvalidValue,
    conf,
)
from waffleconf_admin.core import _WaffleState


def test_declarations_that_are_added_after_init_are_taken_up(make_app: MakeApp) -> None:
    app = make_app({})
    app.config["WAFFLE_CONFS"]["LATE"] = {"default": 7}
    assert state_of(app).parse_conf() == {"LATE": 7}
    assert app.config["LATE"] == 7


def test_views_go_on_with_the_former_declarations_when_new_ones_are_wrong(
    app: Flask, state: _WaffleState, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["WAFFLE_CONFS"] = {"SITENAME": {"default": 7, "min": 9}}
    with app.app_context():
        assert (conf.SITENAME, conf.SITENAME) == ("Waffle", "Waffle")
    assert caplog.text.count("The former WAFFLE_CONFS is used") == 1


def test_replaced_declarations_are_taken_up_at_first_use(app: Flask, state: _WaffleState) -> None:
    state.update_db({"SITENAME": "Kept"})
    app.config["WAFFLE_CONFS"] = {"SITENAME": CONFS["SITENAME"], "NEW": {"default": 7}}
    assert state.parse_conf() == {"SITENAME": "Kept", "NEW": 7}
    assert app.config["NEW"] == 7
    app.config["WAFFLE_CONFS"] = {"NEW": {"default": 7, "min": 9}}
    with pytest.raises(InvalidValue, match="NEW"):
        state.parse_conf()


@pytest.mark.parametrize("text", [None, "damaged"])
def test_a_changed_default_is_the_default_from_then_on(
    app: Flask, state: _WaffleState, text: str | None
) -> None:
    app.config["WAFFLE_STORE_DEFAULTS"] = False
    if text is not None:
        put(app, "MAX_FILESIZE", text)
    assert state.refresh()["MAX_FILESIZE"].value == 1000
    app.config["WAFFLE_CONFS"] = CONFS | {"MAX_FILESIZE": {"default": 7}}
    assert state.read()["MAX_FILESIZE"].value == 7
    assert state.refresh()["MAX_FILESIZE"].value == 7
    assert state.parse_conf()["MAX_FILESIZE"] == app.config["MAX_FILESIZE"] == 7
