"""Rows: one app's settings in its database, as texts and as values."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from flask import Flask, current_app, has_app_context

from .declarations import Setting
from .exceptions import InvalidValue
from .store import WaffleStore
from .util import classes_in, deserialize, serialize

#: Stored texts by key; None: no row.
Texts = Mapping[str, str | None]


class Rows:
    """Reads and swaps stored texts inside the app's own context, and knows which classes may be
    in them: plain values', those of declared defaults and choices, and WAFFLE_CLASSES.
    """

    def __init__(self, app: Flask, store: WaffleStore) -> None:
        self._app = app
        self._store = store
        self._classes: set[type] = set()

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Allow the classes that these declarations use."""
        self._classes = set(self._app.config["WAFFLE_CLASSES"])
        for setting in settings.values():
            choices = () if callable(setting.choices) else setting.choices
            self._classes |= classes_in([setting.default, choices])

    def after_fork(self) -> None:
        """In a forked child: forget the parent's connections.

        :raises Exception: whatever the database's library raises.
        """
        with self.context():
            self._store.after_fork()

    def in_memory(self) -> bool:
        """Whether no other process can have this database.

        :raises Exception: whatever the database's library raises, before it is set up say.
        """
        with self.context():
            return self._store.in_memory()

    def context(self) -> AbstractContextManager[Any]:
        """The app's own context; a view's, with its database session, where there is one."""
        if has_app_context() and current_app._get_current_object() is self._app:  # type: ignore[attr-defined]
            return nullcontext()
        return self._app.app_context()

    def read(self, keys: list[str]) -> dict[str, str]:
        """Return the texts of those keys that have a row, with one SELECT.

        :raises StoreError: the database can't be read.
        """
        if not keys:
            return {}
        with self.context():
            return dict(self._store.read(keys))

    def swap(self, before: Texts, after: Texts) -> bool:
        """Write the texts *after*, if all of them are still as in *before*; False: they are not.

        :raises StoreError: the database can't be written.
        """
        if not after:
            return True
        with self.context():
            return self._store.swap({key: (before[key], after[key]) for key in after})

    def decode(self, text: str) -> Any:
        """Return the value of a stored text.

        :raises InvalidValue: it can't be read.
        """
        return deserialize(text, self._classes)

    def encode(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return the texts to store, having made sure that they can be read back.

        :raises InvalidValue: some can't; `errors` says which, and the remedy.
        """
        texts: dict[str, str] = {}
        problems: dict[str, str] = {}
        for key, value in values.items():
            try:
                texts[key] = serialize(value)
                self.decode(texts[key])
            except InvalidValue as error:
                classes = sorted(cls.__qualname__ for cls in classes_in(value) - self._classes)
                problems[key] = f"{error}; nothing was saved" + (
                    f". To allow it: WAFFLE_CLASSES = [{', '.join(classes)}]" if classes else ""
                )
        if problems:
            raise InvalidValue(problems)
        return texts
