"""A watcher by itself, in a thread, with as little of a state as it needs."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from fleet import WAIT

from waffleconf_admin.sync.watch_type import WatchType
from waffleconf_admin.watcher import EventHeartbeat


class State:
    """What 0.3.1 documents of a state: ``app`` and ``update_conf()``."""

    def __init__(self, **config: Any) -> None:
        self.app = Flask("shop")
        self.app.config.update(config)
        self.reloads = 0
        #: What the next reloads return; False: they fail.
        self.results: list[Any] = []
        self._reloaded = threading.Event()

    def update_conf(self) -> Any:
        self.reloads += 1
        self._reloaded.set()
        return self.results.pop(0) if self.results else None

    def reloads_soon(self) -> bool:
        """Whether there is a reload since the last call, or within some seconds."""
        reloaded = self._reloaded.wait(WAIT)
        self._reloaded.clear()
        return reloaded


@contextmanager
def watching(watch_type: WatchType) -> Iterator[list[Exception]]:
    """Run the watcher of a watch type; what it raises comes into the list."""
    stop, errors = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            watch_type.watch(watch_type.state.update_conf, EventHeartbeat(stop))
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield errors
    finally:
        stop.set()
        thread.join(WAIT)
    assert not thread.is_alive()
