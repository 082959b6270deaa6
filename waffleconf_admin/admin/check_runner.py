"""Check runner: runs functions of the app that may take long, one at a time in a process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import NamedTuple

from flask import Flask

from .. import calls
from ..exceptions import InvalidValue
from ..i18n import gettext as _
from .texts import shorten

log = logging.getLogger(__name__)

#: Seconds that a page waits for a check.
WAIT = 10.0
#: Characters of an answer.
LENGTH = 300


class Answer(NamedTuple):
    """What the page says beside the button of a check."""

    text: str = ""
    good: bool = False  #: whether the check has passed


class CheckRunner:
    """Runs checks in a thread, so that one that never ends holds up no request for long.

    Such a check is the last one of its process: no other begins before it has ended. The thread
    does not keep the process alive.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def run(self, app: Flask, function: Callable[..., object], values: object) -> Answer:
        """Return the answer of a function, or what is wrong.

        :param function: called with the values, in an application context of its own and with the
            context variables of the caller.
        """
        answers: list[Answer] = []

        def work() -> None:
            try:
                with app.app_context():  # its own session: the caller's ends with the request
                    answers.append(_ask(app, function, values))
            except BaseException as error:  # of the app's teardown; a thread would print its text
                _log_failure(function, error)
                answers.append(_failure(error))

        thread = threading.Thread(
            target=copy_context().run, args=(work,), name="waffleconf-check", daemon=True
        )
        with self._lock:
            # A forked child has no thread of its parent: there it is not alive.
            if self._thread and self._thread.is_alive():
                return Answer(_("Another test is running. Try again when it has ended."))
            self._thread = thread
            thread.start()
        thread.join(WAIT)
        if not answers:
            return Answer(_("The test has not ended after %(count)s seconds.", count=int(WAIT)))
        return answers[0]


def _ask(app: Flask, function: Callable[..., object], values: object) -> Answer:
    try:
        answer = calls.call(app, function, values)
        text = _("The test has passed.") if answer is None else str(answer)
    except InvalidValue as error:
        return Answer(shorten(error, LENGTH))
    except BaseException as error:  # its message may quote a secret
        _log_failure(function, error)
        return _failure(error)
    return Answer(shorten(text, LENGTH), good=True)


def _failure(error: BaseException) -> Answer:
    return Answer(_("The test has failed: %(error)s", error=type(error).__name__))


def _log_failure(function: Callable[..., object], error: BaseException) -> None:
    name = getattr(function, "__qualname__", type(function).__qualname__)
    what = calls.describe_error(error) if isinstance(error, Exception) else type(error).__name__
    log.warning("The check %s failed: %s", name, what)
