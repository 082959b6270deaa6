"""Fields that don't show what they hold, or don't change it."""

from __future__ import annotations

from typing import Any

from .. import widgets
from .base import SettingField, describe


class SecretField(SettingField):
    """A secret: never shown, and blank keeps it."""

    control = "secret"
    widget = widgets.Secret()
    inner: SettingField  #: the field that would show it were it no secret

    def show(self, value: Any) -> str:
        return ""

    def parse(self, text: str) -> Any:
        return self.inner.read(text)

    def gives_back(self, value: Any) -> bool:
        return True  # it can't be changed unawares

    def process_data(self, value: Any) -> None:
        self.text, self.data = "", None  # not even here: somebody may render it, or log it

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        self.text = ""


class StaticField(SettingField):
    """A value that is shown and can't be changed."""

    control = "static"
    widget = widgets.Static()

    def show(self, value: Any) -> str:
        return describe(value)

    def process_data(self, value: Any) -> None:
        if self.setting.secret:
            self.data, self.text = None, "(not set)" if value in (None, "") else "(set)"
        else:
            super().process_data(value)
