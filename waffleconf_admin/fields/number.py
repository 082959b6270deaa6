"""Fields for numbers."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from ..i18n import gettext
from ..settings.equality import same
from . import widgets
from .base import LineField, Unshown, expect

_WHOLE = re.compile(r"[+-]?[0-9]++")
_WHOLE_IN_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:[\s,._'’][0-9]{3})++")
_NUMBER = re.compile(r"[+-]?([0-9]++(\.[0-9]*+)?|\.[0-9]++)([eE][+-]?[0-9]{1,9})?")
_IN_GROUPS = re.compile(r"[+-]?[0-9][0-9\s,._'’]*+")


class NumberField(LineField):
    """Base of numbers."""

    control = "number"
    widget = widgets.NumberInput()
    limits = ("min", "max")
    whole = False


class IntegerField(NumberField):
    """A whole number."""

    whole = True

    def show_some(self, value: Any) -> str:
        expect(value, int)
        try:
            return str(value)
        except ValueError as error:  # Python refuses thousands of digits: they take too long
            raise Unshown(gettext("it has too many digits to be shown")) from error

    def parse_some(self, text: str) -> Any:
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

    def show_some(self, value: Any) -> str:
        expect(value, float, int)
        if type(value) is int and abs(value) > 2**53:
            raise Unshown(gettext("it has more digits than a number with decimals can keep"))
        return str(value)

    def gives_back(self, value: Any) -> bool:
        # Code may well store 2 where the default is 1.5: as a number nothing is lost.
        return same(self.read(self.show(value)), float(value) if type(value) is int else value)

    def parse_some(self, text: str) -> Any:
        check_number(text, self.setting.default, ("inf", "-inf", "nan"))
        if math.isinf(number := float(text)) and "inf" not in text:
            raise ValueError(gettext("This number is too large."))
        return number


class DecimalField(NumberField):
    """A number with just the digits that it has."""

    def show_some(self, value: Any) -> str:
        expect(value, Decimal)
        return str(value)

    def parse_some(self, text: str) -> Any:
        check_number(text, self.setting.default, ("Infinity", "-Infinity", "NaN"))
        return Decimal(text)


class RangeField(FloatField):
    """A number on a slider."""

    control = "range"
    widget = widgets.Slider()


class WholeRangeField(IntegerField):
    """A whole number on a slider."""

    control = "range"
    widget = widgets.Slider()


def check_number(text: str, default: Any, endless: tuple[str, ...]) -> None:
    """Refuse what is no number, and the endless ones unless the default is one of them.

    :raises ValueError: the message says what to write.
    """
    if _NUMBER.fullmatch(text):
        return
    if text in endless and isinstance(default, (float, Decimal)):
        if not math.isfinite(default):
            return
        raise ValueError(gettext("Write a number that has an end, such as 1000000."))
    if _IN_GROUPS.fullmatch(text):
        raise ValueError(
            gettext("Write a point before the decimals and nothing else, such as 1000.5.")
        )
    raise ValueError(gettext("Write a number, such as 1.5."))
