"""Reporter: when a process reports what it has read."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from typing import Protocol

from ..spread import spread
from .resync import RETRY

log = logging.getLogger(__name__)

#: Seconds between two reports of a process in which nothing changes, at most.
INTERVAL = 60.0
#: Seconds until the first report of a process: one that ends before, a command say, makes none.
FIRST = 5.0
#: Failures in a row after which the log says so: a busy database is not worth a line.
FAILURES = 5


class Worker(Protocol):
    """What is needed of this process, as it reports itself (`state.worker`)."""

    def status(self) -> Hashable: ...

    def note_load(self) -> None: ...

    def report(self) -> None: ...


class Reporter:
    """Lets a process report when its status has changed, and once a minute.

    All of it runs in the watcher thread. A report that fails is dropped. The next one is made
    after a pause, which doubles with each failure.

    :param worker: this process; None: it reports nothing.
    """

    def __init__(self, worker: Worker | None) -> None:
        self._worker = worker
        self._reported: Hashable = None
        self._failures = 0  # in a row
        now = time.monotonic()
        self._due_at = now + INTERVAL
        self._not_before = now + FIRST

    def report_if_due(self) -> None:
        """Report, if it is time to; never raises for the database."""
        now = time.monotonic()
        if self._worker is None or now < self._not_before:
            return
        status = self._worker.status()
        if status is None or (status == self._reported and now < self._due_at):
            return
        try:
            self._worker.report()
        except ReferenceError:
            raise  # the app is gone
        except Exception as error:
            self._note_failure(error)
        else:
            self._reported, self._failures = status, 0
            # Jittered, so that the processes of a deployment don't write all at once.
            self._due_at = now + spread(INTERVAL)

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        pause = min(RETRY * 2.0 ** min(self._failures - 1, 10), INTERVAL)
        self._not_before = time.monotonic() + spread(pause, 0.5)
        level = logging.WARNING if self._failures == FAILURES else logging.DEBUG
        log.log(level, "This process can't report to the table of the workers: %s", error)
