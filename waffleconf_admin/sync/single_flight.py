"""SingleFlight: work that many callers need, done once."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from . import forks

log = logging.getLogger(__name__)

#: Seconds after the beginning of the work until callers no longer wait for it.
PATIENCE = 1.0


class SingleFlight:
    """Does one piece of work at a time, in a thread of its own, for all callers that need it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # held for assignments only: gevent may not switch in it
        self._done: threading.Event | None = None
        self._until = 0.0

    def run(self, work: Callable[[], object]) -> None:
        """Start *work*, unless some is under way, and wait for its end, a second at most."""
        mine = threading.Event()
        with self._lock:
            if self._done is None:
                self._done, self._until = mine, time.monotonic() + PATIENCE
            done, until = self._done, self._until
        if done is mine:
            self._start(work, mine)
        done.wait(max(0.0, until - time.monotonic()))

    def _start(self, work: Callable[[], object], done: threading.Event) -> None:
        arguments = (work, done)
        thread = threading.Thread(
            target=self._do, args=arguments, name="waffleconf-reload", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:  # no more threads, or the interpreter is ending
            self._do(*arguments)

    def _do(self, work: Callable[[], object], done: threading.Event) -> None:
        try:
            with forks.working():
                work()
        except Exception:
            log.exception("Settings could not be reloaded")
        finally:
            self._done = None
            done.set()
