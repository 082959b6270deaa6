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
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from enum import Enum, Flag
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from markupsafe import escape
from werkzeug.test import create_environ, run_wsgi_app

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, anyone

SIZES = (10_000, 100_000, 1_000_000)
ROUNDS = 3
PRIME = 2**61 - 1  # numbers are hashed modulo this

Theme = Enum("Theme", ["LIGHT", "DARK"])
Rights = Flag("Rights", ["READ", "WRITE"])

CONFS: dict[str, dict[str, Any]] = {
    "bool": {"default": True},
    "int": {"default": 1},
    "float": {"default": 1.5},
    "Decimal": {"default": Decimal("1.5")},
    "range": {"default": 1, "type": "range", "min": 0, "max": 9},
    "filesize": {"default": 1, "type": "filesize"},
    "str": {"default": "x"},
    "str of lines": {"default": "x", "multiline": True},
    "email": {"default": "", "type": "email"},
    "url": {"default": "", "type": "url"},
    "color": {"default": "", "type": "color"},
    "timezone": {"default": "UTC", "type": "timezone"},
    "date": {"default": date(2026, 1, 31)},
    "time": {"default": clock(18, 30)},
    "datetime": {"default": datetime(2026, 1, 31)},
    "timedelta": {"default": timedelta(1)},
    "Enum": {"default": Theme.LIGHT},  # type: ignore[attr-defined]
    "Flag": {"default": Rights.READ},  # type: ignore[attr-defined]
    "choices": {"default": "a", "choices": ["a", "b"]},
    "several choices": {"default": ["a"], "choices": ["a", "b"]},
    "bool or None": {"default": None, "type": bool},
    "UUID": {"default": UUID(int=1)},
    "path": {"default": PurePosixPath("/srv")},
    **{type(net).__name__: {"default": net} for net in (
        ip_address("192.0.2.1"), ip_address("::1"), ip_network("192.0.2.0/24"),
        ip_network("2001:db8::/32"), ip_interface("192.0.2.1/24"), ip_interface("2001:db8::1/64"),
    )},
    "bytes": {"default": b"x"},
    "list": {"default": []},
    "tuple": {"default": ()},
    "dict": {"default": {}},
    "set": {"default": {1}},
    "frozenset": {"default": frozenset({1})},
    "secret": {"default": "x", "secret": True},
    "secret dict": {"default": {}, "secret": True},
}  # fmt: skip
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


def numbered(start: str, item: str, join: str, end: str) -> Callable[[int], str]:
    """A text of many items, each with a number of its own."""

    def make(size: int) -> str:
        parts, length, number = [], len(start) + len(end), 0
        while length < size:
            number += 1
            parts.append(item.format(number, number * PRIME))
            length += len(parts[-1]) + len(join)
        return start + join.join(parts) + end

    return make


