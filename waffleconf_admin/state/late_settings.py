"""LateSettings: settings of the extension that were changed after `init_app` had read them."""

from __future__ import annotations

import logging

from flask import Flask

log = logging.getLogger(__name__)

#: What is read by `init_app` or just after it, and not again.
_READ_ONCE = (
    "WAFFLE_MULTIPROC",
    "WAFFLE_WATCHTYPE",
    "WAFFLE_RESYNC_INTERVAL",
    "WAFFLE_WATCHER_FILE",
    "WAFFLE_ENV_PREFIX",
    "WAFFLE_ENCRYPTION_KEYS",
    "WAFFLE_CLASSES",
)


class LateSettings:
    """Remembers what `init_app` has read, and warns of what the app has set since."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._read = {key: app.config.get(key) for key in _READ_ONCE}

    def warn(self) -> None:
        """Log, once, which settings of the extension have changed."""
        config = self._app.config
        late = [key for key, value in self._read.items() if config.get(key) != value]
        self._read = {}
        if late:
            log.warning(
                "%s: set after init_app, which has no effect: set it before init_app.",
                ", ".join(late),
            )
