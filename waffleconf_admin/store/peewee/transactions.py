"""The connections and transactions of peewee that settings are read and saved in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import SupportsFloat

import peewee

from .. import locks
from ..rows import T


def dialect_of(database: object) -> str:
    """Return the name of a database, as SQLAlchemy has it."""
    names = {peewee.SqliteDatabase: "sqlite", peewee.MySQLDatabase: "mysql"}
    return next((name for cls, name in names.items() if isinstance(database, cls)), "postgresql")


def is_in_transaction(database: peewee.Database) -> bool:
    """Whether the thread has a transaction open."""
    if database.is_closed():
        return False
    # peewee does not know of a BEGIN by hand.
    raw = database.connection()
    return database.in_transaction() or bool(getattr(raw, "in_transaction", False))


def run(database: peewee.Database, work: Callable[[], T], *, pooled: bool = True) -> T:
    """Run a function on a connection without an open transaction.

    :param pooled: whether a pool may keep a connection that is opened for this.
    """
    if database.is_closed():
        return connected(database, work, pooled)
    return elsewhere(database, work, pooled) if is_in_transaction(database) else work()


def elsewhere(database: peewee.Database, work: Callable[[], T], pooled: bool = True) -> T:
    """Run a function on another connection, which another thread has."""
    # One of SQLite's is of no use to other threads.
    pooled = pooled and dialect_of(database) != "sqlite"
    with ThreadPoolExecutor(1) as executor:
        # In the caller's context: methods of the app's model may read current_app.
        return executor.submit(copy_context().run, connected, database, work, pooled).result()


def connected(database: peewee.Database, work: Callable[[], T], pooled: bool = True) -> T:
    """Run a function on a connection that is opened for it."""
    database.connect()
    try:
        return work()
    finally:
        database.close() if pooled else close_for_good(database)


def close_for_good(database: peewee.Database) -> None:
    """Close the thread's connection, where a pool would keep it."""
    getattr(database, "manual_close", database.close)()


def in_transaction(
    database: peewee.Database, work: Callable[[peewee.Database], T], *begin: str, wait: float | None
) -> T:
    """Run a function in a transaction.

    :param begin: for ``atomic()``.
    :param wait: as `locks.transaction` takes it.
    """
    begun, dialect = database.atomic(*begin), dialect_of(database)
    with locks.transaction(begun, dialect, partial(execute, database), wait):
        return work(database)


def run_at_once(database: peewee.Database, work: Callable[[peewee.Database], T]) -> T:
    """Run a function that waits for no lock."""
    dialect = dialect_of(database)
    if dialect != "sqlite":
        return in_transaction(database, work, wait=locks.NO_WAIT)
    with locks.limited(dialect, partial(execute, database), locks.NO_WAIT):
        return work(database)


def execute(database: peewee.Database, statement: str) -> Sequence[SupportsFloat]:
    """Execute a statement, as `locks.Execute` does."""
    cursor = database.execute_sql(statement)
    return (cursor.fetchone() or ()) if cursor.description else ()
