"""How long a change takes to reach every other process, and what a process costs that waits.

    python benchmarks/propagation.py [--rounds N] [--processes 2 4 8] [--settings 10 1000] [--json]

Each row stands beside its floor, measured in the same run: a bare publish to get_message, or a bare
loop of os.stat, in as many processes; and one bare SELECT of all the rows. What waits is measured
while a bare loop runs beside it. Flask-WaffleConf 0.3.1 follows, where an environment has it:
tests/servers/test_side_by_side.py makes one, --old names the Python of another.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

import floors  # noqa: E402
import redis  # noqa: E402
import servers  # noqa: E402
import sqlalchemy as sa  # noqa: E402
from fleet import FOLLOWER, WAIT, Process, until  # noqa: E402
from measure import cpu  # noqa: E402

from waffleconf_admin.sync.watch_types import WATCH_TYPES  # noqa: E402

WARM_UP = 5  # rounds that don't count: first connections, first statements
OLD_ROUNDS = {"redis": 10, "file": 3}
OLD_INTERVALS = {"file": 10.0}
OLD_WAIT = 15.0  # seconds after which 0.3.1 counts as not following

Row = dict[str, Any]


def p99(samples: list[float]) -> float:
    return sorted(samples)[min(len(samples) - 1, round(0.99 * (len(samples) - 1)))]


def milliseconds(samples: list[float]) -> dict[str, float]:
    if not samples:
        return {}
    return {"median": 1e3 * statistics.median(samples), "p99": 1e3 * p99(samples)}


# Processes


class Urls(NamedTuple):
    """Where the servers are; "" for one that is not needed."""

    redis: str = ""
    postgresql: str = ""


def config_of(watch_type: str, settings: int, folder: Path, urls: Urls) -> dict[str, Any]:
    database = f"sqlite:///{folder / 'test.db'}"
    if watch_type == "postgresql":
        database = urls.postgresql
        engine = sa.create_engine(database, poolclass=sa.NullPool)
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE IF EXISTS confs")
    confs = {f"SETTING_{number}": {"default": number} for number in range(settings - 1)}
    return {
        "SQLALCHEMY_DATABASE_URI": database,
        "WAFFLE_CONFS": {"SITENAME": {"default": "Waffle"}} | confs,
        "WAFFLE_MULTIPROC": watch_type != "off",
        "WAFFLE_WATCHTYPE": watch_type if watch_type != "off" else "file",
        "WAFFLE_WATCHER_FILE": str(folder / "changed"),
        "WAFFLE_REDIS_URL": urls.redis,
        "WAFFLE_REDIS_CHANNEL": f"benchmark {uuid.uuid4()}",
    }


@contextlib.contextmanager
def started(
    config: dict[str, Any], count: int, command: Sequence[Any] = (sys.executable, FOLLOWER)
) -> Iterator[list[Process]]:
    with contextlib.ExitStack() as stack:
        processes = []
        for _ in range(count):
            processes.append(Process(config, command))
            stack.callback(processes[-1].end)
        yield processes


@contextlib.contextmanager
def fleet(watch_type: str, count: int, settings: int, urls: Urls) -> Iterator[list[Process]]:
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        config = config_of(watch_type, settings, Path(folder), urls)
        processes = stack.enter_context(started(config, count))
        for process in processes:
            process.do("request")  # loads
        processes[0].do("store_defaults")
        yield processes


@contextlib.contextmanager
def old_fleet(python: Path, watch_type: str, count: int, settings: int) -> Iterator[list[Process]]:
    """Processes with Flask-WaffleConf 0.3.1, which load and store the defaults as they start."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        config = config_of(watch_type, settings, Path(folder), Urls())
        Path(config["WAFFLE_WATCHER_FILE"]).touch()  # a file made later would be news
        if watch_type == "redis":
            client = stack.enter_context(default_redis())
        command = [python, "-W", "ignore", HERE / "peers" / "flask_waffleconf_031.py"]
        processes = stack.enter_context(started(config, count, command))
        if watch_type == "redis":
            channel = config["WAFFLE_REDIS_CHANNEL"]
            until(lambda: client.pubsub_numsub(channel)[0][1] == count)
        yield processes


