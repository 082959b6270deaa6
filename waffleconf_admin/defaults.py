"""Defaults: every setting of the extension itself, and what it may be."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Callable, Collection, Mapping, MutableMapping
from copy import copy
from typing import Any
from urllib.parse import urlsplit

from . import calls

log = logging.getLogger(__name__)

#: Every setting of the extension itself, with its default. Any, as in Flask's own configuration:
#: each has a type of its own.
DEFAULTS: dict[str, Any] = {
    "WAFFLE_CONFS": {},
    "WAFFLE_AUTOLOAD": True,
    "WAFFLE_SERIALIZER": "pickle",
    "WAFFLE_STORE_DEFAULTS": True,
    "WAFFLE_CLASSES": (),
    "WAFFLE_RETIRED": (),
    "WAFFLE_MULTIPROC": False,
    "WAFFLE_WATCHTYPE": "file",
    "WAFFLE_WATCH_INTERVAL": None,
    "WAFFLE_RESYNC_INTERVAL": 60.0,
    "WAFFLE_WATCHER_FILE": "/tmp/waffleconf.txt",  # nosec B108 # the default of 0.3.1; the log warns of it
    "WAFFLE_WATCHER_MODE": 0o664,
    "WAFFLE_REDIS_URL": None,
    "WAFFLE_REDIS_HOST": "localhost",
    "WAFFLE_REDIS_PORT": 6379,
    "WAFFLE_REDIS_CHANNEL": "waffleconf",
    "WAFFLE_POSTGRESQL_CHANNEL": "waffleconf",
    "WAFFLE_TEMPLATE": "waffleconf/waffle_form",
    "WAFFLE_CAN": None,
    "WAFFLE_HISTORY_DAYS": None,
    "WAFFLE_ENV_PREFIX": None,
    "WAFFLE_ENCRYPTION_KEYS": (),
}


def fill(config: MutableMapping[str, object]) -> None:
    """Give each setting that is absent its default."""
    if config.get("WAFFLE_SERIALIZER") == "json":  # of new apps
        config.setdefault("WAFFLE_STORE_DEFAULTS", False)
    for key, default in DEFAULTS.items():
        config.setdefault(key, copy(default))


def setting(config: Mapping[str, object], name: str) -> Any:
    """Return a setting of the extension; its default where it is absent or None.

    The functions of 0.3.1 may be called with an app that was never initialised.
    """
    value = config.get(name)
    return DEFAULTS[name] if value is None else value


def check(config: Mapping[str, object]) -> None:
    """Refuse settings of the extension that would do harm later, and far from their cause.

    :raises ValueError: one has a value that it can't have.
    :raises TypeError: a function of a watch type is asynchronous.
    """
    _warn_of_misspelt(config)
    watch = config["WAFFLE_WATCHTYPE"]
    with_redis = config["WAFFLE_MULTIPROC"] and watch == "redis"
    for key, (fits, remedy) in _RULES.items():
        if key.startswith("WAFFLE_REDIS_") and not with_redis:
            continue  # without Redis a variable of the environment may be empty
        if not fits(config[key]):
            shown = "can't be used" if key in _HIDDEN else f"is {config[key]!r}"
            raise ValueError(f"{key} {shown}: {remedy}.")
    if isinstance(watch, (tuple, list)) and any(map(calls.is_async, watch)):
        raise TypeError("WAFFLE_WATCHTYPE: its functions run in a thread: they can't be async.")


def _warn_of_misspelt(config: Mapping[str, object]) -> None:
    known = {key.removeprefix("WAFFLE_"): key for key in DEFAULTS}
    for key in config:
        name = key.removeprefix("WAFFLE_")
        if name != key and name not in known:
            for near in difflib.get_close_matches(name, known, n=1, cutoff=0.8):
                message = "%s is not a setting of waffleconf_admin. Do you mean %s?"
                log.warning(message, key, known[near])


def _is_flag(value: object) -> bool:
    return not isinstance(value, (str, bytes))  # "false" would be true


def _is_format(value: object) -> bool:
    return value in ("pickle", "json")


def _is_path(value: object) -> bool:
    if value is None:
        return True
    path = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    return isinstance(path, str) and path.strip() != "" and "\0" not in path


def _is_template(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_keys(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(key, (str, bytes)) for key in value)


def _is_names(value: object) -> bool:
    return isinstance(value, (list, tuple, set, frozenset)) and all(
        isinstance(name, str) for name in value
    )


def _is_interval(value: object) -> bool:
    if value is None:
        return True
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0


def _is_name(value: object) -> bool:
    # With the prefix "" the environment's PATH would be a setting's.
    return value is None or (isinstance(value, str) and value != "")


def _is_port(value: object) -> bool:
    text = str(value) if type(value) in (int, str) else ""  # a variable of the environment has text
    return value is None or (text.isdecimal() and 0 < int(text) < 2**16)


def _is_redis_url(value: object) -> bool:
    if value is None:
        return True
    if not isinstance(value, str) or not value.startswith(("redis://", "rediss://", "unix://")):
        return False
    try:
        _ = urlsplit(value).port
    except ValueError:
        return False
    return True


def _is_can(value: object) -> bool:
    return value is None or callable(value)


def _is_mode(value: object) -> bool:
    return type(value) is int and not value & ~0o777 and value & 0o600 == 0o600


def _is_classes(value: object) -> bool:
    if isinstance(value, Mapping):
        if any(not isinstance(path, str) or "." not in path.strip(".") for path in value):
            return False
        value = list(value.values())
    if not isinstance(value, Collection) or isinstance(value, type | str):
        return False
    return all(isinstance(cls, type) for cls in value)


#: The settings of the extension that no message shows.
_HIDDEN = ("WAFFLE_ENCRYPTION_KEYS", "WAFFLE_REDIS_URL")
#: What a setting of the extension may be, and the remedy for what it may not.
_RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "WAFFLE_AUTOLOAD": (_is_flag, "write True or False"),
    "WAFFLE_STORE_DEFAULTS": (_is_flag, "write True or False"),
    "WAFFLE_MULTIPROC": (_is_flag, "write True or False"),
    "WAFFLE_SERIALIZER": (_is_format, "write 'pickle' or 'json'"),
    "WAFFLE_WATCHER_FILE": (_is_path, "write a path"),
    "WAFFLE_WATCH_INTERVAL": (_is_interval, "write a number of seconds above 0, or None"),
    "WAFFLE_RESYNC_INTERVAL": (_is_interval, "write a number of seconds above 0, or None"),
    "WAFFLE_WATCHER_MODE": (
        _is_mode,
        "write the rights of the watch file in octal, such as 0o664; its owner needs to read and "
        "write it",
    ),
    "WAFFLE_REDIS_URL": (
        _is_redis_url,
        "write an address such as 'redis://localhost:6379/0', or None",
    ),
    "WAFFLE_REDIS_HOST": (_is_name, "write the name of a host"),
    "WAFFLE_REDIS_PORT": (_is_port, "write a number of 1 to 65535"),
    "WAFFLE_REDIS_CHANNEL": (_is_name, "write the name of a channel"),
    "WAFFLE_POSTGRESQL_CHANNEL": (_is_name, "write the name of a channel"),
    "WAFFLE_CAN": (
        _is_can,
        "write a function of (action, setting), such as waffleconf_admin.anyone",
    ),
    "WAFFLE_TEMPLATE": (_is_template, "write the name of a template, such as 'settings.html'"),
    "WAFFLE_ENV_PREFIX": (_is_name, "write a prefix such as 'APP_', or None"),
    "WAFFLE_ENCRYPTION_KEYS": (_is_keys, "write a list of Fernet keys, the newest first"),
    "WAFFLE_RETIRED": (_is_names, "write a list of keys, such as ['OLD_KEY']"),
    "WAFFLE_CLASSES": (
        _is_classes,
        "write a list of classes, such as [Point], or a dict of those that have moved, by their "
        'old dotted path, such as {"shop.models.Plan": Plan}',
    ),
}
