"""Watchers and notifiers as functions of a state, as in Flask-WaffleConf 0.3.1.

Of the state they need ``.app`` and ``.update_conf()`` alone, and ``.stopping``, an event, to end.
"""

from __future__ import annotations

import logging
import threading
from functools import partial

from .sync.custom import Function, Functions, Stopping
from .sync.file import FileWatch
from .sync.redis import RedisWatch
from .sync.watch_type import AppState, WatchType
from .sync.watch_types import find, register

__all__ = ["get_notifier", "get_watcher", "register"]

log = logging.getLogger(__name__)

#: The name of a watch type, or its pair of functions.
Type = str | tuple[Function, Function]


def get_watcher(watcher_type: Type) -> Function:
    """Return the watcher of a watch type, to be run in a thread.

    :param watcher_type: 'file', 'redis' ('file' where redis-py is not installed), any other watch
        type, or a pair of functions.
    :raises ValueError: there is no such watch type.
    """
    found = find(watcher_type)
    if isinstance(found, Functions):
        return found.watch
    return _WATCHERS.get(found) or partial(_watch, found)


def get_notifier(notifier_type: Type) -> Function:
    """Return the notifier of a watch type, as `get_watcher` does the watcher."""
    found = find(notifier_type)
    if isinstance(found, Functions):
        return found.notify
    return _NOTIFIERS.get(found) or partial(_notify, found)


def _file_watcher(state: AppState) -> None:
    """Reload whenever the watch file has changed."""
    _watch(FileWatch, state)


def _file_notifier(state: AppState) -> None:
    """Change the watch file."""
    _notify(FileWatch, state)


def _redis_watcher(state: AppState) -> None:
    """Reload whenever a message comes on the Redis channel."""
    _watch(RedisWatch, state)


def _redis_notifier(state: AppState) -> None:
    """Publish on the Redis channel."""
    _notify(RedisWatch, state)


def _dummy(state: AppState) -> None:
    """Do nothing."""


class EventHeartbeat:
    """Goes on until an event is set; nothing else is due.

    :param stopping: a ``threading.Event``, or what a watcher function of the app gets.
    """

    def __init__(self, stopping: Stopping | threading.Event) -> None:
        self._stopping = stopping

    def beat(self) -> bool:
        return not self._stopping.is_set()

    def pause(self, seconds: float) -> bool:
        return not self._stopping.wait(seconds)


def _watch(watch_type: type[WatchType], state: AppState) -> None:
    stopping = getattr(state, "stopping", None) or threading.Event()
    watch_type(state).watch(state.update_conf, EventHeartbeat(stopping))


def _notify(watch_type: type[WatchType], state: AppState) -> None:
    watch_type(state).notify()


_WATCHERS: dict[type[WatchType], Function] = {FileWatch: _file_watcher, RedisWatch: _redis_watcher}
_NOTIFIERS: dict[type[WatchType], Function] = {
    FileWatch: _file_notifier,
    RedisWatch: _redis_notifier,
}
_DOCUMENTED = {"get_watcher": get_watcher, "get_notifier": get_notifier}


def warn_of_replaced() -> None:
    """Log which functions of this module an app has replaced; 0.3.1 called them, we don't."""
    for name, function in _DOCUMENTED.items():
        if globals()[name] is not function:
            log.warning(
                "waffleconf_admin.watcher.%s was replaced, which has no effect: WAFFLE_WATCHTYPE "
                "says how processes follow each other. Set it to a pair of functions (watch, "
                "notify), or to 'database'; or call state.update_conf() in a thread of your own.",
                name,
            )
