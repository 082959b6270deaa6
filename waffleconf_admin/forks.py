"""Forks: what has to happen to runners when a process divides."""

from __future__ import annotations

import _thread
import contextlib
import os
import sys
import threading
import weakref
from types import BuiltinFunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .runner import Runner


def is_uwsgi_master() -> bool:
    """Whether workers will be forked from this process by uWSGI."""
    # It forks its workers without asking Python. One that is forked while a thread holds the
    # interpreter's lock hangs for ever, so there must be no thread.
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and not (
        uwsgi.worker_id() or uwsgi.mule_id() or uwsgi.i_am_the_spooler()
    )


def are_threads_greenlets() -> bool:
    """Whether threads are patched, by gevent say; such threads live on in a forked process."""
    return not isinstance(_thread.start_new_thread, BuiltinFunctionType)


def follow(runner: Runner) -> None:
    """From now on, renew *runner* in each process that is forked from this one."""
    _RUNNERS.add(runner)


_RUNNERS: weakref.WeakSet[Runner] = weakref.WeakSet()


def _before_fork() -> None:
    # A lock that another thread holds now would stay locked in the child for ever.
    for runner in list(_RUNNERS):
        if runner.busy.acquire(timeout=1.0):
            _HELD.append(runner.busy)


def _after_fork_in_parent() -> None:
    while _HELD:
        _HELD.pop().release()
    if are_threads_greenlets():
        for runner in list(_RUNNERS):
            runner.look_soon()


def _after_fork_in_child() -> None:
    _HELD.clear()
    for runner in list(_RUNNERS):
        with contextlib.suppress(ReferenceError):  # the app is gone
            runner.ensure_after_fork()


_HELD: list[threading.Lock] = []

if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
