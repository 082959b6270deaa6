"""Time zones: those of this machine, by name."""

from __future__ import annotations

import logging
import re
from contextlib import suppress
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from .i18n import gettext, mark

log = logging.getLogger(__name__)

#: The name of the time zone that needs no data.
UTC = "UTC"
#: What the name of a time zone looks like.
ZONE_NAME = re.compile(r"[A-Za-z0-9_+-]++(?:/[A-Za-z0-9_+-]++)*+")
NO_ZONE_DATA = mark(
    "There is no time zone data on this machine, only UTC: install tzdata (the Debian package "
    "tzdata, or pip install tzdata)."
)
#: What is said of a time that no clock of a zone shows, for they go forward over it.
SKIPPED = mark("In %(zone)s the clocks skip this time: enter another.")


def time_zones() -> tuple[str, ...]:
    """Return the names of all time zones of this machine; where it has no data of them, UTC."""
    try:
        return _installed_zones()
    except LookupError:
        return (UTC,)


def has_zone_data() -> bool:
    """Whether this machine has data of time zones."""
    return len(time_zones()) > 1


def is_zone(name: str) -> bool:
    """Whether a text is the name of a time zone, or may be one, where there is no data of them."""
    return name in time_zones() or (not has_zone_data() and bool(ZONE_NAME.fullmatch(name)))


def find_zone(name: str) -> ZoneInfo:
    """Return the time zone of a name.

    :raises ValueError: this machine has none of that name; or no data at all, and the message says
        what to install.
    """
    if name in time_zones():
        with suppress(ZoneInfoNotFoundError):
            return ZoneInfo(name)
    if not has_zone_data():
        raise ValueError(gettext(NO_ZONE_DATA))
    raise ValueError(
        gettext(
            "There is no time zone “%(zone)s”: enter one such as Europe/Berlin.", zone=name[:40]
        )
    )


def offset_text(at: datetime) -> str:
    """Return how far an aware time is from UTC, as ISO 8601 writes it: ``+01:00``."""
    return at.isoformat().removeprefix(at.replace(tzinfo=None).isoformat())


@cache
def _installed_zones() -> tuple[str, ...]:
    """The names of the time zones.

    :raises LookupError: there are none. That is not remembered: they may be installed any time.
    """
    if not (names := available_timezones()):
        _report_missing_zones()
        raise LookupError("no time zones")
    return tuple(sorted(names | {UTC}))


@cache
def _report_missing_zones() -> None:
    log.error("%s Names of time zones can't be checked until then.", NO_ZONE_DATA)
