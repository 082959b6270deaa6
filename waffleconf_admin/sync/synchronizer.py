"""Synchronizer: keeps the settings of one process up to date with what the others save."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Iterator, Mapping
from typing import Protocol

from ..defaults import setting
from ..i18n import gettext
from . import forks, thread, watch_type
from .health import (
    MULTIPROC_OFF,
    NOT_SENT,
    RELOAD_FAILS,
    THREAD_SILENT,
    WATCHER_FAILS,
    Health,
    HealthRecord,
    Trouble,
    worst,
)
from .missed import MissedNotifications
from .notifier import Notifier
from .reporter import Reporter, Worker
from .resync import ResyncSchedule
from .single_flight import SingleFlight
from .thread import WatcherThread
from .watch_type import WITHIN_SECONDS, Heartbeat, WatchType
from .watch_types import find

log = logging.getLogger(__name__)


class SynchronizedState(watch_type.AppState, Protocol):
    """What this package needs of an app's state."""

    def update_conf(self) -> bool:
        """Reload; whether the values are up to date now."""
        ...

    def after_fork(self) -> None: ...

    def in_memory(self) -> bool: ...


class Synchronizer:
    """Follows what other processes save, and notifies them of what this one saves.

    Without WAFFLE_MULTIPROC there is no thread, no file, no notification and no report.

    :param worker: this process, for its reports; None: it makes none.
    :raises ValueError: WAFFLE_WATCHTYPE is unknown, or can't be used here.
    """

    def __init__(self, state: SynchronizedState, worker: Worker | None) -> None:
        config = state.app.config
        # The thread must not keep the app alive.
        self._state: SynchronizedState = weakref.proxy(state)
        self._worker: Worker | None = None if worker is None else weakref.proxy(worker)
        self._active = bool(config["WAFFLE_MULTIPROC"])
        self._interval = float(setting(config, "WAFFLE_RESYNC_INTERVAL"))
        make = find(config["WAFFLE_WATCHTYPE"]) if self._active else WatchType
        self._watch_type: WatchType = make(self._state)
        #: Whether requests show that there are several processes, though WAFFLE_MULTIPROC is off.
        self._multiproc_off = False
        self._expects_one_process = not self._active
        self._thread = WatcherThread(self, wanted=self._active)
        self._begin()
        self._watch_type.prepare()

    def _begin(self) -> None:
        """Begin in a process, with nothing that another process knows or holds."""
        self._record = HealthRecord()
        self._flight = SingleFlight()
        self._resync = ResyncSchedule(self._interval)
        self._notifier = Notifier(self._watch_type, self._record, self._interval)
        self._reporter = Reporter(self._worker)
        self._missed = MissedNotifications(
            self._watch_type.missed, self._interval, self._watch_type.max_delay()
        )

    # What the state calls

    def start(self) -> None:
        """Start the thread, unless this is a uWSGI master: then its workers do."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, within a second; it does not come back in this process or its forks."""
        self._active = False
        self._thread.stop()

    def ensure(self, *, in_request: bool = False) -> None:
        """Make sure that this process has its thread, and nothing of its parent."""
        if os.getpid() != self._thread.ready_pid:
            self._thread.ensure(in_request=in_request)

    def note_reload(self, seconds: float) -> None:
        """The state has read the database, which took so long."""
        self._record.note_reload(seconds)
        self._resync.note_reload()
        if self._worker is not None:
            self._worker.note_load()
        self._watch_type.trouble()  # so that it is logged when it begins

    def read_at(self, deadline: float) -> None:
        """The state wants to read the database at this time too, by ``time.monotonic()``."""
        self._resync.besides_at = deadline

    def note_remote_change(self) -> None:
        """A reload has found what another process has saved."""
        if self._watch_type.notifies:
            self._missed.note_change()

    def in_watcher_thread(self) -> bool:
        """Whether the caller runs in the watcher thread."""
        return self._thread.is_current()

    def note_failed_reload(self, error: Exception) -> None:
        """The state could not read the database."""
        self._record.note_error(error)
        self._resync.note_failed_reload()

    def notify(self) -> None:
        """Notify the other processes of a save; a failure is logged and tried again."""
        if self._active and self._notifier.send():
            self._missed.note_notification()  # for a save of our own that is read again

    def check(self, environ: Mapping[str, object] | None) -> None:
        """Reload before code of the app runs, if the watch type says that there are changes, or if
        the thread does not run.

        :param environ: of the request; None outside one.
        """
        if not self._active:
            if self._expects_one_process and environ is not None:
                self._check_for_others(environ)
        elif self._watch_type.changed() or self._thread.is_silent():
            self._work_in_request()

    # What a request does

    def _check_for_others(self, environ: Mapping[str, object]) -> None:
        if environ.get("wsgi.multiprocess") and not environ.get("wsgi.run_once"):
            self._expects_one_process, self._multiproc_off = False, True
            log.warning("%s", MULTIPROC_OFF.text)

    def _work_in_request(self) -> None:
        if forks.is_working():  # a thread of ours, which reloads already
            return
        for _ in range(2):  # a reload under way may have read before the change
            if self._watch_type.changed():
                self._flight.run(self._reload_if_changed)
        if self._thread.is_silent():
            self._work_for_thread()

    def _work_for_thread(self) -> None:
        self._thread.replace_inherited()
        checks = self._watch_type.checks_requests
        patience = self._interval if checks else thread.HEARTBEAT_TIMEOUT
        if self._thread.is_silent() and self._resync.seconds_since_read() > patience:
            self._flight.run(self._send_and_read)

    def _reload_if_changed(self) -> None:
        self._watch_type.reload_if_changed(self._reload)

    def _send_and_read(self) -> None:
        if self._notifier.unsent:
            self.notify()
        self._state.update_conf()

    # What the thread calls

    def reset_after_fork(self) -> None:
        """Begin in a forked process, before its thread starts."""
        self._begin()
        self._state.after_fork()

    def watch(self, heartbeat: Heartbeat) -> None:
        """Run the watcher until a beat says to end.

        :raises NotReadyError: the app does not know its database yet; it is called again.
        """
        if self._state.in_memory():
            self.stop()  # no other process can have this database
            return
        self._missed.note_notification()  # some may be lost before it listens
        self._watch_type.watch(self._reload_in_thread, heartbeat)

    def do_what_is_due(self, listened: float) -> None:
        """Read and send what nobody else does; called in the thread at each heartbeat.

        :param listened: seconds that the watcher has listened since the last time.
        """
        _ = self._state.app  # a ReferenceError ends the thread when the app is gone
        if self._notifier.is_due():
            self.notify()
        if self._resync.is_due():
            self._state.update_conf()
        self._missed.note_listening(listened)
        self._reporter.report_if_due()

    def note_failure(self, error: Exception) -> None:
        """The watcher has failed, or the thread can't be started."""
        self._record.note_error(error)
        self._missed.note_notification()  # some may have been lost

    def read_soon(self) -> None:
        """Read within a second or so: a notification may have been lost."""
        self._resync.read_soon()

    def _reload_in_thread(self) -> bool:
        with self._thread.busy():
            return self._reload()

    def _reload(self) -> bool:
        """Reload, because something may have changed."""
        self._record.note_notification()
        self._missed.note_notification()
        return self._state.update_conf()

    # What is known

    def health(self) -> Health:
        """How well this process follows."""
        overdue = self._resync.seconds_since_read() > self._interval + thread.HEARTBEAT_TIMEOUT
        return Health(
            watch_type=self._watch_type.name or None,
            alive=self._active and self._thread.is_alive(),
            lags=self._resync.failing or (self._active and overdue),
            trouble=worst(self._troubles(), self._interval),
            **vars(self._record),
        )

    def _troubles(self) -> Iterator[Trouble | None]:
        if self._multiproc_off:
            yield MULTIPROC_OFF
        if self._resync.failing:
            yield RELOAD_FAILS
        if not self._active:
            return
        if self._thread.is_failing() or not self._watch_type.is_listening():
            yield WATCHER_FAILS
        if self._notifier.unsent:
            yield NOT_SENT
        if self._thread.is_silent() and not self._thread.is_busy:
            yield THREAD_SILENT
        yield self._watch_type.trouble()
        yield self._missed.trouble

    def after_save(self) -> str | None:
        """Return when the other processes follow a save, in a sentence; None: nothing is known."""
        if not self._active:
            return None
        seconds = f"{self._interval:g}"
        if self._notifier.unsent:
            return gettext(
                "The rest of the site could not be notified: it uses the new values within "
                "%(seconds)s seconds.",
                seconds=seconds,
            )
        if self._watch_type.trouble() or self._thread.is_failing():  # mostly theirs, too
            return gettext(WITHIN_SECONDS, seconds=seconds)
        watch_type = self._watch_type
        return gettext(watch_type.after_save, seconds=f"{watch_type.interval:g}")
