"""`export` and `diff`, and files that can't be read."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from commands import CONFS, Run, stored
from flask import Flask

from waffleconf_admin import files

VALUES = {"SITENAME": "Crêperie", "HOURS": {"tue": [1]}, "TIMEOUT": timedelta(hours=2)}
SETTINGS = {"SITENAME": "Crêperie", "HOURS": {"tue": [1]}, "TIMEOUT": "2 h"}


def document(**settings: object) -> str:
    return json.dumps({"waffleconf": 1, "settings": settings})


# export


def test_export_prints_what_is_not_the_default(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db(VALUES | {"PAGE_SIZE": 10, "TOKEN": "hunter2"})
    result = run("export")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"waffleconf": 1, "settings": SETTINGS}
    assert result.stderr == "TOKEN was left out: secret\n"


def test_export_all_prints_the_defaults_too(run: Run) -> None:
    found = json.loads(run("export", "--all").stdout)["settings"]
    assert [*found] == [key for key in CONFS if key != "TOKEN"]
    assert found["TIMEOUT"] == "5 min"


def test_export_is_in_utf_8_and_steers_no_terminal(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"SITENAME": "Crêperie \x1b\x9b\u202e"})
    content = run("export").stdout_bytes
    assert "Crêperie ".encode() in content
    assert content.decode().replace("\n", "").isprintable()
    assert json.loads(content)["settings"]["SITENAME"] == "Crêperie \x1b\x9b\u202e"


def test_export_names_what_no_file_can_hold_and_what_is_wrong(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"OFFSET": 1.5, "PAGE_SIZE": 40})
    app.config["WAFFLE_CONFS"] = CONFS | {"PAGE_SIZE": {"default": 10, "max": 30}}
    result = run("export")
    assert json.loads(result.stdout)["settings"] == {"PAGE_SIZE": 40}
    assert "OFFSET was left out: no file can hold it" in result.stderr
    assert "PAGE_SIZE: it is used all the same: At most 30." in result.stderr


def test_yaml_is_written_and_read(run: Run, app: Flask, tmp_path: Path) -> None:
    app.extensions["waffleconf"].update_db(VALUES)
    text = run("export", "--format", "yaml").stdout
    assert "SITENAME: Crêperie" in text and "TIMEOUT: 2 h" in text
    path = tmp_path / "settings.yml"
    path.write_text(text)
    assert run("diff", "--prune", str(path)).exit_code == 0
    assert run("diff", "--prune", "--format", "yaml", "-", stdin=text).exit_code == 0


@pytest.mark.parametrize("name", ["json", "yaml"])
def test_the_ends_of_lines_of_a_text_stay_as_they_are(
    run: Run, app: Flask, tmp_path: Path, name: str
) -> None:
    text = "one\r\ntwo\nthree\rfour\r\n"
    app.extensions["waffleconf"].update_db({"TEXT": text})
    content = run("export", "--format", name).stdout_bytes
    app.extensions["waffleconf"].reset("TEXT")
    path = write(tmp_path, f"settings.{name}", content)
    assert run("import", "--apply", path).exit_code == 0
    assert stored(app) == {"TEXT": text}


# diff


def test_diff_prints_both_values(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"TEXT": "one\ntwo\nthree\nfour", "OPEN": True})
    text = document(TEXT="one\n2\nthree\nfour", SITENAME="Bar", PAGE_SIZE=10, TOKEN="hunter2")
    result = run("diff", "-", stdin=text)
    assert result.exit_code == 2
    assert result.stdout.splitlines() == [
        "TEXT",
        "    one",
        "  - two",
        "  + 2",
        "    three",
        "SITENAME",
        "  - Waffle",
        "  + Bar",
        "TOKEN",
        "  - <secret, not set>",
        "  + <secret, set>",
    ]
    assert stored(app) == {"TEXT": "one\ntwo\nthree\nfour", "OPEN": True}


def test_diff_prune_compares_what_the_file_does_not_name(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"OPEN": True, "TOKEN": "hunter2", "REGION": "us"})
    assert run("diff", "-", stdin=document()).exit_code == 0
    result = run("diff", "--prune", "-", stdin=document())
    assert (result.exit_code, result.stdout) == (2, "OPEN\n  - true\n  + false\n")


def test_diff_of_the_same_prints_nothing(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db(VALUES)
    result = run("diff", "-", stdin=document(**SETTINGS))
    assert (result.exit_code, result.output) == (0, "")


def test_secrets_that_differ_are_not_told_apart(run: Run, app: Flask) -> None:
    app.extensions["waffleconf"].update_db({"TOKEN": "hunter1"})
    result = run("diff", "-", stdin=document(TOKEN="hunter2"))
    assert (result.exit_code, result.stdout) == (2, "TOKEN\n  (differs)\n")


# Files that can't be read


def write(tmp_path: Path, name: str, content: bytes) -> str:
    (tmp_path / name).write_bytes(content)
    return str(tmp_path / name)


@pytest.mark.parametrize("command", [["diff"], ["import"], ["import", "--apply"]])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "This file is empty."),
        (b'{"waffleconf": 1,\n "settings": {"SITENAME": "B', "Line 2, column 27"),
        (document(SITENAM="x", PAGE_SIZE=[1]).encode(), "There is no setting of that name."),
        (document(SITENAM="x", PAGE_SIZE=[1]).encode(), "PAGE_SIZE: This must be a whole number"),
        (b" " * (16 * 2**20 + 1), "too large: JSON of at most 16 MB"),
    ],
    ids=["empty", "half a pipe", "unknown", "wrong type", "large"],
)
def test_a_file_that_cannot_be_used_changes_nothing(
    run: Run, app: Flask, tmp_path: Path, command: list[str], content: bytes, message: str
) -> None:
    path = write(tmp_path, "settings.json", content)
    for result in (run(*command, path), run(*command, "-", stdin=content)):
        assert (result.exit_code, result.stdout) == (1, "")
        assert "nothing was done." in result.stderr and message in result.stderr
    assert stored(app) == {}


def test_fifty_megabytes_are_not_read(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    with path.open("wb") as file:
        file.truncate(50 * 2**20)
    result = run("import", "--apply", str(path))
    assert result.exit_code == 1 and "too large" in result.stderr


def test_no_more_than_a_hundred_problems_are_listed(run: Run, tmp_path: Path) -> None:
    result = run("import", "-", stdin=document(**{f"K{n}": 1 for n in range(150)}))
    assert result.stderr.count("There is no setting") == 100
    assert "and 50 more" in result.stderr


@pytest.mark.parametrize("name", ["missing.json", ""])
def test_a_path_that_is_no_file_is_an_error(run: Run, tmp_path: Path, name: str) -> None:
    result = run("import", str(tmp_path / name))
    assert result.exit_code == 1 and result.stderr.startswith(f"Error: {tmp_path}")


def test_yaml_without_pyyaml_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    monkeypatch.delitem(sys.modules, "waffleconf_admin.files.yaml_text", raising=False)
    monkeypatch.delattr(files, "yaml_text", raising=False)
    for args in (["export", "--format", "yaml"], ["diff", "--format", "yaml", "-"]):
        result = run(*args, stdin="a: 1")
        assert result.exit_code == 1 and "pip install 'waffleconf-admin[yaml]'" in result.stderr


# Export, then import


@pytest.mark.parametrize("options", [[], ["--all"]])
def test_an_export_that_is_imported_changes_nothing(
    make_app: Callable[..., Flask], tmp_path: Path, options: list[str]
) -> None:
    confs: dict[str, Any] = CONFS | {"OLD": {"default": 1}, "NARROW": {"default": 1}}
    app = make_app(confs, history=True)
    state, runner = app.extensions["waffleconf"], app.test_cli_runner()
    state.parse_conf()  # stores defaults
    state.update_db(VALUES | {"TOKEN": "hunter2", "REGION": "us", "OFFSET": 1.5, "RATIO": 2})
    state.update_db({"OLD": "x", "NARROW": 9, "OPEN": True}, source="page", actor="ana")
    app.config["WAFFLE_CONFS"] = confs | {
        "OLD": {"default": 1, "type": int},  # its row is of another type
        "NARROW": {"default": 1, "max": 5},
    }
    before = {key: record.text for key, record in state.read().items()}
    saves = len(state.history.list())
    path = tmp_path / "settings.json"
    path.write_text(runner.invoke(args=["waffle", "export", *options]).stdout)
    result = runner.invoke(args=["waffle", "import", "--prune", "--apply", str(path)])
    assert result.exit_code == 0, result.output
    assert {key: record.text for key, record in state.read().items()} == before
    assert len(state.history.list()) == saves
