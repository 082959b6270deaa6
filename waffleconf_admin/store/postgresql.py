"""LISTEN and NOTIFY: notifications that PostgreSQL sends to whoever listens on a channel."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

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


class Listener:
    """A connection that listens on channels. To be used by one thread, and to be closed.

    A forked process must not use its parent's.

    :param raw: a connection of psycopg or psycopg2.
    """

    def __init__(self, raw: Any) -> None:
        self._raw = raw
        self._pid = os.getpid()
        self._is_psycopg2 = type(raw).__module__.partition(".")[0] == "psycopg2"
        self._received: list[Any] = []
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


def of_engine(engine: Any) -> Notifications:
    """Return the notifications of the database of an engine of SQLAlchemy.

    :raises StoreError: it is no PostgreSQL, or its driver can't wait for notifications.
    """
    if engine.dialect.name != "postgresql":
        raise _not_postgresql(engine.dialect.name)

    def connect() -> object:
        # As the app connects, with its arguments and events, and without a place in its pool.
        connection = engine.pool.recreate().connect()
        connection.detach()
        return connection.dbapi_connection

    def execute(statement: str, parameters: Sequence[str]) -> None:
        with engine.begin() as connection:
            connection.exec_driver_sql(statement, tuple(parameters))

    return Notifications(engine.dialect.driver, connect, execute)


def of_peewee(
    database: object, in_own_transaction: Callable[[Callable[[Any], object]], object]
) -> Notifications:
    """Return the notifications of a database of peewee.

    :param in_own_transaction: works with the database in a transaction of its own.
    :raises StoreError: it is no PostgreSQL.
    """
    from peewee import PostgresqlDatabase
    from playhouse.pool import PooledDatabase

    if not isinstance(database, PostgresqlDatabase):
        raise _not_postgresql(type(database).__name__)
    pooled = isinstance(database, PooledDatabase)
    # As the app connects, and without a place in its pool.
    unpooled: Any = super(PooledDatabase, database) if pooled else database
    # Before peewee 4 there are no adapters, and the class of the database says it.
    classes = (*type(database).__mro__, *type(getattr(database, "_adapter", None)).__mro__)
    psycopg3 = any(cls.__name__.startswith("Psycopg3") for cls in classes)
    return Notifications(
        "psycopg" if psycopg3 else "psycopg2",
        lambda: unpooled._connect(),
        lambda sql, parameters: in_own_transaction(
            lambda database: database.execute_sql(sql, parameters)
        ),
    )


def _not_postgresql(name: str) -> StoreError:
    return StoreError(
        f"the settings are in another database ({name}): set 'file', 'redis' or 'database'."
    )


def _quoted(channel: str) -> str:
    """A channel as an SQL identifier."""
    return '"' + channel.replace('"', '""') + '"'


def _socket_of(raw: Any) -> socket.socket:
    return socket.fromfd(raw.fileno(), socket.AF_INET, socket.SOCK_STREAM)
