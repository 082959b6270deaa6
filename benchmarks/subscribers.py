"""A thousand subscribers of one Redis, each with the real watcher, against a store that counts.

    python benchmarks/subscribers.py [--subscribers 1000] [--processes 4] [--changes 5]

Prints how many statements a change costs the database and over which time they come; then the same
for a burst of changes, and for a Redis that is killed and started again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT)]
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

import redis  # noqa: E402
from faults import restartable_redis  # noqa: E402
from flask import Flask  # noqa: E402

from waffleconf_admin import WaffleConf, WaffleStore  # noqa: E402


class CountingStore(WaffleStore):
    """Answers at once, and notes when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        self.asked.append(time.monotonic())
        return []

    def in_memory(self) -> bool:
        return False


def subscribe(count: int, url: str) -> None:
    """One process of subscribers: answers each line with the times of the statements since."""
    logging.disable()  # a thousand times that Redis is away
    store = CountingStore()
    waffle = WaffleConf(configstore=store)
    apps = []
    for _ in range(count):
        app = Flask("subscriber")
        app.config.update(
            WAFFLE_CONFS={"SITENAME": {"default": "Waffle"}},
            WAFFLE_MULTIPROC=True,
            WAFFLE_WATCHTYPE="redis",
            WAFFLE_REDIS_URL=url,
            WAFFLE_RESYNC_INTERVAL=3600,
        )
        waffle.init_app(app)
        apps.append(app)
    print("ready", flush=True)
    for _ in sys.stdin:
        asked, store.asked = store.asked, []
        print(json.dumps(asked), flush=True)
    os._exit(0)  # without waiting for a thousand threads


class Subscribers:
    def __init__(self, count: int, processes: int, url: str) -> None:
        self.count = count
        command = [sys.executable, __file__, "--listen", str(count // processes), url]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.children = [subprocess.Popen(command, **pipes) for _ in range(processes)]
        for child in self.children:
            child.stdout.readline()

    def asked(self) -> list[float]:
        times: list[float] = []
        for child in self.children:
            child.stdin.write("\n")
            child.stdin.flush()
            times += json.loads(child.stdout.readline())
        return sorted(times)

    def wait(self, client: Any) -> None:
        """Until all have subscribed, and have read for it."""
        while client.pubsub_numsub("waffleconf")[0][1] < self.count:
            threading.Event().wait(0.1)
        threading.Event().wait(2)

    def end(self) -> None:
        for child in self.children:
            child.stdin.close()
            child.wait()


def report(what: str, subscribers: Subscribers, began: float) -> None:
    times = [moment - began for moment in subscribers.asked()]
    spread = ""
    if times:
        middle, late = statistics.median(times), times[round(0.99 * (len(times) - 1))]
        spread = f"; median {middle:.3f} s, p99 {late:.3f} s, last {times[-1]:.3f} s after it"
    print(f"{what}: {len(times)} statements{spread}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--changes", type=int, default=5)
    parser.add_argument("--listen", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.listen:
        subscribe(int(options.listen[0]), options.listen[1])
    with contextlib.ExitStack() as stack:
        url, server = stack.enter_context(restartable_redis())
        client = stack.enter_context(redis.Redis.from_url(url))
        began = time.monotonic()
        subscribers = Subscribers(options.subscribers, options.processes, url)
        stack.callback(subscribers.end)
        subscribers.wait(client)
        report(f"{options.subscribers} subscribers start", subscribers, began)
        for number in range(options.changes):
            began = time.monotonic()
            client.publish("waffleconf", time.time())
            threading.Event().wait(4)
            report(f"change {number + 1}", subscribers, began)
        began = time.monotonic()
        for _ in range(10):
            client.publish("waffleconf", time.time())
            threading.Event().wait(0.006)
        threading.Event().wait(6)
        report("ten changes within 60 ms", subscribers, began)
        server.kill()
        threading.Event().wait(3)
        server.start()
        began = time.monotonic()
        subscribers.wait(client)
        report("Redis is back after three seconds", subscribers, began)


if __name__ == "__main__":
    main()
