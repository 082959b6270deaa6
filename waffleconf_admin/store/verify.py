"""Verification, before a commit, that the database has stored what was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest
from operator import eq
from typing import Generic

from ..exceptions import StoreError
from .connections import Connections
from .history_rows import VALUES, HistoryQuery, HistoryRow
from .orm import C, HistoryRows
from .swaps import Swaps
from .table import Table

# Of a time, some databases keep whole seconds only.
_ALL = tuple(name for name in HistoryRow._fields if name not in ("id", "at", "ends_at"))


class Verification(Generic[C]):
    """Reads back what a transaction has written, where the database or the app may alter it.

    MySQL may cut texts without an error. Elsewhere types of columns, hooks of models and triggers
    may change them.
    """

    def __init__(
        self, connections: Connections[C], table: Table[C], history: HistoryRows[C]
    ) -> None:
        self._connections = connections
        self._table = table
        self._history = history

    def check_settings(self, connection: C, writes: Swaps) -> None:
        """Compare the settings that were written with what their table has now.

        :raises StoreError: a text was altered; the message names the setting.
        """
        if writes and (
            self._connections.may_truncate(connection) or self._table.rows.may_alter(connection)
        ):
            check(writes, self._table.read(connection, writes))

    def check_added(self, connection: C, rows: Sequence[HistoryRow]) -> None:
        """Compare rows that were added to the history with what its table has now.

        :raises StoreError: as `check_settings` does.
        """
        history, columns = self._history, self._columns(connection) if rows else ()
        if columns:
            check_history(rows, lambda query: history.read(connection, query), columns)

    def check_rewritten(self, connection: C, rows: Sequence[HistoryRow]) -> None:
        """Compare rows of the history that were given other texts with what its table has now.

        :raises StoreError: as `check_settings` does.
        """
        history, columns = self._history, self._columns(connection) if rows else ()
        if columns:
            keys = list(dict.fromkeys(row.key for row in rows))
            check_rewritten(rows, history.read(connection, HistoryQuery(keys)), columns)

    def _columns(self, connection: C) -> tuple[str, ...]:
        """Return the columns of the history to read back."""
        if self._connections.may_truncate(connection):
            return _ALL
        return VALUES if self._history.may_alter(connection) else ()


def check(writes: Swaps, found: Mapping[str, str]) -> None:
    """Compare what was written with the texts that the table has now.

    :raises StoreError: a column has cut or changed something; the message names it.
    """
    _refuse(
        "settings",
        (
            (key, "value" if key in found else "key")
            for key, swap in writes.items()
            if not _is_padded(swap.new, found.get(key))
        ),
    )


def check_history(
    written: Sequence[HistoryRow],
    read: Callable[[HistoryQuery], Iterable[HistoryRow]],
    columns: Sequence[str],
) -> None:
    """Compare rows that were added to the history with what its table has now.

    :param read: gives the rows of a query.
    :param columns: what to compare.
    :raises StoreError: as `check` does.
    """
    names = dict.fromkeys(row.change_set for row in written)
    found = [row for name in names for row in read(HistoryQuery(change_set=name))]
    newest = sorted(found, key=lambda row: row.id)[-len(written) :]
    _refuse(
        "history",
        (
            (row.key, column)
            for row, there in zip_longest(written, newest)
            for column in (_differing(row, there, columns) if there else ["change_set"])
        ),
    )


def check_rewritten(
    written: Iterable[HistoryRow], found: Iterable[HistoryRow], columns: Sequence[str]
) -> None:
    """Compare rows of the history that were given other texts with what its table has now.

    :raises StoreError: as `check` does.
    """
    by_id = {row.id: row for row in found}
    _refuse(
        "history",
        (
            (row.key, column)
            for row in written
            if row.id in by_id
            for column in _differing(row, by_id[row.id], columns)
        ),
    )


def _differing(row: HistoryRow, other: HistoryRow, columns: Sequence[str]) -> list[str]:
    pairs = ((name, getattr(row, name), getattr(other, name)) for name in columns)
    return [
        name for name, written, found in pairs if not _CHECKS.get(name, _is_whole)(written, found)
    ]


def _is_padded(written: object, found: object) -> bool:
    """Whether a text was stored as it was written, or with blanks at its end: CHAR adds them."""
    if found == written:
        return True
    return isinstance(written, str) and isinstance(found, str) and found.rstrip(" ") == written


def _is_whole(written: object, found: object) -> bool:
    """Whether nothing was cut off or replaced by ``?``; a hook may store another text."""
    if found == written or not (isinstance(written, str) and isinstance(found, str)):
        return True
    return not _REPLACED.sub("?", written).startswith(_REPLACED.sub("?", found))


#: Letters that a column may lack, and what MySQL writes in their place.
_REPLACED = re.compile(r"(?:[^\x00-\x7f]|\?)+")
#: What the columns that undo needs have to hold; for the others it is `_is_whole`. The texts of the
#: settings are compared with `old` and `new`, so blanks matter there.
_CHECKS: dict[str, Callable[[object, object], bool]] = {
    **dict.fromkeys(VALUES, eq),
    "change_set": _is_padded,
}


def _refuse(table: str, altered: Iterable[tuple[str, str]]) -> None:
    """Raise a StoreError if there is any ``(setting, column)`` that the table has altered."""
    by_column: dict[str, list[str]] = {}
    for key, column in altered:
        by_column.setdefault(column, []).append(key)
    for column, keys in by_column.items():
        raise StoreError(
            f"Nothing was saved: the column {column!r} of the table of the {table} would hold "
            f"something else than what was written for {', '.join(keys)}. If it cuts texts or "
            "replaces letters, make it larger (on MySQL and MariaDB LONGTEXT), connect with "
            "charset=utf8mb4, and convert a table of a smaller character set: ALTER TABLE … "
            "CONVERT TO CHARACTER SET utf8mb4. Else the type of the column, a hook or validator of "
            "the model, or a trigger changes texts, or CHAR pads them: declare the column as Text "
            "(in the database TEXT), and let hooks and triggers leave keys and values as they are."
        )