def repeated(start: str, item: str, end: str) -> Callable[[int], str]:
    return lambda size: start + item * ((size - len(start) - len(end)) // len(item)) + end


def chained(size: int) -> str:
    """Return a JSON list of numbers, half of them in the slots of a hash table in which the last
    one, which comes again and again, is looked for in turn.
    """
    items = size // 16
    mask = 2 ** (items * 2).bit_length() - 1
    at, chain = 1, [1 + (mask + 1)]
    while len(chain) < items:
        at = (at * 5 + 1) & mask
        chain += [at + step for step in range(10)]
    return "[" + ",".join(map(str, [*chain, *[1] * items])) + "]"


TEXTS: dict[str, Callable[[int], str]] = {
    "digits": repeated("", "1", ""),
    "digits, x": repeated("", "1", "x"),
    "minus, digits, x": repeated("-", "1", "x"),
    "digits after a point, x": repeated("1.", "1", "x"),
    "digits of an exponent": repeated("1e", "1", ""),
    "grouped digits, x": repeated("1", ",111", "x"),
    "digits and blanks": repeated("1", " 1", "x"),
    "blanks": repeated("", " ", "x"),
    "one digit, blanks, x": repeated("1", " ", "x"),
    "a size, blanks, x": repeated("1", " ", "!"),
    "a clock, blanks, a line": repeated("00:00", " ", "\nx"),
    "a clock, a zone, a line": repeated("00:00 ", "a", "\nx"),
    "a day, blanks, a line": repeated("2026-01-31 00:00", "\t", "\nx"),
    "an offset, blanks, a line": repeated("00:00+00:00", " ", "\nx"),
    "lengths of time": repeated("", "1s", ""),
    "lengths of time, x": repeated("", "1 s, ", "!"),
    "long lengths of time": repeated("", "1" * 30 + "." + "1" * 30 + "s", ""),
    "a length of time, blanks": repeated("1", " ", ""),
    "runs of digits": repeated("", "1" * 31 + " ", ""),
    "an ISO length": repeated("P", "1", "D"),
    "commas": repeated("", ",", "x"),
    "points": repeated("", ".", "x"),
    "colons": repeated("", ":", "x"),
    "hex and colons": repeated("", "1:", "x"),
    "numbers and points": repeated("", "1.", "x"),
    "a network": repeated("10.0.0.0/", "1", ""),
    "a zone of an address": repeated("fe80::1%", "a", ""),
    "hyphens": repeated("", "-", "x"),
    "at signs": repeated("", "@", "x"),
    "an address": repeated("a@", "a.", "!"),
    "a long address": repeated("a@", "a", "!"),
    "a web address": repeated("https://", "a.", " x"),
    "a path of the web": repeated("https://a/", "a/", "\n"),
    "slashes": repeated("", "/", "x"),
    "folders": repeated("", "a/", "x"),
    "folders up": repeated("/", "../", "x"),
    "hashes": repeated("", "#", "x"),
    "lines": repeated("", "\n", "x"),
    "returns": repeated("", "\r", "x"),
    "both": repeated("", "\r\n", "x"),
    "words": repeated("", "a ", "x"),
    "words of their own": numbered("", "w{}", " ", ""),
    "quotes": repeated("", '"', "x"),
    "angle brackets": repeated("", "<", "x"),
    "ampersands": repeated("", "&", "x"),
    "base64": repeated("", "AAAA", ""),
    "base64 on lines": repeated("", "AAAA ", "!"),
    "brackets": repeated("", "[", ""),
    "brackets, closed": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "braces": repeated("", '{"a":', ""),
    "a deep list": lambda size: "[" * 400 + "1" + ",1" * (size // 2) + "]" * 400,
    "a deep dict": lambda size: '{"a":' * 90 + "[1" + ",1" * (size // 2) + "]" + "}" * 90,
    "lists in lists": repeated("[", "[[[[]]]],", "[]]"),
    "names": numbered("{", '"a{}":1', ",", "}"),
    "names, one twice": numbered("{", '"a{}":1', ",", ',"z":1,"z":2}'),
    "each name twice": lambda size: (
        "{" + ",".join(f'"a{n // 2}":1' for n in range(size // 12)) + "}"
    ),
    "numbers with one hash": numbered("[", "{1}", ",", "]"),
    "names with one hash": numbered("{", '"{1}":1', ",", "}"),
    "numbers in the slots of others": chained,
    "numbers": numbered("[", "{0}", ",", "]"),
    "numbers, one twice": numbered("[", "{0}", ",", ",1]"),
    "texts": numbered("[", '"a{}"', ",", "]"),
    "long numbers": repeated("[", "1" * 4000 + ",", "1]"),
    "a number without end": repeated("[", "1", "]"),
    "decimals without end": repeated("[0.", "1", "]"),
    "escapes": repeated('["', "\\u00e9", '"]'),
    "half characters": repeated('["', "\\ud800", '"]'),
    "a text without end": repeated('["', "\\\\", ""),
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


def make_app() -> Flask:
    """Return an app with a page of one control for each type, and the bare view."""
    app = Flask("benchmark")
    app.config.update(
        SECRET_KEY="benchmark",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        WAFFLE_CONFS=CONFS,
        WAFFLE_STORE_DEFAULTS=False,
        MAX_FORM_MEMORY_SIZE=None,  # for the bare view: the page makes room for itself
    )
    db = SQLAlchemy(app)
    Conf, Change = AlchemyWaffleStore.make_models(db)
    with app.app_context():
        db.create_all()
    WaffleConf(app, AlchemyWaffleStore(db, Conf, history=Change))
    app.register_blueprint(WaffleAdmin(can=anyone))

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
    client = Client(make_app())
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
