"""Measures the slowest texts that somebody may type, for each control and each parameter.

    python benchmarks/worst_texts.py [--limit 20] [NAME ...]

Each name gets many texts of 10 kB, made to be slow for one parser or another. The slowest of them
is sent again with 100 and 1000 kB. Prints milliseconds of the processor for the whole request, how
often that is the floor, and the exponent of its growth (1 is linear, 2 quadratic) between the last
two. The floor is a bare Flask view that takes the same request and answers with the text, escaped.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flask import Flask, request
from markupsafe import escape
from werkzeug.test import create_environ, run_wsgi_app

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

from hostile_texts import CONFS, TEXTS, make_app

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3

#: Inputs of the page's form and parameters of addresses: how each is sent.
GET, POST = "GET", "POST"
PAGE, HISTORY, UNDO = "/admin/config", "/admin/config/history", "/admin/config/history/undo"
_INPUTS = ("csrf_token", "waffle_token", "waffle.do", "waffle.note", "waffle.reset", "other")
_FILTERS = ("key", "actor", "source", "since", "until", "before", "other")
PARAMETERS: dict[str, tuple[str, str, str]] = {
    **{f"form: {name}": (POST, PAGE, name) for name in (*_INPUTS, "waffle.theirs.str")},
    **{f"page: {name}": (GET, PAGE, name) for name in ("q", "group", "modified", "other")},
    **{f"history: {name}": (GET, HISTORY, name) for name in _FILTERS},
    **{f"undo: {name}": (POST, UNDO, name) for name in ("undo", "csrf_token", "back")},
}


class TooLong(BaseException):
    """A request took longer than the limit; nothing but this program may catch it."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TooLong

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def make_bare() -> Flask:
    """Return an app with a page of one control for each type, and the bare view."""
    app = make_app(MAX_FORM_MEMORY_SIZE=None)  # for the bare view: the page makes room for itself

    @app.route("/bare", methods=["GET", "POST"])
    def bare() -> str:
        return f"<p>{escape(request.values.get('text', ''))}</p>"

    return app


class Client:
    """Sends texts, each in a request of its own, with the tokens of a page or without."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        page = app.test_client().get("/admin/config").text
        found = re.findall(r'name="(csrf_token|waffle_token)" value="([^"]*)"', page)
        self.tokens = dict(found)

    def seconds(
        self, name: str, text: str, limit: float, rounds: int = ROUNDS, bare: bool = False
    ) -> float:
        """The processor time of a request, the best of some; infinite where it takes too long.

        :param bare: send it to the bare view.
        """
        method, path, field = PARAMETERS.get(name, (POST, PAGE, name))
        if bare:
            path, field = "/bare", "text"
        best = math.inf
        for _ in range(rounds):
            # Without a CSRF token, so that nothing is ever saved: all that is parsed is parsed
            # before that is checked.
            sent = {"waffle_token": self.tokens["waffle_token"], field: text}
            if method == GET:
                environ = create_environ(path, query_string={field: text})
            else:
                environ = create_environ(path, method="POST", data=sent)
            begun = time.process_time()
            try:
                with limited(limit):
                    run_wsgi_app(self.app, environ)
            except TooLong:
                return math.inf
            best = min(best, time.process_time() - begun)
        return best


def measure(client: Client, name: str, limit: float) -> tuple[str, list[float], float]:
    """The worst text of a control or parameter, its seconds by size, and those of the floor."""

    def beyond(what: str, size: int) -> float:
        text = TEXTS[what](size)
        return client.seconds(name, text, limit, 1) - client.seconds(name, text, limit, 1, True)

    small = {what: beyond(what, SIZES[0]) for what in TEXTS}
    # What is slow by a constant at this size may be overtaken: so the slowest few go on.
    slowest = sorted(small, key=lambda what: -small[what])[:8]
    middle = {what: beyond(what, SIZES[1]) for what in slowest}
    worst = max(middle, key=lambda what: middle[what])
    times = [client.seconds(name, TEXTS[worst](size), limit) for size in SIZES]
    return worst, times, client.seconds(name, TEXTS[worst](SIZES[-1]), limit, bare=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="of controls and parameters; all")
    parser.add_argument("--limit", type=float, default=20, help="seconds, then give up")
    given = parser.parse_args()
    client = Client(make_bare())
    logging.disable()
    names = given.names or [*CONFS, *PARAMETERS]
    print("| control or parameter | worst text | 10 kB | 100 kB | 1000 kB | floors | exponent |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        worst, found, floor = measure(client, name, given.limit)
        times = " | ".join(f"{t * 1000:.0f}" if t < math.inf else "never" for t in found)
        growth = math.log10(found[-1] / found[-2]) if found[-2] < math.inf else math.inf
        print(
            f"| {name} | {worst} | {times} | {found[-1] / floor:.1f} | {growth:.1f} |", flush=True
        )


if __name__ == "__main__":
    main()
