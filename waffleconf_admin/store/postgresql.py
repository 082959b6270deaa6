"""LISTEN and NOTIFY: notifications that PostgreSQL sends to whoever listens on a channel."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol

from ..exceptions import StoreError
from . import errors

#: The drivers on whose connections notifications can be waited for.
DRIVERS = ("psycopg", "psycopg2")


class Notifications:
    """The notifications of one database, by the driver that the app uses for it.

    :param driver: the driver's module.
    :param connect: makes a connection of the driver that nobody else uses.
    :param execute: executes a statement with its parameters, and commits.
    :raises StoreError: the driver can't wait for notifications.
    """

    def __init__(
        self,
        driver: str,
        connect: Callable[[], object],
        execute: Callable[[str, Sequence[str]], object],
    ) -> None:
        if driver not in DRIVERS:
            raise StoreError(
                f"{driver} can't wait for notifications of PostgreSQL: use psycopg (or psycopg2) "
                "as the driver of the settings' database."
            )
        self._driver = driver
        self._connect = connect
        self._execute = execute

    def blocks_greenlets(self) -> bool:
        """Whether the driver, while it waits, blocks all greenlets of a process."""
        if self._driver != "psycopg2":
            return False
        return import_module("psycopg2.extensions").get_wait_callback() is None

    def connect(self) -> Listener:
        """Return a new connection to listen on, which has to be closed.

        :raises StoreError: the database can't be reached.
        """
        try:
            return Listener(self._connect())
        except Exception as error:
            raise errors.explain(error) from error

    def send(self, channel: str) -> None:
        """Notify everybody who listens on a channel, beside any transaction of the caller's.

        :raises StoreError: it can't be sent.
        """
        try:
            self._execute("SELECT pg_notify(%s, '')", (channel,))
        except Exception as error:
            raise errors.explain(error) from error


#: A connection of psycopg or of psycopg2. Any: the two have no type in common.
Driver = Any


class Notification(Protocol):
    """What a driver has received."""

    channel: str


class Listener:
    """A connection that listens on channels. To be used by one thread, and to be closed.

    A forked process must not use its parent's.

    :param raw: a connection of psycopg or psycopg2.
    """

    def __init__(self, raw: Driver) -> None:
        self._raw = raw
        self._pid = os.getpid()
        self._is_psycopg2 = type(raw).__module__.partition(".")[0] == "psycopg2"
        self._received: list[Notification] = []
        if not self._is_psycopg2:
            # While a statement is executed; otherwise `_consume` finds them.
            raw.add_notify_handler(self._received.append)
        raw.rollback()
        raw.autocommit = True

    def listen(self, channel: str) -> None:
        """Receive the notifications of a channel from now on."""
        self._run(f"LISTEN {_quoted(channel)}")

    def unlisten(self, channel: str) -> None:
        self._run(f"UNLISTEN {_quoted(channel)}")

    def ping(self) -> None:
        """Return when the server has answered; to end that sooner, `cut` in another thread."""
        self._run("SELECT 1")

    def wait(self, seconds: float) -> set[str]:
        """Return the channels on which notifications have come, within so many seconds.

        :raises Exception: the connection is gone; an error of the driver.
        """
        self._consume()
        if not self._received:
            with selectors.DefaultSelector() as selector:
                selector.register(self._raw.fileno(), selectors.EVENT_READ)
                selector.select(seconds)
            self._consume()
        channels = {notification.channel for notification in self._received}
        self._received.clear()
        return channels

    def cut(self) -> None:
        """End whatever waits for the server."""
        if os.getpid() != self._pid:  # the parent uses the same socket
            return
        with suppress(Exception), _socket_of(self._raw) as sock:
            sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        if os.getpid() == self._pid:
            self._raw.close()

    def _run(self, statement: str) -> None:
        with self._raw.cursor() as cursor:
            cursor.execute(statement)

    def _consume(self) -> None:
        if self._is_psycopg2:
            self._raw.poll()
            self._received += self._raw.notifies
            self._raw.notifies.clear()
            return
        pgconn = self._raw.pgconn
        pgconn.consume_input()
        while notification := pgconn.notifies():
            pgconn.notify_handler(notification)


def not_postgresql(name: str) -> StoreError:
    """Return the error for another database."""
    return StoreError(
        f"the settings are in another database ({name}): set 'file', 'redis' or 'database'."
    )


def _quoted(channel: str) -> str:
    """A channel as an SQL identifier."""
    return '"' + channel.replace('"', '""') + '"'


def _socket_of(raw: Driver) -> socket.socket:
    return socket.fromfd(raw.fileno(), socket.AF_INET, socket.SOCK_STREAM)
