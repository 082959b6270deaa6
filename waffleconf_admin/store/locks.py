"""Locks: how long our statements wait for what others hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple

#: Seconds that a save waits beside an open transaction of its own caller, who can't end it now.
BESIDE = 2.0
#: Seconds that the first load of a process waits: a migration may hold the table for long.
AT_ONCE = 0.1

#: As the first statement of a transaction: what it has read stays so until it has written, rows
#: that are not there too, which no lock can hold. SQLite locks the whole database anyway.
SERIALIZABLE = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"


class _Limit(NamedTuple):
    """How the wait for locks is limited on a kind of database."""

    limit: str
    #: Gives what held before; "" where the limit ends with the transaction.
    ask: str = ""
    #: Puts that back, for somebody else may get the connection next.
    restore: str = ""


_LIMITS = {
    # All of the database is one lock, and whoever holds it needs this very thread to go on.
    "sqlite": _Limit("PRAGMA busy_timeout = 0", "PRAGMA busy_timeout", "PRAGMA busy_timeout = {}"),
    "postgresql": _Limit("SET LOCAL lock_timeout = '{milliseconds}ms'"),
    # Of whole seconds, MariaDB takes 0 too.
    "mysql": _Limit(
        "SET SESSION lock_wait_timeout = GREATEST({seconds}, NOT LOCATE('MariaDB', VERSION())), "
        "innodb_lock_wait_timeout = GREATEST({seconds}, NOT LOCATE('MariaDB', VERSION()))",
        "SELECT @@SESSION.lock_wait_timeout, @@SESSION.innodb_lock_wait_timeout",
        "SET SESSION lock_wait_timeout = {}, innodb_lock_wait_timeout = {}",
    ),
}
_LIMITS["mariadb"] = _LIMITS["mysql"]


@contextmanager
def limited(database: str, execute: Callable[[str], Any], seconds: float | None) -> Iterator[None]:
    """Within the block a statement waits for a lock no longer than so many seconds.

    Nothing of it outlives the block and its transaction: poolers share connections. SQLite needs it
    around a transaction, whose commit may wait too; the others inside.

    :param database: the name of its kind, as SQLAlchemy has it.
    :param execute: runs a statement and returns its first row.
    :param seconds: None: as long as ever.
    """
    how = _LIMITS.get(database)
    if seconds is None or how is None:
        yield
        return
    before = execute(how.ask) if how.ask else ()
    execute(how.limit.format(seconds=int(seconds), milliseconds=int(seconds * 1000)))
    try:
        yield
    finally:
        if before:
            with suppress(Exception):  # the connection is gone, and the limit with it
                execute(how.restore.format(*before))
