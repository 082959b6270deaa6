"""How long a change takes to reach every other process, and what a process costs that waits.

    python benchmarks/propagation.py [--rounds N] [--processes 2 4 8] [--settings 10 1000] [--json]

Each row stands beside its floor, measured in the same run: a bare publish to get_message, or a bare
loop of os.stat, in as many processes; and one bare SELECT of all the rows.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

import servers  # noqa: E402
from fleet import Process, until  # noqa: E402

WARM_UP = 5  # rounds that don't count: first connections, first statements
POLL = 0.2  # the default of WAFFLE_WATCH_INTERVAL


def p99(samples: list[float]) -> float:
    return sorted(samples)[min(len(samples) - 1, round(0.99 * (len(samples) - 1)))]


def milliseconds(samples: list[float]) -> dict[str, float]:
    return {"median": 1e3 * statistics.median(samples), "p99": 1e3 * p99(samples)}


# The floors: this file run as a process that listens, and prints when it heard


def listen_to_redis(url: str) -> None:
    import redis

    with redis.Redis.from_url(url) as client, client.pubsub() as pubsub:
        pubsub.subscribe("floor")
        while True:
            message = pubsub.get_message(timeout=1.0)
            if message is not None:
                print(time.monotonic(), flush=True)


def listen_to_file(path: str) -> None:
    print("ready", flush=True)
    seen = os.stat(path).st_mtime_ns
    while True:
        time.sleep(POLL)
        now = os.stat(path).st_mtime_ns
        if now != seen:
            seen = now
            print(time.monotonic(), flush=True)


def floor(kind: str, where: str, processes: int, rounds: int) -> list[float]:
    command = [sys.executable, __file__, "--listen", kind, where]
    with contextlib.ExitStack() as stack:
        listeners = [
            stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
            for _ in range(processes)
        ]
        for listener in listeners:
            stack.callback(listener.kill)
            listener.stdout.readline()  # ready, or subscribed
        send = sender(kind, where)
        samples = []
        for number in range(-WARM_UP, rounds):
            time.sleep(random.uniform(0.0, 2 * POLL) if kind == "file" else 0.05)
            sent = time.monotonic()
            send()
            heard = [float(listener.stdout.readline()) - sent for listener in listeners]
            samples += heard if number >= 0 else []
    return samples


def sender(kind: str, where: str) -> Callable[[], Any]:
    if kind == "file":
        return lambda: os.utime(where, ns=(time.time_ns(), time.time_ns()))
    import redis

    client = redis.Redis.from_url(where)
    return lambda: client.publish("floor", "1")


def select(path: str, rounds: int = 50) -> float:
    """Seconds for one bare SELECT of all rows."""
    times = []
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for _ in range(rounds):
            began = time.perf_counter()
            connection.execute("SELECT key, value FROM confs").fetchall()
            times.append(time.perf_counter() - began)
    return statistics.median(times)


def commit(path: str, rounds: int = 50) -> list[float]:
    """Seconds for a bare UPDATE of one row and its commit."""
    times = []
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for number in range(rounds):
            began = time.perf_counter()
            connection.execute("UPDATE confs SET value = ? WHERE key = 'SITENAME'", [number])
            connection.commit()
            times.append(time.perf_counter() - began)
    return times


# The extension


def config_of(kind: str, settings: int, folder: Path, redis_url: str) -> dict[str, Any]:
    confs = {f"SETTING_{number}": {"default": number} for number in range(settings - 1)}
    return {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{folder / 'test.db'}",
        "WAFFLE_CONFS": {"SITENAME": {"default": "Waffle"}} | confs,
        "WAFFLE_MULTIPROC": kind != "off",
        "WAFFLE_WATCHTYPE": kind if kind != "off" else "file",
        "WAFFLE_WATCHER_FILE": str(folder / "changed"),
        "WAFFLE_REDIS_URL": redis_url,
    }


@contextlib.contextmanager
def fleet(kind: str, processes: int, settings: int, redis_url: str) -> Iterator[list[Process]]:
    with tempfile.TemporaryDirectory() as folder:
        config = config_of(kind, settings, Path(folder), redis_url)
        started = [Process(config) for _ in range(processes)]
        try:
            for process in started:
                process.do("request")  # loads, and stores the defaults
            started[0].do("store_defaults")
            yield started
        finally:
            for process in started:
                process.end()


def propagation(kind: str, processes: int, settings: int, rounds: int, url: str) -> dict[str, Any]:
    with fleet(kind, processes, settings, url) as (writer, *others):
        for other in others:
            other.do("note_times")
        samples = []
        for number in range(-WARM_UP, rounds):
            time.sleep(random.uniform(0.0, 2 * POLL) if kind == "file" else 0.05)
            value = f"value {number}"
            called = writer.do("save_at", value)
            time.sleep(0.05)  # asking at once would keep the processes from their work
            for other in others:
                if not until(lambda other=other, value=value: other.do("seen_at", value)):
                    raise SystemExit(f"{kind}: {value!r} was not seen")
                if number >= 0:
                    samples.append(other.do("seen_at", value) - called)
        path = writer.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
        rows, committed = select(path), commit(path)
    with tempfile.NamedTemporaryFile() as file:
        where = url if kind == "redis" else file.name
        bare = floor("redis" if kind == "redis" else "file", where, processes - 1, rounds)
    row = {"kind": kind, "processes": processes, "settings": settings}
    row |= milliseconds(samples)
    row |= {f"floor {key}": value for key, value in milliseconds(bare).items()}
    row["select"] = 1e3 * rows
    row["commit p99"] = 1e3 * p99(committed)  # part of ours, and of no floor
    row["ratio"] = row["p99"] / (row["floor p99"] + row["select"])
    return row


def idle(kind: str, seconds: float, url: str) -> dict[str, Any]:
    """What one process costs in a minute in which nothing happens."""
    with fleet(kind, 1, 10, url) as (process,):
        time.sleep(2)  # until it has settled
        reloads, used = process.do("reloads"), cpu(process)
        time.sleep(seconds)
        row = {"kind": kind, "CPU s a minute": (cpu(process) - used) * 60 / seconds}
        row["statements a minute"] = (process.do("reloads") - reloads) * 60 / seconds
    return row


def cpu(process: Process) -> float:
    threads = Path(f"/proc/{process.popen.pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def table(rows: list[dict[str, Any]]) -> str:
    def text(value: Any) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    lines = [list(rows[0]), *([text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--processes", type=int, nargs="+", default=[2, 4, 8])
    parser.add_argument("--settings", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--kinds", nargs="+", default=["redis", "file"])
    parser.add_argument("--idle", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--listen", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.listen:
        kind, where = options.listen
        {"redis": listen_to_redis, "file": listen_to_file}[kind](where)
    with servers.redis_server() as url:
        rows = [
            propagation(kind, processes, settings, options.rounds, url)
            for kind in options.kinds
            for processes in options.processes
            for settings in options.settings
        ]
        waiting = [idle(kind, options.idle, url) for kind in ("off", "file", "redis", "database")]
    if options.json:
        print(json.dumps({"propagation": rows, "idle": waiting}, indent=2))
    else:
        print(
            f"In milliseconds, {options.rounds} rounds:\n{table(rows)}\n\nIdle:\n{table(waiting)}"
        )


if __name__ == "__main__":
    main()
