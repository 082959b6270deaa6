"""Times: as the reader of a page has them, in their time zone or as so long ago."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from math import ceil

from ..i18n import full_date, gettext, ngettext, time_zone
from ..time_zones import SKIPPED, offset_text

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


class SkippedTime(ValueError):
    """A time that no clock of a zone shows, for they go forward over it."""


class Zone:
    """The time zone of the reader."""

    def __init__(self) -> None:
        self._zone = time_zone()
        self.name = str(self._zone)

    def local(self, at: datetime) -> datetime:
        """Return an aware time as it is in this zone."""
        return at.astimezone(self._zone)

    def read(self, text: str) -> datetime:
        """Return the time that a control has sent, or one that has an offset.

        :raises SkippedTime: the clocks of this zone skip it.
        :raises ValueError: it is none.
        """
        at = datetime.fromisoformat(text)
        if at.tzinfo:
            return at
        aware = self.aware(at)
        if not self._shows(aware, at):
            raise SkippedTime(gettext(SKIPPED, zone=self.name))
        return aware

    def aware(self, at: datetime) -> datetime:
        """Return a time without a time zone as one of this zone: the first, if it comes twice."""
        return self._both(at)[0]

    def _both(self, at: datetime) -> tuple[datetime, datetime]:
        """The two times that a time may be in the hour that comes twice; else twice the same. Of a
        time that is skipped, those by the offsets before and after it.
        """
        if localize := getattr(self._zone, "localize", None):  # pytz, which Flask-Babel may use
            # Not always is that of `is_dst` first: in Dublin the winter has it, with an hour less.
            early, late = sorted(localize(at, is_dst=is_dst) for is_dst in (True, False))
            return (early, late) if self._shows(early, at) else (late, early)
        first, second = (at.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        return first, second

    def start_of(self, day: date) -> datetime:
        """Return when a day begins, as an aware time."""
        return self.aware(datetime.combine(day, time()))

    def _shows(self, aware: datetime, at: datetime) -> bool:
        """Whether the clocks of this zone show a time when an aware one comes."""
        return self.local(aware.astimezone(UTC)).replace(tzinfo=None) == at

    def clock(self, at: datetime) -> str:
        """Return the time of day; with its offset from UTC in the hour that comes twice."""
        local = self.local(at)
        first, second = self._both(local.replace(tzinfo=None, fold=0))
        comes_twice = first.utcoffset() != second.utcoffset()
        return f"{local:%H:%M}{offset_text(local) if comes_twice else ''}"

    def text(self, at: datetime) -> str:
        """Return a time as people read it, with its day unless that is today."""
        local, today = self.local(at), self.local(datetime.now(UTC)).date()
        clock = self.clock(at)
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
