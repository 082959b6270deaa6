"""Undeclared: rows of keys that the app does not declare."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from flask import Flask

from ..exceptions import InvalidValue
from ..log_once import LogOnce
from ..store import HistoryRow, Swap
from ..store.history_rows import is_storable
from ..sync.synchronizer import Synchronizer
from .attempts import Attempts
from .declared import Declared
from .repository import Repository
from .task import Origin, history_rows

log = logging.getLogger(__name__)

#: Keys that a line of the log names, at most.
MOST_NAMED = 20

UNKNOWN = (
    "WAFFLE_CONFS does not declare these stored settings: %s. Another app or another release may "
    'use them. If one has a new name now, declare that with "was": %r; if it is gone for good, or '
    "of another app, name it in WAFFLE_RETIRED. If nobody uses it any more, delete its row with "
    "flask waffle prune."
)
RETIRED = "Rows of retired settings: %s. To delete one: flask waffle prune %s"


class Undeclared:
    """Rows of keys that the app does not declare: of another app that shares the table, of another
    release, or of the past. Needs no application context.

    :param declared: the settings of the app.
    :param repository: its rows in the database.
    :param synchronizer: what notifies the other processes.
    """

    def __init__(
        self, app: Flask, declared: Declared, repository: Repository, synchronizer: Synchronizer
    ) -> None:
        self._app = app
        self._declared = declared
        self._repository = repository
        self._synchronizer = synchronizer
        self._log_once = LogOnce(log)

    def list_keys(self) -> list[str]:
        """Return the keys, sorted; without former names of settings.

        :raises StoreError: the database can't be read, or the store can't list its keys.
        """
        known = {*self._declared.settings, *self._repository.names.former}
        return sorted(key for key in self._repository.read_all() if key not in known)

    def list_former(self) -> dict[str, str]:
        """Return the former names that have a row, each with the key of its setting.

        :raises StoreError: as `list_keys` does.
        """
        stored = self._repository.read_all()
        return {name: k for name, k in self._repository.names.former.items() if name in stored}

    def is_retired(self, key: str) -> bool:
        """Whether WAFFLE_RETIRED names a key."""
        return key in self._app.config["WAFFLE_RETIRED"]

    def warn(self) -> None:
        """Log once which rows the first load has found that nobody declares: those that nobody
        expects with a warning.
        """
        keys = self._repository.undeclared
        for of_retired, level, message in (
            (False, logging.WARNING, UNKNOWN),
            (True, logging.INFO, RETIRED),
        ):
            if found := [key for key in keys if self.is_retired(key) == of_retired]:
                more = len(found) - MOST_NAMED
                names = ", ".join(map(_printable, found[:MOST_NAMED]))
                names += f" and {more} more" if more > 0 else ""
                self._log_once(message, level, message, names, found[0])

    def delete(self, keys: Iterable[str], origin: Origin) -> list[str]:
        """Delete rows: all or none. The history says by whom. It has the value only if it had it
        before, for it may have been a secret.

        A former name may be given too: its setting keeps the value, and from then on is written
        under its present name only.

        :returns: the keys of those that were there.
        :raises InvalidValue: one of them is declared.
        :raises BusyError: others kept writing these rows.
        :raises StoreError: the database can't be read or written.
        """
        wanted = [key for key in dict.fromkeys(keys) if is_storable(key)]
        asked = set(wanted)
        if declared := [key for key in wanted if key in self._declared.settings]:
            raise InvalidValue(
                dict.fromkeys(declared, "It is declared: reset it instead, to give it its default.")
            )
        former = self._repository.names.former
        renamed = list({former[name]: None for name in wanted if name in former})
        attempts = Attempts()
        for _ in attempts:
            if renamed:
                self._repository.keep_values(renamed)
            found = {
                k: text for k, text in self._repository.read_fresh(wanted).items() if k in asked
            }
            swaps = {key: Swap(text, None) for key, text in found.items()}
            # The value of a former name stays, so that the history has nothing to say of it.
            gone = {key: text for key, text in found.items() if key not in former}
            history = self._history_rows(gone, origin)
            if self._repository.swap(swaps, history):
                break
            attempts.note(found)
        else:
            raise attempts.failure(found)
        if found:
            names = ", ".join(map(_printable, found))
            log.info("Rows deleted by %r from %s: %s", origin.actor, origin.source, names)
            self._synchronizer.notify()  # another release may declare them
        return list(found)

    def _history_rows(self, found: Mapping[str, str], origin: Origin) -> list[HistoryRow]:
        history = self._repository.history
        if not found or not history.exists:
            return []
        latest = {row.key: row.new for row in history.read_latest(list(found))}
        swaps = {
            key: Swap(text if latest.get(key) == text else None, None)
            for key, text in found.items()
        }
        return history_rows(swaps, origin)


def _printable(key: str) -> str:
    """A key for the log: a row may have any, such as one that looks like a line of the log."""
    return key if key.isprintable() else repr(key)
