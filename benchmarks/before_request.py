"""What a request pays for settings that have not changed, beside an app without the extension.

    python benchmarks/before_request.py [--requests 1000] [--rounds 100]

The apps answer the same requests in one process, in turns, counted in processor time. Of each
many short rounds are timed; the fastest is the one that nothing else has disturbed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import create_environ

from waffleconf_admin import WaffleConf, WaffleStore


class Nothing(WaffleStore):
    """A database without rows."""

    def read(self, keys: Any = None) -> list[tuple[str, str]]:
        return []

    commit = delete = get = put = None  # type: ignore[assignment]


def make(extension: bool, settings: int, **config: Any) -> Flask:
    app = Flask("shop")
    app.config.update(WAFFLE_CONFS={f"K{n}": {"default": n} for n in range(settings)}, **config)
    app.add_url_rule("/", view_func=lambda: "")
    if extension:
        store = Nothing()
        store.commit = store.delete = store.get = store.put = lambda *_: None  # type: ignore[method-assign]
        WaffleConf(app, store)
    return app


def seconds(app: Flask, requests: int) -> float:
    """Processor time of so many requests."""
    environ = create_environ("/")
    begun = time.process_time()
    for _ in range(requests):
        app.wsgi_app(dict(environ), lambda *_: None)  # type: ignore[arg-type, return-value]
    return time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        follows = {"WAFFLE_MULTIPROC": True, "WAFFLE_WATCHER_FILE": str(Path(folder) / "watch")}
        apps = {
            "without": make(False, 0),
            "10 settings": make(True, 10),
            "1000 settings": make(True, 1000),
            "1000 settings, 'file'": make(True, 1000, **follows),
        }
        times: dict[str, list[float]] = {name: [] for name in apps}
        for _ in range(options.rounds):
            for name, app in apps.items():
                times[name].append(seconds(app, options.requests) / options.requests * 1e6)
        floor = min(times["without"])
        for name, found in times.items():
            print(f"{name:24} {min(found):7.2f} us a request, {min(found) - floor:+6.2f} us")


if __name__ == "__main__":
    main()
