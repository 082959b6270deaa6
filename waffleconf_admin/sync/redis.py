"""Watch type 'redis': the processes of several hosts publish and subscribe on a Redis channel."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import TYPE_CHECKING

from .file import FileWatch
from .resync import RETRY
from .watch_type import AT_ONCE, AppState, Heartbeat, Reload, WatchType

if TYPE_CHECKING:
    from redis import Redis
    from redis.client import PubSub

log = logging.getLogger(__name__)

#: Seconds that the watcher waits for a message before its next beat.
POLL = 0.9
#: Seconds without a message after which Redis is pinged, and then until it counts as hung.
PING_AFTER = 5.0
#: Seconds after a message in which those that are there already are the same reload.
BURST = 0.05
#: Seconds that a notification may hold up the request that sends it.
NOTIFY_TIMEOUT = 0.5


class RedisWatch(WatchType):
    """Publishes the time, as 0.3.1 does. Any message means: read the database."""

    name = "redis"
    after_save = AT_ONCE

    def __init__(self, state: AppState) -> None:
        super().__init__(state)
        # One connection for all notifications, because connecting takes longer than publishing.
        # redis-py connects again when it was closed, and in a forked process.
        self._sender: Redis | None = None

    @classmethod
    def available(cls) -> type[WatchType]:
        with contextlib.suppress(ImportError):
            import redis  # noqa: F401

            return cls
        log.warning(
            "WAFFLE_WATCHTYPE is 'redis' but redis-py is not installed: watching a file instead. "
            "Install waffleconf-admin[redis]."
        )
        return FileWatch

    def watch(self, reload: Reload, heartbeat: Heartbeat) -> None:
        """Reload whenever a message comes.

        :raises redis.RedisError: Redis can't be reached, or does not answer.
        """
        with self._connect(PING_AFTER) as client, client.pubsub() as pubsub:
            pubsub.subscribe(self._channel)
            silence, failed = _Silence(), False  # whether the last reload failed
            while heartbeat.beat():
                notified = _receive(pubsub, silence, 0.0 if failed else POLL)
                if notified or failed:
                    before = time.monotonic()
                    failed = reload() is False and heartbeat.pause(RETRY)
                    silence.leave_out(time.monotonic() - before)
                silence.check(pubsub)

    def notify(self) -> None:
        """Publish.

        :raises redis.RedisError: Redis can't be reached within half a second.
        """
        if self._sender is None:
            self._sender = self._connect(NOTIFY_TIMEOUT)
        self._sender.publish(self._channel, time.time())

    def max_delay(self) -> float:
        return 2 * PING_AFTER

    @property
    def _channel(self) -> str:
        return str(self.setting("WAFFLE_REDIS_CHANNEL"))

    def _connect(self, timeout: float) -> Redis:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # redis-py's own retries can hold a request for a minute; the thread retries by itself.
        retry, url = Retry(NoBackoff(), 0), self.setting("WAFFLE_REDIS_URL")
        if url is not None:
            return Redis.from_url(
                url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=retry
            )
        return Redis(
            host=self.setting("WAFFLE_REDIS_HOST"),
            port=int(self.setting("WAFFLE_REDIS_PORT")),
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=retry,
        )


class _Silence:
    """For how long Redis has sent nothing. A hung server looks like a quiet one: it is pinged."""

    def __init__(self) -> None:
        self._began = self._pinged = time.monotonic()

    def end(self) -> None:
        """A message has come."""
        self._began = time.monotonic()

    def leave_out(self, seconds: float) -> None:
        """Nothing was received for so long, because nobody has waited for it."""
        self._began += seconds

    def check(self, pubsub: PubSub) -> None:
        """Ping where that is due.

        :raises redis.RedisError: Redis does not answer.
        """
        now = time.monotonic()
        if now - self._began > 2 * PING_AFTER:
            from redis.exceptions import TimeoutError as RedisTimeoutError

            raise RedisTimeoutError("Redis does not answer")
        if now - max(self._began, self._pinged) > PING_AFTER:
            pubsub.ping()
            self._pinged = now


def _receive(pubsub: PubSub, silence: _Silence, timeout: float) -> bool:
    """Wait for a message; whether it, or one that is there already, is a notification."""
    message = pubsub.get_message(timeout=timeout)
    notified, latest = False, time.monotonic() + BURST
    while message is not None:
        silence.end()
        # "subscribe" comes after each reconnection too. What was published meanwhile is lost, so
        # it counts as a notification.
        notified |= message["type"] in ("message", "subscribe")
        message = pubsub.get_message(timeout=0.0) if time.monotonic() < latest else None
    return notified
