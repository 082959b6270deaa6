"""Starts processes of follower.py as forks of one that has imported all it needs.

So each costs a few milliseconds instead of a second. That one has no app, no thread and no
connection, so a fork of it is like a new process.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import functools
import json
import os
import select
import socket
import subprocess
import sys
from typing import Any

from programs import environment

#: What a follower imports when it first needs it; without ours each takes 0.1 s more.
OURS = ("admin", "cli", "core", "fields", "files", "forms", "state.state", "sync.watch_types")
IMPORTED = (
    *("redis", "psycopg", "psycopg2", "sqlite3", "sqlalchemy.dialects.sqlite", "flask.testing"),
    *(f"waffleconf_admin.{name}" for name in OURS),
)
LENGTH = 2**20  #: most bytes of a configuration


class Forked:
    """A process, used as :class:`subprocess.Popen` is."""

    returncode: int | None = None

    def __init__(self, parent: socket.socket, argument: str) -> None:
        pipes = [os.pipe() for _ in range(3)]
        (child_in, stdin), (stdout, child_out), (stderr, child_err) = pipes
        self._parent = parent
        socket.send_fds(parent, [argument.encode()], [child_in, child_out, child_err])
        for end in (child_in, child_out, child_err):
            os.close(end)
        self.pid = int(parent.recv(32))
        self._ended = os.pidfd_open(self.pid)
        self.stdin, self.stdout = os.fdopen(stdin, "w"), os.fdopen(stdout)
        self.stderr = os.fdopen(stderr)

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._ended], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout or 0)
            self._parent.send(str(self.pid).encode())
            self.returncode = int(self._parent.recv(32))
            os.close(self._ended)
        return self.returncode

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def kill(self) -> None:
        if self.poll() is None:
            os.kill(self.pid, 9)

    def __enter__(self) -> Forked:
        return self

    def __exit__(self, *error: object) -> None:
        for file in (self.stdin, self.stdout, self.stderr):
            with contextlib.suppress(BrokenPipeError):
                file.close()
        self.wait()


@functools.cache
def nursery() -> socket.socket:
    """The connection to the process that is forked; it ends with this process."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, __file__, str(theirs.fileno())],
            env=environment(),
            pass_fds=[theirs.fileno()],
        )
    atexit.register(lambda: (ours.close(), process.wait()))
    return ours


def serve(requests: socket.socket) -> str | None:
    """Fork for each configuration; in the child return it. None at the end."""
    while True:
        size = array.array("i").itemsize
        message, fds, _, _ = socket.recv_fds(requests, LENGTH, 3 * size)
        if not message:
            return None
        if not fds:  # a process that has ended: which exit code it had
            status = os.waitpid(int(message), 0)[1]
            requests.send(str(os.waitstatus_to_exitcode(status)).encode())
            continue
        pid = os.fork()
        if not pid:
            requests.close()
            for number, fd in enumerate(fds):
                os.dup2(fd, number)
                os.close(fd)
            return message.decode()
        for fd in fds:
            os.close(fd)
        requests.send(str(pid).encode())


def main() -> None:
    import follower

    for name in IMPORTED:
        with contextlib.suppress(ImportError):
            __import__(name)
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        argument = serve(requests)
    if argument is not None:
        config: dict[str, Any] = json.loads(argument)
        follower.run(config)


if __name__ == "__main__":
    main()
