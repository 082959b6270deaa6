"""Repository: one app's settings in its database, as texts and as values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from enum import Enum

from flask import Flask, has_app_context

from ..codec import Allowed, Format, classes_in, deserialize, is_text_of, serialize
from ..contexts import quiet_context
from ..exceptions import InvalidValue, NotReadyError
from ..i18n import gettext
from ..settings.setting import Setting
from ..store import HistoryQuery, HistoryRow, Swap, WaffleStore
from .values import NoQuickCopy, quick_copy

log = logging.getLogger(__name__)

#: Characters of a text that is surely within the limits of what is read.
_SHORT = 1000

#: Stored texts by key; None: no row.
Texts = Mapping[str, str | None]


class Repository:
    """Reads and swaps stored texts inside the app's own context, and knows which classes they may
    contain: those of standard types, of declared defaults, choices and Enums, and WAFFLE_CLASSES.
    """

    def __init__(self, app: Flask, store: WaffleStore) -> None:
        self._app = app
        self._store = store
        self._allowed = Allowed(())
        self._allowed_of: dict[str, Allowed] = {}
        self._location: object = None  # what the store says of its database
        self._moved = False

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Allow the classes that these declarations use."""
        more = self._app.config["WAFFLE_CLASSES"]
        former = more if isinstance(more, Mapping) else {}
        classes = {key: _classes_of(setting) for key, setting in settings.items()}
        self._allowed = Allowed(set(() if former else more).union(*classes.values()), former)
        self._allowed_of = {
            key: self._allowed.with_enums(own) for key, own in classes.items() if own
        }

    def after_fork(self) -> None:
        """In a forked child: forget the parent's connections.

        :raises Exception: whatever the database's library raises.
        """
        if not has_app_context():
            # At the end of a context an app may remove the session of the thread, and with it roll
            # back what the parent has begun: so none is pushed where that will do.
            with suppress(RuntimeError, NotReadyError):
                return self._store.after_fork()
        with quiet_context(self._app):
            self._store.after_fork()

    def in_memory(self) -> bool:
        """Whether no other process can have this database.

        :raises Exception: whatever the database's library raises, before it is set up say.
        """
        with quiet_context(self._app):
            return self._store.in_memory()

    def read(self, keys: list[str]) -> dict[str, str]:
        """Return the texts of those keys that have a row, with one SELECT.

        :raises StoreError: the database can't be read.
        """
        return self._read(self._store.read, keys)

    def read_fresh(self, keys: list[str]) -> dict[str, str]:
        """Return what `read` does, from where saves go: a replica may lag behind.

        :raises StoreError: the database can't be read.
        """
        return self._read(self._store.read_fresh, keys, check=True)

    def read_all(self) -> dict[str, str]:
        """Return the texts of all rows, of keys that are not declared too.

        :raises NotImplementedError: the store can't list its keys.
        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return dict(self._store.read())

    def read_promptly(self, keys: list[str]) -> dict[str, str]:
        """Return what `read_fresh` does, without waiting long for a lock or leaving a
        connection open.

        :raises NotReadyError: there is no table yet, or the app is not complete.
        :raises StoreError: the database can't be read just now.
        """
        return self._read(self._store.read_promptly, keys, check=True)

    def _read(
        self,
        read: Callable[[list[str]], Iterable[tuple[str, str]]],
        keys: list[str],
        *,
        check: bool = False,
    ) -> dict[str, str]:
        if not keys:
            return {}
        with quiet_context(self._app):
            found = dict(read(keys))
            if check:  # what could not be read came from nowhere
                self._check_location()
            return found

    def swap(self, swaps: Mapping[str, Swap], history: Sequence[HistoryRow] = ()) -> bool:
        """Write new texts, if all that was seen is still so; False: it is not.

        :param swaps: by key; of what must stay as it is too, for the save was decided by it.
        :param history: what to add to the history with it.
        :raises StoreError: the database can't be written.
        """
        if all(seen == new for seen, new in swaps.values()):
            return True
        with quiet_context(self._app):
            # A store of the app's own that keeps no history need not know of it.
            return self._store.swap(swaps, history) if history else self._store.swap(swaps)

    def _check_location(self) -> None:
        """Warn once where values are of one database and are saved to another."""
        location = self._store.location()
        if self._location is None:
            self._location = location
        elif location not in (None, self._location) and not self._moved:
            self._moved = True
            log.warning(
                "The settings of this app are in more than one database: a session, or a proxy, "
                "that picks one for each tenant? They are one set an app, and each tenant gets the "
                "values of any. Keep them in one database, or make an app for each tenant: "
                "docs/databases.md shows how."
            )

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        """Return rows of the history, the newest first.

        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return self._store.read_history(query)

    def read_latest(self, keys: list[str]) -> list[HistoryRow]:
        """Return the last row of the history of each key that has one.

        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return self._store.read_latest(keys)

    def read_actors(self, keys: list[str] | None, limit: int) -> list[str]:
        """Return who made the last changes, of these settings or of all.

        :param limit: how many changes to read.
        :raises StoreError: the database can't be read.
        """
        with quiet_context(self._app):
            return self._store.read_actors(keys, limit)

    def prune_history(self, until: datetime, limit: int) -> int:
        """Delete rows of the history from before a time; return how many.

        :raises StoreError: the database can't be written just now.
        """
        with quiet_context(self._app):
            return self._store.prune_history(until, limit)

    def decode(self, text: str, key: str) -> object:
        """Return the value of a stored text of a setting.

        :raises InvalidValue: it can't be read.
        """
        return deserialize(text, self._allowed_of.get(key, self._allowed))

    def encode(
        self, values: Mapping[str, object], unique: Container[str] = ()
    ) -> dict[str, tuple[str, object]]:
        """Return the texts to store, each with the value that is read back from it.

        :param unique: the keys of those whose text shall be like no other, of the same value too.
        :raises InvalidValue: some can't; `errors` says which, and the remedy.
        """
        format: Format = self._app.config["WAFFLE_SERIALIZER"]
        encoded: dict[str, tuple[str, object]] = {}
        problems: dict[str, str] = {}
        for key, value in values.items():
            try:
                text = serialize(value, unique=key in unique, format=format)
                encoded[key] = text, self._read_back(key, text, value)
            except InvalidValue as error:
                problems[key] = self._remedy(error, value, format)
        if problems:
            raise InvalidValue(problems)
        return encoded

    def _read_back(self, key: str, text: str, value: object) -> object:
        """The value that a text just written is read back as."""
        if len(text) <= _SHORT:
            with suppress(NoQuickCopy):
                return quick_copy(value)
        return self.decode(text, key)

    def convert(self, text: str, key: str, format: Format, *, secret: bool) -> str:
        """Return the text that stands in a format for the value of a stored text of a setting.

        :param secret: whether the new text shall be like no other if the old one is.
        :raises InvalidValue: it can't be read, or the format can't hold it.
        """
        value = self.decode(text, key)
        unique = secret and not is_text_of(text, value)
        converted = serialize(value, unique=unique, format=format)
        self.decode(converted, key)
        return converted

    def rewrite(self, swaps: Mapping[str, Swap], rows: Sequence[HistoryRow]) -> bool:
        """Write new texts as `swap` does, and other texts of rows of the history.

        :raises StoreError: the database can't be written.
        """
        with quiet_context(self._app):
            self._check_location()
            return self._store.rewrite(swaps, rows)

    def _remedy(self, error: InvalidValue, value: object, format: Format) -> str:
        """Return why a value can't be stored, and what to do."""
        classes = classes_in(value) - self._allowed.classes
        if format == "json":  # it has no objects of other classes
            classes = {cls for cls in classes if issubclass(cls, Enum)}
        why, names = gettext(str(error)), ", ".join(sorted(cls.__qualname__ for cls in classes))
        if not names:
            return gettext("%(why)s; nothing was saved", why=why)
        line = f"WAFFLE_CLASSES = [{names}]"
        return gettext("%(why)s; nothing was saved. To allow it: %(line)s", why=why, line=line)


def _classes_of(setting: Setting) -> set[type]:
    """The classes that a setting may have values of."""
    listed = setting.choices if isinstance(setting.choices, list) else []
    choices = [choice.value for choice in listed]
    # Not what objects keep in attributes, which may be the app itself.
    return classes_in([setting.default, choices, setting.members], False)
