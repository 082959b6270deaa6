"""A fleet of processes that share settings, for the tests and benchmarks of several processes."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from nursery import Forked, nursery

from waffleconf_admin.codec import deserialize

#: Seconds until what ought to come is given up; many, for a machine that does much else.
WAIT = 30.0
FOLLOWER = Path(__file__).with_name("follower.py")


class Process:
    """A second process with an app of its own on the same database.

    :param command: the program, if it is another one than follower.py.
    """

    def __init__(self, config: dict[str, Any], command: Sequence[Any] = ()) -> None:
        self.config = config
        argument = json.dumps(config)
        self.popen: subprocess.Popen[str] | Forked
        if command:
            self.popen = subprocess.Popen(
                [*command, argument],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        else:
            self.popen = Forked(nursery(), argument)
        assert self.answer() == "ready"

    def answer(self) -> Any:
        assert self.popen.stdout is not None
        line = self.popen.stdout.readline()
        if not line:
            assert self.popen.stderr is not None
            raise AssertionError(self.popen.stderr.read())
        return json.loads(line)

    def send(self, command: str, *arguments: Any) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps([command, *arguments]) + "\n")
        self.popen.stdin.flush()

    def do(self, command: str, *arguments: Any) -> Any:
        self.send(command, *arguments)
        return self.answer()

    def comes_to_serve(self, value: str) -> bool:
        """Without any request in that process."""
        return until(lambda: self.do("config") == value)

    def comes_to_note(self, value: str) -> bool:
        """Of a process that notes times: also what it served for a moment only."""
        return until(lambda: self.do("seen_at", value))

    def end(self) -> str:
        """What it printed as errors, once its standard input is closed."""
        with self.popen:
            assert self.popen.stdin is not None and self.popen.stderr is not None
            self.popen.stdin.close()
            self.popen.wait(WAIT)
            return self.popen.stderr.read()


def end(processes: Iterable[Process]) -> list[str]:
    """What each printed as errors, once all have been asked to end."""
    processes = list(processes)
    for process in processes:
        assert process.popen.stdin is not None
        process.popen.stdin.close()
    return [process.end() for process in processes]


def until(condition: Callable[[], Any], seconds: float = WAIT) -> bool:
    """Whether the condition comes true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        threading.Event().wait(0.01)
    return True


def confs(shared: int) -> dict[str, Any]:
    """Declarations for a fleet that writes: some shared settings, and a counter a process."""
    keys = ["SITENAME", *(f"SHARED_{number}" for number in range(shared))]
    counters = {f"COUNTER_{number}": {"default": 0} for number in range(8)}
    return {key: {"default": "Waffle"} for key in keys} | counters


class Database:
    """What the database of a fleet holds, read without the extension."""

    def __init__(self, config: dict[str, Any]) -> None:
        url = config["SQLALCHEMY_DATABASE_URI"]
        self.engine = sa.create_engine(url, poolclass=sa.NullPool)
        self.defaults = {key: conf["default"] for key, conf in config["WAFFLE_CONFS"].items()}

    def values(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            rows = connection.execute(sa.text("SELECT key, value FROM confs")).all()
        return self.defaults | {key: deserialize(text) for key, text in rows}

    def differing(self, processes: Iterable[Process]) -> list[tuple[int, str]]:
        """The (process, key) pairs that are stale."""
        stored = self.values()
        return [
            (process.popen.pid, key)
            for process in processes
            for key, value in process.do("values").items()
            if value != stored[key]
        ]
