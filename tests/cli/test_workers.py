"""``flask waffle workers``: its transcripts in docs/workers.md, its JSON and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documentation import block, blocks
from flask import Flask
from reports import report
from states import state_of

MakeApp = Callable[..., Flask]
TRANSCRIPT = re.compile(r"\$ flask waffle (.*)\n((?:.*\n)*?)\$ echo \$\?\n(\d)\n")
CONFS: dict[str, Any] = {"SITENAME": {"default": "Waffle"}, "POOL": {"default": 5, "restart": True}}
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|\+00:00)")


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CONFS, workers=True, WAFFLE_STORE_DEFAULTS=False, WAFFLE_MULTIPROC=True)
    state_of(app).stop()
    return app


def test_the_command_prints_what_the_page_shows(app: Flask) -> None:
    state_of(app).update_conf()
    report(app, host="web-1", pid=101)
    report(app, host="web-2", pid=57)
    state_of(app).update_db({"POOL": 20})
    report(app, host="web-1", pid=102)
    report(app, host="web-2", pid=31, keys_digest="0" * 32)
    for each in blocks("docs/workers.md", "console"):
        found = TRANSCRIPT.fullmatch(each.code)
        assert found
        line, shown, code = found.groups()
        result = app.test_cli_runner().invoke(args=["waffle", *line.split()])
        assert TIME.sub("TIME", result.output) == TIME.sub("TIME", shown)
        assert result.exit_code == int(code)


def test_the_script_of_the_page_waits_until_no_process_lags(tmp_path: Path, app: Flask) -> None:
    """A shell runs the script; its commands are written down, and run here."""
    prelude = f"""
        flask() {{ echo "$@" >> {tmp_path}/commands; test $(wc -l < {tmp_path}/commands) -gt 3; }}
        sleep() {{ echo; }}
    """
    script = block("docs/workers.md", "flask waffle set MAINTENANCE on").code
    subprocess.run(["bash", "-c", prelude + script], check=True)
    commands = (tmp_path / "commands").read_text().splitlines()
    assert commands == ["waffle set MAINTENANCE on", *["waffle workers"] * 3]
    report(app)
    app.config["WAFFLE_CONFS"] = {"MAINTENANCE": {"default": False}}
    for command in commands[:2]:
        assert app.test_cli_runner().invoke(args=command.split()).exit_code == 0
    assert app.config["MAINTENANCE"] is True


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["waffle", "workers", *arguments])


def test_the_exit_code_is_2_while_a_process_lags(app: Flask) -> None:
    report(app)
    assert run(app).exit_code == 0
    report(app, texts_digest="0" * 32)
    result = run(app, "--json")
    assert result.exit_code == 2 and json.loads(result.stdout)["lagging"] == 1


def test_the_command_says_why_nothing_is_counted(app: Flask, make_app: MakeApp) -> None:
    result = run(app)
    assert "No process has reported within the last two minutes." in result.stderr
    app.config["WAFFLE_MULTIPROC"] = False
    assert "WAFFLE_MULTIPROC is off" in run(app).stderr
    result = run(make_app(CONFS))
    assert result.exit_code == 1 and "docs/workers.md" in result.stderr
