"""What the same machine does without the extension: the floors that propagation.py measures beside.

Run as a program, it is one of the processes that listen, or one that only loops.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

# What a process of ours has loaded, so that waking up costs as much memory.
import flask_sqlalchemy  # noqa: F401
import redis

from waffleconf_admin.sync.watch_types import WATCH_TYPES

#: Seconds between two polls.
INTERVALS = {name: each.default_interval or 0.0 for name, each in WATCH_TYPES.items()}
POLL = INTERVALS["file"]


def listen_to_redis(url: str) -> None:
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


def loop_beside(path: str) -> None:
    """Look at a file in a thread, as a watcher does, and at nothing else."""

    def loop() -> None:
        while True:
            time.sleep(POLL)
            os.stat(path)

    threading.Thread(target=loop, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


ROLES = {"redis": listen_to_redis, "file": listen_to_file, "loop": loop_beside}


@contextlib.contextmanager
def process(role: str, where: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, __file__, role, where]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as started:
        try:
            started.stdout.readline()  # ready, or subscribed
            yield started
        finally:
            started.kill()


def notice(kind: str, where: str, processes: int, rounds: int, warm_up: int) -> list[float]:
    """Seconds from sending a bare notice to each process that hears it."""
    send = sender(kind, where)
    samples: list[float] = []
    with contextlib.ExitStack() as stack:
        listeners = [stack.enter_context(process(kind, where)) for _ in range(processes)]
        for number in range(-warm_up, rounds):
            time.sleep(0.05 + random.uniform(0.0, INTERVALS.get(kind, 0.0)))
            sent = time.monotonic()
            send()
            heard = [float(listener.stdout.readline()) - sent for listener in listeners]
            samples += heard if number >= 0 else []
    return samples


def sender(kind: str, where: str) -> Callable[[], Any]:
    if kind == "file":
        return lambda: os.utime(where, ns=(time.time_ns(), time.time_ns()))
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


if __name__ == "__main__":
    role, where = sys.argv[1:]
    ROLES[role](where)
