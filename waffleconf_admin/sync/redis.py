"""Watch type 'redis': the processes of several hosts publish and subscribe on a Redis channel."""

from __future__ import annotations

import contextlib
import logging
import time
from typing import Any

from ..i18n import gettext
from .failures import RETRY
from .file import FileWatch
from .watch_type import Reload, State, Stop, WatchType

log = logging.getLogger(__name__)

#: Seconds that the watcher waits for a message before it asks whether to stop.
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

    def __init__(self, state: State) -> None:
        super().__init__(state)
        # Kept, because connecting takes longer than publishing. redis-py connects again when the
        # connection was closed, and in a forked process.
        self._sender: Any = None

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

    def watch(self, reload: Reload, stop: Stop) -> None:
        """Reload whenever a message comes.

        :raises redis.RedisError: Redis can't be reached, or does not answer.
        """
        with self._connect(PING_AFTER) as client, client.pubsub() as pubsub:
            pubsub.subscribe(self._channel)
            answered_at = pinged = time.monotonic()
            pending: float | None = None  # since when there has been a change to read
            while not stop.is_set():
                message = pubsub.get_message(timeout=POLL if pending is None else 0.0)
                now = time.monotonic()
                if message is not None:
                    answered_at = now
                    # "subscribe" comes after each reconnection too. What was published meanwhile
                    # is lost, so it counts as a notification.
                    if pending is None and message["type"] in ("message", "subscribe"):
                        pending = now
                    if pending is None or now < pending + BURST:
                        continue
                if pending is not None:
                    failed = reload() is False
                    answered_at += time.monotonic() - now  # the reload is no silence of Redis
                    pending = now if failed and not stop.wait(RETRY) else None
                if now - answered_at > 2 * PING_AFTER:
                    from redis.exceptions import TimeoutError as RedisTimeoutError

                    raise RedisTimeoutError("Redis does not answer")
                if now - max(answered_at, pinged) > PING_AFTER:
                    pubsub.ping()  # a hung server looks like a quiet one
                    pinged = now

    def notify(self) -> None:
        """Publish.

        :raises redis.RedisError: Redis can't be reached within half a second.
        """
        if self._sender is None:
            self._sender = self._connect(NOTIFY_TIMEOUT)
        self._sender.publish(self._channel, time.time())

    def max_delay(self) -> float:
        return 2 * PING_AFTER

    def after_save(self) -> str:
        return gettext("The other processes follow at once.")

    @property
    def _channel(self) -> str:
        return str(self.setting("WAFFLE_REDIS_CHANNEL"))

    def _connect(self, timeout: float) -> Any:
        from redis import Redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        # redis-py's own retries can hold a request for a minute; the thread retries by itself.
        options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),
        }
        url = self.setting("WAFFLE_REDIS_URL")
        if url is not None:
            return Redis.from_url(url, **options)
        return Redis(
            host=self.setting("WAFFLE_REDIS_HOST"),
            port=int(self.setting("WAFFLE_REDIS_PORT")),
            **options,
        )
