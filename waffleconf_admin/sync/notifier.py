"""Notifier: sends the notifications of a process, again and again until one is sent."""

from __future__ import annotations

import logging
import time

from .health import HealthRecord
from .resync import RETRY
from .watch_type import WatchType

log = logging.getLogger(__name__)


class Notifier:
    """Sends notifications. A failure is logged, because the save stands, and tried again.

    :param record: where failures are noted.
    :param resync: seconds within which processes read the database in any case.
    """

    def __init__(self, watch_type: WatchType, record: HealthRecord, resync: float) -> None:
        self._watch_type = watch_type
        self._record = record
        self._resync = resync
        self._retry_at = 0.0
        #: Whether a notification could not be sent yet.
        self.unsent = False

    def is_due(self) -> bool:
        """Whether it is time to try again."""
        return self.unsent and time.monotonic() >= self._retry_at

    def send(self) -> bool:
        """Notify the other processes; False: it is to be tried again."""
        again, self.unsent = self.unsent, False  # before sending: a failure meanwhile must stay
        try:
            self._watch_type.notify()
        except Exception as error:
            self._retry_at = time.monotonic() + RETRY
            self.unsent = True
            self._record.note_error(error)
            log.log(
                logging.DEBUG if again or self._watch_type.trouble() else logging.WARNING,
                "The other processes could not be notified of the change (%s). This is tried "
                "again; in any case they read the database within %g seconds.",
                error,
                self._resync,
            )
            return False
        return True
