"""Defaults: every setting of the extension itself, and what it may be."""

from __future__ import annotations

import difflib
import logging
import os
from collections.abc import Mapping, MutableMapping
from copy import copy
from typing import Any

from . import calls

log = logging.getLogger(__name__)

#: Every setting of the extension itself, with its default.
DEFAULTS: dict[str, Any] = {
    "WAFFLE_CONFS": {},
    "WAFFLE_AUTOLOAD": True,
    "WAFFLE_SERIALIZER": "pickle",
    "WAFFLE_STORE_DEFAULTS": True,
    "WAFFLE_CLASSES": (),
    "WAFFLE_MULTIPROC": False,
    "WAFFLE_WATCHTYPE": "file",
    "WAFFLE_WATCH_INTERVAL": None,
    "WAFFLE_RESYNC_INTERVAL": 60.0,
    "WAFFLE_WATCHER_FILE": "/tmp/waffleconf.txt",
    "WAFFLE_WATCHER_MODE": 0o664,
    "WAFFLE_REDIS_URL": None,
    "WAFFLE_REDIS_HOST": "localhost",
    "WAFFLE_REDIS_PORT": 6379,
    "WAFFLE_REDIS_CHANNEL": "waffleconf",
    "WAFFLE_POSTGRESQL_CHANNEL": "waffleconf",
    "WAFFLE_TEMPLATE": "waffleconf/waffle_form",
    "WAFFLE_CAN": None,
    "WAFFLE_HISTORY_DAYS": None,
}


def fill(config: MutableMapping[str, Any]) -> None:
    """Give each setting that is absent its default."""
    if config.get("WAFFLE_SERIALIZER") == "json":  # of new apps
        config.setdefault("WAFFLE_STORE_DEFAULTS", False)
    for key, default in DEFAULTS.items():
        config.setdefault(key, copy(default))


def setting(config: Mapping[str, Any], name: str) -> Any:
    """Return a setting of the extension; its default where it is absent or None.

    The functions of 0.3.1 may be called with an app that was never initialised.
    """
    value = config.get(name)
    return DEFAULTS[name] if value is None else value


def check(config: Mapping[str, Any]) -> None:
    """Refuse settings of the extension that would do harm later, and far from their cause."""
    known = {key.removeprefix("WAFFLE_"): key for key in DEFAULTS}
    for key in config:
        name = key.removeprefix("WAFFLE_")
        if name != key and name not in known:
            for near in difflib.get_close_matches(name, known, n=1, cutoff=0.8):
                message = "%s is not a setting of waffleconf_admin. Do you mean %s?"
                log.warning(message, key, known[near])
    for key in ("WAFFLE_AUTOLOAD", "WAFFLE_STORE_DEFAULTS", "WAFFLE_MULTIPROC"):
        if isinstance(config[key], str):  # "false" would be true
            raise ValueError(f"{key} is {config[key]!r}: write True or False.")
    serializer = config["WAFFLE_SERIALIZER"]
    if serializer not in ("pickle", "json"):
        raise ValueError(f"WAFFLE_SERIALIZER is {serializer!r}: write 'pickle' or 'json'.")
    path = config["WAFFLE_WATCHER_FILE"]
    if path is not None and not isinstance(path, str | os.PathLike):
        raise ValueError(f"WAFFLE_WATCHER_FILE is {path!r}: write a path.")
    for key in ("WAFFLE_WATCH_INTERVAL", "WAFFLE_RESYNC_INTERVAL"):
        seconds = config[key]
        if seconds is not None and not (isinstance(seconds, (int, float)) and seconds > 0):
            raise ValueError(f"{key} is {seconds!r}: write a number of seconds above 0, or None.")
    mode = config["WAFFLE_WATCHER_MODE"]
    if type(mode) is not int or mode & ~0o777 or mode & 0o600 != 0o600:
        raise ValueError(
            f"WAFFLE_WATCHER_MODE is {mode!r}: write the rights of the watch file in octal, such "
            "as 0o664. Its owner needs to read and write it."
        )
    watch = config["WAFFLE_WATCHTYPE"]
    if isinstance(watch, (tuple, list)) and any(map(calls.is_async, watch)):
        raise TypeError("WAFFLE_WATCHTYPE: its functions run in a thread: they can't be async.")
    classes = config["WAFFLE_CLASSES"]
    if isinstance(classes, Mapping):
        paths, classes = list(classes), list(classes.values())
        if any(not isinstance(path, str) or "." not in path.strip(".") for path in paths):
            raise ValueError(
                f"WAFFLE_CLASSES has the names {paths!r}: write the former module and the name of "
                'each class, such as {"shop.models.Plan": Plan}.'
            )
    if isinstance(classes, type | str) or not all(isinstance(cls, type) for cls in classes):
        raise ValueError(
            f"WAFFLE_CLASSES is {classes!r}: write a list of classes, such as [Point], or a dict "
            'of those that have moved, such as {"shop.models.Plan": Plan}.'
        )
