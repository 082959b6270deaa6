"""Fields for text, numbers and yes or no."""

from __future__ import annotations

import math
import re
from typing import Any

from .. import widgets
from ..declarations import Setting
from ..util import same
from .base import OptionalField, SettingField, Unshown, expect, is_unicode

TRUE = ("true", "on", "yes", "y", "1")
FALSE = ("false", "off", "no", "n", "0")


class TextField(OptionalField):
    """Text, on one line or several."""

    widget = widgets.TextInput()
    limits = ("minlength", "maxlength")

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self.lines = setting.multiline

    def process(self, *args: Any, **kwargs: Any) -> None:
        super().process(*args, **kwargs)
        self.lines = self.lines or "\n" in self.text  # an input of one line would lose it
        self.control = "textarea" if self.lines else "text"

    def show_some(self, value: Any) -> str:
        expect(value, str)
        return str(value)

    def parse_some(self, text: str) -> str:
        if "\0" in text:
            raise ValueError("A NUL character can't be kept: take it out.")
        if not is_unicode(text):
            raise ValueError("Some of this is not text: write it anew.")
        return text


class NumberField(OptionalField):
    """Base of numbers."""

    control = "number"
    widget = widgets.NumberInput()
    limits = ("min", "max")
    whole = False

    @staticmethod
    def canonical(raw: list[str]) -> str:
        return SettingField.canonical(raw).strip()


class IntegerField(NumberField):
    """A whole number."""

    whole = True

    def show_some(self, value: Any) -> str:
        expect(value, int)
        try:
            return str(value)
        except ValueError as error:  # Python refuses thousands of digits: they take too long
            raise Unshown("it has too many digits to be shown") from error

    def parse_some(self, text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            if re.fullmatch(r"[+-]?[0-9]{1,3}([\s,._'’][0-9]{3})+", text):
                raise ValueError("Write the number with nothing between the digits, such as 1000.")
            raise ValueError("Write a whole number, such as 1000.")
        try:
            return int(text)
        except ValueError as error:
            raise ValueError("This number has too many digits.") from error


class FloatField(NumberField):
    """A number with or without decimals; infinity and nan only where the default is such."""

    def show_some(self, value: Any) -> str:
        expect(value, float, int)
        if type(value) is int and abs(value) > 2**53:
            raise Unshown("it has more digits than a number with decimals can keep")
        return str(value)

    def gives_back(self, value: Any) -> bool:
        # Code may well store 2 where the default is 1.5: as a number nothing is lost.
        return same(self.read(self.show(value)), float(value) if type(value) is int else value)

    def parse_some(self, text: str) -> float:
        if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text):
            if math.isinf(number := float(text)):
                raise ValueError("This number is too large.")
            return number
        default = self.setting.default
        if text in ("inf", "-inf", "nan") and isinstance(default, float):
            if not math.isfinite(default):
                return float(text)
            raise ValueError("Write a number that has an end, such as 1000000.")
        if re.fullmatch(r"[+-]?[0-9][0-9\s,._'’]*", text):
            raise ValueError("Write a point before the decimals and nothing else, such as 1000.5.")
        raise ValueError("Write a number, such as 1.5.")


class BooleanField(SettingField):
    """Yes or no."""

    control = "checkbox"
    widget = widgets.Checkbox()

    def show(self, value: Any) -> str:
        expect(value, bool)
        return "true" if value else "false"

    def display(self, value: Any) -> str:
        return {"true": "On", "false": "Off"}[self.show(value)]

    @staticmethod
    def canonical(raw: list[str]) -> str:
        # The box comes after its hidden companion. Whatever a box is made to send means ticked.
        last = raw[-1].strip() if raw else ""
        return "false" if last.lower() in ("", *FALSE) else "true"

    def read(self, text: str) -> bool:
        return self.parse(text)  # people who write it mean it: "maybe" is not yes

    def parse(self, text: str) -> bool:
        word = text.strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        raise ValueError("Write true or false.")
