"""Watch type 'postgresql': LISTEN and NOTIFY in the app's own database."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from contextlib import closing, suppress
from typing import Protocol

from ..contexts import quiet_context
from ..exceptions import NotReadyError, StoreError
from ..i18n import mark
from ..store import WaffleStore
from ..store.postgresql import Listener, Notifications
from . import forks
from .health import Severity, Trouble
from .watch_type import AT_ONCE, AppState, Heartbeat, Reload, WatchType

log = logging.getLogger(__name__)

#: Seconds that the watcher waits for a notification before its next beat.
POLL = 0.9
#: Seconds after a reload in which notifications are one more reload: every user of the database may
#: send them.
BURST = 0.05
#: Seconds without a notification after which the server is pinged.
PING_AFTER = 5.0
#: Seconds without an answer after which the server counts as hung.
ANSWER = 5.0
#: Seconds until a notification to ourselves counts as not delivered.
DELIVERY = 2.0
#: Seconds until it is tried again whether notifications are delivered.
RECHECK = 60.0
#: Bytes of a channel's name that PostgreSQL takes.
MAX_CHANNEL = 63

NOT_DELIVERED = Trouble(
    Severity.CANNOT_RECEIVE,
    mark(
        "PostgreSQL delivers no notifications to this process, so changes come up to %(seconds)s "
        "seconds late. LISTEN does not work through a pooler such as PgBouncer in transaction "
        "mode: connect to PostgreSQL directly, let the pooler pool sessions, or set "
        "WAFFLE_WATCHTYPE to 'redis' or 'database'."
    ),
)


class StoreState(AppState, Protocol):
    """A state with its store."""

    @property
    def configstore(self) -> WaffleStore: ...


class PostgreSQLWatch(WatchType):
    """Listens on a connection of its own, made as the app makes its own connections.

    Notifications carry no value. They are sent right after the commit of the save.
    """

    name = "postgresql"
    after_save = AT_ONCE
    state: StoreState

    #: Whether notifications are delivered, as far as is known.
    _delivers = True

    def prepare(self) -> None:
        """Check the channel, the database and its driver; where the app does not know its database
        yet, the watcher checks the latter two when it starts.
        """
        channel = self._channel
        if not 0 < len(channel.encode()) <= MAX_CHANNEL or "\0" in channel:
            raise ValueError(
                f"WAFFLE_POSTGRESQL_CHANNEL is {channel!r}: write a name of 1 to {MAX_CHANNEL} "
                "bytes."
            )
        try:
            with suppress(NotReadyError):
                self._notifications()
        except StoreError as error:
            raise ValueError(str(error)) from error

    def watch(self, reload: Reload, heartbeat: Heartbeat) -> None:
        """Reload whenever a notification comes.

        :raises Exception: the database can't be reached, or does not answer.
        """
        notifications = self._notifications()
        with closing(notifications.connect()) as listener:
            listener.listen(self._channel)
            delivers = self._is_delivered(notifications, listener, heartbeat)
            if delivers:
                self._delivers = True
                reload()  # what was sent while nobody listened
                self._listen(listener, reload, heartbeat)
                return
        if self._delivers:
            self._delivers = False
            seconds = f"{self.setting('WAFFLE_RESYNC_INTERVAL'):g}"
            log.error("%s", NOT_DELIVERED.text % {"seconds": seconds})
        if heartbeat.pause(RECHECK):
            raise StoreError("PostgreSQL still delivers no notifications.")

    def notify(self) -> None:
        self._notifications().send(self._channel)

    def max_delay(self) -> float:
        return PING_AFTER + ANSWER

    def trouble(self) -> Trouble | None:
        return None if self._delivers else NOT_DELIVERED

    @property
    def _channel(self) -> str:
        return str(self.setting("WAFFLE_POSTGRESQL_CHANNEL"))

    def _notifications(self) -> Notifications:
        """Return how the store listens and notifies.

        :raises NotReadyError: the app does not know its database yet.
        :raises StoreError: it can't, and what to do.
        """
        try:
            with quiet_context(self.state.app):
                found = self.state.configstore.notifications()
        except NotReadyError:
            raise
        except StoreError as error:
            raise StoreError(f"WAFFLE_WATCHTYPE is 'postgresql', but {error}") from error
        if forks.are_threads_greenlets() and found.blocks_greenlets():
            raise StoreError(
                "WAFFLE_WATCHTYPE is 'postgresql', but psycopg2 blocks all greenlets of a process "
                "while it waits: use psycopg 3, or call psycogreen's patch_psycopg()."
            )
        return found

    def _is_delivered(
        self, notifications: Notifications, listener: Listener, heartbeat: Heartbeat
    ) -> bool:
        """Whether a notification to ourselves comes. It is sent on another connection: what comes
        on the same one proves nothing about a pooler.
        """
        channel = f"waffleconf-{uuid.uuid4().hex}"
        listener.listen(channel)
        notifications.send(channel)
        latest = time.monotonic() + DELIVERY
        while heartbeat.beat():
            if channel in listener.wait(POLL / 3):
                listener.unlisten(channel)
                return True
            if time.monotonic() > latest:
                return False
        return True

    def _listen(self, listener: Listener, reload: Reload, heartbeat: Heartbeat) -> None:
        answered_at = time.monotonic()
        while heartbeat.beat():
            if listener.wait(POLL):
                reload()
                heartbeat.pause(BURST)
            elif time.monotonic() - answered_at < PING_AFTER:
                continue
            else:
                _ping(listener, heartbeat)  # a dead connection looks like a quiet one
            answered_at = time.monotonic()


def _ping(listener: Listener, heartbeat: Heartbeat) -> None:
    """Make sure that the server answers.

    A driver may wait for the answer for ever, so a thread does that and the watcher can stop.

    :raises StoreError: it does not.
    """
    answered, ended = threading.Event(), threading.Event()

    def ping() -> None:
        try:
            with suppress(Exception):
                listener.ping()
                answered.set()
        finally:
            ended.set()

    latest = time.monotonic() + ANSWER
    threading.Thread(target=ping, name="waffleconf-ping", daemon=True).start()
    while not ended.wait(POLL):
        if not heartbeat.beat() or time.monotonic() > latest:
            listener.cut()
            ended.wait(POLL)
            break
    if not answered.is_set() and heartbeat.beat():
        raise StoreError("PostgreSQL does not answer.")
