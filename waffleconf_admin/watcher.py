"""Watchers and notifiers: how a process tells the others that settings have changed, and hears it.

A notice carries no value. It means: read the database. A watcher runs until its state's runner
stops it and raises when it can't go on; the runner calls it again. Of a state these functions
need ``.app`` and ``.update_conf()`` alone; everything else has a default.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import random
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

log = logging.getLogger(__name__)

#: Seconds between two looks, where WAFFLE_WATCH_INTERVAL is None.
INTERVALS = {"file": 0.2, "database": 1.0}
#: Seconds after which a silent Redis counts as hung.
REDIS_SILENCE = 5.0
#: Seconds that a notice may hold up the request that sends it.
NOTIFY_TIMEOUT = 0.5
#: Bytes at which the watch file starts anew.
MAX_FILE = 2**20


class Stop(Protocol):
    """What ends a watcher."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float) -> bool: ...


class Follower:
    """One process's memory of the watch file: what it looked like at the last good reload."""

    def __init__(self, path: str, interval: float) -> None:
        self.path = path
        self.interval = interval
        self.seen = file_mark(path)
        self._retry_at = 0.0

    def follow(self, reload: Callable[[], Any]) -> None:
        """Reload if the file has changed; a failed reload is tried again after the interval."""
        now = file_mark(self.path)
        if now == self.seen or time.monotonic() < self._retry_at:
            return
        if reload() is False:
            self._retry_at = time.monotonic() + self.interval
        else:
            self.seen = now


def file_mark(path: str) -> tuple[int, int, int] | None:
    """What tells one state of a file from the next; None when it isn't there."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size


def touch_file(path: str, text: bytes = b"") -> None:
    """Make the watch file where it is missing, and append *text*.

    :raises OSError: it can't be made or written, or it is a symbolic link of another user.
    """
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    no_links = getattr(os, "O_NOFOLLOW", 0)
    try:
        handle = os.open(path, flags | no_links, 0o666)
    except OSError as error:
        if error.errno != errno.ELOOP or os.lstat(path).st_uid not in (0, os.getuid()):
            raise
        handle = os.open(os.path.realpath(path), flags | no_links, 0o666)
    try:
        if text:
            if os.fstat(handle).st_size >= MAX_FILE:
                os.ftruncate(handle, 0)
            os.write(handle, text)
            now = time.time_ns()  # finer than the kernel's own clock tick
            os.utime(path, ns=(now, now))
    finally:
        os.close(handle)


def _setting(state: Any, name: str, default: Any) -> Any:
    value = state.app.config.get(name)
    return default if value is None else value


def _interval(state: Any, kind: str) -> float:
    return float(_setting(state, "WAFFLE_WATCH_INTERVAL", INTERVALS[kind]))


def _stop(state: Any) -> Stop:
    runner = getattr(state, "runner", None)
    return runner.stopped if runner is not None else threading.Event()


class _Resync:
    """Says when to read the database although no notice came, so that a lost one is only late."""

    def __init__(self, state: Any) -> None:
        self._interval = float(_setting(state, "WAFFLE_RESYNC_INTERVAL", 60.0))
        self._plan()

    def _plan(self) -> None:
        # Jittered, lest all the processes of a deployment read at the same moment.
        self._at = time.monotonic() + self._interval * random.uniform(0.75, 1.25)

    def due(self) -> bool:
        if time.monotonic() < self._at:
            return False
        self._plan()
        return True


def new_follower(state: Any) -> Follower:
    """Begin to follow the state's watch file."""
    path = os.fspath(_setting(state, "WAFFLE_WATCHER_FILE", "/tmp/waffleconf.txt"))
    return Follower(path, _interval(state, "file"))


def _file_watcher(state: Any) -> None:
    """Reload whenever the watch file has changed.

    :param state: the `_WaffleState` to keep current.
    """
    stop, resync = _stop(state), _Resync(state)
    follower = getattr(getattr(state, "runner", None), "follower", None) or new_follower(state)
    while not stop.wait(follower.interval):
        if resync.due():
            state.update_conf()
        follower.follow(state.update_conf)


