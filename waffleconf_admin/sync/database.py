"""Watch type 'database': each process reads the database every WAFFLE_WATCH_INTERVAL seconds."""

from __future__ import annotations

from ..spread import spread
from .watch_type import WITHIN_SECONDS, Heartbeat, Reload, WatchType


class DatabaseWatch(WatchType):
    """Needs nothing but the database, and sends no notifications."""

    name = "database"
    default_interval = 1.0
    notifies = False
    after_save = WITHIN_SECONDS

    def watch(self, reload: Reload, heartbeat: Heartbeat) -> None:
        seconds = self.interval
        # Jittered, so that the processes of a deployment don't read all at once.
        while heartbeat.pause(spread(seconds)):
            reload()

    def notify(self) -> None:
        """Do nothing: the other processes read the database by themselves."""
