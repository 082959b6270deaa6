"""The heartbeat of a watcher: it shows that it lives, and is told when to end."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from . import forks

#: Seconds between two beats, at most.
INTERVAL = 1.0


class ThreadHeartbeat:
    """The heartbeat of a watcher in a thread of ours.

    It ends in a forked process too, where a greenlet lives on with what belongs to the parent.

    :param do_what_is_due: called at each beat, in the watcher's thread, with the seconds that the
        watcher has listened since the last one.
    """

    def __init__(self, do_what_is_due: Callable[[float], object]) -> None:
        self._do_what_is_due = do_what_is_due
        self._pid = os.getpid()
        self._stopped = threading.Event()
        #: The time of the last beat, by ``time.monotonic()``.
        self.last = time.monotonic()

    def stop(self) -> None:
        """Let the watcher end."""
        self._stopped.set()

    def is_forked(self) -> bool:
        return os.getpid() != self._pid

    def is_over(self) -> bool:
        """Whether the watcher has to end."""
        return self._stopped.is_set() or self.is_forked()

    def beat(self) -> bool:
        """Show that the watcher lives, and do what is due; False: it is time to end."""
        forks.end_work()  # a watcher that beats has connected, and waits for something now
        if self.is_over():
            return False
        before, self.last = self.last, time.monotonic()
        # After a pause, for a slow reload say, much may have arrived that was not received yet.
        self._do_what_is_due(min(self.last - before, INTERVAL))
        return True

    def pause(self, seconds: float) -> bool:
        """Wait so many seconds, with a beat each second; False, and sooner: it is time to end."""
        left = seconds
        forks.end_work()
        while left > 0.0:
            self._stopped.wait(min(left, INTERVAL))
            left -= INTERVAL
            if left > 0.0 and not self.beat():
                return False
        return self.beat()
