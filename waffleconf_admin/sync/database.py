"""Watch type 'database': each process reads the database every WAFFLE_WATCH_INTERVAL seconds."""

from __future__ import annotations

import random

from ..i18n import gettext
from .watch_type import Reload, Stop, WatchType


class DatabaseWatch(WatchType):
    """Needs nothing but the database, and sends no notifications."""

    name = "database"
    default_interval = 1.0
    notifies = False

    def watch(self, reload: Reload, stop: Stop) -> None:
        seconds = self.interval
        # Jittered, so that the processes of a deployment don't read all at once.
        while not stop.wait(seconds * random.uniform(0.75, 1.0)):
            reload()

    def notify(self) -> None:
        """Do nothing: the other processes read the database by themselves."""

    def after_save(self) -> str:
        return gettext(
            "The other processes follow within %(seconds)s seconds.", seconds=f"{self.interval:g}"
        )
