"""`history` and `undo`."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from commands import CONFS, Run, history, stored
from flask import Flask

from waffleconf_admin.store import HistoryQuery


@pytest.fixture
def saves(app: Flask) -> list[str]:
    """The names of three saves, the first one first."""
    state = app.extensions["waffleconf"]
    made = [
        state.update_db({"SITENAME": "Bar", "PAGE_SIZE": 20}, actor="ana", source="page"),
        state.update_db({"SITENAME": "Pub"}, actor="ben", note="a\x1b[2J new\nname"),
        state.update_db({"TOKEN": "hunter2", "HOURS": {}}, actor="", source="api"),
    ]
    return [saved.change_set for saved in made]


def test_history_lists_saves_the_last_first(run: Run, app: Flask, saves: list[str]) -> None:
    at = [
        f"{change.at:%Y-%m-%d %H:%M:%S} UTC"
        for change in app.extensions["waffleconf"].history.list()
    ]
    assert run("history").stdout.splitlines() == [
        f"{at[0]}  api  (nobody named)  {saves[2]}",
        "    HOURS  (default) -> {}",
        "    TOKEN  changed",
        f"{at[2]}  code  ben  {saves[1]}",
        r"  a\x1b[2J new\nname",
        "    SITENAME  Bar -> Pub",
        f"{at[3]}  page  ana  {saves[0]}",
        "    PAGE_SIZE  (default) -> 20",
        "    SITENAME   (default) -> Bar",
    ]


def test_no_stored_text_sends_codes_to_the_terminal(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = app.extensions["waffleconf"]
    end = datetime.now(UTC) + timedelta(hours=1)
    state.update_db({"SITENAME": "Bar"}, actor="a\x1bb", source="\x1b[31mred", until=end)
    with app.app_context():
        found = state.configstore.read_history(HistoryQuery())
    rows = [row._replace(change_set="\x1b]0;x\x07") for row in found]
    monkeypatch.setattr(state.configstore, "read_history", lambda _query: rows)
    monkeypatch.setattr(state.configstore, "read_ends", lambda **_: rows)
    for command in ("history", "ends"):
        output = app.test_cli_runner().invoke(args=["waffle", command], color=True).output
        assert r"  a\x1bb  \x1b]0;x\x07" in output and "\x1b" not in output


@pytest.mark.parametrize(
    ("options", "keys"),
    [
        (["--key", "SITENAME"], ["SITENAME", "SITENAME"]),
        (["--key", "HOURS", "--key", "TOKEN"], ["HOURS", "TOKEN"]),
        (["--limit", "1"], ["HOURS"]),
        (["--key", "NOBODY"], []),
        (["--by", "BE"], ["SITENAME"]),
        (["--source", "page"], ["PAGE_SIZE", "SITENAME"]),
        (["--until", "2020-01-31"], []),
        (["--until", f"{datetime.now(UTC):%Y-%m-%d}", "--limit", "1"], ["HOURS"]),
        (["--until", "1 hour"], []),
    ],
)
def test_history_is_narrowed(
    run: Run, saves: list[str], options: list[str], keys: list[str]
) -> None:
    assert [
        change["key"] for change in json.loads(run("history", "--json", *options).stdout)
    ] == keys


def iso(**ago: int) -> str:
    return (datetime.now(UTC) - timedelta(**ago)).isoformat()


@pytest.mark.parametrize(
    ("since", "found"),
    [
        pytest.param(iso(hours=1), True, id="an hour ago"),
        pytest.param(iso(hours=-1), False, id="in an hour"),
        ("2 h", True),
        ("1 day", True),
        ("0 s", False),
        ("2020-01-31", True),
        ("2999-01-31T10:00+02:00", False),
    ],
)
def test_history_since_takes_a_time_or_a_length_of_time(
    run: Run, saves: list[str], since: str, found: bool
) -> None:
    assert bool(run("history", "--since", since).stdout) is found


@pytest.mark.parametrize("since", ["", "yesterday", "-2 h", "99999999 d", "2026-13-01"])
def test_history_since_refuses_other_words(run: Run, since: str) -> None:
    result = run("history", "--since", since)
    assert result.exit_code == 1 and "write a time" in result.stderr


def test_history_json_has_values_as_files_have_them(run: Run, app: Flask, saves: list[str]) -> None:
    app.extensions["waffleconf"].update_db({"TIMEOUT": timedelta(hours=2)}, note="why")
    found = json.loads(run("history", "--json", "--limit", "3").stdout)
    (timeout, hours, token) = found
    assert (timeout["old"], timeout["old_is_default"], timeout["new"]) == (None, True, "2 h")
    assert (timeout["source"], timeout["note"]) == ("code", "why")
    assert datetime.fromisoformat(timeout["at"]).utcoffset() == timedelta(0)
    assert (hours["new"], hours["change_set"]) == ({}, saves[2])
    assert token["secret"] is True and "new" not in token and "old" not in token


def test_history_prints_the_text_of_what_no_file_can_hold(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"OFFSET": 1.5})
    assert json.loads(run("history", "--json").stdout)[0]["new"] == "1.5"


def test_a_removed_setting_and_an_unreadable_value_are_only_named(run: Run, app: Flask) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "Bar"})
    app.config["WAFFLE_CONFS"] = {"PAGE_SIZE": CONFS["PAGE_SIZE"]}
    assert "SITENAME  changed" in run("history").stdout and "Bar" not in run("history").stdout


# undo


def test_undo_gives_back_what_was_there_before(run: Run, app: Flask, saves: list[str]) -> None:
    result = run("undo", saves[1], "--actor", "eva", "--note", "a mistake")
    assert (result.exit_code, result.stdout) == (0, "SITENAME is Bar again\n")
    assert stored(app)["SITENAME"] == "Bar"
    assert history(app)[0] == ("SITENAME", "eva", "undo")
    assert app.extensions["waffleconf"].history.list()[0].note == "a mistake"


def test_undo_of_a_save_that_was_overtaken_does_nothing(
    run: Run, app: Flask, saves: list[str]
) -> None:
    before = stored(app)
    result = run("undo", saves[0])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Changed again since: SITENAME. Nothing was undone" in result.stderr
    assert stored(app) == before


def test_history_says_once_when_a_setting_goes_back(run: Run, app: Flask) -> None:
    for name, minutes in (("Sale", 10), ("Other", 60)):
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        app.extensions["waffleconf"].update_db({"SITENAME": name}, until=until)
    lines = [line for line in run("history").stdout.splitlines() if "SITENAME" in line]
    assert "(goes back at " in lines[0] and ", changed before)" in lines[1]


def test_undo_says_that_it_brings_back_no_end(run: Run, app: Flask) -> None:
    state, until = app.extensions["waffleconf"], datetime.now(UTC) + timedelta(minutes=10)
    state.update_db({"SITENAME": "Sale"}, until=until)
    saved = state.update_db({"SITENAME": "Other"})
    result = run("undo", saved.change_set)
    assert result.stdout.startswith("SITENAME is Sale again\n")
    assert f"SITENAME does not go back any more ({until:%Y-%m-%d %H:%M:%S} UTC)." in result.stderr


def test_undo_of_one_setting_leaves_the_others(run: Run, app: Flask, saves: list[str]) -> None:
    assert run("undo", saves[0], "--key", "PAGE_SIZE").stdout == "PAGE_SIZE is 10 again\n"
    assert "PAGE_SIZE" not in stored(app) and stored(app)["SITENAME"] == "Pub"


def test_undo_names_what_it_leaves_alone(run: Run, app: Flask, saves: list[str]) -> None:
    result = run("undo", saves[2])
    assert (result.exit_code, result.stdout) == (0, 'HOURS is {"mon": [9, 17]} again\n')
    assert "TOKEN was left alone: it is a secret" in result.stderr
    assert stored(app)["TOKEN"] == "hunter2"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["nonsense"], "The history has no such save"),
        (["\0"], "The history has no such save"),
        (["0", "--key", "SITENAM"], "This save did not change SITENAM."),
    ],
)
def test_a_wrong_save_is_an_error(
    run: Run, saves: list[str], args: list[str], message: str
) -> None:
    result: Any = run("undo", saves[0] if args[0] == "0" else args[0], *args[1:])
    assert result.exit_code == 1 and message in result.stderr


def test_an_undo_that_changes_nothing_says_so(run: Run, app: Flask) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"PAGE_SIZE": 20})
    saved = state.update_db({"PAGE_SIZE": 10})
    undone = state.history.undo(saved.change_set)
    assert undone
    result = run("undo", saved.change_set)
    assert result.exit_code == 1 and stored(app) == {"PAGE_SIZE": 20}
