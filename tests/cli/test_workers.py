"""``flask waffle workers``: its transcripts in docs/workers.md, its JSON and its exit codes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from reports import report
from states import state_of

MakeApp = Callable[..., Flask]
PAGE = (Path(__file__).parents[2] / "docs" / "workers.md").read_text()
TRANSCRIPT = re.compile(
    r"^```console\n\$ flask waffle (.*)\n((?:.*\n)*?)\$ echo \$\?\n(\d)\n```", re.M
)
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
    found = TRANSCRIPT.findall(PAGE)
    assert len(found) == 1
    for line, shown, code in found:
        result = app.test_cli_runner().invoke(args=["waffle", *line.split()])
        assert TIME.sub("TIME", result.output) == TIME.sub("TIME", shown)
        assert result.exit_code == int(code)


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
