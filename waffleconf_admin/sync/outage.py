"""Outage: a time in which a watcher fails again and again."""

from __future__ import annotations

import logging
import time

log = logging.getLogger(__name__)


class Outage:
    """Lasts from a watcher's first failure until one has gone well for a while; logged once."""

    def __init__(self) -> None:
        self.lasts = False
        self._failures = 0
        self._began: float | None = None  # when a watcher began that has yet to prove itself

    def note_start(self) -> None:
        self._began = time.monotonic()

    def note_failure(self, error: Exception) -> None:
        self._began = None
        self._failures += 1
        self.lasts = True
        # The very first may be an app that is still being put together.
        level = logging.WARNING if self._failures == 2 else logging.DEBUG
        log.log(level, "Watching for changed settings failed (%s); trying again.", error)

    def end_after(self, seconds: float) -> None:
        """End it if the watcher has gone well for so long."""
        if self._began is not None and time.monotonic() > self._began + seconds:
            if self._failures > 1:
                log.info("Watching for changed settings works again.")
            self._began, self.lasts, self._failures = None, False, 0
