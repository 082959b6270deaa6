"""`explain`."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from commands import CONFS, Run
from flask import Flask
from states import put

from waffleconf_admin import WaffleAdmin, anyone
from waffleconf_admin.settings.setting import Setting


def may(action: str, setting: Setting) -> bool:
    return action == "view"


def explained(run: Run, key: str) -> list[str]:
    return [" ".join(line.split()) for line in run("explain", key).stdout.splitlines()]


def test_explain_says_all_that_is_known(run: Run, app: Flask) -> None:
    app.register_blueprint(WaffleAdmin("shop", can=may, groups=["Shop"]))
    app.register_blueprint(WaffleAdmin("other", can=anyone, groups=["Other"], url_prefix="/o"))
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Bar"}, actor="ana", note="the shop moves", source="page")
    at = state.history.list()[0].at
    assert explained(run, "SITENAME") == [
        "setting SITENAME: Sitename",
        "value Bar (database)",
        f"layers database Bar (page, ana, {at:%Y-%m-%d %H:%M:%S} UTC: the shop moves)",
        "default Waffle (code)",
        "declaration str: text",
        "at most 200",
        "group Shop",
        f'permissions page shop: {__name__}.may is asked for "view", "edit", "history"',
        "page other: does not show it",
        "command line: nobody is asked",
    ]


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("PAGE_SIZE", "value 10 (default)"),
        ("PAGE_SIZE", "layers database - (no change in the history)"),
        ("PAGE_SIZE", "at least 1, at most 50"),
        ("THEME", "Choices: light, dark."),
        ("REGION", "readonly"),
        ("TOKEN", "value <secret, not set> (default)"),
        ("TEXT", "multiline"),
    ],
)
def test_explain_tells_where_nobody_has_saved(run: Run, key: str, line: str) -> None:
    assert line in explained(run, key)


@pytest.mark.parametrize(
    ("key", "lines"),
    [
        ("HOST", ["needs ON: has no effect now (false)", "MODE = smtp"]),
        ("MODE", ["needs needed by HOST"]),
        ("OTHER", []),
    ],
)
def test_explain_says_what_a_setting_needs_and_what_needs_it(
    run: Run, app: Flask, key: str, lines: list[str]
) -> None:
    app.config["WAFFLE_CONFS"] = {
        "ON": {"default": False},
        "MODE": {"default": "smtp"},
        "HOST": {"default": "", "needs": ["ON", {"MODE": "smtp"}]},
        "OTHER": {"default": 1},
    }
    text = "\n".join(explained(run, key))
    assert text.partition("\npermissions")[0].endswith("\n".join(lines))
    assert ("needs" in text) == bool(lines)


def test_a_page_without_can_is_explained(run: Run, app: Flask) -> None:
    app.register_blueprint(WaffleAdmin())
    line = "page waffleconf_admin: nobody is asked: debug mode and tests only"
    assert f"permissions {line}" in explained(run, "SITENAME")
    app.config["WAFFLE_CAN"] = may
    assert any(f"{__name__}.may is asked" in line for line in explained(run, "SITENAME"))
    assert any(line.endswith('asked for "view", "history"') for line in explained(run, "REGION"))


def test_explain_tells_who_has_reset_it(run: Run, app: Flask) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Bar"})
    state.reset(["SITENAME"], actor="ben", source="api")
    assert any(
        line.startswith("layers database - (api, ben, ") for line in explained(run, "SITENAME")
    )


def test_explain_says_what_is_wrong_with_a_row(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"PAGE_SIZE": 40})
    app.config["WAFFLE_CONFS"] = CONFS | {"PAGE_SIZE": {"default": 10, "max": 30}}
    assert explained(run, "PAGE_SIZE")[2] == "it is used all the same: At most 30."


@pytest.mark.parametrize("variable", [None, "7"])
@pytest.mark.parametrize(("text", "why"), [("{broken", "damaged"), ('"zz"', "whole number")])
def test_a_row_that_can_not_be_used_is_no_layer_with_a_value(
    make_app: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    why: str,
    variable: str | None,
) -> None:
    if variable:
        monkeypatch.setenv("SHOP_N", variable)
    app = make_app({"N": {"default": 1, "min": 0}}, WAFFLE_ENV_PREFIX="SHOP_")
    put(app, "N", text)
    invoke = app.test_cli_runner().invoke
    said = invoke(args=["waffle", "explain", "N"]).stdout
    (listed,) = json.loads(invoke(args=["waffle", "list", "--json"]).stdout).values()
    layer = "environment" if variable else "default"
    assert listed["layer"] == layer and why in said
    assert f"value        {variable or 1} ({layer})" in said
    assert "database     can't be used" in said and "database     1" not in said


def test_an_unknown_setting_is_an_error(run: Run) -> None:
    result = run("explain", "SITENAM")
    assert result.exit_code == 1 and "Did you mean SITENAME?" in result.stderr