@contextlib.contextmanager
def default_redis() -> Iterator[Any]:
    """The Redis where 0.3.1 publishes, whatever it is told: on port 6379 of this host."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(redis.Redis())
        try:
            client.ping()
        except redis.ConnectionError:
            stack.enter_context(servers.redis_server(6379))
        yield client


# Measurements


def measure(
    processes: list[Process], rounds: int, warm_up: int, interval: float, wait: float
) -> Row:
    """Times from a save in the first process to the others, and how many never saw it.

    :param interval: seconds between two looks of those that wait: saves come anywhere in it.
    """
    writer, *others = processes
    for other in others:
        other.do("note_times")
    samples, missed = [], 0
    for number in range(-warm_up, rounds):
        time.sleep(0.05 + random.uniform(0.0, interval))
        value = f"value {number}"
        called = writer.do("save_at", value)
        time.sleep(0.05)  # asking at once would keep the processes from their work
        for other in others:
            left = max(0.0, called + wait - time.monotonic())
            seen = until(lambda other=other, value=value: other.do("seen_at", value), left)
            if number >= 0 and seen:
                samples.append(other.do("seen_at", value) - called)
            missed += number >= 0 and not seen
    return {"rounds": rounds, "missed": missed, **milliseconds(samples)}


def propagation(watch_type: str, count: int, settings: int, rounds: int, urls: Urls) -> Row:
    row: Row = {"watch type": watch_type, "processes": count, "settings": settings}
    with fleet(watch_type, count, settings, urls) as processes:
        row |= measure(processes, rounds, WARM_UP, floors.INTERVALS.get(watch_type, 0.0), WAIT)
        if watch_type == "postgresql":
            return row  # no floors: those are of SQLite
        path = processes[0].config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
        rows, committed = floors.select(path), floors.commit(path)
    with tempfile.NamedTemporaryFile() as file:
        notice = ("redis", urls.redis) if watch_type == "redis" else ("file", file.name)
        bare = milliseconds(floors.notice(*notice, count - 1, rounds, WARM_UP))
    row |= {f"floor {key}": value for key, value in bare.items()}
    row["select"] = 1e3 * rows
    row["commit p99"] = 1e3 * p99(committed)  # part of ours, and of no floor
    if "p99" in row:
        row["ratio"] = row["p99"] / (row["floor p99"] + row["select"])
    return row


def old_propagation(python: Path, watch_type: str, count: int, settings: int, rounds: int) -> Row:
    row: Row = {"watch type": f"0.3.1 {watch_type}", "processes": count, "settings": settings}
    with old_fleet(python, watch_type, count, settings) as processes:
        return row | measure(processes, rounds, 1, OLD_INTERVALS.get(watch_type, 0.0), OLD_WAIT)


def idle(watch_types: Sequence[str], seconds: float, urls: Urls) -> list[Row]:
    """What a process costs in a minute in which nothing happens; all of them side by side."""
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(tempfile.NamedTemporaryFile())
        loop = stack.enter_context(floors.process("loop", file.name))
        waiting = {name: stack.enter_context(fleet(name, 1, 10, urls))[0] for name in watch_types}
        pids = {"bare loop": loop.pid} | {name: each.popen.pid for name, each in waiting.items()}
        time.sleep(2)  # until they have settled
        reloads = {name: process.do("reloads") for name, process in waiting.items()}
        used = {name: cpu(pid) for name, pid in pids.items()}
        time.sleep(seconds)
        used = {name: cpu(pid) - used[name] for name, pid in pids.items()}
        reloads = {name: each.do("reloads") - reloads[name] for name, each in waiting.items()}
    return [
        {
            "watch type": name,
            "CPU s a minute": used[name] * 60 / seconds,
            "of the bare loop": used[name] / used["bare loop"],
            "statements a minute": reloads.get(name, 0) * 60 / seconds,
        }
        for name in pids
    ]


def table(rows: list[Row]) -> str:
    def text(value: Any) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, *([text(row.get(name, "")) for name in names] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def main() -> None:
    beside = Path(sys.prefix) / "flask-waffleconf-0.3.1" / "bin" / "python"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--processes", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--settings", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--types", nargs="+", default=["redis", "postgresql", "file"])
    parser.add_argument("--old", type=Path, default=beside, metavar="PYTHON")
    parser.add_argument("--old-rounds", type=int, metavar="N", help="10 with redis, 3 with a file")
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    cases = [
        (watch_type, count, settings)
        for watch_type in options.types
        for count in options.processes
        for settings in options.settings
    ]
    with servers.redis_server() as redis_url, servers.postgres_server() as postgresql_url:
        urls = Urls(redis_url, postgresql_url)
        rows = [propagation(*case, options.rounds, urls) for case in cases]
        waiting = idle(["off", *WATCH_TYPES], options.idle, urls)
    if options.old.exists():
        rows += [
            old_propagation(options.old, *case, options.old_rounds or OLD_ROUNDS[case[0]])
            for case in cases
            if case[0] in OLD_ROUNDS
        ]
    else:
        print(f"No Flask-WaffleConf 0.3.1 to compare with: no {options.old}", file=sys.stderr)
    if options.json:
        print(json.dumps({"propagation": rows, "idle": waiting}, indent=2))
    else:
        print(f"In milliseconds:\n{table(rows)}\n\nIdle:\n{table(waiting)}")


if __name__ == "__main__":
    main()
