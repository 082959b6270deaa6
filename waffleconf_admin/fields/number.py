"""Fields for numbers, and for quantities that are written with a unit."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from decimal import Decimal
from string import ascii_letters

from ..i18n import gettext
from ..settings.equality import same
from ..settings.notation import EXACT, Notation, fold
from ..settings.units import duration_text, parse_duration, parse_size, size_text
from .number_widgets import NumberInput, Slider
from .optional import LineField
from .value_text import UnsupportedValue, require_type

_WHOLE = re.compile(r"[+-]?[0-9]++")
_NUMBER = re.compile(r"[+-]?([0-9]++(\.[0-9]*+)?|\.[0-9]++)([eE][+-]?[0-9]{1,9})?")


class NumberField(LineField):
    """Base of numbers."""

    control = "number"
    limits_beside = True
    widget = NumberInput()
    limit_flags = ("min", "max")
    whole = False  #: whether it has no decimals

    @property
    def control_notation(self) -> Notation:
        """How its control writes numbers."""
        return self.notation


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
        digits = fold(text)
        if not _WHOLE.fullmatch(digits):
            digits = self._without_groups(digits)
        try:
            return int(digits)
        except ValueError as error:
            raise ValueError(gettext("This number has too many digits.")) from error

    def _without_groups(self, text: str) -> str:
        found = self.notation.readings(text)
        if len(found) > 1:
            both = self.notation.name_both(found)
            raise ValueError(
                gettext(
                    "This can mean %(one)s or %(other)s: enter only digits.",
                    **both,
                )
            )
        if not found or not _WHOLE.fullmatch(found[0]):
            raise ValueError(gettext("Enter a whole number, such as 1000."))
        return found[0]


class FloatField(NumberField):
    """A number with or without decimals; infinity and nan only where the default is such."""

    def format_value(self, value: object) -> str:
        require_type(value, float, int)
        if type(value) is int and abs(value) > 2**53:
            raise UnsupportedValue(
                gettext("it has more digits than a number with decimals can keep")
            )
        return self.control_notation.write(str(value))

    def gives_back(self, value: object, text: str) -> bool:
        # Code may well store 2 where the default is 1.5: as a number nothing is lost.
        return same(self.read(text), float(value) if type(value) is int else value)

    def parse_value(self, text: str) -> object:
        read = _read_number(self, text, ("inf", "-inf", "nan"))
        if math.isinf(number := float(read)) and "inf" not in read:
            raise ValueError(gettext("This number is too large."))
        return number


class DecimalField(NumberField):
    """A number with just the digits that it has."""

    def format_value(self, value: object) -> str:
        require_type(value, Decimal)
        return self.control_notation.write(str(value))

    def parse_value(self, text: str) -> object:
        return Decimal(_read_number(self, text, ("Infinity", "-Infinity", "NaN")))


class RangeField(FloatField):
    """A number on a slider."""

    control = "range"
    widget = Slider()
    control_notation = EXACT  #: browsers write the number of a slider in Python's notation

    def sent_values(self, text: str) -> list[str]:
        # A browser writes the number of a slider itself: 0 for -0.0, which is the same there.
        return [str(float(text) + 0.0)] if _NUMBER.fullmatch(text) else [text]

    def display(self, value: object) -> str:
        return self.notation.write(self.format(value))


class WholeRangeField(IntegerField):
    """A whole number on a slider."""

    control = "range"
    widget = Slider()


class DurationField(LineField):
    """A length of time, such as 1 h 30 min."""

    longest = 200

    def format_value(self, value: object) -> str:
        return self.notation.write(duration_text(require_type(value, timedelta)))

    def parse_value(self, text: str) -> timedelta:
        return parse_duration(self.notation.read_within(fold(text)))


class FileSizeField(LineField):
    """A number of bytes, with a unit such as MB."""

    def format_value(self, value: object) -> str:
        return self.notation.write(size_text(require_type(value, int)))

    def parse_value(self, text: str) -> int:
        folded = fold(text)
        number = folded.rstrip(ascii_letters)
        size = f"{self.notation.read(number.strip())} {folded[len(number) :]}"
        return parse_size(size, example=self.notation.write("1.5 GB"))


def _read_number(field: NumberField, text: str, non_finite: tuple[str, ...]) -> str:
    """Return a number in Python's notation; infinity and nan only if the default is one of them.

    :param non_finite: how those are written.
    :raises ValueError: it is no number; the message says what to write.
    """
    notation = field.control_notation
    read = notation.read(fold(text))
    if _NUMBER.fullmatch(read):
        return read
    default = field.setting.default
    if read in non_finite and isinstance(default, (float, Decimal)):
        if not math.isfinite(default):
            return read
        raise ValueError(gettext("Enter a finite number, such as 1000000."))
    raise ValueError(gettext("Enter a number, such as %(example)s.", example=notation.write("1.5")))
