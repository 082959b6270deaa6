"""ResyncSchedule: when a process reads the database without a notification."""

from __future__ import annotations

import math
import time

from ..spread import spread

#: Seconds until a watcher, a reload or a notification that has failed is tried again.
RETRY = 1.0


class ResyncSchedule:
    """The time of the last read, whether it failed, and the time of the next one.

    :param interval: seconds within which the database is read in any case.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        #: Whether the last read failed.
        self.failing = False
        self._read_at = self._due_at = 0.0
        #: A time at which the database is read besides.
        self.besides_at = math.inf
        self._plan(interval)

    def note_reload(self) -> None:
        self.failing = False
        self._plan(self._interval)

    def note_failed_reload(self) -> None:
        """Read again within a second."""
        self.failing = True
        self._plan(min(RETRY, self._interval))

    def read_soon(self) -> None:
        """Let the next read be due within a second."""
        self._due_at = min(self._due_at, time.monotonic() + RETRY)

    def is_due(self) -> bool:
        return time.monotonic() >= min(self._due_at, self.besides_at)

    def seconds_since_read(self) -> float:
        """Seconds since the database was read, or that was tried."""
        return time.monotonic() - self._read_at

    def _plan(self, seconds: float) -> None:
        self._read_at = time.monotonic()
        # Jittered, so that the processes of a deployment don't read all at once.
        self._due_at = self._read_at + spread(seconds)
