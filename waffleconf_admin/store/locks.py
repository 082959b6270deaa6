"""Locks: how long our statements wait for them, the isolation level that replaces them, and the
lock of a connection that threads share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import RLock
from typing import NamedTuple, SupportsFloat
from weakref import WeakKeyDictionary

from ..exceptions import BusyError
from .errors import IN_USE

#: Executes a statement and returns its first row; an empty one if it has none.
Execute = Callable[[str], Sequence[SupportsFloat]]

#: Seconds that a save waits for a lock while its caller has a transaction open, which may hold it.
WAIT_BESIDE_CALLER = 2.0
#: Seconds that the first load of a process waits: a migration may hold the table for minutes.
FIRST_LOAD_WAIT = 0.5
#: Seconds for what waits for no lock; PostgreSQL takes 0 for no limit at all.
NO_WAIT = 0.001
#: Seconds that a thread waits for others to leave a connection that all share, as long as SQLite
#: waits for another program.
WAIT_FOR_THREADS = 5.0

#: The first statement of a transaction: whatever it reads stays so until it has written, and so do
#: rows that are not there, which no lock can hold. SQLite locks the whole database anyway.
SERIALIZABLE = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"

#: The locks of connections that all threads share, by the pool or database that has only one.
_shared: WeakKeyDictionary[object, RLock] = WeakKeyDictionary()


class _Limit(NamedTuple):
    """The statements that limit the wait for locks on a database."""

    limit: str
    #: Returns the former limits; "" where the new one ends with the transaction.
    ask: str = ""
    #: Sets the former limits, for somebody else may get the connection next.
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
def transaction(
    begin: AbstractContextManager[object],
    dialect: str,
    execute: Execute,
    wait: float | None,
) -> Iterator[None]:
    """Run the block in a transaction and limit how long its statements wait for a lock.

    The limit does not outlive the transaction: poolers share connections.

    :param begin: the transaction.
    :param dialect: the name of the database, as SQLAlchemy has it.
    :param wait: seconds; None: no other limit than the connection has.
    """
    limit = limited(dialect, execute, wait)
    # SQLite may wait when it begins and when it commits; elsewhere poolers give the connection away
    # between transactions.
    first, second = (limit, begin) if dialect == "sqlite" else (begin, limit)
    with first, second:
        yield


@contextmanager
def limited(dialect: str, execute: Execute, seconds: float | None) -> Iterator[None]:
    """Limit how long the statements of the block wait for a lock; parameters as above."""
    statements = _LIMITS.get(dialect)
    if seconds is None or statements is None:
        yield
        return
    before = execute(statements.ask) if statements.ask else ()
    execute(statements.limit.format(seconds=int(seconds), milliseconds=int(seconds * 1000)))
    try:
        yield
    finally:
        if before:
            with suppress(Exception):  # the connection is gone, and the limit with it
                execute(statements.restore.format(*before))


@contextmanager
def alone(shared: object | None, *, wait: float = WAIT_FOR_THREADS) -> Iterator[None]:
    """Keep our other threads from a connection that all threads share.

    A read of one of them would roll back what another is saving, or return it before the commit.

    :param shared: what has only one connection; None: each thread has a connection of its own.
    :param wait: seconds to wait for the others, at most.
    :raises BusyError: they don't leave it.
    """
    if shared is None:
        yield
        return
    lock = _shared.setdefault(shared, RLock())
    if not lock.acquire(timeout=wait):
        raise BusyError(IN_USE)
    try:
        yield
    finally:
        lock.release()


def forget_threads(shared: object) -> None:
    """Forget in a forked child who holds a connection: the parent's threads are not in it."""
    _shared.pop(shared, None)
