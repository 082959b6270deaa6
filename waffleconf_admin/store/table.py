"""Table: the settings in the database, one text for each key, whatever its rows are like."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, Generic

from .contract import Swaps
from .instances import as_text, key_of, text_of
from .orm import C, Row, RowChanged, Rows

log = logging.getLogger(__name__)

#: The parameters of statements: a key, and the texts of a `Swap`.
PARAMETERS = ("of_key", "seen", "new")
#: One row of them; statements of keys only need the first.
Parameters = tuple[str | None, ...]


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
        listed = list(rows)
        if keys is not None:
            # A database may compare keys more loosely than Python does, and find more.
            wanted = set(keys)
            listed = [row for row in listed if row[0] in wanted]
        found = {key: stored for key, stored in listed}  # noqa: C416  # dict() takes twice as long
        is_regular = len(found) == len(listed) and set(map(type, found.values())) <= {str}
        return found if is_regular else self._sort_out(listed)

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
                ", ".join(new),
            )
        self._irregular |= repeated
        return found


def by_statement(swaps: Swaps) -> Mapping[str, list[Parameters]]:
    """Return the rows of parameters for each of the statements "update", "delete" and "insert"."""
    rows: dict[str, list[Parameters]] = {}
    for key, (seen, new) in swaps.items():
        name = "insert" if seen is None else "delete" if new is None else "update"
        rows.setdefault(name, []).append((key, seen, new))
    return rows


def taker(names: Sequence[str]) -> Callable[[Parameters], Parameters]:
    """Return what takes these parameters out of a row of all, in this order."""
    places = [PARAMETERS.index(name) for name in names]
    if len(places) > 1:
        return itemgetter(*places)  # for several it returns a tuple
    return lambda row: tuple(row[place] for place in places)


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
