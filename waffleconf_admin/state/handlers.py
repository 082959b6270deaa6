"""Handlers: the functions of an app that are called when settings have changed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from flask import Flask

from .. import calls
from ..exceptions import InvalidValue
from ..settings.names import nearest_name
from ..signals import ChangeEvent

#: Called with what has changed; what it returns is not used. May be asynchronous.
Handler = Callable[[ChangeEvent], object]


class Handlers:
    """The handlers of one extension, for all of its apps, in the order in which they were added."""

    def __init__(self) -> None:
        self._handlers: list[tuple[Handler, tuple[str, ...]]] = []

    def add(self, handler: Handler, keys: tuple[str, ...]) -> None:
        """Have a function called when one of these settings has changed; no keys: any setting."""
        self._handlers.append((handler, keys))

    def check(self, app: Flask, settings: Container[str]) -> None:
        """Refuse handlers that could never be called in an app.

        :param settings: the keys that the app declares.
        :raises InvalidValue: one of them names a setting that is not declared.
        :raises TypeError: one is asynchronous, and asgiref is missing; or it yields.
        """
        for handler, keys in self._handlers:
            name = f"on_change({', '.join(map(repr, keys))})"
            calls.check(app, handler, name)
            for key in keys:
                if key not in settings:
                    raise InvalidValue(f"{name}: {_unknown(key, app.config['WAFFLE_CONFS'])}")

    def events(self, event: ChangeEvent) -> Iterator[tuple[Handler, ChangeEvent]]:
        """Yield each handler that is to be called, with the changes of its own settings."""
        for handler, keys in tuple(self._handlers):
            changes = {k: v for k, v in event.changes.items() if k in keys or not keys}
            if changes:
                yield handler, event._replace(changes=changes)


def _unknown(key: str, confs: Mapping[str, object]) -> str:
    near = nearest_name(key, confs)
    hint = f"write {near}, if you mean that" if near else "declare it in WAFFLE_CONFS"
    return f"there is no setting {key}: {hint}."
