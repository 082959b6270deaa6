"""Watchers and notifiers: how a process tells the others that settings have changed, and hears it.

A notice carries no value. It means: read the database. A watcher runs until its state's runner
stops it and raises when it can't go on; the runner calls it again. Of a state these functions
need ``.app`` and ``.update_conf()`` alone; everything else has a default.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from flask import Flask

from .inotify import Inotify, listening
from .watchfile import MODE, SHARED, Follower, touch_file

log = logging.getLogger(__name__)

#: Seconds between two looks, where WAFFLE_WATCH_INTERVAL is None.
INTERVALS = {"file": 0.25, "database": 1.0}
#: Seconds that a watcher listens before it asks whether to end.
BEAT = 0.9
#: Seconds after which a silent Redis counts as hung.
REDIS_SILENCE = 5.0
#: Seconds after a message in which those that are there already are the same reload.
BURST = 0.05
#: Seconds that a notice may hold up the request that sends it.
NOTIFY_TIMEOUT = 0.5


class Stop(Protocol):
    """What ends a watcher."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


def setting(state: Any, name: str, default: Any) -> Any:
    """Return one of the app's WAFFLE_ settings, or *default* where it is absent or None."""
    value = state.app.config.get(name)
    return default if value is None else value


def interval(state: Any, kind: str) -> float:
    """Seconds between two looks."""
    return float(setting(state, "WAFFLE_WATCH_INTERVAL", INTERVALS[kind]))


def latest(state: Any, kind: object) -> float:
    """Seconds that a watcher needs to see a notification, or that it sees none any more."""
    if kind == "file":
        return interval(state, "file")
    return 2 * REDIS_SILENCE if kind == "redis" else 0.0


def _stop(state: Any) -> Stop:
    return getattr(state, "stopping", None) or threading.Event()


def new_follower(state: Any) -> Follower:
    """Begin to follow the state's watch file."""
    return Follower(_watch_path(state), interval(state, "file"))


def file_mode(state: Any) -> int:
    """Who may read and write a new watch file."""
    return int(setting(state, "WAFFLE_WATCHER_MODE", MODE))


def _watch_path(state: Any) -> str:
    return str(os.fspath(setting(state, "WAFFLE_WATCHER_FILE", SHARED)))


def _file_watcher(state: Any) -> None:
    """Reload whenever the watch file has changed.

    :param state: the `_WaffleState` to keep current.
    """
    stop = _stop(state)
    follower = getattr(state, "follower", None) or new_follower(state)
    with listening(follower.path) as inotify:
        while not _wait(stop, follower.interval, inotify):
            follower.follow(state.update_conf)


def _wait(stop: Stop, seconds: float, inotify: Inotify | None) -> bool:
    """Wait until it is time to look at the file; whether to end instead."""
    if inotify is None or seconds > BEAT:
        return stop.wait(seconds)
    inotify.wait(BEAT)
    return stop.is_set()


def _file_notifier(state: Any) -> None:
    """Change the watch file.

    :param state: the `_WaffleState` that has saved.
    :raises OSError: the file can't be written.
    """
    touch_file(_watch_path(state), b".", file_mode(state))


def _redis(state: Any, timeout: float) -> Any:
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # redis-py's own retries can hold a request for a minute; the runner has a stoppable one.
    options: dict[str, Any] = {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
    }
    url = setting(state, "WAFFLE_REDIS_URL", None)
    if url is not None:
        return Redis.from_url(url, **options)
    return Redis(
        host=setting(state, "WAFFLE_REDIS_HOST", "localhost"),
        port=int(setting(state, "WAFFLE_REDIS_PORT", 6379)),
        **options,
    )


def _channel(state: Any) -> str:
    return str(setting(state, "WAFFLE_REDIS_CHANNEL", "waffleconf"))