def _file_notifier(state: Any) -> None:
    """Change the watch file.

    :param state: the `_WaffleState` that has saved.
    :raises OSError: the file can't be written.
    """
    touch_file(new_follower(state).path, b".")


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
    url = _setting(state, "WAFFLE_REDIS_URL", None)
    if url is not None:
        return Redis.from_url(url, **options)
    return Redis(
        host=_setting(state, "WAFFLE_REDIS_HOST", "localhost"),
        port=int(_setting(state, "WAFFLE_REDIS_PORT", 6379)),
        **options,
    )


def _channel(state: Any) -> str:
    return str(_setting(state, "WAFFLE_REDIS_CHANNEL", "waffleconf"))


def _redis_watcher(state: Any) -> None:
    """Reload whenever a message comes on the Redis channel.

    :param state: the `_WaffleState` to keep current.
    :raises redis.RedisError: Redis can't be reached, or has fallen silent.
    """
    stop, resync = _stop(state), _Resync(state)
    with _redis(state, REDIS_SILENCE) as client, client.pubsub() as pubsub:
        pubsub.subscribe(_channel(state))
        heard = asked = time.monotonic()
        wanted = False
        while not stop.is_set():
            message = pubsub.get_message(timeout=0.0 if wanted else 0.5)
            now = time.monotonic()
            if message is not None:
                heard = now
                # "subscribe" comes after each reconnection too: what was published meanwhile is
                # lost, so it counts as a notice.
                wanted = wanted or message["type"] in ("message", "subscribe")
                continue  # a burst of messages is one reload
            if wanted or resync.due():
                wanted = state.update_conf() is False and not stop.wait(1.0)
            if now - heard > 2 * REDIS_SILENCE:
                from redis.exceptions import TimeoutError as RedisTimeoutError

                raise RedisTimeoutError("Redis does not answer")
            if now - max(heard, asked) > REDIS_SILENCE:
                pubsub.ping()  # a hung server looks like a quiet one
                asked = now


def _redis_notifier(state: Any) -> None:
    """Publish on the Redis channel.

    :param state: the `_WaffleState` that has saved.
    :raises redis.RedisError: Redis can't be reached within half a second.
    """
    with _redis(state, NOTIFY_TIMEOUT) as client:
        client.publish(_channel(state), time.time())


def _database_watcher(state: Any) -> None:
    """Reload every WAFFLE_WATCH_INTERVAL seconds, without any notice.

    :param state: the `_WaffleState` to keep current.
    """
    stop, interval = _stop(state), _interval(state, "database")
    while not stop.wait(interval * random.uniform(0.75, 1.25)):
        state.update_conf()


def _dummy(state: Any) -> None:
    """Do nothing: the notifier of who needs none."""


_KINDS: dict[str, tuple[Callable[[Any], None], Callable[[Any], None]]] = {
    "file": (_file_watcher, _file_notifier),
    "redis": (_redis_watcher, _redis_notifier),
    "database": (_database_watcher, _dummy),
}


def available_kind(kind: str) -> str:
    """Return *kind*, or 'file' for 'redis' where redis-py is not installed.

    :raises ValueError: there is no such kind.
    """
    if kind not in _KINDS:
        raise ValueError(f"WAFFLE_WATCHTYPE {kind!r} is none of: {', '.join(map(repr, _KINDS))}.")
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


def get_watcher(watcher_type: str) -> Callable[[Any], None]:
    """Return the watcher of a kind, to be run in a thread.

    :param watcher_type: 'file', 'redis' ('file' where redis-py is not installed) or 'database'.
    :raises ValueError: there is no such kind.
    """
    return _KINDS[available_kind(watcher_type)][0]


def get_notifier(notifier_type: str) -> Callable[[Any], None]:
    """Return the notifier of a kind.

    :param notifier_type: 'file', 'redis' ('file' where redis-py is not installed) or 'database'.
    :raises ValueError: there is no such kind.
    """
    return _KINDS[available_kind(notifier_type)][1]
