"""Fields for text and for yes or no."""

from __future__ import annotations

from typing import Any

from ..i18n import gettext
from ..settings.setting import Setting
from . import widgets
from .base import OptionalField, SettingField, expect, is_unicode

#: The words for yes and no that people may write.
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
            raise ValueError(gettext("A NUL character can't be kept: take it out."))
        if not is_unicode(text):
            raise ValueError(gettext("Some of this is not text: write it anew."))
        return text


class BooleanField(SettingField):
    """Yes or no."""

    control = "checkbox"
    widget = widgets.Checkbox()

    def show(self, value: Any) -> str:
        expect(value, bool)
        return "true" if value else "false"

    def display(self, value: Any) -> str:
        return gettext("On") if self.show(value) == "true" else gettext("Off")

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
        raise ValueError(gettext("Write true or false."))
