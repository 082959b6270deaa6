"""Pulse: what a watcher sees of the process that it runs in."""

from __future__ import annotations

import os
import threading
import time
from contextlib import AbstractContextManager
from typing import Protocol

from flask import Flask

from . import forks
from .watchfile import Follower


class Runner(Protocol):
    """What runs a watcher."""

    @property
    def app(self) -> Flask: ...

    follower: Follower | None

    def do_what_is_due(self, listened: float) -> None: ...

    def reading(self) -> AbstractContextManager[None]: ...

    def hear(self) -> bool: ...


#: Seconds until the next beat, at most.
BEAT = 1.0


class Pulse:
    """What a watcher waits on. It says when to end, and tells the runner that time has passed.

    It ends too in a forked process, where a greenlet lives on with what belongs to the parent.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._pid = os.getpid()
        self._ended = threading.Event()
        self.beat = time.monotonic()

    def set(self) -> None:
        self._ended.set()

    def is_forked(self) -> bool:
        return os.getpid() != self._pid

    def is_set(self) -> bool:
        forks.end_work()  # who asks has imported and connected, and waits for something now
        if self._ended.is_set() or self.is_forked():
            return True
        before, self.beat = self.beat, time.monotonic()
        # After a pause, a slow reload say, there may be much that has not been heard yet.
        self._runner.do_what_is_due(listened=min(self.beat - before, BEAT))
        return False

    def wait(self, timeout: float) -> bool:
        """Wait for so many seconds; True, and sooner, when it is time to end."""
        left = timeout
        forks.end_work()
        while left > 0.0:
            self._ended.wait(min(left, BEAT))
            left -= BEAT
            if left > 0.0 and self.is_set():
                return True
        return self.is_set()


class Watched:
    """A state as its watcher sees it."""

    def __init__(self, runner: Runner, pulse: Pulse) -> None:
        self._runner = runner
        self.stopping = pulse
        self.follower = runner.follower

    @property
    def app(self) -> Flask:
        return self._runner.app

    def update_conf(self) -> bool:
        """Reload, for something may have changed; False: it failed and will be tried again."""
        with self._runner.reading():
            return self._runner.hear()
