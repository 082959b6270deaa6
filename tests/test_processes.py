"""Several processes: what one saves, the others serve."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import follower
import pytest

WAIT = 10.0


class Process:
    """A second process with an app of its own on the same database."""

    def __init__(self, config: dict[str, Any]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, follower.__file__, json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.answer() == "ready"

    def answer(self) -> Any:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            assert self.popen.stderr is not None
            raise AssertionError(self.popen.stderr.read())
        return json.loads(line)

    def do(self, command: str, argument: str = "") -> Any:
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps([command, argument]) + "\n")
        self.popen.stdin.flush()
        return self.answer()

    def comes_to_serve(self, value: str) -> bool:
        """Without any request in that process."""
        deadline = time.monotonic() + WAIT
        while self.do("config") != value:
            if time.monotonic() > deadline:
                return False
            threading.Event().wait(0.01)
        return True

    def end(self) -> int:
        """The exit code, once its standard input is closed."""
        with self.popen:
            assert self.popen.stdin is not None
            self.popen.stdin.close()
            return self.popen.wait(WAIT)


@pytest.fixture(params=["file", "redis", "database"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    config = {
        "TESTING": True,
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'test.db'}",
        "WAFFLE_CONFS": {"SITENAME": {"default": "Waffle"}},
        "WAFFLE_MULTIPROC": True,
        "WAFFLE_WATCHTYPE": request.param,
        "WAFFLE_WATCH_INTERVAL": 0.05,
        "WAFFLE_WATCHER_FILE": str(tmp_path / "watch.txt"),
    }
    if request.param == "redis":
        config["WAFFLE_REDIS_URL"] = request.getfixturevalue("redis_server")
        config["WAFFLE_REDIS_CHANNEL"] = str(tmp_path)
    return config


@pytest.fixture
def start(config: dict[str, Any]) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(**changes: Any) -> Process:
        started.append(Process(config | changes))
        return started[-1]

    yield start
    for process in started:
        process.end()


def test_a_process_without_requests_follows(start: Callable[..., Process]) -> None:
    first, second = start(), start()
    assert second.do("request") == "Waffle"
    for name in ("A", "B"):
        assert first.do("save", name) == {"SITENAME": name}
        assert second.comes_to_serve(name)
    assert second.do("save", "C") == {"SITENAME": "C"}
    assert first.comes_to_serve("C")


@pytest.mark.parametrize("config", ["file"], indirect=True)
def test_with_a_file_the_very_next_request_is_current(start: Callable[..., Process]) -> None:
    # The thread looks so seldom that it is the request which notices.
    first, second = start(WAFFLE_WATCH_INTERVAL=60), start(WAFFLE_WATCH_INTERVAL=60)
    assert second.do("request") == "Waffle"
    for number in range(20):
        first.do("save", f"name {number}")
        assert second.do("request") == f"name {number}"


def test_two_saves_in_a_row_are_both_heard(start: Callable[..., Process]) -> None:
    first, second = start(), start()
    second.do("request")
    for number in range(10):
        first.do("save", f"{number} first")
        first.do("save", f"{number} last")
        assert second.comes_to_serve(f"{number} last")


def test_there_is_one_thread_and_stop_ends_it(start: Callable[..., Process]) -> None:
    process = start()
    assert process.do("threads") == ["waffleconf-watcher"]
    assert process.do("stop") == []
    process.do("request")
    assert process.do("threads") == []


def test_without_multiproc_there_is_no_thread_no_file_and_no_notice(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    process = start(WAFFLE_MULTIPROC=False)
    process.do("save", "A")
    process.do("request")
    assert process.do("threads") == []
    assert not (tmp_path / "watch.txt").exists()


def test_a_forked_child_has_a_thread_of_its_own_and_follows(start: Callable[..., Process]) -> None:
    first, second = start(), start()
    assert second.do("request") == "Waffle"
    assert second.do("fork") == ["waffleconf-watcher"]
    first.do("save", "A")
    assert second.comes_to_serve("A")
    assert second.do("save", "B") == {"SITENAME": "B"}
    assert first.comes_to_serve("B")


def test_a_process_ends_without_hanging_or_a_traceback(start: Callable[..., Process]) -> None:
    process = start()
    process.do("request")
    assert process.end() == 0


@pytest.mark.parametrize("config", ["file"], indirect=True)
def test_an_in_memory_database_gets_no_thread(start: Callable[..., Process]) -> None:
    process = start(SQLALCHEMY_DATABASE_URI="sqlite://")
    deadline = time.monotonic() + WAIT
    while process.do("threads") and time.monotonic() < deadline:
        threading.Event().wait(0.01)
    assert process.do("threads") == []


@pytest.mark.parametrize("config", ["redis"], indirect=True)
def test_a_save_stands_though_redis_is_down(config: dict[str, Any]) -> None:
    process = Process(config | {"WAFFLE_REDIS_URL": "redis://127.0.0.1:1/0"})
    assert process.do("save", "A") == {"SITENAME": "A"}
    assert process.do("request") == "A"
    process.end()
