"""StopEvent: what a watcher waits on."""

from __future__ import annotations

import os
import threading
import time
from typing import Protocol

from . import forks

#: Seconds between two heartbeats, at most.
HEARTBEAT = 1.0


class Heartbeat(Protocol):
    """Whose watcher it is."""

    def do_what_is_due(self, listened: float) -> None:
        """Called at each heartbeat, in the watcher's thread.

        :param listened: seconds that the watcher has listened since the last heartbeat.
        """
        ...


class StopEvent:
    """Ends a watcher. Each time that the watcher asks whether to stop is a heartbeat.

    It is set in a forked process too, where a greenlet lives on with what belongs to the parent.
    """

    def __init__(self, owner: Heartbeat) -> None:
        self._owner = owner
        self._pid = os.getpid()
        self._event = threading.Event()
        #: The time of the last heartbeat, by ``time.monotonic()``.
        self.heartbeat = time.monotonic()

    def set(self) -> None:
        self._event.set()

    def is_forked(self) -> bool:
        return os.getpid() != self._pid

    def is_set(self) -> bool:
        forks.end_work()  # a watcher that asks has connected, and waits for something now
        if self._event.is_set() or self.is_forked():
            return True
        before, self.heartbeat = self.heartbeat, time.monotonic()
        # After a pause, for a slow reload say, much may have arrived that was not received yet.
        self._owner.do_what_is_due(min(self.heartbeat - before, HEARTBEAT))
        return False

    def wait(self, timeout: float) -> bool:
        """Wait for so many seconds; True, and sooner, when it is time to stop."""
        left = timeout
        forks.end_work()
        while left > 0.0:
            self._event.wait(min(left, HEARTBEAT))
            left -= HEARTBEAT
            if left > 0.0 and self.is_set():
                return True
        return self.is_set()
