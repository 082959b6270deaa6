"""Checks, before a commit, that the database has stored what was written: MySQL may cut texts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import zip_longest

from ..exceptions import StoreError
from .history_rows import HistoryQuery, HistoryRow
from .swaps import Swaps


def check(writes: Swaps, found: Mapping[str, str]) -> None:
    """Compare what was written with the texts that the table has now.

    :raises StoreError: a column has cut or changed something; the message names it.
    """
    _refuse(
        "settings",
        (
            (key, "value" if key in found else "key")
            for key, swap in writes.items()
            if found.get(key) != swap.new
        ),
    )


def check_history(
    written: Sequence[HistoryRow], read: Callable[[HistoryQuery], Iterable[HistoryRow]]
) -> None:
    """Compare rows that were added to the history with what its table has now.

    :param read: gives the rows of a query.
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
            for column in (_differing(row, there) if there else ["change_set"])
        ),
    )


def check_rewritten(written: Iterable[HistoryRow], found: Iterable[HistoryRow]) -> None:
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
            for column in _differing(row, by_id[row.id])
        ),
    )


def _differing(row: HistoryRow, other: HistoryRow) -> list[str]:
    # Of a time, some databases keep whole seconds only.
    columns = (name for name in HistoryRow._fields if name not in ("id", "at", "ends_at"))
    return [name for name in columns if getattr(row, name) != getattr(other, name)]


def _refuse(table: str, altered: Iterable[tuple[str, str]]) -> None:
    """Raise a StoreError if there is any ``(setting, column)`` that the table has altered."""
    by_column: dict[str, list[str]] = {}
    for key, column in altered:
        by_column.setdefault(column, []).append(key)
    for column, keys in by_column.items():
        raise StoreError(
            f"Nothing was saved: the column {column!r} of the table of the {table} would cut what "
            f"it was given for {', '.join(keys)}, or replace letters of it. Make the column larger "
            "(on MySQL and MariaDB LONGTEXT), connect with charset=utf8mb4, and convert a table of "
            "a smaller character set: ALTER TABLE … CONVERT TO CHARACTER SET utf8mb4."
        )
