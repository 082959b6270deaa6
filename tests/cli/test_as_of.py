"""`diff --as-of` and `export --as-of`: the settings at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from commands import CONFS, Run, stored
from flask import Flask


@pytest.fixture
def at(app: Flask) -> str:
    """A time at which SITENAME is Before and TOKEN is hunter1; then both are changed."""
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Before", "TOKEN": "hunter1", "PAGE_SIZE": 20})
    time = datetime.now(UTC).isoformat()
    state.update_db({"SITENAME": "After", "TOKEN": "hunter2"})
    state.update_db({"OPEN": True})
    return time


def test_diff_prints_what_is_other_than_it_was(run: Run, at: str) -> None:
    result = run("diff", "--as-of", at)
    assert result.exit_code == 2 and "hunter" not in result.output
    assert result.stdout.splitlines() == [
        "SITENAME",
        "  - After",
        "  + Before",
        "OPEN",
        "  - true",
        "  + false",
        "TOKEN",
        "  (it was changed since, and of secrets no value is kept)",
    ]
    assert result.stderr == "The default then, here as the code has it now: OPEN\n"


def test_diff_of_a_time_since_when_nothing_was_changed_prints_nothing(run: Run, at: str) -> None:
    result = run("diff", "--as-of", datetime.now(UTC).isoformat())
    assert (result.exit_code, result.output) == (0, "")


def test_an_export_of_a_time_is_the_way_back_to_it(run: Run, app: Flask, at: str) -> None:
    result = run("export", "--as-of", at)
    assert json.loads(result.stdout)["settings"] == {"SITENAME": "Before", "PAGE_SIZE": 20}
    assert "TOKEN was left out: secret" in result.stderr and "hunter" not in result.output
    done = run("import", "-", "--apply", "--prune", stdin=result.stdout)
    assert done.exit_code == 0, done.output
    assert stored(app) == {"SITENAME": "Before", "PAGE_SIZE": 20, "TOKEN": "hunter2"}


def test_what_is_not_known_is_said(run: Run, app: Flask, at: str) -> None:
    state = app.extensions["waffleconf"]
    with app.app_context():
        text = dict(state.configstore.read(["PAGE_SIZE"]))["PAGE_SIZE"]
        other = state._repository.codec.encode({"PAGE_SIZE": 30})["PAGE_SIZE"][0]
        assert state.configstore.swap({"PAGE_SIZE": (text, other)})
    unknown = "the history does not say where its row comes from"
    assert f"PAGE_SIZE is not compared: {unknown}" in run("diff", "--as-of", at).stderr
    result = run("export", "--as-of", at)
    assert f"PAGE_SIZE was left out: {unknown}" in result.stderr
    assert json.loads(result.stdout)["settings"] == {"SITENAME": "Before"}
    for command in ("diff", "export"):
        assert "The history begins at" in run(command, "--as-of", "2000-01-01").stderr


def test_of_what_the_environment_holds_the_stored_values_are_compared(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_PAGE_SIZE", "40")
    at = datetime.now(UTC).isoformat()
    make_app(CONFS, history=True).extensions["waffleconf"].update_db({"PAGE_SIZE": 20})
    app = make_app(CONFS, history=True, WAFFLE_ENV_PREFIX="SHOP_")
    result = app.test_cli_runner().invoke(args=["waffle", "diff", "--as-of", at])
    assert result.stdout == "PAGE_SIZE\n  - 20\n  + 10\n"
    assert "What is stored, and not in force: PAGE_SIZE\n" in result.stderr


@pytest.mark.parametrize(
    "args",
    [
        ["diff"],
        ["diff", "settings.json", "--as-of", "1 h"],
        ["diff", "--prune", "--as-of", "1 h"],
        ["diff", "--as-of", "some day"],
        ["export", "--as-of", "some day"],
        ["diff", "--as-of", "2999-01-01"],
        ["export", "--as-of", "2999-01-01"],
    ],
)
def test_a_wrong_time_or_no_file_is_an_error(run: Run, args: list[str]) -> None:
    assert run(*args).exit_code == 1


def test_without_a_history_there_is_no_other_time(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    runner = make_app(CONFS).test_cli_runner()
    for command in ("diff", "export"):
        result = runner.invoke(args=["waffle", command, "--as-of", "1 h"])
        assert result.exit_code == 1 and "There is no history" in result.output
