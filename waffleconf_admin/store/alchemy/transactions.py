"""The transactions of SQLAlchemy that settings are read and saved in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import SupportsFloat, cast

import sqlalchemy as sa

from .. import locks


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
    with connection.begin():
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


def forbid_autocommit(connection: sa.Connection) -> None:
    """Use real transactions on an engine that commits each statement: no save ends half-way."""
    of_engine = getattr(connection.dialect, "_on_connect_isolation_level", None)
    level = connection.get_execution_options().get("isolation_level", of_engine)
    if level == "AUTOCOMMIT":
        connection.execution_options(isolation_level=connection.default_isolation_level)


def _sqlite_of(connection: sa.Connection) -> sqlite3.Connection:
    """The connection of SQLite's driver."""
    return cast(sqlite3.Connection, connection.connection.dbapi_connection)
