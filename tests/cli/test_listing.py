"""`list`."""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

import pytest
from commands import CONFS, Run
from flask import Flask


def test_list_marks_what_differs_from_the_default(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Crêperie", "PAGE_SIZE": 10})
    lines = run("list").stdout.splitlines()
    assert [line[2:].split()[0] for line in lines] == list(CONFS)
    assert [line for line in lines if line.startswith("*")] == ["* SITENAME   Crêperie"]


def test_list_shortens_values(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"TEXT": "many words\n" * 30})
    (line,) = [line for line in run("list").stdout.splitlines() if "TEXT" in line]
    assert line.startswith("* TEXT       many words many words") and line.endswith("…")
    assert len(line) < 80


def test_list_never_steers_the_terminal(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "a\x1b]0;title\x07b\u202ec"})
    assert r"a\x1b]0;title\x07b\u202ec" in run("list").stdout


@pytest.mark.parametrize(("value", "shown"), [("", "not set"), ("hunter2", "set")])
def test_what_list_shows_of_a_secret_is_no_value(
    run: Run, app: Flask, value: str, shown: str
) -> None:
    app.extensions["waffleconf"].update_db({"TOKEN": value})
    (line,) = [line for line in run("list").stdout.splitlines() if "TOKEN" in line]
    _, _, copied = line.partition("TOKEN")
    assert copied.strip() == f"<secret, {shown}>"
    result = run("set", "TOKEN", "--stdin", stdin=copied.strip())
    assert result.exit_code == 1 and "what list shows" in result.stderr
    assert app.extensions["waffleconf"].read()["TOKEN"].value == value


def test_list_modified_leaves_out_what_is_the_default(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Bar", "PAGE_SIZE": 10})
    assert run("list", "--modified").stdout == "* SITENAME  Bar\n"


def test_list_group_leaves_out_other_groups(run: Run) -> None:
    assert [line.split()[0] for line in run("list", "--group", "Shop").stdout.splitlines()] == [
        "SITENAME",
        "OPEN",
    ]


def test_an_unknown_group_is_an_error_that_suggests_one(run: Run) -> None:
    result = run("list", "--group", "shpo")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no group shpo. Did you mean Shop?" in result.stderr


def test_list_json_has_values_as_files_have_them(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"HOURS": {"tue": [1]}, "SITENAME": "a\x1b\u202e"})
    found = json.loads(run("list", "--json").stdout)
    assert [*found] == [*CONFS]
    assert found["HOURS"] | {"value": 0} == {
        "value": 0,
        "default": {"mon": [9, 17]},
        "label": "Hours",
        "group": "",
        "type": "dict",
        "secret": False,
        "readonly": False,
        "restart": False,
        "modified": True,
        "layer": "database",
        "problem": "",
    }
    assert found["HOURS"]["value"] == {"tue": [1]}
    assert (found["TIMEOUT"]["value"], found["REGION"]["readonly"]) == ("5 min", True)
    assert found["SITENAME"]["value"] == "a\x1b\u202e"


def test_list_json_steers_no_terminal(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "a\x1b\x9b\u202e"})
    assert run("list", "--json").stdout.replace("\n", "").isprintable()


def test_list_json_says_of_a_secret_whether_it_is_set(run: Run, app: Flask) -> None:
    assert json.loads(run("list", "--json").stdout)["TOKEN"]["set"] is False
    app.extensions["waffleconf"].update_db({"TOKEN": "hunter2"})
    token = json.loads(run("list", "--json").stdout)["TOKEN"]
    assert token["set"] is True and "value" not in token and "default" not in token


class Colour(Enum):
    RED = 1


def test_list_json_names_what_is_wrong_with_a_value(make_app: Callable[..., Flask]) -> None:
    confs: dict[str, Any] = {"E": {"default": Colour.RED}, "N": {"default": 1}}
    app = make_app(confs, WAFFLE_STORE_DEFAULTS=False)
    app.extensions["waffleconf"].update_db({"N": 1.5})  # code may save another type than int
    found = json.loads(app.test_cli_runner().invoke(args=["waffle", "list", "--json"]).stdout)
    assert found["E"]["value"] == "RED"
    assert found["N"]["value"] is None and "No file can hold" in found["N"]["problem"]
