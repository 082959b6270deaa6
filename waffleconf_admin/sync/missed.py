"""MissedNotifications: whether changes come that no notification has announced."""

from __future__ import annotations

import logging
import math
import time

from .health import Trouble

log = logging.getLogger(__name__)

#: Seconds between a change and its notification, at most.
GRACE = 5.0
#: Seconds after the last missed notification during which it is reported.
REPORTED = 3600.0


class MissedNotifications:
    """Finds changes that no notification has announced, and logs that once.

    A notification may come a little earlier or later than a reload finds its change. So a change
    counts if no notification came for some seconds before it, nor for as long after it. These are
    seconds during which the watcher has listened: at other times it could not receive any.

    :param trouble: what to report.
    :param resync: seconds within which processes read the database in any case.
    :param max_delay: seconds that a watcher needs to receive a notification, at most.
    """

    def __init__(self, trouble: Trouble, resync: float, max_delay: float) -> None:
        self._trouble = trouble
        self._resync = resync
        self._grace = GRACE + max_delay
        self._listened = 0.0  # seconds that the watcher has listened; the clock of these two:
        self._notified_at = self._found_at = -math.inf
        self._reported_until = -math.inf  # by time.monotonic()

    def note_notification(self) -> None:
        """What was found until now may have been announced."""
        self._notified_at = self._listened

    def note_change(self) -> None:
        """A reload has found a change of another process."""
        if not self._is_waiting() and self._listened > self._notified_at + self._grace:
            self._found_at = self._listened

    def note_listening(self, seconds: float) -> None:
        """The watcher has listened for so long."""
        self._listened += seconds
        if not self._is_waiting() or self._listened < self._found_at + self._grace:
            return
        if self.trouble is None:
            log.warning("%s", self._trouble.text % {"seconds": f"{self._resync:g}"})
        self._found_at = -math.inf
        self._reported_until = time.monotonic() + REPORTED

    @property
    def trouble(self) -> Trouble | None:
        """The trouble, if a notification was missed lately."""
        return self._trouble if time.monotonic() < self._reported_until else None

    def _is_waiting(self) -> bool:
        """Whether there is a change whose notification may still come."""
        return self._found_at > self._notified_at
