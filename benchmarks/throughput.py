"""Requests a second of a real gunicorn with two workers, whose view reads ten settings.

All servers run all the time; wrk loads one after the other, in turns.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

import subjects  # noqa: F401 (finds what the tests have)
from contenders import CONTENDERS, FLASK, Contender, configured, environ, missing, python_of
from measure import REQUESTS, Figures, Missing, Options, Row, cpu, nothing, ratio_of
from servers import free_port, prepare, running

SETTINGS = 100
WRITES = 10  # a second
SECONDS = 1  # of load in a turn; wrk takes whole ones
TURNS = 3
TURNS_OF_OURS = 8  # and of constants in Flask: there a few percent matter
TARGET = 0.97  # of the requests of constants


class WrongAnswers(Exception):
    """Not all answers were right, so they can't be counted."""


@dataclass(frozen=True)
class Server:
    contender: Contender
    port: int
    pid: int


@dataclass(frozen=True)
class Load:
    """What one turn gave."""

    rate: float  #: requests a second
    cost: float  #: seconds of processor time a request, of all workers


def run(options: Options) -> Iterator[Row | Missing]:
    if shutil.which("wrk") is None:
        yield Missing("throughput", "all", "wrk is not installed")
        return
    with contextlib.ExitStack() as stack:
        servers = []
        for contender in CONTENDERS:
            if options.quick and contender.constants != FLASK:
                continue
            try:
                servers.append(serve(contender, options, stack))
            except Exception as error:
                yield missing("throughput", contender, error)
        for work, writes in {"no writes": 0, f"{WRITES} changes a second": WRITES}.items():
            found = {}
            for server, loads in load_in_turns(servers, writes, options.quick).items():
                if isinstance(loads, Exception):
                    yield missing("throughput", server.contender, loads)
                else:
                    found[server.contender] = loads
            yield from rows(work, found)


def rows(work: str, found: dict[Contender, list[Load]]) -> Iterator[Row]:
    for unit, factor, figure in (
        (REQUESTS, 1.0, attrgetter("rate")),
        ("µs of processor a request", 1e6, attrgetter("cost")),
    ):
        samples = {one.name: list(map(figure, loads)) for one, loads in found.items()}
        for contender in found:
            own, floor = samples[contender.name], samples.get(contender.constants)
            yield Row(
                "throughput",
                f"{unit}, {work}",
                contender.name,
                SETTINGS,
                unit,
                Figures.of(own, factor),
                Figures.of(floor, factor) if floor else None,
                "constants in the same framework",
                ratio_of(own, floor[: len(own)]) if floor else None,
                TARGET if contender.is_ours and unit == REQUESTS and floor else None,
            )


def serve(contender: Contender, options: Options, stack: contextlib.ExitStack) -> Server:
    """Start a gunicorn."""
    config = stack.enter_context(configured(contender, SETTINGS, options))
    env = environ(BENCHMARK=json.dumps(config))
    python, port = python_of(contender.environment), free_port()
    quiet = [str(python), "-W", "ignore"]
    # Two workers that make the tables at the same moment would be in each other's way.
    program = f"import {contender.module}; {contender.module}.create_app()"
    prepare([*quiet, "-c", program], env=env)
    command = [*quiet, "-m", "gunicorn", "--workers", "2", "--bind", f"127.0.0.1:{port}"]
    command += ["--no-control-socket", "--log-level", "error", f"{contender.module}:create_app()"]
    log = Path(config["folder"]) / "log"
    process = stack.enter_context(running(command, lambda: get(port, "/"), log, env=env))
    return Server(contender, port, process.pid)


def load_in_turns(
    servers: list[Server], writes: int, quick: bool
) -> dict[Server, list[Load] | Exception]:
    """What each gives in each turn, or what went wrong."""
    found: dict[Server, list[Load] | Exception] = {server: [] for server in servers}
    for turn in range(1 if quick else TURNS_OF_OURS):
        for server, loads in found.items():
            needed = turn < TURNS or server.contender.module == "flask_app"
            if needed and isinstance(loads, list):
                try:
                    loads.append(load(server, writes))
                except Exception as error:
                    found[server] = error
    return found


def load(server: Server, writes: int) -> Load:
    """Send requests as fast as they are answered, and save so many settings a second."""
    workers = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    before = sum(cpu(int(worker)) for worker in workers)
    command = ["wrk", "--threads", "1", "--connections", "4", "--duration", f"{SECONDS}s"]
    command.append(f"http://127.0.0.1:{server.port}/")
    with saving(server.port, writes):
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=SECONDS + 10
        )
    used = sum(cpu(int(worker)) for worker in workers) - before
    if wrong := re.search(r"Non-2xx.*|Socket errors.*", done.stdout):
        raise WrongAnswers(wrong[0])
    (answered,) = re.findall(r"(\d+) requests in", done.stdout)
    (rate,) = re.findall(r"Requests/sec: +([0-9.]+)", done.stdout)
    return Load(float(rate), used / int(answered))


@contextlib.contextmanager
def saving(port: int, writes: int) -> Iterator[None]:
    """Save so many settings a second, in a thread, until the end of the block.

    :raises WrongAnswers: one could not be saved.
    """
    over = threading.Event()
    problems: list[Exception] = []

    def save() -> None:
        for number in itertools.count():
            if over.wait(1 / writes):
                return
            try:
                get(port, f"/save?value=value{number}")
            except Exception as error:
                problems.append(error)
                return

    thread = threading.Thread(target=save if writes else nothing)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if problems:
        raise problems[0]


def get(port: int, path: str) -> None:
    """:raises WrongAnswers: the answer is another one than 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
    if answer.status != 200:
        raise WrongAnswers(f"{path}: {answer.status}")
