"""Fields that don't show what they hold, or don't change it."""

from __future__ import annotations

from types import NoneType
from typing import Any

from ..i18n import gettext
from ..settings import value_types
from . import widgets
from .base import SettingField, describe
from .choice import ChoiceField

#: What stands for the text of a secret whose box "Clear it" was ticked; no text has a NUL.
CLEAR = "\0clear"
_BOTH = "\0both"


class SecretField(SettingField):
    """A secret: never shown. Blank keeps it, and a box clears it."""

    control = "secret"
    widget = widgets.Secret()
    inner: SettingField  #: the field that would show it were it no secret
    clearable = False  #: whether there is something to clear, and that is allowed
    clearing = False  #: whether the box is ticked

    @property
    def blank(self) -> Any:
        """What a cleared one is."""
        return None if self.setting.optional else value_types.python_type(self.setting.value_type)()

    def show(self, value: Any) -> str:
        return ""

    @staticmethod
    def canonical(raw: list[str]) -> str:
        text = SettingField.canonical(raw)
        if raw[1:] == ["clear"]:
            return _BOTH if text else CLEAR
        return text

    def parse(self, text: str) -> Any:
        if text == CLEAR:
            if self._may_be_blank():
                return self.blank
            raise ValueError(gettext("It can't be cleared: write a new one."))
        if text == _BOTH:
            raise ValueError(gettext("Write a new one, or tick “Clear it”: not both."))
        try:
            return self.inner.read(text)
        except ValueError:
            # What the field of its type says of a text may quote it.
            raise ValueError(self._wanted()) from None

    def _wanted(self) -> str:
        """What may be written, whatever was."""
        if isinstance(self.inner, ChoiceField):
            return gettext("This is not one of the choices.")
        return gettext("This must be %(noun)s.", noun=value_types.noun(self.setting.value_type))

    def gives_back(self, value: Any) -> bool:
        return True  # it can't be changed unawares

    def process_data(self, value: Any) -> None:
        self.text, self.data = "", None  # not even here: somebody may render it, or log it
        self.clearable = is_set(value) and self._may_be_blank()
        self.lines = self.setting.multiline  # as declared: the value may say nothing of itself

    def _may_be_blank(self) -> bool:
        setting = self.setting
        blank = setting.optional or issubclass(setting.value_type, (str, bytes, NoneType))
        return blank and not setting.problem(self.blank)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        finally:
            self.clearing, self.text = self.text == CLEAR, ""


class StaticField(SettingField):
    """A value that is shown and can't be changed."""

    control = "static"
    widget = widgets.Static()

    def show(self, value: Any) -> str:
        return describe(value)

    def process_data(self, value: Any) -> None:
        if self.setting.secret:
            self.data, self.text = None, gettext("(set)") if is_set(value) else gettext("(not set)")
        else:
            super().process_data(value)


def is_set(value: Any) -> bool:
    """Whether there is a secret: what is blank is none."""
    return value is not None and not (isinstance(value, (str, bytes)) and not value)
