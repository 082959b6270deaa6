"""The same work by this package and its peers: ten settings read in a view, one saved, the page.

Each app is a WSGI application in a process of its own that is called without a server. The times
are those on the wall: some wait for Redis.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import subjects  # noqa: F401 (finds what the tests have)
from contenders import CONTENDERS, PEERS, Contender, configured, missing, python_of
from fleet import Process
from measure import Figures, Missing, Options, Row, in_turns, ratio_of

#: Requests in a turn.
WORKS = {"read ten settings": ("/", 10), "save one": ("/save?value=value {}", 3), "GET": ("", 1)}


@dataclass
class Running:
    contender: Contender
    process: Any
    page: str | None


def run(options: Options) -> Iterator[Row | Missing]:
    count = 100 if options.quick else 1000
    with contextlib.ExitStack() as stack:
        running = []
        for contender in CONTENDERS:
            try:
                running.append(start(contender, count, options, stack))
            except Exception as error:
                yield missing("peers", contender, error)
        yield from rows(running, count, options.seconds)


def start(
    contender: Contender, count: int, options: Options, stack: contextlib.ExitStack
) -> Running:
    config = stack.enter_context(configured(contender, count, options))
    command = [python_of(contender.environment), "-W", "ignore", PEERS / "timer.py"]
    process = Process(config, [*command, contender.module])
    stack.callback(process.end)
    return Running(contender, process, process.do("page"))


def rows(running: list[Running], count: int, seconds: float) -> Iterator[Row]:
    for work, (path, requests) in WORKS.items():
        able = [each for each in running if path or each.page]
        calls = [call(each, path, requests) for each in able]
        samples = in_turns(calls, seconds * len(calls))
        times = {one.contender.name: own for one, own in zip(able, samples, strict=True)}
        for one in able:
            own, floor = times[one.contender.name], times.get(one.contender.constants)
            yield Row(
                "peers",
                work,
                one.contender.name,
                count,
                "ms",
                Figures.of(own, 1e3),
                Figures.of(floor, 1e3) if floor else None,
                "constants in the same framework" if floor else "",
                ratio_of(own, floor) if floor else None,
            )


def call(one: Running, path: str, requests: int) -> Callable[[], float]:
    """Gives the seconds that a request takes in that process."""
    return lambda: float(one.process.do("time", path or one.page, requests))
