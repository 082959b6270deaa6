"""The servers of the tests, and what happens where one isn't installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.engine import make_url

TESTS = Path(__file__).parents[1]
CONFS = {"SITENAME": {"default": "Waffle"}}


@pytest.mark.parametrize(
    ("environment", "status", "outcome", "workers"),
    [
        ({}, 0, "1 skipped", "0"),
        ({}, 0, "1 skipped", "1"),
        ({"CI": "true"}, 1, "1 error", "0"),
        ({"WAFFLE_REQUIRE_ALL": "1"}, 1, "1 error", "1"),
    ],
)
def test_a_missing_server_is_listed_and_fails_only_where_all_is_required(
    tmp_path: Path, environment: dict[str, str], status: int, outcome: str, workers: str
) -> None:
    (tmp_path / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text("def test_it(redis_server):\n    pass\n")
    (tmp_path / "empty").mkdir()
    base = {k: v for k, v in os.environ.items() if k not in ("CI", "WAFFLE_REQUIRE_ALL")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "xdist", "-n", workers, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env={
            **base,
            **environment,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PATH": str(tmp_path / "empty"),
            "PYTHONPATH": str(TESTS / "support"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert "redis-server: 1 tests could not run" in done.stdout
    assert outcome in done.stdout.splitlines()[-1]


@pytest.mark.parametrize("database", ["postgres_url", "mariadb_url"])
def test_an_app_can_keep_its_settings_on_a_real_server(
    database: str, orm: str, make_app: Callable[..., Flask], request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(database)
    app = make_app(CONFS, orm=orm, url=url)
    app.extensions["waffleconf"].update_db({"SITENAME": "Crêperie"})
    again = make_app(CONFS, orm=orm, url=url, create=False)
    assert again.extensions["waffleconf"].parse_conf() == {"SITENAME": "Crêperie"}


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("database", ["postgres_url", "mariadb_url"])
def test_each_test_gets_an_empty_database(
    database: str, number: int, make_app: Callable[..., Flask], request: pytest.FixtureRequest
) -> None:
    app = make_app(CONFS, url=request.getfixturevalue(database))
    assert app.extensions["waffleconf"].read()["SITENAME"].text is None
    app.extensions["waffleconf"].update_db({"SITENAME": "Crêperie"})


def test_redis_is_not_the_one_that_may_be_running_here(redis_server: str) -> None:
    url = make_url(redis_server)
    assert url.host == "127.0.0.1"
    assert url.port != 6379


# scripts/servers

LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1 (apt-get)"
#: In place of the real programs: an apt-get that others lock out so often, and a clock of its own.
PROGRAMS = {
    "id": "echo 0",
    "sleep": 'echo "$1" >>"$FOLDER/slept"',
    "date": 'echo $((1000 + $(cat "$FOLDER/slept" 2>/dev/null | wc -l) * 5))',
    "apt-get": """
        echo "$*" >>"$FOLDER/calls"
        case "$*" in *"$FAILS"*) ;; *) exit 0 ;; esac
        [ "$(wc -l <"$FOLDER/calls")" -le "$TIMES" ] || exit 0
        echo "$SAYS" >&2
        exit 100
    """,
}


@pytest.mark.parametrize("fails", ["update", "install"])
@pytest.mark.parametrize(
    ("times", "says", "slept"),
    [(3, LOCKED, 3), (1000, LOCKED, 24), (1000, "E: no network", 0)],
    ids=["a while", "two minutes at most", "not for another fault"],
)
def test_another_apt_is_waited_for(
    tmp_path: Path, fails: str, times: int, says: str, slept: int
) -> None:
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    for name in ("cat", "env", "ls", "mktemp", "rm", "sed", "sh", "tail", "wc"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    done = subprocess.run(
        ["sh", TESTS.parent / "scripts" / "servers"],
        env={
            "PATH": str(tmp_path),
            "FOLDER": str(tmp_path),
            "FAILS": f" {fails}",
            "TIMES": str(times + (fails == "install")),
            "SAYS": says,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    calls = (tmp_path / "calls").read_text().splitlines()
    assert sum(fails in call for call in calls) == slept + 1
    assert all("DPkg::Lock::Timeout=120" in call for call in calls)
    assert "redis-server" in calls[-1]
    assert (tmp_path / "slept").exists() == bool(slept)
    assert "Not installed: redis-server" in done.stderr
