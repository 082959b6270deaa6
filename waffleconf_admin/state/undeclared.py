"""Undeclared: rows of keys that the app does not declare."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Protocol

from ..exceptions import BusyError, InvalidValue, StoreError
from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from ..store.contract import is_storable
from .repository import Repository
from .save import ATTEMPTS
from .task import Origin, history_rows

log = logging.getLogger(__name__)


class Notifier(Protocol):
    """What notifies the other processes."""

    def notify(self) -> None: ...


class DeclaringState(Protocol):
    """What is needed of an app's state."""

    synchronizer: Notifier

    @property
    def settings(self) -> Mapping[str, Setting]: ...


class Undeclared:
    """Rows of keys that the app does not declare: of another app that shares the table, of another
    release, or of the past. Needs no application context.

    :param state: the app's state.
    :param repository: its settings in the database.
    :param keeps_history: whether the database keeps a history.
    """

    def __init__(
        self, state: DeclaringState, repository: Repository, *, keeps_history: bool
    ) -> None:
        self._state = state
        self._repository = repository
        self._keeps_history = keeps_history

    def list_keys(self) -> list[str]:
        """Return the keys, sorted.

        :raises StoreError: the database can't be read, or the store can't list its keys.
        """
        try:
            stored = self._repository.read_all()
        except NotImplementedError as error:
            raise StoreError(str(error)) from error
        return sorted(key for key in stored if key not in self._state.settings)

    def delete(self, keys: Iterable[str], origin: Origin) -> list[str]:
        """Delete rows: all or none. The history says by whom. It has the value only if it had it
        before, for it may have been a secret.

        :returns: the keys of those that were there.
        :raises InvalidValue: one of them is declared.
        :raises BusyError: others kept writing these rows.
        :raises StoreError: the database can't be read or written.
        """
        wanted = [key for key in dict.fromkeys(keys) if is_storable(key)]
        if declared := [key for key in wanted if key in self._state.settings]:
            raise InvalidValue(
                dict.fromkeys(declared, "It is declared: reset it instead, to give it its default.")
            )
        for _ in range(ATTEMPTS):
            found = {
                k: text for k, text in self._repository.read_fresh(wanted).items() if k in wanted
            }
            swaps = {key: Swap(text, None) for key, text in found.items()}
            history = self._history_rows(found, origin) if self._keeps_history else []
            if self._repository.swap(swaps, history):
                break
        else:
            raise BusyError("Others kept writing these rows; nothing was deleted: try again.")
        if found:
            log.info(
                "Rows deleted by %r from %s: %s", origin.actor, origin.source, ", ".join(found)
            )
            self._state.synchronizer.notify()  # another release may declare them
        return list(found)

    def _history_rows(self, found: Mapping[str, str], origin: Origin) -> list[HistoryRow]:
        latest = {row.key: row.new for row in self._repository.read_latest(list(found))}
        swaps = {
            key: Swap(text if latest.get(key) == text else None, None)
            for key, text in found.items()
        }
        return history_rows(swaps, origin)
