"""Fields for dates and times."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from typing import Any, ClassVar

from ..i18n import gettext
from ..settings.setting import Setting
from ..settings.value_types import noun
from ..settings.value_types import zone as named_zone
from . import widgets
from .base import LineField, expect

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(
    r"(?P<day>[0-9]{4,6}-[0-9]{2}-[0-9]{2})?[T ]?(?P<clock>[0-9]{2}:[0-9]{2})"
    r"(?::(?P<seconds>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,6}))?)?"
    r"(?P<offset>[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?\s*+(?P<zone>.*+)"
)
_OFFSET = re.compile(r"(?:UTC)?([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")


class DateField(LineField):
    """A day."""

    control = type_html = "date"
    longest = 200
    widget = widgets.Moment()
    limits = ("min", "max")

    def show_some(self, value: Any) -> str:
        expect(value, date)
        return str(value.isoformat())

    def parse_some(self, text: str) -> Any:
        if not _DAY.fullmatch(text):
            raise ValueError(gettext("Write a date, such as 2026-01-31."))
        try:
            return date.fromisoformat(text)
        except ValueError as error:
            raise ValueError(gettext("There is no such day.")) from error

    def parts(self, text: str) -> tuple[str | None, str]:
        """Return what the control shows of a text, and the zone beside it.

        None in place of the first: the control can't hold the text.
        """
        return (text if not text or self._is_value(text) else None), ""

    def local(self, limit: Any, zone: str) -> str:
        """Return a limit as the control writes it; blank if there is none."""
        return "" if limit is None else self.show_some(limit)

    def _is_value(self, text: str) -> bool:
        try:
            self.parse_some(text)
        except ValueError:
            return False
        return True


class TimeField(DateField):
    """A time of day. A time zone is part of its text: ``18:30 UTC``."""

    control = type_html = "time"
    kind: ClassVar[type[time] | type[datetime]] = time
    example = "18:30"
    zone: tzinfo | None = None  #: of a time that is written without one

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self._default_zone = self.zone = getattr(setting.default, "tzinfo", None)

    def process_data(self, value: Any) -> None:
        self.zone = getattr(value, "tzinfo", None) or self.zone
        super().process_data(value)

    def gives_back(self, value: Any) -> bool:
        self.zone = getattr(value, "tzinfo", None) or self.zone
        return super().gives_back(value)

    @staticmethod
    def canonical(raw: list[str]) -> str:
        # The zone beside a control comes after it.
        text = " ".join(part.strip() for part in raw if part.strip()) if raw and raw[0] else ""
        found = _MOMENT.fullmatch(text)
        if not found:
            return text
        seconds, fraction = found["seconds"] or "00", (found["fraction"] or "").rstrip("0")
        parts = [f"{found['day']}T" if found["day"] else "", found["clock"]]
        parts += [f":{seconds}"] if seconds != "00" or fraction else []
        parts += [f".{fraction}"] if fraction else []
        parts += [found["offset"] or ""] + ([f" {found['zone']}"] if found["zone"] else [])
        return "".join(parts)

    def display(self, value: Any) -> str:
        return self.show(value).replace("T", " ", 1) if value is not None else ""

    def show_some(self, value: Any) -> str:
        expect(value, self.kind)
        local = value.replace(tzinfo=None, fold=0).isoformat()
        zone = "" if value.tzinfo is None else f"{self._told_offset(value)} {value.tzinfo}"
        return self.canonical([local + zone])

    def parse_some(self, text: str) -> Any:
        found = _MOMENT.fullmatch(text)
        if not found or bool(found["day"]) != (self.kind is datetime):
            raise ValueError(
                gettext(
                    "Write %(noun)s, such as %(example)s.",
                    noun=noun(self.kind),
                    example=self.example,
                )
            )
        offset, zone = found["offset"] or "", found["zone"]
        end = found.start("offset") if offset else found.start("zone")
        try:
            local = self.kind.fromisoformat(text[:end].strip())
        except ValueError as error:
            raise ValueError(gettext("There is no such day or time.")) from error
        try:
            return self.place(local, offset, zone)
        except OverflowError as error:  # before year 1 or after 9999 in its zone
            raise ValueError(gettext("There is no such day or time.")) from error

    def place(self, local: Any, offset: str, zone: str) -> Any:
        """Put a time into its zone."""
        return local.replace(tzinfo=self.find(zone or offset))

    def find(self, zone: str) -> tzinfo | None:
        """Return the zone of that name; without a name that of the value."""
        if not zone:
            return self.zone
        for known in (self.zone, self._default_zone):
            if known is not None and str(known) == zone:
                return known
        if self.zone is None and self.setting.default is not None:
            raise ValueError(gettext("Write it without a time zone."))
        if zone in ("UTC", "Z"):
            return UTC
        if found := _OFFSET.fullmatch(zone):
            hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
            away = timedelta(hours=hours, minutes=minutes, seconds=seconds)
            if away < timedelta(days=1):
                return timezone(-away if found[1] == "-" else away)
        return named_zone(zone)

    def parts(self, text: str) -> tuple[str | None, str]:
        if not text:
            return "", str(self.zone or "")
        found = _MOMENT.fullmatch(text)
        # A browser's controls have thousandths of a second, and no offsets.
        if not found or found["offset"] or len(found["fraction"] or "") > 3:
            return None, ""
        local = text[: found.start("zone")].strip() if self._is_value(text) else None
        return local, found["zone"]

    def local(self, limit: Any, zone: str) -> str:
        if isinstance(limit, datetime) and limit.tzinfo and zone:
            try:
                limit = limit.astimezone(self.find(zone))
            except (OverflowError, ValueError):  # not a time that there is in that zone
                return ""
        return self.parts(super().local(limit, zone))[0] or "" if limit is not None else ""

    def _told_offset(self, value: Any) -> str:
        return ""


class DateTimeField(TimeField):
    """A day and a time."""

    control, type_html = "datetime", "datetime-local"
    kind = datetime
    example = "2026-01-31 18:30"

    def place(self, local: Any, offset: str, zone: str) -> Any:
        if zone in ("", "Z") and (offset or zone):  # an instant, wherever it was written
            instant = local.replace(tzinfo=self.find(offset or zone))
            return instant.astimezone(self.zone) if self.zone else instant
        found = self.find(zone)
        if found is None:
            return local
        first, second = (local.replace(tzinfo=found, fold=fold) for fold in (0, 1))
        if offset:
            for candidate in (first, second):
                if _offset(candidate) == offset:
                    return candidate
            raise ValueError(
                gettext(
                    "At that time %(zone)s is %(offset)s from UTC.",
                    zone=zone,
                    offset=_offset(first),
                )
            )
        if _is_skipped(first):
            raise ValueError(
                gettext("In %(zone)s the clocks skip this time: write another.", zone=found)
            )
        return first

    def _told_offset(self, value: Any) -> str:
        """The offset, where without it the text would mean another time, or none."""
        twice = value.utcoffset() != value.replace(fold=1 - value.fold).utcoffset()
        return _offset(value) if twice and (value.fold or _is_skipped(value)) else ""


def _offset(value: datetime) -> str:
    return value.isoformat().removeprefix(value.replace(tzinfo=None).isoformat())


def _is_skipped(value: datetime) -> bool:
    """Whether the clocks of its zone go forward over this time."""
    before, after = (value.replace(fold=fold).utcoffset() for fold in (0, 1))
    return before is not None and after is not None and before < after
