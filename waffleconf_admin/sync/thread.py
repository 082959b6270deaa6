"""WatcherThread: the one thread of an app that runs its watcher, in each process."""

from __future__ import annotations

import logging
import random
import threading
import time
from typing import Protocol

from . import forks
from .failures import RETRY, FailureLog
from .stop import StopEvent

log = logging.getLogger(__name__)

#: Seconds without a heartbeat after which the thread counts as silent.
HEARTBEAT_TIMEOUT = 3.0


class WatcherOwner(Protocol):
    """Whose thread it is."""

    def watch(self, stop: StopEvent) -> None:
        """Run the watcher until *stop* is set."""
        ...

    def do_what_is_due(self, listened: float) -> None: ...

    def ensure(self) -> None:
        """See to it that this process has a thread; called in a forked greenlet."""
        ...

    def note_failure(self, error: Exception) -> None:
        """The watcher has failed, or the thread can't be started."""
        ...


class WatcherThread:
    """Runs the watcher of *owner*, and runs it again after a failure.

    It has new locks and events in each process: a parent's may be held, and would stay so.
    """

    def __init__(self, owner: WatcherOwner) -> None:
        self._owner = owner
        self._thread: threading.Thread | None = None
        self._inherited = False  # it is one of the parent's, a greenlet
        self._renew()

    def _renew(self) -> None:
        self.failures = FailureLog()
        self.stop_event = StopEvent(self._owner)
        #: Whether it reads or sends just now, so that a missing heartbeat is no sign of trouble.
        self.busy = False

    def begin_anew(self) -> None:
        """In a forked process: leave the parent's thread behind, unless it lives on."""
        self._renew()
        self._inherited = forks.are_threads_greenlets()
        if not self._inherited:
            self._thread = None

    def exists(self) -> bool:
        return self._thread is not None

    def create(self) -> None:
        """Make the thread, to be started soon; `exists` is true from now on."""
        arguments = (self.stop_event,)
        self._thread = threading.Thread(
            target=self._run, args=arguments, name="waffleconf-watcher", daemon=True
        )

    def start(self) -> None:
        try:
            if self._thread is not None:
                self._thread.start()
        except RuntimeError as error:
            self._owner.note_failure(error)
            log.warning(
                "The watcher thread can't be started (%s): requests check for changes instead.",
                error,
            )

    def stop(self) -> None:
        """End the thread, within a second."""
        self.stop_event.set()
        thread = self._thread
        if thread is not None and thread.ident and thread is not threading.current_thread():
            thread.join(1.0)

    def is_silent(self) -> bool:
        return time.monotonic() - self.stop_event.heartbeat > HEARTBEAT_TIMEOUT

    def forget_inherited(self) -> bool:
        """Forget a greenlet that has not come through the fork; False: it is a thread of ours."""
        if not self._inherited:
            return False
        self._inherited, self._thread = False, None
        return True

    def _run(self, stop: StopEvent) -> None:
        pause, myself = 0.0, self._thread
        while True:
            try:
                if stop.wait(pause):
                    if stop.is_forked():
                        self._owner.ensure()
                    if self.stop_event is stop or self._thread is not myself:
                        return
                    stop = self.stop_event  # a greenlet in a forked process, which it serves now
                pause = RETRY * random.uniform(0.5, 1.0)
                with forks.working():  # until the watcher first asks whether to stop
                    self.failures.note_start()
                    self._owner.watch(stop)
                if not stop.is_set():
                    raise RuntimeError("the watcher returned, though nobody had stopped it")
            except ReferenceError:
                return  # the app is gone
            except Exception as error:
                with forks.working():  # what handles logs may import
                    self._owner.note_failure(error)
                    self.failures.note_failure(error)
