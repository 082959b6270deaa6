"""Attempts: how often a save is tried that the database does not write, and why it is given up."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..exceptions import StoreError
from ..spread import tries
from ..store.errors import ATTEMPTS, ignored, overtaken


class Attempts:
    """The attempts to save something; an iterator over them, which pauses between them."""

    def __init__(self) -> None:
        self._first: Mapping[str, str | None] | None = None
        self._changed = False

    def __iter__(self) -> Iterator[int]:
        return tries(ATTEMPTS)

    def note(self, texts: Mapping[str, str | None]) -> None:
        """Note what the database has at an attempt."""
        if self._first is None:
            self._first = texts
        self._changed = self._changed or texts != self._first

    def failure(self, keys: Collection[str]) -> StoreError:
        """Return why all attempts to save some settings have failed."""
        return overtaken(keys) if self._changed else ignored(keys)
