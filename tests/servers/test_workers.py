"""Fleets are counted: gunicorn's workers, hosts, processes that stop or are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from fleet import Process, confs, end, until
from programs import environment
from servers import free_port, prepare, running

#: Seconds between two reports.
INTERVAL = 0.5


class Shop:
    """Four workers of gunicorn, and what they say of each other."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, query: str = "") -> dict[str, Any]:
        with urlopen(f"http://127.0.0.1:{self.port}/?{query}", timeout=20) as response:
            found: dict[str, Any] = json.load(response)
        return found

    def numbers(self) -> list[int]:
        found = self.ask()
        return [found["current"], found["lagging"]]

    def pids(self) -> set[int]:
        return {process["pid"] for process in self.ask()["processes"]}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    port = free_port()
    environ = environment(WAFFLE_FOLDER=str(tmp_path), REPORT_INTERVAL=str(INTERVAL))
    tables = "from served_workers import *; app.app_context().push(); db.create_all()"
    prepare([sys.executable, "-c", tables], env=environ)
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "--workers", "4"]
    command += ["--bind", f"127.0.0.1:{port}", "--graceful-timeout", "1", "served_workers:app"]

    def ready() -> None:
        socket.create_connection(("127.0.0.1", port)).close()

    with running(command, ready, tmp_path / "log", env=environ):
        yield Shop(port)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_the_workers_of_gunicorn_are_counted_whatever_happens_to_them(shop: Shop) -> None:
    shop.ask("SITENAME=One")
    assert until(lambda: shop.numbers() == [4, 0])
    paused = min(shop.pids())
    os.kill(paused, signal.SIGSTOP)
    shop.ask("SITENAME=Two&POOL=20")
    assert until(lambda: shop.numbers() == [3, 1])
    lagging = [p["pid"] for p in shop.ask()["processes"] if p["standing"] == "lagging"]
    assert lagging == [paused]
    assert until(lambda: shop.numbers() == [3, 0])  # it may be dead for all that is known
    os.kill(paused, signal.SIGCONT)
    assert until(lambda: shop.numbers() == [4, 0])
    assert shop.ask()["restart"] == {"POOL": 4}
    os.kill(paused, signal.SIGKILL)
    shop.ask("SITENAME=Three")
    assert until(lambda: paused not in shop.pids() and shop.numbers() == [4, 0])
    assert shop.ask()["restart"] == {"POOL": 3}  # gunicorn has started another one


def fleet(folder: Path, hosts: str, **config: Any) -> list[Process]:
    """A process on each host, with a watch file for each host."""
    shared = {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder}/shop.db",
        "WAFFLE_CONFS": confs(5),
        "WAFFLE_MULTIPROC": True,
        "REPORT_INTERVAL": INTERVAL,
    }
    made = []
    for host in hosts.split():
        own = {"WAFFLE_WATCHER_FILE": f"{folder}/{host}", "HOST": host}
        made.append(Process(shared | own | config))
    for process in made:
        process.do("request")
    return made


def standings(process: Process) -> Counter[tuple[str, str]]:
    return Counter((each["host"], each["standing"]) for each in process.do("count")["processes"])


@pytest.mark.parametrize(
    ("watch_type", "later"),
    [
        ("redis", "current"),
        # A file notifies one host only: the other one has not read it, and is counted so.
        ("file", "lagging"),
    ],
)
def test_two_hosts_are_counted(
    tmp_path: Path, redis_server: str, watch_type: str, later: str
) -> None:
    redis = {"WAFFLE_REDIS_URL": redis_server, "WAFFLE_REDIS_CHANNEL": str(tmp_path)}
    processes = fleet(tmp_path, "web-1 web-2", WAFFLE_WATCHTYPE=watch_type, **redis)
    both = {("web-1", "current"): 1, ("web-2", "current"): 1}
    assert until(lambda: standings(processes[0]) == both)
    processes[0].do("save", "Crêperie")
    expected = {("web-1", "current"): 1, ("web-2", later): 1}
    assert until(lambda: standings(processes[0]) == expected)
    assert not any(end(processes))


def test_the_count_is_right_after_sqlite_was_busy(tmp_path: Path) -> None:
    processes = fleet(tmp_path, "web web web web")
    for number, process in enumerate(processes):
        process.do("write", f"COUNTER_{number}", 0.001)
    threading.Event().wait(0.5)  # of load
    failed = [process.do("halt")[2] for process in processes]
    assert failed == [0, 0, 0, 0]  # no save failed for the reports
    assert until(lambda: standings(processes[0]) == {("web", "current"): 4})
    end(processes)


def test_a_forked_process_is_another_worker(tmp_path: Path) -> None:
    (process,) = fleet(tmp_path, "web")
    assert until(lambda: standings(process) == {("web", "current"): 1})
    process.do("fork")  # the parent waits for its end, and follows
    process.do("request")
    assert until(lambda: standings(process) == {("web", "current"): 2})
    process.do("save", "Crêperie")
    assert until(lambda: standings(process) == {("web", "current"): 2})
    end([process])
