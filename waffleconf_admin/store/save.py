"""Save: how a save is safe, whatever the ORM.

A save is one transaction:

1. It begins. It is SERIALIZABLE if rows that are not there decide, for these can't be locked.
2. If rows decide that are not written, all rows of the save are locked and compared.
3. Rows are written by statements that compare what they overwrite.
4. Rows are added to the history, and ends of earlier rows are settled.
5. Where the database, or the app, may alter texts, all is read back and compared.
6. It commits.

A failure rolls it back. Then:

- A row is not as it was seen: `run` returns False.
- The database asks to try again, after a deadlock say: the transaction is run again, some times.
- An end is settled already: a ConflictError.
- A unique index refuses a row: `run` returns False if somebody else has added that row.
- The connection is lost before the commit: nothing was written, and `run` returns False.
- The connection is lost in the commit: the transaction is run again, which shows what happened.
- Anything else is a StoreError.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Generic, NoReturn

from ..exceptions import ConflictError, StoreError
from ..spread import tries
from . import errors
from .connections import Connections
from .engines import warn_of_engines
from .history import HistoryRows
from .history_rows import HistoryRow, Settlement
from .rows import C, SettingRows
from .swaps import RowChanged, Swap, Swaps
from .verify import Verification


class Save(Generic[C]):
    """One save.

    :param swaps: what to write, and what has to stay as it was seen.
    :param history: where to add rows.
    :param rows: the rows to add; empty without a history.
    :param ends: what becomes of ends.
    """

    def __init__(
        self,
        connections: Connections[C],
        settings: SettingRows[C],
        history: HistoryRows[C],
        swaps: Swaps,
        rows: Sequence[HistoryRow],
        ends: Sequence[Settlement],
    ) -> None:
        self._connections = connections
        self._settings = settings
        self._history = history
        self._verification = Verification(connections, settings, history)
        self._rows = rows
        self._ends = ends
        # In one order: two saves that lock each other's rows would wait for each other.
        pairs = {key: swaps[key] for key in sorted(swaps)}
        self._swaps = {key: p if isinstance(p, Swap) else Swap(*p) for key, p in pairs.items()}
        self._writes = {key: swap for key, swap in self._swaps.items() if swap.writes}
        self._committing = False

    def run(self) -> bool:
        """Return whether all was saved; False: nothing was, read again and decide again.

        :raises ConflictError: an end is settled already.
        :raises BusyError: the database is locked, or asked to try again each time.
        :raises StoreError: it can't be written, or it is unknown whether it was.
        """
        if not self._writes and not self._ends:
            return True
        for _ in tries(errors.ATTEMPTS):
            try:
                return self._attempt()
            except _CommitLost as lost:
                return self._resolve_lost_commit(lost.error)
            except _TryAgain as error:
                last = error.__cause__
        raise errors.overtaken(self._writes) from last

    def _attempt(self, *, again: bool = False) -> bool:
        """Run the transaction.

        :param again: whether a unique index has refused it before.
        """
        self._committing = False
        try:
            self._connections.write(self._do_all, serializable=self._is_decided_by_absent_rows())
            return True
        except RowChanged:
            return False
        except ConflictError:
            raise
        except self._connections.integrity_error as error:
            if self._is_row_taken():
                return False
            if not again:  # the row in our way may be gone again already
                return self._attempt(again=True)
            self._fail(error)
        except self._connections.error_types as error:
            if self._committing and errors.is_connection_lost(error):
                raise _CommitLost(error) from error
            if self._connections.renew(error):
                return False
            if errors.is_transient(error):
                raise _TryAgain from error
            self._fail(error)
        except Exception as error:  # of the app's own code too: hooks of its models
            self._fail(error)

    def _do_all(self, connection: C) -> None:
        """Do what comes before the commit."""
        self._check_engines(connection)
        if len(self._writes) < len(self._swaps):
            stored = self._settings.lock(connection, self._swaps)
            if any(stored.get(key) != swap.seen for key, swap in self._swaps.items()):
                raise RowChanged
        all_counted = self._settings.write(connection, self._writes)
        all_added = not self._rows or self._history.add(connection, self._rows)
        for settlement in self._ends:
            if not self._history.settle(connection, settlement):
                raise ConflictError(self._swaps)
        self._verification.check_settings(connection, self._writes, all_counted=all_counted)
        self._verification.check_added(connection, self._rows, all_counted=all_added)
        self._committing = True

    def _check_engines(self, connection: C) -> None:
        """Warn once, on MySQL and MariaDB, of tables that no rollback reaches."""
        if self._settings.engine_checked or not self._connections.may_truncate(connection):
            return
        history = [] if self._history.model is None else [self._history.table_name]
        try:
            execute = partial(self._connections.execute, connection)
            warn_of_engines(execute, [self._settings.table_name, *history])
        except self._connections.error_types as error:
            if errors.is_connection_lost(error) or errors.is_transient(error):
                raise
            # Something else that speaks MySQL has no such catalog.
        self._settings.engine_checked = True

    def _is_decided_by_absent_rows(self) -> bool:
        decided = len(self._writes) < len(self._swaps)
        return decided and any(swap.seen is None for swap in self._swaps.values())

    def _is_row_taken(self) -> bool:
        """Whether a row that was not there is there now."""
        added = [key for key, swap in self._writes.items() if swap.seen is None]
        return bool(added and self._stored(added))

    def _resolve_lost_commit(self, lost: Exception) -> bool:
        """Make sure of a save whose connection was lost in the commit, by running it once more.

        If the first commit is still under way its rows are locked, and this waits for it; if it
        succeeded, they are no longer as they were seen.
        """
        try:
            self._connections.renew(lost)
            with suppress(_TryAgain):
                if self._attempt():
                    return True
            stored = self._stored(list(self._writes))
            if all(stored.get(key) == swap.new for key, swap in self._writes.items()):
                return True
        except (_CommitLost, StoreError) as error:
            raise StoreError(errors.UNKNOWN) from error
        raise StoreError(errors.UNKNOWN)

    def _stored(self, keys: list[str]) -> dict[str, str]:
        """The texts that are stored now.

        :raises StoreError: the database can't be read.
        """
        return self._connections.ask(
            lambda connection: self._settings.read(connection, keys), fresh=True
        )

    def _fail(self, error: Exception) -> NoReturn:
        errors.fail(error, chain.from_iterable(self._writes.values()))


class _TryAgain(Exception):
    """The same transaction may succeed at the next try."""


class _CommitLost(Exception):
    """The connection was lost while a commit was under way."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error
