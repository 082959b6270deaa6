"""Attempts: how often a save is tried that the database does not write, and why it is given up."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping

from ..exceptions import BusyError, StoreError
from ..spread import spread

#: How often a save that others keep overtaking is tried before it is given up.
ATTEMPTS = 20


class Attempts:
    """The attempts to save some settings; an iterator over them, which pauses between them.

    :param keys: the settings.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._keys = keys
        self._first: Mapping[str, str | None] | None = None
        self._changed = False

    def __iter__(self) -> Iterator[int]:
        for attempt in range(ATTEMPTS):
            yield attempt
            time.sleep(spread(0.002 * 2 ** min(attempt, 6), 0))

    def note(self, texts: Mapping[str, str | None]) -> None:
        """Note what the database has at an attempt."""
        if self._first is None:
            self._first = texts
        self._changed = self._changed or texts != self._first

    def failure(self) -> StoreError:
        """Return why all attempts have failed."""
        keys = ", ".join(self._keys)
        if self._changed:
            return BusyError(
                f"Others kept saving {keys} at the same moment; nothing was saved: try again."
            )
        return StoreError(
            f"Nothing was saved: the database does not write {keys}, and reports no error. A "
            "policy of the table (row-level security), a trigger or a rule may keep this user "
            "from it."
        )
