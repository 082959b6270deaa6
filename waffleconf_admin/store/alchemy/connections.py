"""SQLAlchemy's connections and transactions, treated otherwise than SQLAlchemy does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import sqlalchemy as sa

from .. import locks


@contextmanager
def joined(
    connection: sa.Connection, write: bool = False, serializable: bool = False
) -> Iterator[None]:
    """Work within what somebody has begun on a connection, so that a failure undoes only ours.

    :param serializable: as for `begun`; in a transaction of somebody else's it is too late.
    """
    if connection.dialect.name == "sqlite" and connection.in_transaction():
        if not write:
            yield
            return
        raw: Any = connection.connection.dbapi_connection
        if not raw.in_transaction:
            # sqlite3 begins late; a savepoint outside a transaction would be one, and commit.
            connection.exec_driver_sql("BEGIN")
    late = connection.in_transaction()
    with connection.begin_nested() if late else connection.begin():
        if serializable and not late:
            _serialize(connection)
        yield


@contextmanager
def begun(
    connection: sa.Connection,
    wait: float | None = None,
    serializable: bool = False,
    pooled: bool = True,
) -> Iterator[None]:
    """A transaction that waits for locks no longer than so many seconds.

    :param serializable: what it reads has to stay so until it ends.
    :param pooled: False: the connection is closed for good afterwards; the process may be forked.
    """
    if _autocommits(connection):
        connection.execution_options(isolation_level=connection.default_isolation_level)
    if not pooled:
        connection.detach()
    limit = locks.limited(connection.dialect.name, partial(_first_row, connection), wait)
    # SQLite may wait when it begins and when it ends; elsewhere poolers take the connection then.
    sqlite = connection.dialect.name == "sqlite"
    before, within = (limit, nullcontext()) if sqlite else (nullcontext(), limit)
    with before, connection.begin():
        if serializable:
            _serialize(connection)
        with within:
            yield


def _first_row(connection: sa.Connection, statement: str) -> Any:
    if connection.dialect.name == "sqlite":  # past SQLAlchemy, which would begin
        raw: Any = connection.connection.dbapi_connection
        return raw.execute(statement).fetchone()
    result = connection.exec_driver_sql(statement)
    return result.first() if result.returns_rows else None


def _serialize(connection: sa.Connection) -> None:
    if connection.dialect.name in ("postgresql", "mysql", "mariadb"):
        connection.exec_driver_sql(locks.SERIALIZABLE)


def _autocommits(connection: sa.Connection) -> bool:
    """Whether each statement would be committed by itself, and a save could end half-way."""
    of_engine = getattr(connection.dialect, "_on_connect_isolation_level", None)
    return connection.get_execution_options().get("isolation_level", of_engine) == "AUTOCOMMIT"


def initialize_again(connection: sa.Connection) -> None:
    """Ask the database for its version and more, where that was cut short by a fork."""
    # SQLAlchemy does so once, at the first connection; one that was being made in another thread of
    # the parent counts, and a dialect that knows no version fails at this and that for ever.
    if connection.dialect.server_version_info is None:
        connection.dialect.initialize(connection)
        connection.rollback()


def is_in_memory(bind: sa.Engine | sa.Connection) -> bool:
    url = bind.engine.url
    if url.get_backend_name() != "sqlite":
        return False
    return not url.database or ":memory:" in url.database or url.query.get("mode") == "memory"
