"""SettingRows: the settings in the database, by the app's model of them, whatever the ORM."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeGuard, TypeVar

from .engines import TableName
from .instances import Model, as_text
from .swaps import Parameters, RowChanged, Swaps, by_statement

log = logging.getLogger(__name__)

#: What an ORM executes statements on.
C = TypeVar("C")
T = TypeVar("T")

#: Keys, or ids, in one statement: every database limits its parameters, SQLite at 999 once.
MAX_KEYS = 500

#: A row of the settings: its key, and its value, which may be NULL or bytes.
Row = tuple[str, object]


class SettingRows(ABC, Generic[C]):
    """The table of the settings: one text for each key, whatever its rows are like.

    Without a unique index a key may have several rows.
    """

    #: What the model calls its column of keys.
    key_name = "key"

    def __init__(self, model: Model) -> None:
        self.model = model
        # Keys with several rows, or with one that has no text: no statement can compare these.
        self._irregular: set[str] = set()
        #: Whether it is known what its engine can do.
        self.engine_checked = False

    @property
    @abstractmethod
    def table_name(self) -> TableName:
        """The table, as the database knows it."""

    def read(self, connection: C, keys: Iterable[str] | None) -> dict[str, str]:
        """Return texts by key, of the rows there are; None is all."""
        wanted = None if keys is None else list(keys)
        return self._texts(self.fetch(connection, wanted), wanted)

    def lock(self, connection: C, keys: Iterable[str]) -> dict[str, str]:
        """Return what `read` does; nobody else can write these rows before the transaction ends."""
        wanted = list(keys)
        return self._texts(self.fetch_locked(connection, wanted), wanted)

    def write(self, connection: C, swaps: Swaps) -> bool:
        """Write texts where rows still are as they were seen; all rows of a key become equal.

        Return whether the database has counted each row as written. If not, a trigger or a rule
        of the table may have done something else instead, without an error.

        :param swaps: only those that write.
        :raises RowChanged: some row is not as it was seen.
        """
        if self.writes_instances() or not self._irregular.isdisjoint(swaps):
            # An UPDATE locks the rows on every database, so they stay as they are compared.
            self.execute(connection, "touch", [(key,) for key in swaps])
            self.write_instances(connection, swaps)
            return False  # nobody counts
        all_counted = True
        for name, parameters in by_statement(swaps).items():
            if self.execute(connection, name, parameters) != len(parameters):
                if name != "insert":
                    raise RowChanged
                all_counted = False
        return all_counted

    @abstractmethod
    def may_alter(self, connection: C) -> bool:
        """Return whether another text may be stored than what is written: by the type of a column,
        the model's own code, or a trigger.
        """

    @abstractmethod
    def fetch(self, connection: C, keys: list[str] | None) -> Iterable[Row]:
        """Return rows with these keys, or all; further rows do no harm."""

    @abstractmethod
    def fetch_locked(self, connection: C, keys: list[str]) -> Iterable[Row]:
        """Return what `fetch` does, and lock the rows until the end of the transaction."""

    @abstractmethod
    def writes_instances(self) -> bool:
        """Return whether the model does more than a statement for its table would."""

    @abstractmethod
    def write_instances(self, connection: C, swaps: Swaps) -> None:
        """Load instances, which are locked, compare them, and save, add or delete them.

        :raises RowChanged: some instance is not as it was seen.
        """

    @abstractmethod
    def execute(self, connection: C, name: str, rows: list[Parameters]) -> int:
        """Execute a statement for each row of parameters; return how many rows it has changed.

        :param name: "insert"; "update" or "delete", of a row that still is as it was seen; "touch",
            which changes nothing and locks the row.
        """

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


def chunks(items: Sequence[T], size: int = MAX_KEYS) -> Iterator[Sequence[T]]:
    """Yield items in order, so many at a time; else as many as a statement may name."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _are_texts(stored: dict[str, object]) -> TypeGuard[dict[str, str]]:
    return set(map(type, stored.values())) <= {str}
