"""FailureLog: a watcher's failures, logged once however often they repeat."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)

#: Seconds until a watcher, a reload or a notification that has failed is tried again.
RETRY = 1.0


class FailureLog:
    """Counts failures in a row. The row ends once a watcher has run long enough."""

    def __init__(self) -> None:
        #: Whether the watcher is failing.
        self.failing = False
        self._count = 0
        # Start time of a watcher that is not yet considered healthy.
        self._started: float | None = None

    def note_start(self) -> None:
        self._started = time.monotonic()

    def note_failure(self, error: Exception) -> None:
        self._started = None
        self._count += 1
        self.failing = True
        # The very first may be an app that is still being put together.
        level = logging.WARNING if self._count == 2 else logging.DEBUG
        log.log(level, "Watching for changed settings failed (%s); trying again.", error)

    def end_after(self, seconds: float) -> None:
        """End the row of failures if the watcher has run for so long."""
        if self._started is not None and time.monotonic() > self._started + seconds:
            if self._count > 1:
                log.info("Watching for changed settings works again.")
            self._started, self.failing, self._count = None, False, 0
