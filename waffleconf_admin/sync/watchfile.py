"""Watch file: what the processes of one host touch and look at to tell each other of a change."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable
from stat import S_ISREG
from typing import Any

from ..exceptions import WatchFileError
from .health import Trouble

log = logging.getLogger(__name__)

#: The watch file of who doesn't say which.
SHARED = "/tmp/waffleconf.txt"
#: Bytes at which the watch file starts anew.
MAX_FILE = 2**20
#: Who may read and write a new watch file, where WAFFLE_WATCHER_MODE doesn't say.
MODE = 0o664


class Follower:
    """One process's memory of the watch file: what it looked like at the last good reload."""

    def __init__(self, path: str, interval: float) -> None:
        self.path = path
        self.interval = interval
        self.seen = file_mark(path)
        self._retry_at = 0.0
        self._trouble: Trouble | None = None

    def prepare(self, mode: int) -> None:
        """Make the file where it is missing; what keeps us from it is logged.

        :param mode: as for `touch_file`.
        """
        if self.path == SHARED:
            log.warning(
                "WAFFLE_WATCHER_FILE is %s, which other apps and users may share: set it to a "
                "path of this app's own.",
                self.path,
            )
        try:
            touch_file(self.path, mode=mode)
        except OSError as error:
            if self.trouble() is None:
                log.error("Changes come late. %s", error)
        self.seen = file_mark(self.path)

    def trouble(self) -> Trouble | None:
        """What keeps this process from using the file; logged when it begins."""
        found, known = file_trouble(self.path), self._trouble
        self._trouble = found
        if found is not None and found is not known:
            log.error("%s", _error(found, self.path))
        return found

    def is_missing(self) -> bool:
        return file_mark(self.path) is None

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
    """What tells one state of a file from the next; None when there is no regular file."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_ino, stat.st_size) if S_ISREG(stat.st_mode) else None


def file_trouble(path: str) -> Trouble | None:
    """What keeps this process from changing the watch file; None: nothing, or it isn't there."""
    try:
        if _is_link_of_others(path):
            return Trouble.FILE_IS_LINK
        regular = S_ISREG(os.stat(path).st_mode)
    except OSError:
        return None
    if not regular:
        return Trouble.FILE_NOT_REGULAR
    effective = os.access in os.supports_effective_ids
    may_write = os.access(path, os.W_OK, effective_ids=effective)
    return None if may_write else Trouble.FILE_IS_READ_ONLY


def touch_file(path: str, text: bytes = b"", mode: int = MODE) -> None:
    """Make the watch file where it is missing, and append *text*. Never waits for anybody.

    :param mode: of a new file, whatever the umask; its group is that of its folder, where we may.
    :raises WatchFileError: it can't be made or changed; it is no regular file, or a symbolic link
        of another user.
    """
    # Before it is opened: opening some devices does something already.
    if (trouble := file_trouble(path)) is not None:
        raise _error(trouble, path)
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        handle = _open(path, mode)
        try:
            _change(handle, path, text)
        finally:
            os.close(handle)
    except WatchFileError:
        raise
    except OSError as error:
        raise WatchFileError(f"The watch file can't be made or changed: {error}") from error


def _error(trouble: Trouble, path: str) -> WatchFileError:
    return WatchFileError(f"{trouble} (It is {path}.)")


def _is_link_of_others(path: str) -> bool:
    return os.path.islink(path) and os.lstat(path).st_uid not in (0, os.getuid())


def _open(path: str, mode: int) -> int:
    # Of a FIFO without a reader opening would wait, unless told.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0)
    if os.path.islink(path):
        if _is_link_of_others(path):  # since it was looked at
            raise _error(Trouble.FILE_IS_LINK, path)
        path = os.path.realpath(path)
    try:
        handle = os.open(path, flags | os.O_EXCL, mode)
    except FileExistsError:
        return os.open(path, flags, mode)
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # we are not of that group
            os.fchown(handle, -1, os.stat(os.path.dirname(path) or ".").st_gid)
        os.fchmod(handle, mode)
    return handle


def _change(handle: int, path: str, text: bytes) -> None:
    stat = os.fstat(handle)
    if not S_ISREG(stat.st_mode):  # since it was looked at
        raise _error(Trouble.FILE_NOT_REGULAR, path)
    if not text:
        return
    if stat.st_size >= MAX_FILE:
        os.ftruncate(handle, 0)
    with contextlib.suppress(OSError):  # on a full disk the time alone has to tell
        os.write(handle, text)
    now = time.time_ns()  # finer than the kernel's own clock tick
    try:
        os.utime(handle if os.utime in os.supports_fd else path, ns=(now, now))
    except PermissionError:  # of another user, who lets us write: then the kernel's time
        os.utime(path)
