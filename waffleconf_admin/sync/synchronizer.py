"""Synchronizer: keeps the settings of one process up to date with what the others save."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from ..defaults import setting
from ..i18n import gettext
from . import forks, thread, watch_type
from .failures import RETRY
from .health import (
    MULTIPROC_OFF,
    NOT_SENT,
    RELOAD_FAILS,
    THREAD_SILENT,
    WATCHER_FAILS,
    Health,
    HealthRecord,
    worst,
)
from .missed import MissedNotifications
from .resync import ResyncSchedule
from .sender import Sender
from .single_flight import SingleFlight
from .stop import StopEvent
from .thread import WatcherThread
from .watch_type import WatchType
from .watch_types import find

log = logging.getLogger(__name__)


class State(watch_type.State, Protocol):
    """What this package needs of an app's state."""

    def update_conf(self) -> bool:
        """Reload; whether the values are up to date now."""
        ...

    def after_fork(self) -> None: ...

    def in_memory(self) -> bool: ...


class Synchronizer:
    """Follows what other processes save, and notifies them of what this one saves.

    Without WAFFLE_MULTIPROC there is no thread, no file and no notification.

    :raises ValueError: WAFFLE_WATCHTYPE is unknown, or can't be used here.
    """

    def __init__(self, state: State) -> None:
        config = state.app.config
        self._state: State = weakref.proxy(state)  # the thread must not keep the app alive
        self._active = bool(config["WAFFLE_MULTIPROC"])
        self._interval = float(setting(config, "WAFFLE_RESYNC_INTERVAL"))
        make = find(config["WAFFLE_WATCHTYPE"]) if self._active else WatchType
        self._watch_type: WatchType = make(self._state)
        # The one to ask before each request.
        self._request_check = self._watch_type if self._watch_type.checks_requests else None
        #: Whether requests show that there are several processes, though WAFFLE_MULTIPROC is off.
        self._multiproc_off = False
        self._expects_one_process = not self._active
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._ready_pid: int | None = None  # the process in which nothing has to be started
        self._thread = WatcherThread(self)
        self._begin()
        self._watch_type.prepare()

    def _begin(self) -> None:
        """Begin in a process, with nothing that another process knows or holds."""
        self._record = HealthRecord()
        self._flight = SingleFlight()
        self._sender = Sender(self._watch_type, self._record, self._interval)
        self._missed = MissedNotifications(
            self._watch_type.missed, self._interval, self._watch_type.max_delay()
        )
        self._resync = ResyncSchedule(self._interval)
        self._reload_fails = False

    # The thread

    def start(self) -> None:
        """Start the thread, unless this is a uWSGI master: then its workers do."""
        if self._active:
            forks.register(self)
            self.ensure()

    def stop(self) -> None:
        """End the thread, within a second; it does not come back in this process or its forks."""
        self._active = False
        self._thread.stop()

    def ensure(self, *, in_request: bool = False) -> None:
        """See to it that this process has its thread. A forked process begins anew before."""
        if os.getpid() == self._ready_pid:
            return
        with self._lock:  # the first requests of a worker may come together
            if os.getpid() != self._pid:
                self._begin()
                self._state.after_fork()
                self._thread.begin_anew()
                self._pid = os.getpid()
            may_start = in_request or not forks.is_uwsgi_master()
            starts = self._active and may_start and not self._thread.exists()
            if starts:
                self._thread.create()
            if self._thread.exists() or not self._active:
                self._ready_pid = self._pid
        if starts:
            self._thread.start()

    def ensure_after_fork(self) -> None:
        """Do so just after the fork, when the parent's lock may be held."""
        self._lock = threading.Lock()
        self.ensure()

    def read_soon(self) -> None:
        """Read within a second or so: after a fork the child's greenlet, before it ends, may take
        what was sent to this process.
        """
        self._resync.read_soon()

    # What the thread does

    def watch(self, stop: StopEvent) -> None:
        """Run the watcher until *stop* is set."""
        if self._state.in_memory():
            self.stop()  # no other process can have this database
            return
        self._missed.note_notification()  # some may be lost before it listens
        self._watch_type.watch(self._reload_in_thread, stop)

    def do_what_is_due(self, listened: float) -> None:
        """In the watcher's thread, again and again: read and send what nobody else does.

        :param listened: seconds that the watcher has listened since the last time.
        """
        _ = self._state.app  # a ReferenceError ends the thread when the app is gone
        with self._busy():
            self._thread.failures.end_after(RETRY)
            if self._sender.is_due():
                self.notify()
            if self._resync.is_due():
                self._state.update_conf()
            self._missed.note_listening(listened)

    def note_failure(self, error: Exception) -> None:
        """The watcher has failed."""
        self._record.note_error(error)
        self._missed.note_notification()  # some may have been lost

    def _reload_in_thread(self) -> bool:
        with self._busy():
            return self._reload()

    @contextmanager
    def _busy(self) -> Iterator[None]:
        """Let forks wait, and take a missing heartbeat for no sign of trouble."""
        with forks.working():
            self._thread.busy = True
            try:
                yield
            finally:
                self._thread.busy = False

    def _reload(self) -> bool:
        """Reload, because something may have changed."""
        self._record.note_notification()
        self._missed.note_notification()
        return self._state.update_conf()

    # What the state reports

    def note_reload(self, seconds: float) -> None:
        """The state has read the database, which took so long."""
        self._reload_fails = False
        self._record.note_reload(seconds)
        self._watch_type.trouble()  # so that it is logged when it begins
        self._resync.note_reload()

    def note_remote_change(self) -> None:
        """A reload has found what another process has saved."""
        if self._watch_type.notifies:
            self._missed.note_change()

    def note_failed_reload(self, error: Exception) -> None:
        """The state could not read the database."""
        self._reload_fails = True
        self._record.note_error(error)
        self._resync.note_failed_reload()

    def notify(self) -> None:
        """Notify the other processes of a save; a failure is logged and tried again."""
        if self._active and self._sender.send():
            self._missed.note_notification()  # for a save of our own that is read again

    # What a request does

    def follow(self, environ: Mapping[str, object] | None) -> None:
        """Make this request see what the others have saved, as far as the watch type promises.

        :param environ: of the request; None outside one.
        """
        if not self._active:
            if self._expects_one_process and environ is not None:
                self._check_for_others(environ)
            return
        if self._request_check is not None and self._request_check.changed():
            self._follow_change(self._request_check)
        if self._thread.is_silent():
            self._follow_without_thread()

    def _check_for_others(self, environ: Mapping[str, object]) -> None:
        if environ.get("wsgi.multiprocess") and not environ.get("wsgi.run_once"):
            self._expects_one_process, self._multiproc_off = False, True
            log.warning("%s", MULTIPROC_OFF.text)

    def _follow_change(self, watch_type: WatchType) -> None:
        if forks.is_working():  # a thread of ours reloads already
            return
        for _ in range(2):  # a reload under way may have read before the change
            self._flight.run(lambda: watch_type.follow(self._reload))
            if not watch_type.changed():
                return

    def _follow_without_thread(self) -> None:
        if forks.is_working():
            return
        if self._thread.forget_inherited():
            self._ready_pid = None
            self.ensure(in_request=True)
        patience = thread.HEARTBEAT_TIMEOUT if self._request_check is None else self._interval
        if self._thread.is_silent() and self._resync.seconds_since_read() > patience:
            self._flight.run(self._do_threads_work)

    def _do_threads_work(self) -> None:
        if self._sender.unsent:
            self.notify()
        self._state.update_conf()

    # What is known

    def health(self) -> Health:
        """How well this process follows."""
        active, silent = self._active, self._thread.is_silent()
        fails = self._thread.failures.failing or not self._watch_type.is_listening()
        found = {
            MULTIPROC_OFF: self._multiproc_off,
            RELOAD_FAILS: self._reload_fails,
            WATCHER_FAILS: active and fails,
            NOT_SENT: active and self._sender.unsent,
            THREAD_SILENT: active and silent and not self._thread.busy,
            self._watch_type.trouble() if active else None: True,
            self._missed.trouble if active else None: True,
        }
        troubles = [trouble for trouble, holds in found.items() if holds and trouble]
        late = (
            active and self._resync.seconds_since_read() > self._interval + thread.HEARTBEAT_TIMEOUT
        )
        return self._record.health(
            self._watch_type.name or None,
            alive=active and self._thread.exists() and not silent,
            lags=self._reload_fails or late,
            trouble=worst(troubles, self._interval),
        )

    def after_save(self) -> str | None:
        """Return when the other processes follow a save, in a sentence; None: nothing is known."""
        if not self._active:
            return None
        seconds = f"{self._interval:g}"
        if self._sender.unsent:
            return gettext(
                "The other processes could not be notified; they follow within %(seconds)s "
                "seconds.",
                seconds=seconds,
            )
        if self._watch_type.trouble() or self._thread.failures.failing:  # mostly theirs, too
            return gettext(
                "The other processes follow within %(seconds)s seconds.", seconds=seconds
            )
        return self._watch_type.after_save()
