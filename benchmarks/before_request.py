"""What a request pays for settings that have not changed.

Our function alone, called again and again; and a whole request, beside an app without the
extension. The second is more: Flask and blinker call the function in three places, and what a
request has just left in the processor's caches is not ours.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, appcontext_pushed
from measure import Figures, Options, Row, in_turns, timing
from werkzeug.test import create_environ

from waffleconf_admin import WaffleConf, WaffleStore

CALLS = 2000  # a turn
REQUESTS = 50  # a turn


class Nothing(WaffleStore):
    """A database without rows."""

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        return []


def make(settings: int | None, **config: Any) -> Flask:
    """An app with so many settings; None: without the extension."""
    app = Flask("benchmark")
    app.add_url_rule("/", view_func=lambda: "")
    if settings is not None:
        app.config.update(WAFFLE_CONFS={f"K{n}": {"default": n} for n in range(settings)}, **config)
        WaffleConf(app, Nothing())
    return app


ENVIRON = create_environ("/")


def requests(app: Flask, count: int = REQUESTS) -> None:
    for _ in range(count):
        app.wsgi_app(dict(ENVIRON), lambda *_: None)  # type: ignore[arg-type, return-value]


def requests_without(app: Flask, count: int = REQUESTS) -> None:
    """The same of an app without the extension, as in a process without one."""
    with appcontext_pushed.muted():  # else blinker looks for receivers among those of other apps
        requests(app, count)


def calls(app: Flask) -> None:
    follow = app.extensions["waffleconf"].loader.follow
    for _ in range(CALLS):
        follow(ENVIRON)


def run(options: Options) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = {"WAFFLE_MULTIPROC": True, "WAFFLE_WATCHER_FILE": str(Path(folder) / "watched")}
        for subject, config in (("one process", {}), ("watch type 'file'", file)):
            for count in options.sizes:
                app = make(count, **config)
                yield alone(app, subject, count, options.seconds)
                yield whole(app, subject, count, options.seconds)
                app.extensions["waffleconf"].stop()


def alone(app: Flask, subject: str, count: int, seconds: float) -> Row:
    requests(app)  # loads
    (times,) = in_turns([timing(partial(calls, app))], seconds / 2)
    figures = Figures.of(times, 1e6 / CALLS)
    name = "before each request"
    return Row("before_request", name, subject, count, "µs", figures, None, "nothing", None, 5.0)


def whole(app: Flask, subject: str, count: int, seconds: float) -> Row:
    both = [timing(partial(requests, app)), timing(partial(requests_without, make(None)))]
    ours, floor = in_turns(both, seconds)
    more = [with_it - plain for with_it, plain in zip(ours, floor, strict=True)]
    return Row(
        "before_request",
        "what a request costs more",
        subject,
        count,
        "µs",
        Figures.of(more, 1e6 / REQUESTS),
        Figures.of(floor, 1e6 / REQUESTS),
        "all of a request without the extension",
    )
