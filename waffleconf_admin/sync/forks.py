"""Forks: which of our threads a fork waits for, and what is reset in the child."""

from __future__ import annotations

import _thread
import contextlib
import os
import socket
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from types import BuiltinFunctionType, FrameType
from typing import Protocol

# A child has one thread. Locks held by the others are never released in it, and a module that was
# being imported stays half imported. (Python then finds no codec "idna", which every
# request needs, or waits for the module.) So a fork waits for our threads, for some longer than for
# others:
#
# - An import or a lookup of a host name ends by itself, on a slow disk or network after many
#   seconds. One that is cut off spoils the child: the C library looks up no name any more, because
#   its lock stays held. So forks wait for both, also when a watcher does them later.
# - A connection, a statement or a notification may never end, because a server hangs. The child
#   forgets the parent's locks and connections in any case. So forks wait until a second after it
#   has begun, or after the import or lookup before it: however many workers a master forks
#   meanwhile, that is one second in all.

#: Seconds after its beginning until forks no longer wait for other work.
IO_LIMIT = 1.0
#: Seconds that a fork waits for an import or a lookup, at most.
IMPORT_LIMIT = 30.0
#: What drivers written in Python call for the lookup of a host name.
_LOOKUP = socket.getaddrinfo.__code__
#: Seconds between two checks of what the threads are doing.
_POLL = 0.01


class ForkAware(Protocol):
    """What is to be called after a fork."""

    def read_soon(self) -> None:
        """Called in the parent, where threads are greenlets."""
        ...

    def ensure_after_fork(self) -> None:
        """Called in the child."""
        ...


class _Work:
    """What one of our threads is doing."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.over = False  # it listens now


_REGISTERED: weakref.WeakSet[ForkAware] = weakref.WeakSet()
_WORK: dict[int, _Work] = {}  # by thread
_FORKING = threading.RLock()  # held during a fork: no work begins


def register(aware: ForkAware) -> None:
    """Call *aware* after each fork of this process and its children, as long as it lives."""
    _REGISTERED.add(aware)


def is_uwsgi_master() -> bool:
    """Whether workers will be forked from this process by uWSGI."""
    # uWSGI forks without running Python's fork handlers. A worker that is forked while a thread
    # holds the interpreter's lock hangs for ever, so there must be no thread.
    uwsgi = sys.modules.get("uwsgi")
    return uwsgi is not None and not (
        uwsgi.worker_id() or uwsgi.mule_id() or uwsgi.i_am_the_spooler()
    )


def are_threads_greenlets() -> bool:
    """Whether threads are patched, by gevent say; such threads live on in a forked process."""
    return not isinstance(_thread.start_new_thread, BuiltinFunctionType)


@contextlib.contextmanager
def working() -> Iterator[None]:
    """Let forks wait for this block, until its end or until `end_work` is called.

    For threads of our own. The block begins after a fork that is under way.
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
        _WORK[threading.get_ident()].over = True


def is_working() -> bool:
    """Whether this is a thread of our own, at work."""
    work = _WORK.get(threading.get_ident())
    return work is not None and not work.over


def _before_fork() -> None:
    _FORKING.acquire()
    latest = time.monotonic() + IMPORT_LIMIT
    while _is_any_busy() and time.monotonic() < latest:
        time.sleep(_POLL)


def _is_any_busy() -> bool:
    now, frames = time.monotonic(), sys._current_frames()
    busy = False
    for thread, work in list(_WORK.items()):
        if thread == threading.get_ident():
            continue
        if _is_importing_or_resolving(frames.get(thread)):
            work.began = now  # what follows it, a connection say, is waited for as long as any
            busy = True
        busy |= not work.over and now < work.began + IO_LIMIT
    return busy


def _is_importing_or_resolving(frame: FrameType | None) -> bool:
    """Whether a thread imports, or looks up a host name."""
    # A greenlet has no frame here. It does not switch while a file is read.
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith("<frozen importlib") or code is _LOOKUP:
            return True
        frame = frame.f_back
    return False


def _after_fork_in_parent() -> None:
    _FORKING.release()
    if are_threads_greenlets():
        for aware in list(_REGISTERED):
            aware.read_soon()


def _after_fork_in_child() -> None:
    global _FORKING
    _FORKING = threading.RLock()
    _WORK.clear()
    for aware in list(_REGISTERED):
        with contextlib.suppress(ReferenceError):  # the app is gone
            aware.ensure_after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork,
        after_in_parent=_after_fork_in_parent,
        after_in_child=_after_fork_in_child,
    )
