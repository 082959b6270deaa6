"""Fields for numbers, and for quantities that are written with a unit."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

from ..i18n import gettext
from ..settings.equality import same
from ..settings.units import duration_text, parse_duration, parse_size, size_text
from .base import LineField, UnsupportedValue, require_type
from .number_widgets import NumberInput, Slider

_WHOLE = re.compile(r"[+-]?[0-9]++")
_WHOLE_IN_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:[\s,._'’][0-9]{3})++")
_NUMBER = re.compile(r"[+-]?([0-9]++(\.[0-9]*+)?|\.[0-9]++)([eE][+-]?[0-9]{1,9})?")
_IN_GROUPS = re.compile(r"[+-]?[0-9][0-9\s,._'’]*+")


class NumberField(LineField):
    """Base of numbers."""

    control = "number"
    quoted = False
    limits_beside = True
    widget = NumberInput()
    limit_flags = ("min", "max")
    whole = False  #: whether it has no decimals


class IntegerField(NumberField):
    """A whole number."""

    whole = True

    def format_value(self, value: object) -> str:
        require_type(value, int)
        try:
            return str(value)
        except ValueError as error:  # Python refuses thousands of digits: they take too long
            raise UnsupportedValue(gettext("it has too many digits to be shown")) from error

    def parse_value(self, text: str) -> object:
        if not _WHOLE.fullmatch(text):
            if _WHOLE_IN_GROUPS.fullmatch(text):
                raise ValueError(
                    gettext("Write the number with nothing between the digits, such as 1000.")
                )
            raise ValueError(gettext("Write a whole number, such as 1000."))
        try:
            return int(text)
        except ValueError as error:
            raise ValueError(gettext("This number has too many digits.")) from error


class FloatField(NumberField):
    """A number with or without decimals; infinity and nan only where the default is such."""

    def format_value(self, value: object) -> str:
        require_type(value, float, int)
        if type(value) is int and abs(value) > 2**53:
            raise UnsupportedValue(
                gettext("it has more digits than a number with decimals can keep")
            )
        return str(value)

    def round_trips(self, value: object) -> bool:
        # Code may well store 2 where the default is 1.5: as a number nothing is lost.
        return same(self.read(self.format(value)), float(value) if type(value) is int else value)

    def parse_value(self, text: str) -> object:
        check_number(text, self.setting.default, ("inf", "-inf", "nan"))
        if math.isinf(number := float(text)) and "inf" not in text:
            raise ValueError(gettext("This number is too large."))
        return number


class DecimalField(NumberField):
    """A number with just the digits that it has."""

    def format_value(self, value: object) -> str:
        require_type(value, Decimal)
        return str(value)

    def parse_value(self, text: str) -> object:
        check_number(text, self.setting.default, ("Infinity", "-Infinity", "NaN"))
        return Decimal(text)


class RangeField(FloatField):
    """A number on a slider."""

    control = "range"
    widget = Slider()


class WholeRangeField(IntegerField):
    """A whole number on a slider."""

    control = "range"
    widget = Slider()


class DurationField(LineField):
    """A length of time, such as 1 h 30 min."""

    longest = 200

    def format_value(self, value: Any) -> str:
        require_type(value, timedelta)
        return duration_text(value)

    def parse_value(self, text: str) -> timedelta:
        return parse_duration(text)


class FileSizeField(LineField):
    """A number of bytes, with a unit such as MB."""

    def format_value(self, value: Any) -> str:
        require_type(value, int)
        return size_text(value)

    def parse_value(self, text: str) -> int:
        return parse_size(text)


def check_number(text: str, default: Any, non_finite: tuple[str, ...]) -> None:
    """Refuse what is no number, and infinity and nan unless the default is one of them.

    :param non_finite: how those are written.
    :raises ValueError: the message says what to write.
    """
    if _NUMBER.fullmatch(text):
        return
    if text in non_finite and isinstance(default, (float, Decimal)):
        if not math.isfinite(default):
            return
        raise ValueError(gettext("Write a number that has an end, such as 1000000."))
    if _IN_GROUPS.fullmatch(text):
        raise ValueError(
            gettext("Write a point before the decimals and nothing else, such as 1000.5.")
        )
    raise ValueError(gettext("Write a number, such as 1.5."))