def _redis_watcher(state: Any) -> None:
    """Reload whenever a message comes on the Redis channel.

    :param state: the `_WaffleState` to keep current.
    :raises redis.RedisError: Redis can't be reached, or has fallen silent.
    """
    stop = _stop(state)
    with _redis(state, REDIS_SILENCE) as client, client.pubsub() as pubsub:
        pubsub.subscribe(_channel(state))
        heard = asked = time.monotonic()
        wanted: float | None = None  # since when there has been something to read
        while not stop.is_set():
            message = pubsub.get_message(timeout=BEAT if wanted is None else 0.0)
            now = time.monotonic()
            if message is not None:
                heard = now
                # "subscribe" comes after each reconnection too: what was published meanwhile is
                # lost, so it counts as a notice.
                if wanted is None and message["type"] in ("message", "subscribe"):
                    wanted = now
                if wanted is None or now < wanted + BURST:
                    continue
            if wanted is not None:
                failed = state.update_conf() is False
                heard += time.monotonic() - now  # nobody has listened meanwhile
                wanted = now if failed and not stop.wait(1.0) else None
            if now - heard > 2 * REDIS_SILENCE:
                from redis.exceptions import TimeoutError as RedisTimeoutError

                raise RedisTimeoutError("Redis does not answer")
            if now - max(heard, asked) > REDIS_SILENCE:
                pubsub.ping()  # a hung server looks like a quiet one
                asked = now


#: Each app's client for notices, connected from the first on: that takes longer than a notice.
#: redis-py makes a connection anew that has been closed, and in a forked process.
_SENDERS: WeakKeyDictionary[Flask, Any] = WeakKeyDictionary()


def _redis_notifier(state: Any) -> None:
    """Publish on the Redis channel.

    :param state: the `_WaffleState` that has saved.
    :raises redis.RedisError: Redis can't be reached within half a second.
    """
    client = _SENDERS.get(state.app)
    if client is None:
        client = _SENDERS.setdefault(state.app, _redis(state, NOTIFY_TIMEOUT))
    client.publish(_channel(state), time.time())


def _database_watcher(state: Any) -> None:
    """Reload every WAFFLE_WATCH_INTERVAL seconds, without any notice.

    :param state: the `_WaffleState` to keep current.
    """
    stop, seconds = _stop(state), interval(state, "database")
    while not stop.wait(seconds * random.uniform(0.75, 1.0)):
        state.update_conf()


def _dummy(state: Any) -> None:
    """Do nothing: the notifier of who needs none."""


#: A watcher or a notifier.
Function = Callable[[Any], Any]
#: The name of a kind, or its pair of functions.
Kind = str | tuple[Function, Function]

_KINDS: dict[str, tuple[Function, Function]] = {
    "file": (_file_watcher, _file_notifier),
    "redis": (_redis_watcher, _redis_notifier),
    "database": (_database_watcher, _dummy),
}


def register(kind: str, watch: Function, notify: Function) -> None:
    """Add a kind, so that WAFFLE_WATCHTYPE can name it; before the apps that use it are made.

    :param watch: called with an object that has ``app``, ``update_conf()``, to be called when
        something may have changed, and ``stopping``. Runs in a thread until
        ``stopping.wait(seconds)`` or ``stopping.is_set()``, one of which it has to call every
        second or so, is true. Imports and connects before it calls one of these: until then, and
        in ``update_conf()``, forks wait for it. Raises, or returns, when it can't go on: it is
        called again a second later.
    :param notify: called with the state after each save. Raises when nobody could be told: it is
        called again a second later.
    """
    _KINDS[kind] = watch, notify


def available_kind(kind: Kind) -> Kind:
    """Return *kind*, or 'file' for 'redis' where redis-py is not installed.

    :raises ValueError: there is no such kind.
    """
    if isinstance(kind, (tuple, list)) and len(kind) == 2 and all(map(callable, kind)):
        return kind[0], kind[1]
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(
            f"WAFFLE_WATCHTYPE {kind!r} is none of: {', '.join(map(repr, _KINDS))}; nor is it a "
            "pair of functions (watch, notify)."
        )
    if kind == "redis":
        with contextlib.suppress(ImportError):
            import redis  # noqa: F401

            return kind
        log.warning(
            "WAFFLE_WATCHTYPE is 'redis' but redis-py is not installed: watching a file instead. "
            "Install waffleconf-admin[redis]."
        )
        return "file"
    return kind


def get_watcher(watcher_type: Kind) -> Function:
    """Return the watcher of a kind, to be run in a thread.

    :param watcher_type: 'file', 'redis' ('file' where redis-py is not installed), 'database', a
        registered kind, or a pair of functions.
    :raises ValueError: there is no such kind.
    """
    return _functions(watcher_type)[0]


def get_notifier(notifier_type: Kind) -> Function:
    """Return the notifier of a kind, as `get_watcher` does the watcher."""
    return _functions(notifier_type)[1]


def _functions(kind: Kind) -> tuple[Function, Function]:
    available = available_kind(kind)
    return _KINDS[available] if isinstance(available, str) else available
