"""Under real application servers every worker follows, however it came to be."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fleet import WAIT
from programs import environment
from servers import free_port

BIN = Path(sys.executable).parent
WATCH_TYPES = ("file", "redis", "postgresql", "database")


class Server:
    """A running server and what its workers answer."""

    def __init__(
        self, name: str, process: subprocess.Popen[bytes], port: int, workers: int
    ) -> None:
        self.name = name
        self.process = process
        self.port = port
        self.workers = workers

    def ask(self, path: str) -> Any:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, 20)) as client:
            client.request("GET", path, headers={"Connection": "close"})
            response = client.getresponse()
            text = response.read().decode()
            assert response.status == 200, text
            return json.loads(text)

    def save(self, watch_type: str, value: str) -> None:
        self.ask(f"/{watch_type}/save/{value}")

    def answers(self, watch_type: str) -> list[dict[str, Any]]:
        """What is answered until each worker has answered."""
        deadline = time.monotonic() + WAIT
        answers: list[dict[str, Any]] = []
        with ThreadPoolExecutor(2 * self.workers) as pool:
            while len({answer["pid"] for answer in answers}) < self.workers:
                paths = [f"/{watch_type}/?hold=0.02"] * 2 * self.workers
                answers += pool.map(self.ask, paths)
                assert time.monotonic() < deadline, answers[-1]
        return answers

    def values(self, watch_type: str) -> set[str]:
        return {answer["value"] for answer in self.answers(watch_type)}

    def comes_to_serve(self, watch_type: str, value: str) -> bool:
        deadline = time.monotonic() + WAIT
        while self.values(watch_type) != {value}:
            if time.monotonic() > deadline:
                return False
        return True


GUNICORN = "gunicorn --no-control-socket --bind 127.0.0.1:{port} --workers 2 --graceful-timeout 3"
UWSGI = "pyuwsgi --http-socket 127.0.0.1:{port} --module served:app --master --processes 2"

#: The command of each server, and how many workers it starts.
SERVERS: dict[str, tuple[str, int]] = {
    "gunicorn sync": (f"{GUNICORN} served:app", 2),
    "gunicorn sync preload": (f"{GUNICORN} --preload served:app", 2),
    "gunicorn gthread": (f"{GUNICORN} --threads 4 served:app", 2),
    "gunicorn gevent": (f"{GUNICORN} -k gevent served:app", 2),
    "gunicorn gevent preload": (f"{GUNICORN} -k gevent --preload served:app", 2),
    "gunicorn gevent preload early": (f"{GUNICORN} -k gevent --preload served_early:app", 2),
    "uwsgi": (f"{UWSGI} --die-on-term", 2),
    "uwsgi threads": (f"{UWSGI} --die-on-term --enable-threads", 2),
    "uwsgi lazy-apps": (f"{UWSGI} --die-on-term --enable-threads --lazy-apps", 2),
    "uwsgi py-call-osafterfork": (
        f"{UWSGI} --die-on-term --enable-threads --py-call-osafterfork",
        2,
    ),
    "waitress": ("waitress-serve --listen 127.0.0.1:{port} served:app", 1),
    "granian": (
        "granian --interface wsgi --host 127.0.0.1 --port {port} --workers 2 served:app",
        2,
    ),
    "flask run": ("flask --app served run --port {port} --reload", 1),
}


if sys.version_info >= (3, 13):
    # uWSGI 2.0.30 aborts in each worker there, whatever the app is (docs/processes.md).
    del SERVERS["uwsgi py-call-osafterfork"]


@contextlib.contextmanager
def serving(
    name: str, options: str, folder: Path, urls: dict[str, str], **environ: str
) -> Iterator[Server]:
    """The server once it answers; afterwards it has to end when told, and without a traceback."""
    command, workers = SERVERS[name]
    port = free_port()
    program, *arguments = (command.format(port=port) + options).split()
    with (
        (folder / "log").open("w+b") as log,
        subprocess.Popen(
            [BIN / program, *arguments],
            env=environment(WAFFLE_FOLDER=str(folder), **urls, **environ),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        ) as process,
    ):
        server = Server(name, process, port, workers)
        try:
            deadline = time.monotonic() + WAIT
            while True:
                try:
                    server.answers("database")
                    break
                except OSError:
                    assert process.poll() is None and time.monotonic() < deadline, printed(folder)
                    time.sleep(0.05)
            yield server
            process.terminate()
            process.wait(WAIT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    assert "Traceback" not in printed(folder), printed(folder)


def printed(folder: Path) -> str:
    return (folder / "log").read_text()


@pytest.fixture
def urls(redis_server: str, server_url: Callable[[str], str]) -> dict[str, str]:
    """What served.py wants to know of servers; the database has no tables."""
    return {"WAFFLE_REDIS": redis_server, "WAFFLE_POSTGRESQL": server_url("postgres")}


@pytest.fixture(scope="module", params=SERVERS)
def server(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    redis_server: str,
    server_url: Callable[[str], str],
) -> Iterator[Server]:
    urls = {"WAFFLE_REDIS": redis_server, "WAFFLE_POSTGRESQL": server_url("postgres")}
    with serving(request.param, "", tmp_path_factory.mktemp("served"), urls) as server:
        yield server


@pytest.mark.parametrize("watch_type", WATCH_TYPES)
def test_every_worker_follows(server: Server, watch_type: str) -> None:
    assert server.values(watch_type) == {"Waffle"}
    for value in ("A", "B", "C"):
        server.save(watch_type, value)
        assert server.comes_to_serve(watch_type, value)


def test_with_a_file_the_very_next_request_of_every_worker_is_current(server: Server) -> None:
    for number in range(10):
        server.save("file", f"number-{number}")
        assert server.values("file") == {f"number-{number}"}


def test_every_worker_is_well_and_has_one_watcher_for_each_app(server: Server) -> None:
    for watch_type in WATCH_TYPES:
        server.answers(watch_type)  # a worker starts what it lacks with its first request
    listed = {len(WATCH_TYPES)}
    if server.name == "gunicorn gevent preload early":
        # Python doesn't list greenlets that live on in a forked process. A slow one is replaced.
        listed |= set(range(len(WATCH_TYPES)))
    for watch_type in WATCH_TYPES:
        for answer in server.answers(watch_type):
            assert (answer["trouble"], answer["error"]) == (None, None)
            assert answer["alive"] and answer["watchers"] in listed


@pytest.mark.parametrize("preload", ["", " --preload"])
def test_workers_that_come_and_go_are_current(
    tmp_path: Path, urls: dict[str, str], preload: str
) -> None:
    options = f"{preload} --max-requests 60 --max-requests-jitter 30"
    with serving("gunicorn sync", options, tmp_path, urls) as server:
        seen: set[int] = set()
        for number in range(3):
            for watch_type in WATCH_TYPES:
                server.save(watch_type, f"number-{number}")
            if number == 1:
                server.process.send_signal(signal.SIGHUP)
            for watch_type in WATCH_TYPES:
                assert server.comes_to_serve(watch_type, f"number-{number}")
                seen |= {answer["pid"] for answer in server.answers(watch_type)}
        assert len(seen) > 2


@pytest.mark.parametrize("name", ["gunicorn sync preload", "gunicorn gevent preload early"])
def test_workers_that_are_forked_while_the_master_imports_can_work(
    tmp_path: Path, urls: dict[str, str], name: str
) -> None:
    # Without "stringprep", which connecting to Redis imports, no request is answered.
    slow = {"SLOW_IMPORTS": "stringprep=1.5"}
    with serving(name, "", tmp_path, urls, **slow) as server:
        for watch_type in WATCH_TYPES:
            server.save(watch_type, "A")
            assert server.comes_to_serve(watch_type, "A")
