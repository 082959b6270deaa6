"""Secrets: fields that never show what they hold."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import NoneType

from ..i18n import gettext
from ..settings import value_types
from . import widgets
from .base import SettingField, is_set
from .choice import ChoiceField

#: What stands for the text of a secret whose box "Clear it" was ticked; no text has a NUL.
CLEAR = "\0clear"
_BOTH = "\0both"


class SecretField(SettingField):
    """A secret: never shown. Blank keeps it, and a box clears it."""

    control = "secret"
    widget = widgets.Secret()
    make_inner: Callable[[], SettingField]
    clearable = False  #: whether there is something to clear, and that is allowed
    clearing = False  #: whether the box is ticked

    @cached_property
    def inner(self) -> SettingField:
        """The field of a setting of that type that is no secret, which reads what is typed."""
        return self.make_inner()

    @property
    def blank(self) -> object:
        """The value that clears it."""
        return None if self.setting.optional else value_types.python_type(self.setting.value_type)()

    def format(self, value: object) -> str:
        return ""

    @staticmethod
    def canonical(values: list[str]) -> str:
        text = SettingField.canonical(values)
        if values[1:] == ["clear"]:
            return _BOTH if text else CLEAR
        return text

    def parse(self, text: str) -> object:
        if text == CLEAR:
            if self._may_be_blank():
                return self.blank
            raise ValueError(gettext("It can't be cleared: enter a new one."))
        if text == _BOTH:
            raise ValueError(gettext("Enter a new one, or tick “Clear it”: not both."))
        try:
            return self.inner.read(text)
        except ValueError:
            # The message of the inner field may quote the text.
            raise ValueError(self._wanted()) from None

    def _wanted(self) -> str:
        """Return what may be written, without what was."""
        if isinstance(self.inner, ChoiceField):
            return gettext("This is not one of the choices.")
        return gettext("This must be %(noun)s.", noun=value_types.noun(self.setting.value_type))

    def gives_back(self, value: object, text: str) -> bool:
        return True  # an untouched control sends nothing

    def control_text(self, value: object) -> None:
        return None

    def process_data(self, value: object) -> None:
        self.text, self.data = "", None  # not the value: an app may render or log its fields
        self.clearable = is_set(value) and self._may_be_blank()
        self.multiline = self.setting.multiline  # as declared, or it would depend on the value

    def _may_be_blank(self) -> bool:
        setting = self.setting
        blank = setting.optional or issubclass(setting.value_type, (str, bytes, NoneType))
        return blank and not setting.problem(self.blank)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        finally:
            self.clearing, self.text = self.text == CLEAR, ""
