"""The table of watch types, by the name that WAFFLE_WATCHTYPE gives."""

from __future__ import annotations

from .custom import Function, Functions
from .database import DatabaseWatch
from .file import FileWatch
from .postgresql import PostgreSQLWatch
from .redis import RedisWatch
from .watch_type import WatchType

WATCH_TYPES: dict[str, type[WatchType] | Functions] = {
    watch_type.name: watch_type
    for watch_type in (FileWatch, RedisWatch, PostgreSQLWatch, DatabaseWatch)
}


def register(name: str, watch: Function, notify: Function) -> None:
    """Add a watch type that WAFFLE_WATCHTYPE can name, before the apps that use it are made.

    :param watch: called with an object that has ``app``, ``update_conf()``, to be called when
        something may have changed, and ``stopping``. Runs in a thread until
        ``stopping.wait(seconds)`` or ``stopping.is_set()``, one of which it has to call every
        second or so, is true. Imports and connects before it calls one of these: until then, and
        in ``update_conf()``, forks wait for it. Raises, or returns, when it can't go on: it is
        called again a second later.
    :param notify: called with the state after each save. Raises when the notification can't be
        sent: it is called again a second later.
    """
    WATCH_TYPES[name] = Functions(watch, notify, name)


def find(watch_type: object) -> type[WatchType] | Functions:
    """Return what makes a watch type: for 'redis' without redis-py that is 'file'.

    :param watch_type: a value of WAFFLE_WATCHTYPE: a name, or a pair of functions.
    :raises ValueError: there is no such watch type.
    """
    if (
        isinstance(watch_type, tuple | list)
        and len(watch_type) == 2
        and all(map(callable, watch_type))
    ):
        return Functions(*watch_type)
    found = WATCH_TYPES.get(watch_type) if isinstance(watch_type, str) else None
    if found is None:
        raise ValueError(
            f"WAFFLE_WATCHTYPE {watch_type!r} is none of: {', '.join(map(repr, WATCH_TYPES))}; nor "
            "is it a pair of functions (watch, notify)."
        )
    return found.available() if isinstance(found, type) else found
