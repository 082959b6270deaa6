"""Deployments: the declared defaults that the history has noted, and which of them have moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..exceptions import InvalidValue
from ..settings.equality import same
from ..store import HistoryQuery, HistoryRow, Swap
from ..store.history_rows import DEPLOY
from .change import Change, read_change
from .declared import Declared
from .history import History
from .repository import Repository
from .task import Origin, history_rows

#: Moved defaults that are read, at most.
MOST = 1000
#: The note of an entry that says that somebody has accepted a moved default.
ACCEPTED = "new default accepted"


class Noted(NamedTuple):
    """What a deployment has noted."""

    moved: dict[str, tuple[object, object]]  #: the former and the new default, by key
    added: list[str]  #: the keys of settings whose default was noted for the first time
    left: dict[str, str]  #: why a default can't be noted, by key


class Deployments:
    """Notes defaults in the history: entries of the source "deploy", which change no value.

    The last entry of a setting has the default that the last deployment declared. Where the old and
    the new text differ, the default has moved and nobody has accepted it yet. Secrets have none.

    :param declared: the settings of the app.
    :param history: their history.
    :param repository: the settings in the database.
    """

    def __init__(self, declared: Declared, history: History, repository: Repository) -> None:
        self._declared = declared
        self._history = history
        self._repository = repository

    def note(self, name: str | None, actor: str | None) -> Noted:
        """Note the declared defaults, as far as they differ from those noted before.

        To be called once a deployment, and not by processes that serve: old and new ones run side
        by side, and would take turns.

        :param name: that of the release.
        :raises StoreError: the database can't be read or written.
        """
        noted = self._last_entries(HistoryQuery(source=DEPLOY, fresh=True))
        done, swaps = Noted({}, [], {}), dict[str, Swap]()
        for key, setting in self._declared.settings.items():
            last, default = noted.get(key), setting.default
            if setting.secret or (last and same(last.new, default)):
                continue
            try:
                text = self._repository.codec.encode({key: default})[key][0]
            except InvalidValue as error:
                done.left[key] = error.errors.get(key, str(error))
                continue
            swaps[key] = Swap(last.new_text if last else None, text)
            if last:
                done.moved[key] = (last.new, default)
            else:
                done.added.append(key)
        self._write(swaps, Origin(actor, name, DEPLOY))
        return done

    def find_moved(self) -> dict[str, Change]:
        """Return the entries of defaults that have moved, by key; `old` and `new` are the defaults.

        Left out is what somebody has accepted or saved since, and what a process of another release
        has noted.

        :raises StoreError: the database can't be read.
        """
        settings = self._declared.settings
        query = HistoryQuery(source=DEPLOY, replacing=True, limit=MOST)
        moved = {
            key: entry
            for key, entry in self._last_entries(query).items()
            if entry.old_text is not None
            and not same(entry.old, entry.new)
            and same(entry.new, settings[key].default)
        }
        saved = self._history.latest(moved) if moved else {}
        return {k: entry for k, entry in moved.items() if k not in saved or saved[k].id < entry.id}

    def accept(self, key: str, actor: str | None) -> None:
        """Note that somebody accepts the new default of a setting, if it has moved.

        :raises StoreError: the database can't be read or written.
        """
        if entry := self.find_moved().get(key):
            text = entry.new_text
            self._write({key: Swap(text, text)}, Origin(actor, ACCEPTED, DEPLOY))

    def _last_entries(self, query: HistoryQuery) -> dict[str, Change]:
        """The last entry of each declared setting, without those that were or are secret."""
        last: dict[str, HistoryRow] = {}
        for row in self._repository.history.read(query):
            last.setdefault(row.key, row)
        settings, codec = self._declared.settings, self._repository.codec
        found = {key: read_change(row, settings, codec) for key, row in last.items()}
        return {key: entry for key, entry in found.items() if not entry.secret}

    def _write(self, swaps: Mapping[str, Swap], origin: Origin) -> None:
        if swaps:
            self._repository.history.note(history_rows(swaps, origin))
