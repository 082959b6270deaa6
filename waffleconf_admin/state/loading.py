"""Loader: brings the values in memory up to what the database holds."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from flask import Flask

from ..contexts import assume_up_to_date
from ..exceptions import BusyError, NotReadyError, StoreError
from ..log_once import LogOnce
from ..sync.resync import RETRY
from ..sync.synchronizer import Synchronizer
from .announcer import Announcer
from .cache import Cache
from .declared import Declared
from .ends import Ends
from .former_names import drop_former_names
from .repository import Repository

log = logging.getLogger(__name__)

#: Seconds that a command gets to make the tables before it is logged that there are none.
SETUP_SECONDS = 10.0


class Loader:
    """Loads the settings of one app: at first, and whenever another process has saved.

    :param synchronizer: what follows the other processes.
    :param ends: of saves, carried out by each load.
    :param announcer: what calls the code of the app.
    :param warnings: called after the first load, and where there is no table yet: each logs, once,
        what it finds wrong.
    """

    def __init__(
        self,
        app: Flask,
        declared: Declared,
        cache: Cache,
        repository: Repository,
        synchronizer: Synchronizer,
        ends: Ends,
        announcer: Announcer,
        warnings: Sequence[Callable[[], None]],
    ) -> None:
        self._app = app
        self._declared = declared
        self._cache = cache
        self._repository = repository
        self._synchronizer = synchronizer
        self._ends = ends
        self._announcer = announcer
        self._warnings = warnings
        self._next_try = 0.0
        #: When a load outside of requests first found no tables.
        self._missing_since: float | None = None
        self._log_once = LogOnce(log)

    def follow(self, environ: Mapping[str, object] | None) -> None:
        """Do what comes before any code of the app: serve a forked child, load once, follow a
        changed watch file, let go back what is due. Most calls have nothing to do.

        :param environ: that of a request; None outside of one.
        """
        self._synchronizer.ensure(in_request=environ is not None)
        if not self._cache.loaded:
            self.load_first(in_request=environ is not None)
        if self._cache.loaded:
            self._synchronizer.check(environ)
            if self._ends.deadline is not None and self._ends.is_due():
                self.reload()

    def load(self, *, promptly: bool = False) -> None:
        """Read the database into memory.

        :param promptly: wait for a lock half a second at most.
        :raises StoreError: the database can't be read.
        """
        with assume_up_to_date(self._app):
            started, first = time.perf_counter(), not self._cache.loaded
            carry_out = partial(self._ends.carry_out, promptly=promptly)
            changes = self._cache.load(promptly=promptly, before_serving=carry_out)
            self._synchronizer.note_reload(time.perf_counter() - started)
            if first:
                self._warn()
            elif changes:
                self._synchronizer.note_remote_change()
            if self._repository.names:
                drop_former_names(self._app.config, self._repository.names)
            self._next_try = 0.0
            self._log_once.is_over("load")
            self._announcer.announce_read(changes, first=first)
            if not promptly and self._repository.catch_up():
                self._synchronizer.notify()

    def reload(self) -> bool:
        """Load, and return whether that was possible; why it was not is logged once.

        In the watcher thread missing tables are logged if they stay away (`SETUP_SECONDS`).
        """
        if not self._declared.refresh():
            return False
        self._synchronizer.ensure()
        try:
            self.load()
        except StoreError as error:
            self._note_failure(error)
            return False
        return True

    def load_first(self, *, in_request: bool) -> None:
        """Load, unless that was done before or has just failed."""
        now = time.monotonic()
        if self._cache.loaded or not self._app.config["WAFFLE_AUTOLOAD"] or now < self._next_try:
            return
        if self._next_try:  # after a failure one request tries again, and the others go on
            self._next_try = now + RETRY
        try:
            self.load(promptly=True)
        except NotReadyError as error:
            # There is no table yet, or the models are not complete. A context outside a request may
            # be that of a command that makes the tables: at first it says nothing. In a request the
            # reload completes the models, or logs the error. Either way the next call tries again.
            if in_request:
                self.reload()
            elif self._are_tables_late():
                self._log_failure(error)
            self._next_try = 0.0
        except BusyError as error:
            # A migration may hold a lock for minutes, and have pushed this very context. But a
            # request needs the stored values: it waits as long as the database lets it.
            if not in_request:
                self._note_failure(error)
            else:
                self.reload()
        except StoreError as error:
            self._note_failure(error)

    def _note_failure(self, error: StoreError) -> None:
        self._synchronizer.note_failed_reload(error)
        has_no_table = isinstance(error, NotReadyError) and not self._cache.loaded
        if not (has_no_table and self._synchronizer.in_watcher_thread()):
            self._next_try = time.monotonic() + RETRY
        elif not self._are_tables_late():
            return  # this process may be the command that makes them; a request says it
        self._log_failure(error)

    def _are_tables_late(self) -> bool:
        """Whether there were none for so long that this is hardly the command that makes them."""
        now = time.monotonic()
        if self._missing_since is None:
            self._missing_since = now
        return now - self._missing_since >= SETUP_SECONDS

    def _log_failure(self, error: StoreError) -> None:
        self._log_once("load", logging.WARNING, "Settings were not loaded: %s", error)
        if isinstance(error, NotReadyError):
            self._warn()

    def _warn(self) -> None:
        for warn in self._warnings:
            warn()
