"""Fields for dates and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, ClassVar

from ..i18n import gettext
from ..settings.notation import fold
from ..settings.setting import Setting
from ..settings.value_types import noun
from ..time_zones import SKIPPED, find_zone, offset_text
from . import widgets
from .optional import LineField
from .value_text import require_type

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"(?P<day>[0-9]{4,6}-[0-9]{2}-[0-9]{2})?[T ]?(?P<clock>[0-9]{2}:[0-9]{2})"
    r"(?::(?P<seconds>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,6}))?)?"
    r"(?P<offset>[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?\s*+(?P<zone>.*+)"
)
_OFFSET = re.compile(r"(?:UTC)?([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")

#: A time or a datetime: they have no common base.
TimeOrDateTime = Any


class DateField(LineField):
    """A day."""

    control = input_type = "date"
    longest = 200
    widget = widgets.DateTimeInput()
    limit_flags = ("min", "max")

    def format_value(self, value: object) -> str:
        return require_type(value, date).isoformat()

    def parse_value(self, text: str) -> object:
        folded = fold(text)
        if not _DAY.fullmatch(folded):
            raise ValueError(gettext("Enter a date, such as 2026-01-31."))
        try:
            return date.fromisoformat(folded)
        except ValueError as error:
            raise ValueError(gettext("There is no such day.")) from error

    def split(self, text: str) -> tuple[str | None, str]:
        """Return the text in the control, and that of the zone beside it.

        None in place of the first: the browser's control can't hold the text.
        """
        return (text if not text or self._is_value(text) else None), ""

    def sent_values(self, text: str) -> list[str]:
        local, zone = self.split(text)
        return [text] if local is None else [local, zone] if zone else [local]

    def control_text(self, value: object) -> str | None:
        text = super().control_text(value)
        if text is None:
            return None
        (current, shown_zone), (local, zone) = self.split(self.text), self.split(text)
        # The script can't change the zone; and a control for minutes may not take seconds.
        if current is None or local is None or zone != shown_zone or local.count(":") > 1:
            return None
        return local

    def limit_text(self, limit: object, zone: str) -> str:
        """Return a limit as the control writes it, in a zone; blank if there is none."""
        return "" if limit is None else self.format_value(limit)

    def _is_value(self, text: str) -> bool:
        try:
            self.parse_value(text)
        except ValueError:
            return False
        return True


class TimeField(DateField):
    """A time of day. A time zone is part of its text: ``18:30 UTC``."""

    control = input_type = "time"
    python_type: ClassVar[type[time] | type[datetime]] = time
    example = "18:30"
    zone: tzinfo | None = None  #: of a time that is written without one

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self._default_zone = self.zone = getattr(setting.default, "tzinfo", None)

    def process_data(self, value: object) -> None:
        self.zone = getattr(value, "tzinfo", None) or self.zone
        super().process_data(value)

    def round_trips(self, value: object) -> bool:
        self.zone = getattr(value, "tzinfo", None) or self.zone
        return super().round_trips(value)

    @staticmethod
    def canonical(values: list[str]) -> str:
        # The zone beside a control comes after it.
        parts = [fold(value).strip() for value in values] if values and values[0] else []
        text = " ".join(filter(None, parts))
        found = _DATE_TIME.fullmatch(text)
        if not found:
            return text
        seconds, fraction = found["seconds"] or "00", (found["fraction"] or "").rstrip("0")
        pieces = [f"{found['day']}T" if found["day"] else "", found["clock"]]
        pieces += [f":{seconds}"] if seconds != "00" or fraction else []
        pieces += [f".{fraction}"] if fraction else []
        pieces += [found["offset"] or ""] + ([f" {found['zone']}"] if found["zone"] else [])
        return "".join(pieces)

    def display(self, value: object) -> str:
        return self.format(value).replace("T", " ", 1) if value is not None else ""

    def format_value(self, value: object) -> str:
        value = require_type(value, self.python_type)
        local = value.replace(tzinfo=None, fold=0).isoformat()
        zone = "" if value.tzinfo is None else f"{self._needed_offset(value)} {value.tzinfo}"
        return self.canonical([local + zone])

    def parse_value(self, text: str) -> object:
        found = _DATE_TIME.fullmatch(text)
        if not found or bool(found["day"]) != (self.python_type is datetime):
            raise ValueError(
                gettext(
                    "Enter %(noun)s, such as %(example)s.",
                    noun=noun(self.python_type),
                    example=self.example,
                )
            )
        offset, zone = found["offset"] or "", found["zone"]
        end = found.start("offset") if offset else found.start("zone")
        try:
            local = self.python_type.fromisoformat(text[:end].strip())
        except ValueError as error:
            raise ValueError(gettext("There is no such day or time.")) from error
        try:
            return self.localize(local, offset, zone)
        except OverflowError as error:  # before year 1 or after 9999 in its zone
            raise ValueError(gettext("There is no such day or time.")) from error

    def localize(self, local: TimeOrDateTime, offset: str, zone: str) -> object:
        """Return a time without a zone as that of a written offset and zone."""
        return local.replace(tzinfo=self.find_zone(zone or offset))

    def find_zone(self, name: str) -> tzinfo | None:
        """Return the zone of a name; that of the value if there is no name.

        :raises ValueError: there is no such zone, or the setting has times without zones.
        """
        if not name:
            return self.zone
        for known in (self.zone, self._default_zone):
            if known is not None and str(known) == name:
                return known
        if self.zone is None and self.setting.default is not None:
            raise ValueError(gettext("Enter it without a time zone."))
        if name in ("UTC", "Z"):
            return UTC
        if found := _OFFSET.fullmatch(name):
            hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
            away = timedelta(hours=hours, minutes=minutes, seconds=seconds)
            if away < timedelta(days=1):
                return timezone(-away if found[1] == "-" else away)
        return find_zone(name)

    def split(self, text: str) -> tuple[str | None, str]:
        if not text:
            return "", str(self.zone or "")
        found = _DATE_TIME.fullmatch(text)
        # A browser's controls have thousandths of a second, and no offsets.
        if not found or found["offset"] or len(found["fraction"] or "") > 3:
            return None, ""
        local = text[: found.start("zone")].strip() if self._is_value(text) else None
        return local, found["zone"]

    def limit_text(self, limit: object, zone: str) -> str:
        if isinstance(limit, datetime) and limit.tzinfo and zone:
            try:
                limit = limit.astimezone(self.find_zone(zone))
            except (OverflowError, ValueError):  # no clock of that zone shows it
                return ""
        return self.split(super().limit_text(limit, zone))[0] or "" if limit is not None else ""

    def _needed_offset(self, value: TimeOrDateTime) -> str:
        """Return the offset, if without it the text would mean another time, or none."""
        return ""


class DateTimeField(TimeField):
    """A day and a time."""

    control, input_type = "datetime", "datetime-local"
    python_type = datetime
    example = "2026-01-31 18:30"

    def localize(self, local: TimeOrDateTime, offset: str, zone: str) -> object:
        if zone in ("", "Z") and (offset or zone):  # an instant, written in whatever zone
            instant = local.replace(tzinfo=self.find_zone(offset or zone))
            return instant.astimezone(self.zone) if self.zone else instant
        found = self.find_zone(zone)
        if found is None:
            return local
        first, second = (local.replace(tzinfo=found, fold=fold) for fold in (0, 1))
        if offset:
            for candidate in (first, second):
                if offset_text(candidate) == offset:
                    return candidate
            raise ValueError(
                gettext(
                    "At that time %(zone)s is %(offset)s from UTC.",
                    zone=zone,
                    offset=offset_text(first),
                )
            )
        if _is_skipped(first):
            raise ValueError(gettext(SKIPPED, zone=found))
        return first

    def _needed_offset(self, value: TimeOrDateTime) -> str:
        # Its offset differs if the clocks show the time twice, or skip it.
        other = value.replace(fold=1 - value.fold)
        return offset_text(value) if value.utcoffset() != other.utcoffset() else ""


def _is_skipped(value: datetime) -> bool:
    """Whether the clocks of its zone go forward over this time."""
    before, after = (value.replace(fold=fold).utcoffset() for fold in (0, 1))
    return before is not None and after is not None and before < after
