"""Compared times: which two times the address of a comparison asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from flask import url_for

from ..i18n import gettext as _
from .times import Zone


class ComparedTimes:
    """What was asked for with ``?since=`` and ``?until=``: times of the reader's, or aware ones.

    :param query: the parameters of the address.
    :param zone: that of the reader.
    """

    def __init__(self, query: Mapping[str, str], zone: Zone) -> None:
        self._zone = zone
        texts = [query.get(name, "").strip() for name in ("since", "until")]
        self.since, self.until = (_time(text, zone) for text in texts)  #: until None: now
        self.problem = self._problem(any(texts), texts[1])

    def _problem(self, is_asked: bool, until: str) -> str:
        """Why nothing can be compared, in a sentence; "" if it can, or nothing was asked."""
        if not is_asked:
            return ""
        if self.since is None or (until and self.until is None):
            return _("Enter a date and a time.")
        if self.since > datetime.now(UTC) or (self.until and self.until > datetime.now(UTC)):
            return _("That time has not come yet.")
        if self.until and self.until < self.since:
            return _("The first time is after the second one.")
        return ""

    @property
    def url(self) -> str:
        """The address of the comparison of these instants, whatever the zone of its reader."""
        since, until = (at and at.isoformat() for at in (self.since, self.until))
        return url_for(".compare", since=since, until=until)

    @property
    def inputs(self) -> dict[str, str]:
        """The values of the controls for both times, by name."""
        return {"since": self._input(self.since), "until": self._input(self.until)}

    def _input(self, at: datetime | None) -> str:
        return self._zone.local(at).replace(tzinfo=None).isoformat()[:19] if at else ""

    def name(self, at: datetime | None) -> str:
        """Return a time as a heading has it."""
        return f"{self._zone.local(at):%Y-%m-%d %H:%M}" if at else _("now")


def _time(text: str, zone: Zone) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    if not 1970 <= at.year < 9999:
        return None
    return at if at.tzinfo else zone.aware(at)
