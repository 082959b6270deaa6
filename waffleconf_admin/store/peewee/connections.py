"""peewee's connections and transactions, treated otherwise than peewee does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any, TypeVar

import peewee

from .. import locks

_T = TypeVar("_T")


@contextmanager
def transaction(
    database: Any, wait: float | None = None, serializable: bool = False, write: bool = True
) -> Iterator[None]:
    """A transaction that waits for locks no longer than so many seconds.

    :param serializable: whether what it reads has to stay so until it ends.
    """
    kind = kind_of(database)
    if kind == "sqlite":
        # The lock is taken first, so that it is waited for.
        begin = ("IMMEDIATE",) if write else ()
    else:
        begin = ("SERIALIZABLE",) if serializable else ()
    limit = locks.limited(kind, partial(_first_row, database), wait)
    # SQLite may wait when it begins and when it ends; elsewhere poolers take the connection then.
    before, within = (limit, nullcontext()) if kind == "sqlite" else (nullcontext(), limit)
    with before, database.atomic(*begin), within:
        yield


def connected(database: Any, work: Callable[[], _T], pooled: bool) -> _T:
    """Work with a connection that the thread has for just that.

    :param pooled: whether a pool may keep it.
    """
    database.connect()
    try:
        return work()
    finally:
        database.close() if pooled else drop(database)


def _first_row(database: Any, statement: str) -> Any:
    cursor = database.execute_sql(statement)
    return cursor.fetchone() if cursor.description else None


def kind_of(database: Any) -> str:
    """The kind of a database, as SQLAlchemy calls it."""
    kinds = {peewee.SqliteDatabase: "sqlite", peewee.MySQLDatabase: "mysql"}
    return next((name for cls, name in kinds.items() if isinstance(database, cls)), "postgresql")


def drop(database: Any) -> None:
    """Close the thread's connection for good, where a pool would keep it."""
    getattr(database, "manual_close", database.close)()
