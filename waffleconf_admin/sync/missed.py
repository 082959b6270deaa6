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
    counts only if there was none for some seconds before it nor, while the watcher listened, for
    as long after it.

    :param trouble: what to report.
    :param resync: seconds within which processes read the database in any case.
    :param max_delay: seconds that a watcher needs to see a notification, at most.
    """

    def __init__(self, trouble: Trouble, resync: float, max_delay: float = 0.0) -> None:
        self._trouble = trouble
        self._resync = resync
        self._grace = GRACE + max_delay
        self._notified_at = self._found_at = self._until = -math.inf
        self._left = 0.0  # seconds that the watcher has to listen until the change counts

    def note_notification(self) -> None:
        """What was found until now may have been announced."""
        self._notified_at = time.monotonic()

    def note_change(self) -> None:
        """A reload has found a change of another process."""
        now = time.monotonic()
        if self._found_at <= self._notified_at < now - self._grace:
            self._found_at, self._left = now, self._grace

    def note_listening(self, seconds: float) -> None:
        """The watcher has listened for so long."""
        if self._found_at <= self._notified_at:
            return
        self._left -= seconds
        if self._left > 0.0:
            return
        if self.trouble is None:
            log.warning("%s", self._trouble.text % {"seconds": f"{self._resync:g}"})
        self._notified_at = now = time.monotonic()  # that change is done with
        self._until = now + REPORTED

    @property
    def trouble(self) -> Trouble | None:
        """The trouble, if a notification was missed lately."""
        return self._trouble if time.monotonic() < self._until else None
