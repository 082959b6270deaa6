"""Forks: which of our threads a fork waits for, and what its child begins anew."""

from __future__ import annotations

import _thread
import contextlib
import os
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from types import BuiltinFunctionType
from typing import Protocol

# A child has one thread. What the others were doing stays half done in it for ever: a lock is never
# released, a module never imported to its end (Python then finds no codec "idna", which every
# request needs, or waits for the module). So a fork waits for the work of our threads, but not for
# each kind of work equally long:
#
# - An import ends by itself, on a slow disk or network file system after many seconds, and one that
#   is cut spoils the child. So it is waited for, also where a watcher imports while it listens.
# - A connection, a statement or a notification may never end, because a server hangs; the child
#   forgets the parent's locks and connections in any case. So each is waited for until a second
#   after it has begun: however many workers a master forks meanwhile, that is a second in all.

#: Seconds after its beginning until a fork no longer waits for work that is no import.
IO_LIMIT = 1.0
#: Seconds that a fork waits for an import, at most.
IMPORT_LIMIT = 30.0
#: Seconds between two looks at what a thread is doing.
_LOOK = 0.02


class Runner(Protocol):
    """What has to know of forks."""

    def look_soon(self) -> None: ...

    def ensure_after_fork(self) -> None: ...


class _Work:
    """What one of our threads is doing."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.over = threading.Event()


_RUNNERS: weakref.WeakSet[Runner] = weakref.WeakSet()
_WORK: dict[int, _Work] = {}  # by thread
_FORKING = threading.RLock()  # held during a fork: no work begins


def follow(runner: Runner) -> None:
    """From now on, renew *runner* in each process that is forked from this one."""
    _RUNNERS.add(runner)


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


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Let forks wait for what this thread does here, until it is done or `end_work` is called.

    For threads of our own: it waits for a fork that is under way before it begins.
    """
    if is_working():
        yield
        return
    thread = threading.get_ident()
    ended = _WORK.get(thread)
    with _FORKING:
        _WORK[thread] = _Work()
    try:
        yield
    finally:
        end_work()
        if ended is None:
            _WORK.pop(thread, None)
        else:
            _WORK[thread] = ended


def end_work() -> None:
    """Let forks wait for no more than imports of this thread, which listens from now on."""
    if is_working():
        _WORK[threading.get_ident()].over.set()


def is_working() -> bool:
    """Whether this is a thread of our own, at work."""
    work = _WORK.get(threading.get_ident())
    return work is not None and not work.over.is_set()


def _before_fork() -> None:
    _FORKING.acquire()
    for thread, work in list(_WORK.items()):
        if thread != threading.get_ident():
            _wait_for(thread, work)


def _wait_for(thread: int, work: _Work) -> None:
    latest = time.monotonic() + IMPORT_LIMIT
    while time.monotonic() < latest:
        over = work.over.wait(_LOOK) or time.monotonic() > work.began + IO_LIMIT
        if over and not _is_importing(thread):
            return
        time.sleep(_LOOK)


def _is_importing(thread: int) -> bool:
    # Not of a greenlet: those don't change places while a file is read.
    frame = sys._current_frames().get(thread)
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _after_fork_in_parent() -> None:
    _FORKING.release()
    if are_threads_greenlets():
        for runner in list(_RUNNERS):
            runner.look_soon()


def _after_fork_in_child() -> None:
    global _FORKING
    _FORKING = threading.RLock()
    _WORK.clear()
    for runner in list(_RUNNERS):
        with contextlib.suppress(ReferenceError):  # the app is gone
            runner.ensure_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
