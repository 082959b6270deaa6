"""Table: the settings in the database, one text for each key, whatever its rows are like."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Generic

from .contract import Swaps
from .instances import as_text, key_of, text_of
from .orm import C, Row, RowChanged, Rows

log = logging.getLogger(__name__)


class Table(Generic[C]):
    """Reads and writes texts by key; without a unique index a key may have several rows."""

    def __init__(self, rows: Rows[C]) -> None:
        self.rows = rows
        # Keys with several rows, or with one that has no text: no statement can compare these.
        self._irregular: set[str] = set()

    def read(self, connection: C, keys: Iterable[str] | None) -> dict[str, str]:
        """Return texts by key, of the rows there are; None is all."""
        wanted = None if keys is None else list(keys)
        return self._texts(self.rows.read(connection, wanted), wanted)

    def lock(self, connection: C, keys: Iterable[str]) -> dict[str, str]:
        """Return what `read` does; nobody else can write these rows before the transaction ends."""
        wanted = list(keys)
        return self._texts(self.rows.lock(connection, wanted), wanted)

    def write(self, connection: C, swaps: Swaps) -> None:
        """Write texts where rows still are as they were seen; all rows of a key become equal.

        :raises RowChanged: some row is not as it was seen.
        """
        self.rows.write(connection, swaps, by_instance=not self._irregular.isdisjoint(swaps))

    def _texts(self, rows: Iterable[Row], keys: list[str] | None) -> dict[str, str]:
        # A database may compare keys more loosely than Python does, and find more than asked for.
        wanted = None if keys is None else set(keys)
        found: dict[str, str] = {}
        repeated = set()
        for key, stored in rows:
            if wanted is not None and key not in wanted:
                continue
            text = stored if isinstance(stored, str) else as_text(stored)
            if text is not stored:
                self._irregular.add(key)
            if key in found:
                repeated.add(key)
                text = min(found[key], text)
            found[key] = text
        if new := sorted(repeated - self._irregular):
            log.warning(
                "The table of the settings has several rows for %s: make its column 'key' unique. "
                "Saving a setting makes its rows equal.",
                ", ".join(new),
            )
        self._irregular |= repeated
        return found


def by_statement(swaps: Swaps) -> Mapping[str, list[dict[str, str | None]]]:
    """Return the parameters for each of the statements "update", "delete" and "insert".

    They are called ``of_key``, ``seen`` and ``new``.
    """
    parameters: dict[str, list[dict[str, str | None]]] = {}
    for key, swap in swaps.items():
        given = {"of_key": key, "seen": swap.seen, "new": swap.new}
        parameters.setdefault(swap.statement, []).append(given)
    return parameters


def instances_to_write(
    swaps: Swaps, instances: Iterable[object]
) -> Iterator[tuple[str, Any, str | None]]:
    """Yield ``(key, instance or None, new text or None)`` for each instance to save, add or delete.

    :param instances: all that there are of these keys, locked.
    :raises RowChanged: an instance is not as it was seen.
    """
    found: dict[str, list[Any]] = {key: [] for key in swaps}
    for instance in instances:
        found.get(key_of(instance), []).append(instance)
    for key, swap in swaps.items():
        if min(map(text_of, found[key]), default=None) != swap.seen:
            raise RowChanged
    for key, swap in swaps.items():
        for instance in found[key] or [None]:
            yield key, instance, swap.new
