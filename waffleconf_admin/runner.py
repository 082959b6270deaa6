"""Runner: the one watcher thread of a state in a process."""

from __future__ import annotations

import logging
import os
import random
import threading
import weakref
from typing import TYPE_CHECKING

from . import watcher

if TYPE_CHECKING:
    from .state import _WaffleState

log = logging.getLogger(__name__)

#: Seconds to wait before a failed watcher is started again: at first, and at most.
FIRST_PAUSE, LAST_PAUSE = 0.5, 10.0


class _Stopped:
    """Ends a watcher: asked to stop, or living on in a forked process whose state has its own."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set() or os.getpid() != self._pid

    def wait(self, timeout: float) -> bool:
        self._event.wait(timeout)
        return self.is_set()


class Runner:
    """Keeps one watcher thread running, in this process and in those that are forked from it.

    Without WAFFLE_MULTIPROC it does nothing at all.

    :raises ValueError: WAFFLE_WATCHTYPE names no kind.
    """

    def __init__(self, state: _WaffleState) -> None:
        config = state.app.config
        self._state = weakref.proxy(state)
        self._active = bool(config["WAFFLE_MULTIPROC"])
        self._pid = os.getpid()
        self._thread: threading.Thread | None = None
        self.stopped = _Stopped()
        self.follower: watcher.Follower | None = None
        if self._active:
            self._kind = watcher.available_kind(config["WAFFLE_WATCHTYPE"])
            if self._kind == "file":
                self._prepare_file()

    def _prepare_file(self) -> None:
        self.follower = watcher.new_follower(self._state)
        path = self.follower.path
        if path == "/tmp/waffleconf.txt":
            log.warning(
                "WAFFLE_WATCHER_FILE is %s, which other apps and users may share: set it to a "
                "path of this app's own.",
                path,
            )
        try:
            watcher.touch_file(path)
        except OSError as error:
            log.error("The watch file can't be made, so changes come late: %s", error)
        self.follower.seen = watcher.file_mark(path)

    def start(self) -> None:
        """Start the thread."""
        if self._active:
            _RUNNERS.add(self)
            self._start_thread()

    def _start_thread(self) -> None:
        self._thread = threading.Thread(
            target=_run, args=(self, self.stopped), name="waffleconf-watcher", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """End the thread, within a second; it does not come back in this process or its forks."""
        self._active = False
        self.stopped.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(1.0)

    def ensure(self) -> None:
        """In a forked process: begin anew, with nothing that belongs to the parent."""
        if os.getpid() == self._pid:
            return
        self._pid = os.getpid()
        self._state.after_fork()
        self.stopped = _Stopped()
        if self._active:
            self._start_thread()

    def follow_file(self) -> None:
        """One look at the watch file, and a reload if it has changed."""
        if self.follower is not None:
            self.follower.follow(self._state.update_conf)

    def notify(self) -> None:
        """Tell the other processes; trouble is logged, for the save stands."""
        if not self._active:
            return
        try:
            watcher.get_notifier(self._kind)(self._state)
        except Exception as error:
            log.warning(
                "The other processes could not be told of the change (%s); they will see it when "
                "they next read by themselves.",
                error,
            )

    def watch(self, stopped: _Stopped) -> None:
        """Run the watcher, until it ends or raises."""
        if self._state.in_memory():
            stopped.set()  # nobody to hear from
            return
        watcher.get_watcher(self._kind)(self._state)


def _run(runner: Runner, stopped: _Stopped) -> None:
    """The thread: watch; after a failure wait, longer each time, and watch again."""
    pause = FIRST_PAUSE
    failures = 0
    while not stopped.is_set():
        try:
            runner.watch(stopped)
        except ReferenceError:
            return  # the app is gone
        except Exception as error:
            failures += 1
            # The first may be an app that is still being put together.
            level = logging.DEBUG if failures == 1 else logging.WARNING
            log.log(level, "Watching for changed settings failed (%s); trying again.", error)
            stopped.wait(pause * random.uniform(0.75, 1.25))
            pause = min(2 * pause, LAST_PAUSE)


_RUNNERS: weakref.WeakSet[Runner] = weakref.WeakSet()


def _after_fork() -> None:
    for runner in list(_RUNNERS):
        runner.ensure()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
