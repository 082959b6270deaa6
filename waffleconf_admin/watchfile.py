"""Watch file: what the processes of one host touch and look at to tell each other of a change."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Callable
from typing import Any

#: Bytes at which the watch file starts anew.
MAX_FILE = 2**20


class Follower:
    """One process's memory of the watch file: what it looked like at the last good reload."""

    def __init__(self, path: str, interval: float) -> None:
        self.path = path
        self.interval = interval
        self.seen = file_mark(path)
        self._retry_at = 0.0

    def changed(self) -> bool:
        """Whether there is something to follow; not so soon after a reload has failed."""
        return file_mark(self.path) != self.seen and time.monotonic() >= self._retry_at

    def follow(self, reload: Callable[[], Any]) -> None:
        """Reload if the file has changed; a failed reload is tried again after the interval."""
        if not self.changed():
            return
        now = file_mark(self.path)  # from before the reload: what changes meanwhile is news
        if reload() is False:
            self._retry_at = time.monotonic() + self.interval
        else:
            self.seen = now


def file_mark(path: str) -> tuple[int, int, int] | None:
    """What tells one state of a file from the next; None when it isn't there."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def touch_file(path: str, text: bytes = b"") -> None:
    """Make the watch file where it is missing, and append *text*.

    :raises OSError: it can't be made or changed, or it is a symbolic link of another user.
    """
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    no_links = getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags | no_links, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP or os.lstat(path).st_uid not in (0, os.getuid()):
            raise
        handle = os.open(os.path.realpath(path), flags | no_links, 0o666)
    try:
        if text:
            if os.fstat(handle).st_size >= MAX_FILE:
                os.ftruncate(handle, 0)
            with contextlib.suppress(OSError):  # on a full disk the time alone has to tell
                os.write(handle, text)
            now = time.time_ns()  # finer than the kernel's own clock tick
            try:
                os.utime(handle if os.utime in os.supports_fd else path, ns=(now, now))
            except PermissionError:  # of another user, who lets us write: then the kernel's time
                os.utime(path)
    finally:
        os.close(handle)
