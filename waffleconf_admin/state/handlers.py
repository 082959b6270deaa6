"""Handlers: the functions of an app that are called when settings have changed."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping

from flask import Flask

from .. import calls
from ..exceptions import InvalidValue
from ..settings.names import nearest_name
from ..signals import ChangeEvent
from .names import NamedRows

#: Called with what has changed; what it returns is not used. May be asynchronous.
Handler = Callable[[ChangeEvent], object]


class Handlers:
    """The handlers of one extension, for all of its apps, in the order in which they were added."""

    def __init__(self) -> None:
        self._handlers: list[tuple[Handler, tuple[str, ...]]] = []

    def add(self, handler: Handler, keys: tuple[str, ...]) -> None:
        """Have a function called when one of these settings has changed; no keys: any setting."""
        self._handlers.append((handler, keys))

    def check(self, app: Flask, settings: Container[str], names: NamedRows) -> None:
        """Refuse handlers that could never be called in an app.

        :param settings: the keys that the app declares.
        :param names: the former names of these settings.
        :raises InvalidValue: one of them names a setting that is not declared.
        :raises TypeError: one is asynchronous, and asgiref is missing; or it yields.
        """
        for handler, keys in self._handlers:
            check_handler(handler, keys, app, settings, names)

    def events(self, event: ChangeEvent, names: NamedRows) -> Iterator[tuple[Handler, ChangeEvent]]:
        """Yield each handler that is to be called, with the changes of its own settings.

        :param names: the former names of the settings of the event's app.
        """
        for handler, given in tuple(self._handlers):
            keys = names.keys_of(given, "watched")
            changes = {k: v for k, v in event.changes.items() if k in keys or not given}
            if changes:
                yield handler, event._replace(changes=changes)


def check_handler(
    handler: Handler, keys: tuple[str, ...], app: Flask, settings: Container[str], names: NamedRows
) -> None:
    """Refuse one handler, as `Handlers.check` does."""
    name = f"on_change({', '.join(map(repr, keys))})"
    calls.check(app, handler, name)
    function = getattr(handler, "__qualname__", type(handler).__qualname__)
    for key in names.keys_of(keys, f"watched by {function}"):
        if key not in settings:
            raise InvalidValue(f"{name}: {_unknown(key, app.config['WAFFLE_CONFS'])}")


def _unknown(key: str, confs: Mapping[str, object]) -> str:
    near = nearest_name(key, confs)
    hint = f"write {near}, if you mean that" if near else "declare it in WAFFLE_CONFS"
    return f"there is no setting {key}: {hint}."
