"""Custom watch types: a pair of functions, as WAFFLE_WATCHTYPE or registered under a name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask

from .watch_type import AppState, Heartbeat, Reload, WatchType

#: A watcher or a notifier, as in 0.3.1. It gets a state: Any, for apps annotate it as they like.
Function = Callable[[Any], object]


class Functions(NamedTuple):
    """A watcher and a notifier; called with a state, this makes their watch type."""

    watch: Function
    notify: Function
    name: str = "custom"

    def __call__(self, state: AppState) -> CustomWatch:
        return CustomWatch(state, self)


class CustomWatch(WatchType):
    """A watch type that consists of two functions."""

    def __init__(self, state: AppState, functions: Functions) -> None:
        super().__init__(state)
        self.name = functions.name
        self._functions = functions

    def watch(self, reload: Reload, heartbeat: Heartbeat) -> None:
        self._functions.watch(WatchedState(self.state, reload, heartbeat))

    def notify(self) -> None:
        self._functions.notify(self.state)


class Stopping:
    """What a watcher function asks whether to end, as it asks a ``threading.Event``.

    Each question is a beat, for such a function knows no other.
    """

    def __init__(self, heartbeat: Heartbeat) -> None:
        self._heartbeat = heartbeat

    def is_set(self) -> bool:
        return not self._heartbeat.beat()

    def wait(self, timeout: float) -> bool:
        return not self._heartbeat.pause(timeout)


class WatchedState:
    """What a watcher function gets: ``app``, ``update_conf()`` and ``stopping``."""

    def __init__(self, state: AppState, reload: Reload, heartbeat: Heartbeat) -> None:
        self._state = state
        self._reload = reload
        self.stopping = Stopping(heartbeat)

    @property
    def app(self) -> Flask:
        return self._state.app

    def update_conf(self) -> object:
        """Reload, because something may have changed; False: it failed and is tried again."""
        return self._reload()
