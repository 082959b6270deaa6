"""The transactions of SQLAlchemy that settings are read and saved in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import SupportsFloat, cast

import sqlalchemy as sa

from .. import locks

#: sqlite3 begins with the first write: LEGACY_TRANSACTION_CONTROL of Python 3.12.
_LEGACY = -1


@contextmanager
def joined(
    connection: sa.Connection, *, write: bool = False, serializable: bool = False
) -> Iterator[None]:
    """Take part in a transaction of the caller's; a failure undoes only what is done within.

    Its isolation level can't be changed any more: `serializable` is for a new transaction.
    """
    if connection.dialect.name == "sqlite" and connection.in_transaction():
        if not write:
            yield
            return
        if not _sqlite_of(connection).in_transaction:
            # sqlite3 begins late; a savepoint outside a transaction would be one, and commit.
            connection.exec_driver_sql("BEGIN")
    if connection.in_transaction():
        with connection.begin_nested():
            yield
    else:
        with _begun(connection, serializable):
            yield


@contextmanager
def _begun(connection: sa.Connection, serializable: bool) -> Iterator[None]:
    with _autocommit_off(connection), connection.begin():
        if serializable and connection.dialect.name in ("postgresql", "mysql", "mariadb"):
            connection.exec_driver_sql(locks.SERIALIZABLE)
        yield


@contextmanager
def autocommitted(connection: sa.Connection) -> Iterator[None]:
    """Let SQLite commit each statement by itself, which holds its lock as briefly as can be."""
    raw = _sqlite_of(connection)
    # Not by the option of SQLAlchemy: an app may begin by an event, and have set the level itself.
    level = raw.isolation_level
    with connection.begin():
        raw.commit()
        raw.isolation_level = None
        try:
            yield
        finally:
            raw.isolation_level = level


def transaction(
    connection: sa.Connection, wait: float | None, serializable: bool = False
) -> AbstractContextManager[None]:
    """Begin a transaction; `wait` is as `locks.transaction` takes it."""
    return locks.transaction(
        _begun(connection, serializable),
        connection.dialect.name,
        partial(execute, connection),
        wait,
    )


def execute(connection: sa.Connection, statement: str) -> Sequence[SupportsFloat]:
    """Execute a statement, as `locks.Execute` does."""
    if connection.dialect.name == "sqlite":  # past SQLAlchemy, which would begin
        return _sqlite_of(connection).execute(statement).fetchone() or ()
    result = connection.exec_driver_sql(statement)
    return (result.first() or ()) if result.returns_rows else ()


@contextmanager
def _autocommit_off(connection: sa.Connection) -> Iterator[None]:
    """Have real transactions where the app commits each statement: no save ends half-way.

    The driver is asked, for SQLAlchemy does not know what the app has told it.
    """
    set_autocommit = _autocommit_of(connection)
    if set_autocommit is None:
        yield
        return
    set_autocommit(False)
    try:
        yield
    finally:
        try:
            set_autocommit(True)
        except Exception:  # the pool must not give it to a view, which would commit nothing
            connection.invalidate()


def _autocommit_of(connection: sa.Connection) -> Callable[[bool], object] | None:
    """Return what sets whether the driver commits each statement; None: it does not."""
    raw = connection.connection.dbapi_connection
    autocommit = getattr(raw, "autocommit", False)
    ask = getattr(raw, "get_autocommit", None)
    if ask is not None and callable(autocommit):  # PyMySQL, mysqlclient
        return autocommit if ask() else None
    if connection.dialect.name != "sqlite":
        return partial(setattr, raw, "autocommit") if autocommit is True else None
    if autocommit is True:  # of Python 3.12 and newer
        return lambda on: setattr(raw, "autocommit", True if on else _LEGACY)
    if _sqlite_of(connection).isolation_level is None:
        # An app may say None, and begin by an event; what is said here does no harm then.
        return lambda on: setattr(raw, "isolation_level", None if on else "")
    return None


def _sqlite_of(connection: sa.Connection) -> sqlite3.Connection:
    """The connection of SQLite's driver."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)
