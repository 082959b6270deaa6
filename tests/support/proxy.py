"""A TCP proxy that cuts the connections of a database's clients where a test wants it."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

from sqlalchemy.engine import make_url


class Proxy:
    """Forwards to the server of a database's URL; `url` is that of the way through the proxy."""

    def __init__(self, url: str) -> None:
        made = make_url(url)
        self._server = (str(made.host), made.port or 0)
        self._socket = socket.create_server(("127.0.0.1", 0))
        host, port = self._socket.getsockname()
        self.url = made.set(host=host, port=port).render_as_string()
        self._plan: tuple[bytes, bool, bool] | None = None
        self._open: list[socket.socket] = []
        self.reachable = True
        self._flows = threading.Event()
        self._flows.set()
        self.cuts = 0
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def cut_at(self, words: bytes, *, arrives: bool, stays_away: bool = False) -> None:
        """Cut the connection that says these words next, before or after the server has them.

        :param arrives: the server gets the words, and the client never gets the answer.
        :param stays_away: no new connection is let in until `restore`.
        """
        self._plan = (words, arrives, stays_away)

    def cut(self) -> None:
        """Cut all connections now."""
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def stall(self) -> None:
        """Let nothing through until `restore`, and cut no connection: as when a server hangs."""
        self._flows.clear()

    def restore(self) -> None:
        self.reachable = True
        self._flows.set()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._flows.set()
        self.cut()
        for thread in self._threads:
            thread.join()
        for each in (self._socket, *self._open):
            each.close()

    def _start(self, work: Callable[..., None], *args: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=args, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                if not self.reachable:
                    client.close()
                    continue
                server = socket.create_connection(self._server)
                self._open += [client, server]
                self._start(self._forward, client, server, True)
                self._start(self._forward, server, client, False)

    def _forward(self, source: socket.socket, target: socket.socket, asks: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._flows.wait()
                plan: Any = self._plan
                if not (asks and plan and plan[0] in data.upper()):
                    target.sendall(data)
                    continue
                self._plan = None
                self.cuts += 1
                self.reachable = not plan[2]
                # The client's end goes first: no answer may reach it.
                source.shutdown(socket.SHUT_RDWR)
                if plan[1]:
                    target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
