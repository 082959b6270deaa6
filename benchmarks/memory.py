"""What an app's settings take in memory once they are loaded, beside a dict of their values."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable, Iterator

from flask import Flask
from measure import TARGETS_FROM, Figures, Options, Row
from subjects import decode, subject

from waffleconf_admin import WaffleConf


def taken(make: Callable[[], object]) -> int:
    """Bytes that what is made holds on to."""
    make()  # what is imported and compiled once is no part of it
    gc.collect()
    tracemalloc.start()
    try:
        made = make()
        gc.collect()
        size, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    del made
    return size


def run(options: Options) -> Iterator[Row]:
    for count in options.sizes:
        with subject("peewee", "", count) as on:

            def loaded() -> Flask:
                # The declarations are there already: they are the app's own.
                app = Flask("benchmark")
                app.config.update(WAFFLE_AUTOLOAD=False, WAFFLE_CONFS=on.app.config["WAFFLE_CONFS"])
                WaffleConf(app, on.state.configstore)
                app.extensions["waffleconf"].update_conf()
                return app

            bare = taken(lambda: Flask("benchmark"))
            ours = taken(loaded) - bare
            floor = taken(lambda: {key: decode(text) for key, text in on.floor.select()})
        yield Row(
            "memory",
            "settings loaded",
            "",
            count,
            "kB",
            Figures.of([ours], 1e-3),
            Figures.of([floor], 1e-3),
            "a dict of their values",
            ours / floor,
            2.5 if count >= TARGETS_FROM else None,
        )
