"""PeeweeWaffleStore: settings kept with peewee."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from typing import Any, TypeVar

import peewee
from playhouse.pool import MaxConnectionsExceeded

from ..exceptions import BusyError, StoreError
from . import faults
from .base import Changes, CommitLost, Texts, effective, text_of, unchanged
from .history import HistoryRow
from .peewee_connections import drop, hurried
from .peewee_history import PeeweeHistory
from .peewee_rows import Rows

_ERRORS = (peewee.PeeweeException, MaxConnectionsExceeded)

_T = TypeVar("_T")


class PeeweeWaffleStore(PeeweeHistory):
    """Keeps settings in a table of peewee.

    :param db: may be left out; the database is the model's own, a DatabaseProxy too.
    :param model: the model class.
    :param history: the model class that keeps who changed what; None: nothing is kept.
    """

    # The documented methods, on the caller's connection

    def commit(self) -> None:
        """Do nothing: peewee commits each statement, or at the end of the caller's ``atomic()``."""

    def delete(self, key: str) -> Any:
        record = self.get(key)
        if record is not None:
            record.delete_instance()
        return record

    def get(self, key: str) -> Any:
        # The collation may find a key that differs in case.
        records = (r for r in self.model.select().where(self.model.key == key) if r.key == key)
        return min(records, key=text_of, default=None)

    def put(self, key: str, value: str) -> Any:
        record = self.get(key)
        if record is None:
            return self.model.create(key=key, value=value)
        record.value = value
        record.save()
        return record

    # Many at once, apart from the caller's transaction

    def read(self, keys: Iterable[str] | None = None) -> list[tuple[str, str]]:
        wanted = None if keys is None else list(keys)
        return self._tidy(self._ask(lambda database: self._rows.read(database, wanted)), wanted)

    def swap(self, changes: Changes, history: Sequence[HistoryRow] = ()) -> bool:
        writes = effective(changes)
        if not writes:
            return True
        attempt = partial(self._attempt, writes, unchanged(changes), history)
        try:
            return attempt()
        except CommitLost as lost:
            gone = lost.__cause__ or lost
            return self._settle(writes, lambda: self._renew(gone) and attempt())

    def _attempt(
        self,
        changes: Changes,
        watched: Texts,
        history: Sequence[HistoryRow],
        refused: bool = False,
    ) -> bool:
        odd = bool(self._odd & changes.keys())
        committing = False

        def work(database: Any) -> bool:
            nonlocal committing
            # SQLite: the lock is taken first, so that it is waited for.
            kind = ("IMMEDIATE",) if isinstance(database, peewee.SqliteDatabase) else ()
            with database.atomic(*kind):
                if watched and not self._still(
                    watched, self._rows.lock(database, sorted({*changes, *watched}))
                ):
                    raise _Lost
                if not self._rows.swap(database, changes, odd):
                    raise _Lost
                if history:
                    self._changes.add(history)
                committing = True
            return True

        try:
            return self._apart(work, write=True)
        except _Lost:
            return False
        except peewee.IntegrityError as error:
            if self._taken(changes):
                return False
            if not refused:  # the row in our way may be gone again already
                return self._attempt(changes, watched, history, refused=True)
            self._fail(error, changes)
        except _ERRORS as error:
            if committing and faults.lost(error):
                raise CommitLost from error
            if self._renew(error) or faults.again(error):
                return False
            self._fail(error, changes)

    def in_memory(self) -> bool:
        database = self._database
        if not isinstance(database, peewee.SqliteDatabase):
            return False
        name = str(database.database)
        return name == "" or ":memory:" in name or "mode=memory" in name

    def after_fork(self) -> None:
        database = self._database
        if self.in_memory():
            return
        pooled = [getattr(database, name, None) for name in ("_connections", "_in_use")]
        self._inherited += [database._state.conn, *pooled]
        database._state.reset()
        database._lock = threading.Lock()
        if pooled[0] is not None:
            database._connections, database._in_use = [], {}
            # Another thread of the parent's may have been connecting.
            database._pool_lock = threading.RLock()
            database._pool_available = threading.Condition(database._pool_lock)

    # The database and its connections

    @property
    def _database(self) -> Any:
        database = self.model._meta.database
        while isinstance(database, peewee.Proxy):
            database = database.obj
        if database is None:
            raise StoreError(
                f"{self.model.__name__} has no database: name it in the model's Meta, or "
                "initialize() its DatabaseProxy before settings are read."
            )
        return database

    def _ask(self, work: Callable[[Any], _T], hurry: bool = False) -> _T:
        """Return what work gives; a StoreError says why it can't be done. It may be done twice."""
        try:
            try:
                return self._apart(work, hurry, hurry)
            except _ERRORS as error:
                if not self._renew(error):
                    raise
                return self._apart(work, hurry, hurry)
        except _ERRORS as error:
            self._fail(error)

    def _apart(self, work: Callable[[Any], _T], write: bool = False, hurry: bool = False) -> _T:
        """Work on a connection without an open transaction, and leave the thread's as it was.

        In a hurry, or beside a transaction of the caller's, no lock is waited for but a moment.
        """
        database = self._database
        if database.is_closed():
            database.connect()
            try:
                return hurried(work, database) if hurry else work(database)
            finally:
                if not database.is_closed():
                    database.close()
        raw = database.connection()
        # A BEGIN by hand is unknown to peewee.
        is_open = database.in_transaction() or getattr(raw, "in_transaction", False)
        if not is_open and not hurry:
            return work(database)
        if self.in_memory() or not database.thread_safe:
            if is_open and write:
                raise BusyError(faults.COMMIT_FIRST)
            return work(database)
        # Another thread has another connection.
        beside = partial(hurried, work) if write else work
        with ThreadPoolExecutor(1) as executor:
            return executor.submit(self._apart, beside).result()

    def _renew(self, error: BaseException) -> bool:
        """Replace the thread's connection if it is gone; False when the error is another one."""
        if not faults.lost(error):
            return False
        database = self._database
        if not database.is_closed() and not database.in_transaction():
            drop(database)
            try:
                database.connect()
            except _ERRORS as failure:
                self._fail(failure)
        if hasattr(database, "close_idle"):
            database.close_idle()
        return True

    @cached_property
    def _rows(self) -> Rows:
        return Rows(self.model)


class _Lost(Exception):
    """Somebody else was faster."""
