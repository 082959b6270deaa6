"""Watchers and notifiers, under the module name of Flask-WaffleConf 0.3.1."""

from __future__ import annotations

from .sync.watch_types import (
    _dummy,
    _file_notifier,
    _file_watcher,
    _redis_notifier,
    _redis_watcher,
    get_notifier,
    get_watcher,
    register,
)

__all__ = [
    "_dummy",
    "_file_notifier",
    "_file_watcher",
    "_redis_notifier",
    "_redis_watcher",
    "get_notifier",
    "get_watcher",
    "register",
]
