"""Who sends one of several choices twice is told to take one out, by whatever way it comes in."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Flag, auto
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pages import URL, state_of, stored, typed
from werkzeug.datastructures import MultiDict

from waffleconf_admin import InvalidValue, WaffleAdmin

MakeApp = Callable[..., Flask]
TWICE = "Something in this is there twice: take one out."
TYPES = {"list": list, "tuple": tuple, "set": set}


class Access(Flag):
    READ = auto()
    WRITE = auto()


def by_page(app: Flask, chosen: list[str], _path: Path) -> str:
    client = app.test_client()
    form = MultiDict(typed(client))
    form.setlist("FRUITS", ["", *chosen])
    return str(client.post(URL, data=form).text)


def by_api(app: Flask, chosen: list[str], _path: Path) -> str:
    address = f"{URL}/api/settings/FRUITS"
    return str(app.test_client().patch(address, json={"value": chosen}).text)


def by_command(app: Flask, chosen: list[str], _path: Path) -> str:
    run = app.test_cli_runner().invoke(args=["waffle", "set", "FRUITS", ",".join(chosen)])
    return run.output


def by_file(app: Flask, chosen: list[str], path: Path) -> str:
    path.write_text(json.dumps({"waffleconf": 1, "settings": {"FRUITS": chosen}}))
    run = app.test_cli_runner().invoke(args=["waffle", "import", str(path), "--apply"])
    return run.output


def by_code(app: Flask, chosen: list[str], _path: Path) -> str:
    state = state_of(app)
    try:
        state.update_db({"FRUITS": type(state.settings["FRUITS"].default)(chosen)})
    except InvalidValue as error:
        return str(error)
    return ""


WAYS = [by_page, by_api, by_command, by_file, by_code]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("send", WAYS)
def test_a_choice_that_is_sent_twice_is_refused(
    make_app: MakeApp, tmp_path: Path, send: Any, name: str
) -> None:
    make = TYPES[name]
    app = make_app({"FRUITS": {"default": make(["apple"]), "choices": ["apple", "pear", "fig"]}})
    app.register_blueprint(WaffleAdmin(api=True))
    if (send, make) != (by_code, set):  # which has each item once
        assert TWICE in send(app, ["fig", "pear", "fig"], tmp_path / "settings.json")
        assert stored(app)["FRUITS"] == make(["apple"])
    send(app, ["fig", "pear"], tmp_path / "settings.json")
    assert stored(app)["FRUITS"] == make(["fig", "pear"]) or send is by_page
    assert set(stored(app)["FRUITS"]) == {"fig", "pear"}


@pytest.mark.parametrize("send", [by_page, by_command])
def test_a_member_of_a_flag_that_is_sent_twice_is_refused(
    make_app: MakeApp, tmp_path: Path, send: Any
) -> None:
    app = make_app({"FRUITS": {"default": Access.READ}})
    app.register_blueprint(WaffleAdmin())
    assert TWICE in send(app, ["WRITE", "READ", "WRITE"], tmp_path / "settings.json")
    assert stored(app)["FRUITS"] == Access.READ


def test_choices_of_a_function_are_no_exception(make_app: MakeApp) -> None:
    app = make_app({"FRUITS": {"default": ["apple"], "choices": lambda: ["apple", "pear"]}})
    assert TWICE in by_code(app, ["pear", "pear"], Path())
    # A list that is one of the choices may have an item twice.
    app.config["WAFFLE_CONFS"] = {
        "FRUITS": {"default": [1, 1, 1], "choices": [[1, 1, 1], [2, 2, 1]]}
    }
    assert state_of(app).update_db({"FRUITS": [2, 2, 1]})


def test_a_default_with_a_choice_twice_is_an_error_at_the_start(make_app: MakeApp) -> None:
    with pytest.raises(ValueError, match=r"FRUITS.*choices: the default has one of them twice"):
        make_app({"FRUITS": {"default": ["fig", "fig"], "choices": ["fig", "pear"]}})
