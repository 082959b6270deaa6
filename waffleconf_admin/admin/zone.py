"""Zone: the time zone in which a page shows times."""

from __future__ import annotations

from datetime import date, datetime, time

from ..i18n import time_zone


class Zone:
    """The time zone of the reader."""

    def __init__(self) -> None:
        self._zone = time_zone()
        self.name = str(self._zone)

    def local(self, at: datetime) -> datetime:
        """Return an aware time as it is in this zone."""
        return at.astimezone(self._zone)

    def aware(self, at: datetime) -> datetime:
        """Return a time without a time zone as one of this zone."""
        if localize := getattr(self._zone, "localize", None):  # pytz, which Flask-Babel may use
            localized: datetime = localize(at)
            return localized
        return at.replace(tzinfo=self._zone)

    def start_of(self, day: date) -> datetime:
        """Return when a day begins, as an aware time."""
        return self.aware(datetime.combine(day, time()))
