"""LogOnce: lines of the log that would otherwise come with every request."""

from __future__ import annotations

import logging

#: Subjects that are remembered; callers pass whole forms of unknown names.
_MOST = 1000


class LogOnce:
    """Logs the first line about each subject, until the subject is over.

    :param log: the logger to write to.
    """

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._subjects: set[str] = set()

    def __call__(self, subject: str, level: int, message: str, *args: object) -> None:
        """Log *message* unless something was logged about *subject* before."""
        if subject not in self._subjects and len(self._subjects) < _MOST:
            self._subjects.add(subject)
            self._log.log(level, message, *args)

    def is_over(self, subject: str) -> None:
        """Let the next line about *subject* be logged again."""
        self._subjects.discard(subject)
