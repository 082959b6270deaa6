"""Inotify: Linux tells of a change of a file, so nobody need look for one so often."""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import sys
import time
from collections.abc import Iterator

#: Seconds in which changes that follow each other closely are one.
BURST = 0.05

# From <sys/inotify.h>: what is told of a file.
_MODIFY, _ATTRIB, _DELETE_SELF, _MOVE_SELF = 0x2, 0x4, 0x400, 0x800
_CHANGES = _MODIFY | _ATTRIB | _DELETE_SELF | _MOVE_SELF


@contextlib.contextmanager
def listening(path: str) -> Iterator[Inotify | None]:
    """Listen for changes of a file; None where that can't be done, and it has to be looked at."""
    inotify = None
    with contextlib.suppress(OSError, AttributeError):  # also where the library of C lacks it
        inotify = Inotify(path)
    try:
        yield inotify
    finally:
        if inotify is not None:
            inotify.close()


class Inotify:
    """Waits for changes of one file, made on this host. To be used by one thread, and closed.

    :raises OSError: it can't be had: on another system, or where too many processes use it.
    """

    def __init__(self, path: str) -> None:
        if sys.platform != "linux":
            raise OSError("inotify is for Linux")
        self._path = os.fsencode(path)
        # The standard library does not have it.
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._handle = self._checked(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        self._poll = select.poll()
        self._poll.register(self._handle, select.POLLIN)
        try:
            self._watch()
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._handle)

    def wait(self, seconds: float) -> bool:
        """Return True when the file may have changed, False after so many seconds."""
        self._watch()
        if not self._poll.poll(seconds * 1000):
            return False
        time.sleep(BURST)
        with contextlib.suppress(BlockingIOError):  # read by a forked process meanwhile
            os.read(self._handle, 2**16)
        return True

    def _watch(self) -> None:
        """Watch the file that has this name now; does nothing where that is watched already."""
        if not os.path.isfile(self._path):  # it may come back; of a folder all would be told
            return
        with contextlib.suppress(FileNotFoundError):
            self._checked(self._libc.inotify_add_watch(self._handle, self._path, _CHANGES))

    @staticmethod
    def _checked(result: int) -> int:
        if result < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))
        return result
