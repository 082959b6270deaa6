"""peewee's connections, treated otherwise than peewee does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import peewee

from . import faults

_T = TypeVar("_T")


def hurried(work: Callable[[Any], _T], database: Any) -> _T:
    kinds = {peewee.SqliteDatabase: "sqlite", peewee.MySQLDatabase: "mysql"}
    kind = next((name for cls, name in kinds.items() if isinstance(database, cls)), "postgresql")
    try:
        database.execute_sql(faults.HURRY[kind])
        return work(database)
    finally:
        drop(database)


def drop(database: Any) -> None:
    """Close the thread's connection for good, where a pool would keep it."""
    getattr(database, "manual_close", database.close)()
