"""Connections: how an ORM connects to the database of the settings."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, SupportsFloat

from . import errors
from .instances import Model
from .postgresql import Notifications
from .rows import C, T
from .swaps import Swaps

#: MySQL's unix_timestamp() takes a local time, and is an hour behind in the hour that comes twice.
_OF_MYSQL = "SELECT timestampdiff(MICROSECOND, '1970-01-01', utc_timestamp(6)) / 1000000"
#: What reads the seconds since 1970 from the clock of a database server. SQLite has none.
_CLOCKS = {
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
    "mysql": _OF_MYSQL,
    "mariadb": _OF_MYSQL,
}


class Connections(ABC, Generic[C]):
    """Runs functions on connections to the database of the settings.

    None of them commits, flushes or rolls back anything of the caller's own transaction.
    """

    #: What the ORM raises for a fault of the database.
    error_types: ClassVar[tuple[type[Exception], ...]]
    #: The one of these that a unique index raises.
    integrity_error: ClassVar[type[Exception]]

    @abstractmethod
    def read(self, work: Callable[[C], T], *, fresh: bool = False) -> T:
        """Return what a function reads.

        :param fresh: read where `write` writes; otherwise where the app reads, a replica say.
        """

    @abstractmethod
    def read_promptly(self, work: Callable[[C], T]) -> T:
        """Return what a function reads, as `WaffleStore.read_promptly` describes it."""

    @abstractmethod
    def write(
        self, work: Callable[[C], T], *, wait: float | None = None, serializable: bool = False
    ) -> T:
        """Run a function in a transaction of its own, which an exception rolls back.

        In a transaction that holds the database's only connection a savepoint is taken instead.

        :param wait: seconds to wait for a lock, at most; None: as long as the database does, but
            not for long beside a transaction of the caller's own.
        :param serializable: what it reads has to stay so until it ends.
        :raises BusyError: the caller's own transaction is in the way.
        """

    @abstractmethod
    def write_at_once(self, work: Callable[[C], T]) -> T:
        """Run a function of few statements that waits for no lock; on SQLite each of them is a
        transaction of its own.

        :raises BusyError: there is one connection only.
        """

    @abstractmethod
    def renew(self, error: BaseException) -> bool:
        """Return whether an error says that the connection is gone, having replaced it.

        :raises StoreError: it can't be replaced.
        """

    @abstractmethod
    def dialect(self, connection: C) -> str:
        """Return the name of the database, as SQLAlchemy has it."""

    @abstractmethod
    def execute(self, connection: C, statement: str) -> Sequence[SupportsFloat]:
        """Execute a statement that has no parameters, as `locks.Execute` does."""

    @abstractmethod
    def location(self) -> object:
        """Return what identifies the database, as `WaffleStore.location` describes it."""

    @abstractmethod
    def notifications(self) -> Notifications:
        """As `WaffleStore.notifications`."""

    def expire(self, model: Model, key_name: str, swaps: Swaps) -> None:
        """Make the caller load instances again that a save has written, where the ORM keeps any.

        :param key_name: what the model calls its column of keys.
        """

    @abstractmethod
    def in_memory(self) -> bool:
        """Return whether the database exists on one connection of this process only."""

    @abstractmethod
    def after_fork(self) -> None:
        """Forget the parent's connections in a forked child, without closing them."""

    def ask(self, work: Callable[[C], T], *, fresh: bool = False) -> T:
        """Return what `read` does; on a connection that has died unnoticed, at the second try.

        :raises StoreError: the database can't be read.
        """
        return self._retried(lambda: self.read(work, fresh=fresh))

    def ask_promptly(self, work: Callable[[C], T]) -> T:
        """Return what `read_promptly` does.

        :raises StoreError: the database can't be read; BusyError where it would have to wait.
        """
        try:
            return self.read_promptly(work)
        except self.error_types as error:
            errors.fail(error)

    def change(self, work: Callable[[C], T], *, wait: float | None = None) -> T:
        """Return what `write` does, as `ask` does; the function may be run twice.

        :raises StoreError: the database can't be written.
        """
        return self._retried(lambda: self.write(work, wait=wait))

    def may_truncate(self, connection: C) -> bool:
        """Return whether the database may cut a text without an error, as the MySQL family does."""
        return self.dialect(connection) in ("mysql", "mariadb")

    def clock(self, connection: C) -> float:
        """Return what `WaffleStore.clock` does."""
        statement = _CLOCKS.get(self.dialect(connection))
        return float(self.execute(connection, statement)[0]) if statement else time.time()

    def _retried(self, attempt: Callable[[], T]) -> T:
        try:
            try:
                return attempt()
            except self.error_types as error:
                if not self.renew(error):
                    raise
                return attempt()
        except self.error_types as error:
            errors.fail(error)
