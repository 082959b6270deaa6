"""The watch file, which the processes of one host change to notify each other."""

from __future__ import annotations

import contextlib
import os
import time
from stat import S_ISREG

from ..defaults import DEFAULTS
from ..exceptions import WatchFileError
from ..i18n import mark
from .health import Severity, Trouble

#: Bytes at which the watch file is emptied.
MAX_FILE = 2**20

FILE_NOT_REGULAR = Trouble(
    Severity.CANNOT_RECEIVE,
    mark(
        "What is in the place of the watch file is not a regular file, so changes come late. "
        "Remove it, or set WAFFLE_WATCHER_FILE to another path."
    ),
)
FILE_IS_LINK = Trouble(
    Severity.CANNOT_SEND,
    mark(
        "The watch file is a symbolic link of another user, so it is not changed, and what is "
        "saved here reaches other processes late. Remove it, or set WAFFLE_WATCHER_FILE to another "
        "path."
    ),
)
FILE_IS_READ_ONLY = Trouble(
    Severity.CANNOT_SEND,
    mark(
        "This process may not write the watch file, so what is saved here reaches other processes "
        "late. Let all users of the app write it: give it a group of theirs (chgrp) and chmod g+w, "
        "or remove it. New files get the group of their folder and WAFFLE_WATCHER_MODE."
    ),
)


def file_stamp(path: str) -> tuple[int, int, int] | None:
    """Return what differs after each change of a file; None when there is no regular file."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return (stat.st_mtime_ns, stat.st_ino, stat.st_size) if S_ISREG(stat.st_mode) else None


def file_trouble(path: str) -> Trouble | None:
    """Return what keeps this process from changing the watch file; None: nothing, or no file."""
    try:
        if _is_link_of_others(path):
            return FILE_IS_LINK
        regular = S_ISREG(os.stat(path).st_mode)
    except OSError:
        return None
    if not regular:
        return FILE_NOT_REGULAR
    effective = os.access in os.supports_effective_ids
    may_write = os.access(path, os.W_OK, effective_ids=effective)
    return None if may_write else FILE_IS_READ_ONLY


def touch_file(path: str, text: bytes = b"", mode: int = DEFAULTS["WAFFLE_WATCHER_MODE"]) -> None:
    """Make the watch file where it is missing, and append *text*. Never blocks.

    :param mode: of a new file, whatever the umask; its group is that of its folder, where we may.
    :raises WatchFileError: it can't be made or changed; it is no regular file, or a symbolic link
        of another user.
    """
    # Before it is opened: opening some devices does something already.
    if (trouble := file_trouble(path)) is not None:
        raise trouble_error(trouble, path)
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


def trouble_error(trouble: Trouble, path: str) -> WatchFileError:
    """Return the error that reports a trouble with the watch file."""
    return WatchFileError(f"{trouble.text} (It is {path}.)")


def _is_link_of_others(path: str) -> bool:
    return os.path.islink(path) and os.lstat(path).st_uid not in (0, os.getuid())


def _open(path: str, mode: int) -> int:
    # Without O_NONBLOCK, opening a FIFO waits for a reader.
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0)
    if os.path.islink(path):
        if _is_link_of_others(path):  # since the check above
            raise trouble_error(FILE_IS_LINK, path)
        path = os.path.realpath(path)
    try:
        handle = os.open(path, flags | os.O_EXCL, mode)
    except FileExistsError:
        return os.open(path, flags, mode)
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):  # this user is not in that group
            os.fchown(handle, -1, os.stat(os.path.dirname(path) or ".").st_gid)
        os.fchmod(handle, mode)
    return handle


def _change(handle: int, path: str, text: bytes) -> None:
    stat = os.fstat(handle)
    if not S_ISREG(stat.st_mode):  # since the check above
        raise trouble_error(FILE_NOT_REGULAR, path)
    if not text:
        return
    if stat.st_size >= MAX_FILE:
        os.ftruncate(handle, 0)
    with contextlib.suppress(OSError):  # the disk is full: the time changes all the same
        os.write(handle, text)
    now = time.time_ns()  # finer than the kernel's own clock tick
    try:
        os.utime(handle if os.utime in os.supports_fd else path, ns=(now, now))
    except PermissionError:  # another user owns it, and lets us write: use the kernel's time
        os.utime(path)
