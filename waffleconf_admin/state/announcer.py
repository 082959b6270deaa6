"""Announcer: calls the code of an app when settings have changed."""

from __future__ import annotations

import logging
import threading
import traceback
from collections import deque
from contextlib import suppress

from flask import Flask

from ..calls import call, describe_error
from ..contexts import context_of
from ..exceptions import InvalidValue, StoreError
from ..signals import ChangeEvent, conf_changed
from ..store import HistoryRow
from .cache import Changes
from .declared import Declared
from .handlers import Handlers
from .repository import Repository
from .task import Origin

log = logging.getLogger(__name__)


class Announcer:
    """Sends `conf_changed` and calls the handlers of ``on_change``, after the commit, inside the
    app's context. What a receiver or a handler raises is logged, and stops nothing.

    Receivers are called at once. Handlers are called one at a time in a process, in the order of
    the changes: while one runs, further events wait, also those of saves that it makes itself. No
    lock is held while the app's code runs.

    :param handlers: those of the extension.
    """

    def __init__(
        self,
        app: Flask,
        declared: Declared,
        repository: Repository,
        handlers: Handlers,
    ) -> None:
        self._app = app
        self._declared = declared
        self._repository = repository
        self._handlers = handlers
        self._waiting: deque[ChangeEvent] = deque()
        self.after_fork()

    def after_fork(self) -> None:
        """In a forked child: the thread of the parent that calls handlers is not here."""
        self._lock = threading.Lock()
        self._is_calling = False

    def announce_save(self, changes: Changes, origin: Origin, change_set: str | None) -> None:
        """Announce what a save of this process has written."""
        if changes and self._is_awaited(changes):
            self._announce(
                ChangeEvent(changes, "local", origin.actor or None, change_set, origin.source)
            )

    def announce_read(self, changes: Changes, *, first: bool = False) -> None:
        """Announce what was read from the database.

        :param first: whether it is the first load of this process, so that nobody has just saved.
        """
        if not changes or not self._is_awaited(changes):
            return
        event = ChangeEvent(changes, "remote")
        if not first and (last := self._last_row(changes)):
            event = event._replace(
                actor=last.actor or None, change_set=last.change_set, source=last.source
            )
        self._announce(event)

    def _is_awaited(self, changes: Changes) -> bool:
        """Whether any code of the app is to be called."""
        if any(self._handlers.events(ChangeEvent(changes, "local"), self._repository.names)):
            return True
        return not conf_changed.is_muted and any(conf_changed.receivers_for(self._app))

    def _last_row(self, changes: Changes) -> HistoryRow | None:
        """The last row that the history has of these settings."""
        if not self._repository.history.exists:
            return None
        try:
            rows = self._repository.history.read_latest(list(changes))
        except StoreError as error:
            log.info("Who has changed %s is not known: %s", ", ".join(changes), error)
            return None
        return max(rows, key=lambda row: row.id, default=None)

    def _announce(self, event: ChangeEvent) -> None:
        with context_of(self._app):
            if not conf_changed.is_muted:
                self._send(event)
            self._waiting.append(event)
            self._call_handlers()

    def _send(self, event: ChangeEvent) -> None:
        for receiver in conf_changed.receivers_for(self._app):
            try:
                call(self._app, receiver, self._app, **event._asdict())
            except Exception as error:
                self._log_failure("A receiver of conf_changed", receiver, error)

    def _call_handlers(self) -> None:
        """Call handlers until no event waits, unless somebody does that already."""
        while self._begin():
            try:
                self._call_handlers_of(self._waiting.popleft())
            finally:
                self._is_calling = False

    def _begin(self) -> bool:
        """Whether an event waits, and this thread is the one that calls its handlers."""
        with self._lock:
            if self._is_calling or not self._waiting:
                return False
            self._is_calling = True
            return True

    def _call_handlers_of(self, event: ChangeEvent) -> None:
        for handler, its_event in self._handlers.events(event, self._repository.names):
            try:
                call(self._app, handler, its_event)
            except Exception as error:
                self._log_failure("A handler of on_change", handler, error)

    def _log_failure(self, what: str, function: object, error: Exception) -> None:
        name = getattr(function, "__qualname__", type(function).__qualname__)
        if self._has_secrets():  # its message may quote one
            lines = [describe_error(error), "\n", *traceback.format_tb(error.__traceback__)]
        else:
            lines = traceback.format_exception(error)
        log.error("%s failed, %s: %s", what, name, "".join(lines))

    def _has_secrets(self) -> bool:
        with suppress(InvalidValue):
            return any(setting.secret for setting in self._declared.settings.values())
        return True
