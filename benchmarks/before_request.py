"""What a request pays for settings that have not changed, beside an app without the extension."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from measure import Figures, Options, Row, in_turns, timing
from werkzeug.test import create_environ

from waffleconf_admin import WaffleConf, WaffleStore

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


def requests(app: Flask, count: int = REQUESTS) -> None:
    environ = create_environ("/")
    for _ in range(count):
        app.wsgi_app(dict(environ), lambda *_: None)  # type: ignore[arg-type, return-value]


def run(options: Options) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        file = {"WAFFLE_MULTIPROC": True, "WAFFLE_WATCHER_FILE": str(Path(folder) / "watched")}
        without = make(None)
        for subject, config in (("one process", {}), ("watch type 'file'", file)):
            for count in options.sizes:
                app = make(count, **config)
                both = [timing(partial(requests, each)) for each in (app, without)]
                ours, floor = in_turns(both, options.seconds)
                app.extensions["waffleconf"].stop()
                more = [with_it - plain for with_it, plain in zip(ours, floor, strict=True)]
                yield Row(
                    "before_request",
                    "what a request costs more",
                    subject,
                    count,
                    "µs",
                    Figures.of(more, 1e6 / REQUESTS),
                    Figures.of(floor, 1e6 / REQUESTS),
                    "all of a request without the extension",
                )
