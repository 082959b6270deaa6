"""Table: the settings in the database, one text for each key, whatever its rows are like."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Generic, TypeGuard

from .instances import as_text
from .orm import C, Row, SettingRows
from .swaps import Swaps

log = logging.getLogger(__name__)


class Table(Generic[C]):
    """Reads and writes texts by key; without a unique index a key may have several rows."""

    def __init__(self, rows: SettingRows[C]) -> None:
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
        listed = list(rows)
        if keys is not None:
            # A database may compare keys more loosely than Python does, and find more.
            wanted = set(keys)
            listed = [row for row in listed if row[0] in wanted]
        found = {key: stored for key, stored in listed}  # noqa: C416  # dict() takes twice as long
        if len(found) == len(listed) and _are_texts(found):
            return found
        return self._sort_out(listed)

    def _sort_out(self, rows: Iterable[Row]) -> dict[str, str]:
        """Return one text of each key, and note those whose rows no statement can compare."""
        found: dict[str, str] = {}
        repeated = set()
        for key, stored in rows:
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
                ", ".join(key if key.isprintable() else repr(key) for key in new),
            )
        self._irregular |= repeated
        return found


def _are_texts(stored: dict[str, object]) -> TypeGuard[dict[str, str]]:
    return set(map(type, stored.values())) <= {str}
