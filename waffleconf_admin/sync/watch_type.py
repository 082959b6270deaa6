"""Watch type: one way in which the processes of an app learn of each other's saves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Protocol

from flask import Flask

from ..defaults import setting
from ..i18n import mark
from .health import Severity, Trouble

#: Reloads the settings; False: it failed, and is tried again.
Reload = Callable[[], object]

#: When the other processes follow a save, for people; ``%(seconds)s`` are those between two reads.
NOTIFIED = mark("The rest of the site has been notified.")
AT_ONCE = mark("The whole site uses the new values at once.")
WITHIN_SECONDS = mark("The whole site uses the new values within %(seconds)s seconds.")

NOTIFICATIONS_MISSED = Trouble(
    Severity.CHANGES_MISSED,
    mark(
        "Changes were found that no notification had announced, so they came up to %(seconds)s "
        "seconds late. Make sure that all processes have the same WAFFLE_WATCHTYPE, server and "
        "channel. Or somebody changed the table without this package."
    ),
)


class AppState(Protocol):
    """What a watcher and a notifier need of an app's state."""

    @property
    def app(self) -> Flask: ...

    def update_conf(self) -> object: ...


class Heartbeat(Protocol):
    """Shows that a watcher lives, and tells it when to end."""

    def beat(self) -> bool:
        """Show that the watcher lives, and do what is due; False: it is time to end."""
        ...

    def pause(self, seconds: float) -> bool:
        """Wait so many seconds, with a beat each second; False, and sooner: it is time to end."""
        ...


class WatchType:
    """A watch type, made for one app. To add one, subclass this and list it in `watch_types`.

    :param state: the state of the app.
    """

    #: The value of WAFFLE_WATCHTYPE, and `Health.watch_type`.
    name: str = ""
    #: Seconds between two polls where WAFFLE_WATCH_INTERVAL is None; None: it does not poll.
    default_interval: ClassVar[float | None] = None
    #: Whether `changed` finds changes, which makes requests follow without the thread.
    checks_requests: ClassVar[bool] = False
    #: Whether processes notify each other; else each reads the database by itself.
    notifies: ClassVar[bool] = True
    #: What is wrong when a reload finds a change without a notification.
    missed: ClassVar[Trouble] = NOTIFICATIONS_MISSED
    #: When the other processes follow a save.
    after_save: ClassVar[str] = NOTIFIED

    def __init__(self, state: AppState) -> None:
        self.state = state

    @classmethod
    def available(cls) -> type[WatchType]:
        """Return this type, or the one to use in its place where a library is not installed."""
        return cls

    def setting(self, name: str) -> Any:
        """Return a WAFFLE_ setting of the app, or its default. Any: `defaults` knows its type."""
        return setting(self.state.app.config, name)

    @property
    def interval(self) -> float:
        """Seconds between two polls; 0.0 where it does not poll."""
        return float(self.setting("WAFFLE_WATCH_INTERVAL") or self.default_interval or 0.0)

    def prepare(self) -> None:
        """Check, when the app is initialised, that this type can be used. Runs no query.

        :raises ValueError: it can't; the message names the setting and the remedy.
        """

    def watch(self, reload: Reload, heartbeat: Heartbeat) -> None:
        """Reload whenever something may have changed, in a thread, until a beat says to end.

        Imports and connects before its first beat: until then, and in *reload*, forks wait. Beats
        every second or so.

        :raises Exception: it can't go on. It is called again a second later.
        """
        raise NotImplementedError

    def notify(self) -> None:
        """Notify the other processes that something has changed.

        :raises Exception: it can't be sent. It is called again a second later.
        """
        raise NotImplementedError

    def changed(self) -> bool:
        """Whether something has changed, so that requests wait for `reload_if_changed`."""
        return False

    def reload_if_changed(self, reload: Reload) -> None:
        """Reload if something has changed; called for requests, in a thread of its own."""

    def max_delay(self) -> float:
        """Seconds until a watcher receives a notification, or raises that it can't, at most."""
        return 0.0

    def is_listening(self) -> bool:
        """Whether notifications can be received at all."""
        return True

    def trouble(self) -> Trouble | None:
        """Return what is wrong, apart from errors that were raised; log it when it begins."""
        return None
