"""Rows that another program has written into an SQLite file: the settings work all the same."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pages import HISTORY, HISTORY_CONFS, URL, MakeApp, state_of

HOSTILE: list[Any] = ["<b>evil</b>", b"\xff\xfe", 1e300, "2026-02-30", "\x1b[2J\n"]


@pytest.fixture
def app(history_app: Flask) -> Flask:
    state_of(history_app).update_db({"SIZE": 30}, actor="ana", note="more")
    return history_app


def write(folder: Path, column: str, value: Any) -> None:
    with sqlite3.connect(folder / "test.db") as database:
        database.execute(f"UPDATE conf_changes SET {column} = ?", [value])
    database.close()


@pytest.mark.parametrize("column", ["at", "ends_at"])
def test_a_time_that_is_none_costs_the_history_and_nothing_else(
    app: Flask, tmp_path: Path, column: str
) -> None:
    client = app.test_client()
    for value in HOSTILE:
        write(tmp_path, column, value)
        page = client.get(URL)
        assert page.status_code == 200 and 'value="30"' in page.text, value
        assert client.get(HISTORY).status_code in (200, 503), value
        assert state_of(app).update_conf(), value


@pytest.mark.parametrize("column", ["change_set", "key", "actor", "note", "source", "old", "new"])
def test_a_text_of_any_type_is_escaped_or_costs_the_history(
    app: Flask, tmp_path: Path, column: str
) -> None:
    client, run = app.test_client(), app.test_cli_runner().invoke
    for value in HOSTILE:
        write(tmp_path, column, value)
        page, history = client.get(URL), client.get(HISTORY)
        assert page.status_code == 200 and history.status_code in (200, 503), value
        assert "<b>evil" not in page.text + history.text
        printed = run(args=["waffle", "history"])
        assert printed.exit_code in (0, 1) and "\x1b" not in printed.output, value


def test_keys_of_any_type_stop_no_load_and_forge_no_line_of_the_log(
    app: Flask, tmp_path: Path, make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    with sqlite3.connect(tmp_path / "test.db") as database:
        for key in (b"\xff", "GONE", "x\nERROR forged"):
            database.execute("INSERT INTO confs (key, value) VALUES (?, '1')", [key])
    database.close()
    orm = "peewee" if hasattr(app.waffle_db, "atomic") else "sqlalchemy"  # type: ignore[attr-defined]
    other = make_app(HISTORY_CONFS, orm=orm, history=True)
    assert state_of(other).update_conf() and other.config["SIZE"] == 30
    assert "GONE" in caplog.text and "\nERROR" not in caplog.text
    for command in ("check", "prune"):
        printed = app.test_cli_runner().invoke(args=["waffle", command])
        assert printed.exit_code in (0, 1) and "GONE" in printed.output
        assert "\nERROR" not in printed.output
