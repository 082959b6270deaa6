"""Bases of fields: OptionalField, where blank may be None; LineField, for one line of text."""

from __future__ import annotations

from ..i18n import gettext
from . import widgets
from .base import SettingField
from .value_text import NOT_GIVEN_BACK, UnsupportedValue


class OptionalField(SettingField):
    """Base of fields where blank is None, if the setting may be None.

    A subclass has `format_value` and `parse_value` for all other values.
    """

    def format(self, value: object) -> str:
        return "" if value is None and self.setting.optional else self.format_value(value)

    def parse(self, text: str) -> object:
        return None if not text and self.setting.optional else self.parse_value(text)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        value, self.data = self.data, None
        # What no page could show again, nobody could change again.
        if why := self._obstacle(value):
            raise ValueError(gettext("This is not saved, because %(why)s.", why=why))
        self.data = value

    def _obstacle(self, value: object) -> str:
        try:
            return "" if self.round_trips(value) else gettext(NOT_GIVEN_BACK)
        except UnsupportedValue as error:
            return str(error)
        except ValueError:  # its own parser refuses its text
            return gettext(NOT_GIVEN_BACK)

    def format_value(self, value: object) -> str:
        raise NotImplementedError

    def parse_value(self, text: str) -> object:
        raise NotImplementedError


class LineField(OptionalField):
    """Base of what is written on one line, where space around it means nothing."""

    widget: object = widgets.TextInput()
    longest = 5000  #: characters that it reads; a longer text is refused before it is parsed

    def parse(self, text: str) -> object:
        if len(text) > self.longest:
            raise ValueError(
                gettext("This is too long: enter at most %(count)s characters.", count=self.longest)
            )
        return super().parse(text)

    def format(self, value: object) -> str:
        text = super().format(value)
        if "\n" in text:
            raise UnsupportedValue(gettext("its text has several lines"))
        return text

    @staticmethod
    def canonical(values: list[str]) -> str:
        return SettingField.canonical(values).strip()
