"""Async views under application servers, with ASGI and without: they read, save and follow."""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from documentation import block
from flask import Flask
from fleet import WAIT, until
from servers import free_port, running

GUNICORN, HYPERCORN = (
    line.partition("#")[0].replace("shop:", "served_async:")
    for line in block("docs/async.md", "gunicorn").code.splitlines()
)
#: The command of each server, and how many workers it starts.
SERVERS = {
    "gunicorn, asgiref": (f"{GUNICORN} --no-control-socket --preload -b {{address}}", 2),
    # Its workers are children of multiprocessing, which would outlive a failed test.
    "hypercorn": (f"{HYPERCORN} -b {{address}} --workers 0", 1),
}


class Server:
    """A running server."""

    def __init__(self, address: str, workers: int) -> None:
        self._address = address
        self._workers = workers

    def get(self, path: str) -> str:
        with urllib.request.urlopen(f"http://{self._address}{path}", timeout=WAIT) as response:
            return str(response.read().decode())

    def ask(self, path: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.get(path))
        return answer

    def values(self) -> set[str]:
        """What all workers serve."""
        answers: list[dict[str, Any]] = []

        def all_have_answered() -> bool:
            with ThreadPoolExecutor(4) as pool:
                answers.extend(pool.map(self.ask, ["/"] * 4))
            return len({answer["pid"] for answer in answers}) == self._workers

        assert until(all_have_answered)
        return {value for answer in answers for value in answer["values"]}


@pytest.fixture(params=SERVERS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    address = f"127.0.0.1:{free_port()}"
    command, workers = SERVERS[request.param]
    program, *arguments = command.format(address=address).split()
    support = str(Path(__file__).parents[1] / "support")
    environ = {
        **os.environ,
        "WAFFLE_FOLDER": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([support, *filter(None, sys.path)]),
    }
    server, log = Server(address, workers), tmp_path / "log"
    program = str(Path(sys.executable).with_name(program))
    with running([program, *arguments], lambda: server.ask("/"), log, env=environ, cwd=tmp_path):
        yield server
    assert "Traceback" not in log.read_text()


def test_async_views_read_and_save_and_every_worker_follows(
    server: Server, tmp_path: Path, make_app: Callable[..., Flask]
) -> None:
    assert server.values() == {"Waffle"}
    for path, value in (("/save/Bakery", "Bakery"), ("/save/Diner?in=loop", "Diner")):
        assert server.ask(path)["values"] == [value]
        assert server.values() == {value}
    assert "no digits" in server.ask("/save/B4")["error"]  # of an async validator
    assert "Diner" in server.get("/admin/config")  # its `can` is async too

    other = make_app(
        {"SITENAME": {"default": "Waffle"}},
        url=f"sqlite:///{tmp_path / 'settings.db'}",
        create=False,
        WAFFLE_SERIALIZER="json",
        WAFFLE_MULTIPROC=True,
        WAFFLE_WATCHER_FILE=str(tmp_path / "changed"),
    )
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(server.ask, "/wait/Cantina") for _ in range(4)]
        assert until((tmp_path / "waiting").exists)
        other.extensions["waffleconf"].update_db({"SITENAME": "Cantina"})
        answers = [future.result() for future in waiting]
    # Each request keeps the value that it began with.
    assert all(len(set(answer["values"])) == 1 for answer in answers)
    assert ("Diner", "Cantina") in {(each["values"][0], each["config"]) for each in answers}
