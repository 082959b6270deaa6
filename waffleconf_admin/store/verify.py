"""Verification, before a commit, that the database has stored what was written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from operator import eq
from typing import Generic

from ..exceptions import StoreError
from .connections import Connections
from .history import HistoryRows
from .history_rows import VALUES, HistoryQuery, HistoryRow
from .rows import C, SettingRows
from .swaps import Swaps

# Of a time, some databases keep whole seconds only.
_ALL = tuple(name for name in HistoryRow._fields if name not in ("id", "at", "ends_at"))


class Verification(Generic[C]):
    """Reads back what a transaction has written, where the database or the app may alter it.

    MySQL may cut texts without an error. Elsewhere types of columns, hooks of models and triggers
    may change them.
    """

    def __init__(
        self, connections: Connections[C], settings: SettingRows[C], history: HistoryRows[C]
    ) -> None:
        self._connections = connections
        self._settings = settings
        self._history = history

    def check_settings(self, connection: C, writes: Swaps, *, all_counted: bool) -> None:
        """Compare the settings that were written with what their table has now.

        :param all_counted: whether the database has counted each row as written.
        :raises StoreError: a text was altered; the message names the setting.
        """
        settings, connections = self._settings, self._connections
        if not writes or (
            all_counted
            and not connections.may_truncate(connection)
            and not settings.may_alter(connection)
        ):
            return
        found = settings.read(connection, writes)
        altered = [key for key, swap in writes.items() if not _is_padded(swap.new, found.get(key))]
        _refuse_missing("settings", "key", [key for key in altered if key not in found])
        _refuse("settings", ((key, "value") for key in altered))

    def check_added(self, connection: C, rows: Sequence[HistoryRow], *, all_counted: bool) -> None:
        """Compare rows that were added to the history with what its table has now.

        :param all_counted: as for `check_settings`.
        :raises StoreError: as `check_settings` does.
        """
        history, columns = self._history, self._columns(connection, rows, all_counted)
        if not columns:
            return
        found = [
            row
            for name in dict.fromkeys(row.change_set for row in rows)
            for row in history.read(connection, HistoryQuery(change_set=name))
        ]
        newest = sorted(found, key=lambda row: row.id)[-len(rows) :]
        if len(newest) < len(rows):
            keys, there = [row.key for row in rows], {row.key for row in newest}
            missing = [key for key in keys if key not in there]
            _refuse_missing("history", "change_set", missing or keys)
        _refuse(
            "history",
            (
                (row.key, column)
                for row, there in zip(rows, newest, strict=True)
                for column in _differing(row, there, columns)
            ),
        )

    def check_rewritten(
        self, connection: C, rows: Sequence[HistoryRow], *, all_counted: bool
    ) -> None:
        """Compare rows of the history that were given other texts with what its table has now.

        :param all_counted: as for `check_settings`.
        :raises StoreError: as `check_settings` does.
        """
        history, columns = self._history, self._columns(connection, rows, all_counted)
        if not columns:
            return
        keys = list(dict.fromkeys(row.key for row in rows))
        found = {row.id: row for row in history.read(connection, HistoryQuery(keys))}
        _refuse(
            "history",
            (
                (row.key, column)
                for row in rows
                if row.id in found
                for column in _differing(row, found[row.id], columns)
            ),
        )

    def _columns(
        self, connection: C, rows: Sequence[HistoryRow], all_counted: bool
    ) -> tuple[str, ...]:
        """Return the columns of the history to read back, of rows that were written."""
        if not rows:
            return ()
        if self._connections.may_truncate(connection):
            return _ALL
        return VALUES if not all_counted or self._history.may_alter(connection) else ()


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
            f"something else than what was written for {', '.join(keys)}. {_REMEDIES}"
        )


def _refuse_missing(table: str, column: str, keys: Sequence[str]) -> None:
    """Raise a StoreError if the table has no rows for some settings.

    :param column: by which they were looked for.
    """
    if keys:
        raise StoreError(
            f"Nothing was saved: the table of the {table} would have no row for {', '.join(keys)}. "
            "If a trigger or a rule of the table drops rows, let it keep them. Else the column "
            f"{column!r} of the table of the {table} would hold something else than what was "
            f"written. {_REMEDIES}"
        )


_REMEDIES = (
    "If it cuts texts or replaces letters, make it larger (on MySQL and MariaDB LONGTEXT), connect "
    "with charset=utf8mb4, and convert a table of a smaller character set: ALTER TABLE … CONVERT "
    "TO CHARACTER SET utf8mb4. Else the type of the column, a hook or validator of the model, or a "
    "trigger changes texts, or CHAR pads them: declare the column as Text (in the database TEXT), "
    "and let hooks and triggers leave keys and values as they are."
)
