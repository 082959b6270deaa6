"""LogOnce: lines of the log that would otherwise come with every request."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Hashable
from weakref import WeakKeyDictionary

#: Subjects that are remembered; callers pass whole forms of unknown names.
_MOST = 1000


class LogOnce:
    """Logs the first line about each subject, until the subject is over.

    :param log: the logger to write to.
    :param seconds: after which a subject may be logged again.
    """

    def __init__(self, log: logging.Logger, seconds: float = math.inf) -> None:
        self._log = log
        self._seconds = seconds
        self._next_times: dict[Hashable, float] = {}

    @classmethod
    def of(cls, owner: object, log: logging.Logger, seconds: float = math.inf) -> LogOnce:
        """Return the one of an app or a page for a logger; it lasts as long as its owner."""
        return _owned.setdefault(owner, {}).setdefault(log.name, cls(log, seconds))

    def __call__(
        self, subject: Hashable, level: int, message: str, *args: object, exc_info: bool = False
    ) -> None:
        """Log *message* unless something was logged about *subject* before."""
        now = time.monotonic()
        if subject in self._next_times:
            is_due = now >= self._next_times[subject]
        else:
            is_due = len(self._next_times) < _MOST
        if is_due:
            self._next_times[subject] = now + self._seconds
            self._log.log(level, message, *args, exc_info=exc_info)

    def is_over(self, subject: Hashable) -> None:
        """Let the next line about *subject* be logged again."""
        self._next_times.pop(subject, None)


_owned: WeakKeyDictionary[object, dict[str, LogOnce]] = WeakKeyDictionary()
