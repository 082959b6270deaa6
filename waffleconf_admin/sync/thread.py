"""WatcherThread: the one thread of an app that runs its watcher, in each process."""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from ..exceptions import NotReadyError
from ..spread import spread
from . import forks
from .heartbeat import ThreadHeartbeat
from .resync import RETRY

log = logging.getLogger(__name__)

#: Seconds without a heartbeat after which the thread counts as silent.
HEARTBEAT_TIMEOUT = 3.0


class WatcherOwner(Protocol):
    """What a `Synchronizer` does for its thread."""

    def reset_after_fork(self) -> None: ...

    def watch(self, heartbeat: ThreadHeartbeat) -> None: ...

    def do_what_is_due(self, listened: float) -> None: ...

    def note_failure(self, error: Exception) -> None: ...

    def read_soon(self) -> None: ...


class WatcherThread:
    """Runs the watcher of *owner*, and runs it again after a failure.

    It has new locks and events in each process: a parent's may be held, and would stay so.

    :param wanted: whether there is a watcher; without one, forks are noticed all the same.
    """

    def __init__(self, owner: WatcherOwner, *, wanted: bool) -> None:
        self._owner = owner
        self._wanted = wanted
        self._lock = threading.Lock()
        self._pid = os.getpid()
        #: The process in which `ensure` has nothing to do.
        self.ready_pid: int | None = None
        self._thread: threading.Thread | None = None
        self._inherited = False  # it is one of the parent's, a greenlet
        self._renew()

    def _renew(self) -> None:
        self._heartbeat = ThreadHeartbeat(self._do_what_is_due)
        self._failures = 0  # in a row
        self._healthy_at = math.inf  # when the watcher that runs now ends that row
        #: Whether the thread reads or sends just now, so that a missing heartbeat is no trouble.
        self.is_busy = False

    # Starting and ending

    def start(self) -> None:
        """Start the thread, unless this is a uWSGI master: then its workers do."""
        if self._wanted:
            forks.register(self)
            self.ensure()

    def ensure(self, *, in_request: bool = False) -> None:
        """Make sure that this process has its thread. A forked process is reset first."""
        with self._lock:  # the first requests of a worker may come together
            if os.getpid() != self._pid:
                self._reset_after_fork()
            may_start = in_request or not forks.is_uwsgi_master()
            starts = self._wanted and may_start and self._thread is None
            if starts:
                self._create()
            if self._thread is not None or not self._wanted:
                self.ready_pid = self._pid
        if starts:
            self._start()

    def ensure_after_fork(self) -> None:
        """Do so just after the fork, when the parent's lock may be held."""
        self._lock = threading.Lock()
        self.ensure()

    def read_soon(self) -> None:
        """Called after a fork in the parent, where threads are greenlets: the child's greenlet,
        before it ends, may take what was sent to this process.
        """
        self._owner.read_soon()

    def replace_inherited(self) -> None:
        """Replace a greenlet of the parent that has not come through the fork."""
        if self._inherited:
            self._inherited, self._thread = False, None
            self.ensure(in_request=True)

    def stop(self) -> None:
        """End the thread, within a second; it does not come back in this process or its forks."""
        self._wanted = False
        self._heartbeat.stop()
        thread = self._thread
        if thread is not None and thread.ident and thread is not threading.current_thread():
            thread.join(1.0)

    def _reset_after_fork(self) -> None:
        """In a forked process: leave the parent's thread behind, unless it lives on."""
        self._owner.reset_after_fork()
        self._renew()
        self._inherited = forks.are_threads_greenlets()
        if not self._inherited:
            self._thread = None
        self._pid = os.getpid()

    def _create(self) -> None:
        arguments = (self._heartbeat,)
        self._thread = threading.Thread(
            target=self._run, args=arguments, name="waffleconf-watcher", daemon=True
        )

    def _start(self) -> None:
        try:
            if self._thread is not None:
                self._thread.start()
        except RuntimeError as error:
            self._owner.note_failure(error)
            log.warning(
                "The watcher thread can't be started (%s): requests check for changes instead.",
                error,
            )

    # What is known of it

    def is_silent(self) -> bool:
        """Whether no heartbeat has come for some seconds."""
        return time.monotonic() - self._heartbeat.last > HEARTBEAT_TIMEOUT

    def is_alive(self) -> bool:
        return self._thread is not None and not self.is_silent()

    def is_current(self) -> bool:
        """Whether the caller runs in the watcher thread."""
        return threading.current_thread() is self._thread

    def is_failing(self) -> bool:
        """Whether the watcher has failed, and has not run for a second since."""
        return self._failures > 0

    # In the thread

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Let forks wait for a block, and report no missing heartbeat."""
        with forks.working():
            self.is_busy = True
            try:
                yield
            finally:
                self.is_busy = False

    def _do_what_is_due(self, listened: float) -> None:
        with self.busy():
            if time.monotonic() > self._healthy_at:
                self._end_failures()
            self._owner.do_what_is_due(listened)

    def _run(self, heartbeat: ThreadHeartbeat) -> None:
        pause, myself = 0.0, self._thread
        while True:
            try:
                if not heartbeat.pause(pause):
                    if heartbeat.is_forked():
                        self.ensure()
                    if self._heartbeat is heartbeat or self._thread is not myself:
                        return
                    # A greenlet in a forked process, which it serves from now on.
                    heartbeat = self._heartbeat
                pause = spread(RETRY, 0.5)
                self._watch(heartbeat)
            except ReferenceError:
                return  # the app is gone
            except NotReadyError:
                # The database may be initialised after us, in a factory that takes seconds. If it
                # stays away, the loads report that.
                self._healthy_at = math.inf
            except Exception as error:
                with forks.working():  # what handles logs may import
                    self._note_failure(error)

    def _watch(self, heartbeat: ThreadHeartbeat) -> None:
        with forks.working():  # until the first beat of the watcher
            self._healthy_at = time.monotonic() + RETRY
            self._owner.watch(heartbeat)
        if not heartbeat.is_over():
            raise RuntimeError("the watcher returned, though nobody had stopped it")

    def _note_failure(self, error: Exception) -> None:
        self._owner.note_failure(error)
        self._healthy_at = math.inf
        self._failures += 1
        # The very first may be an app that is still being put together.
        level = logging.WARNING if self._failures == 2 else logging.DEBUG
        log.log(level, "Watching for changed settings failed (%s); trying again.", error)

    def _end_failures(self) -> None:
        if self._failures > 1:
            log.info("Watching for changed settings works again.")
        self._failures, self._healthy_at = 0, math.inf
