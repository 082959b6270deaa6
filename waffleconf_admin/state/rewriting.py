"""Rewriting: other stored texts for the same values, in one transaction."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..exceptions import BusyError
from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from .repository import Repository

#: How often a rewriting that others' saves overtake is tried before it is given up.
ATTEMPTS = 5


class Rewritten(NamedTuple):
    """What a rewriting writes, and what it leaves as it is."""

    swaps: dict[str, Swap]  #: of the settings, by key
    rows: list[HistoryRow]  #: of the history, with the texts that they get
    left: dict[str, str]  #: why texts of a setting can't be rewritten, by its key


class Rewriting(ABC):
    """Rewrites the stored texts of the declared settings, and those of their history.

    No value changes, so nobody is notified.
    """

    def __init__(self, settings: Mapping[str, Setting], repository: Repository) -> None:
        self._settings = settings
        self._repository = repository

    @abstractmethod
    def plan(self) -> Rewritten:
        """Return what there is to do.

        :raises StoreError: the database can't be read.
        """

    def run(self) -> Rewritten:
        """Do it in one transaction, and return what was done.

        :raises BusyError: others kept saving.
        :raises StoreError: the database can't be read or written; nothing was written.
        """
        for _ in range(ATTEMPTS):
            plan = self.plan()
            nothing = not plan.swaps and not plan.rows
            if nothing or self._repository.rewrite(plan.swaps, plan.rows):
                return plan
        raise BusyError("Others kept saving settings; nothing was written: try again.")

    def _stored_texts(self) -> Iterator[tuple[Setting, str]]:
        for key, text in self._repository.read_fresh(list(self._settings)).items():
            yield self._settings[key], text

    def _history_rows(self) -> Iterator[tuple[Setting, HistoryRow]]:
        """Yield the rows of the history whose settings are still declared."""
        history = self._repository.history
        for row in history.walk() if history.exists else ():
            if row.key in self._settings:
                yield self._settings[row.key], row
