"""Times: as the reader of a page has them, in their time zone or as so long ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from math import ceil

from ..i18n import full_date, gettext, ngettext, time_zone

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


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

    def text(self, at: datetime) -> str:
        """Return a time as people read it, with its day unless that is today."""
        local, today = self.local(at), self.local(datetime.now(UTC)).date()
        clock = local.strftime("%H:%M")
        return clock if local.date() == today else f"{full_date(local.date())}, {clock}"


def relative_time(at: datetime, now: datetime | None = None) -> str:
    """Return how long ago a time was, or its date if that is a month or more.

    :param at: aware.
    """
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if seconds < -_MINUTE:  # it was stamped by a clock that is ahead
        return at.date().isoformat()
    if seconds < _MINUTE:
        return gettext("just now")
    if seconds < _HOUR:
        count = int(seconds // _MINUTE)
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", count)
    if seconds < _DAY:
        return ngettext("%(count)s hour ago", "%(count)s hours ago", int(seconds // _HOUR))
    if seconds < 30 * _DAY:
        return ngettext("%(count)s day ago", "%(count)s days ago", int(seconds // _DAY))
    return at.date().isoformat()


def time_until(at: datetime, now: datetime | None = None) -> str:
    """Return how long it is until a time, to the minute, hour or day.

    :param at: aware.
    """
    seconds = (at - (now or datetime.now(UTC))).total_seconds()
    if seconds < 2 * _HOUR:
        count = max(ceil(seconds / _MINUTE), 1)
        return ngettext("in %(count)s minute", "in %(count)s minutes", count)
    if seconds < 2 * _DAY:
        return ngettext("in %(count)s hour", "in %(count)s hours", round(seconds / _HOUR))
    return ngettext("in %(count)s day", "in %(count)s days", round(seconds / _DAY))
