"""SettingField: a WTForms field that shows a value as one text and reads a value from one text.

The page, the command line and the merge all use these two.
"""

from __future__ import annotations

from typing import Any, ClassVar

import wtforms

from ..i18n import gettext, mark
from ..settings import value_types
from ..settings.equality import same
from ..settings.setting import Setting
from . import widgets

#: Characters of a value that are shown to people.
TEXT_LIMIT = 1000

NOT_GIVEN_BACK = mark("this page could not give its value back unchanged")


class Unshown(ValueError):
    """A value that a field can't show; the message says why."""


class SettingField(wtforms.Field):
    """Base of our fields: a subclass says how a value is shown as text and read from text.

    As WTForms fields they take validators, filters and other widgets.
    """

    setting: Setting
    text: str  #: what the control shows
    control = "text"  #: the kind of control, for templates
    lines = False  #: whether the control is a text area
    typing: ClassVar[dict[str, Any]] = {}  #: HTML attributes that help who types
    limits: ClassVar[tuple[str, str] | None] = None  #: what HTML calls min and max here

    def show(self, value: Any) -> str:
        """Return the text of a value.

        :raises Unshown: it has none.
        """
        raise NotImplementedError

    def parse(self, text: str) -> Any:
        """Return the value of a text.

        :raises ValueError: it is not the text of a value; the message says what to write.
        """
        raise NotImplementedError

    def read(self, text: str) -> Any:
        """Return the value of a text that somebody wrote.

        :raises ValueError: as `parse` does.
        """
        return self.parse(self.canonical([text]))

    def display(self, value: Any) -> str:
        """Return a value in words."""
        return self.show(value)

    def html(self, text: str) -> dict[str, Any]:
        """Return the HTML attributes of a control of one line that shows *text*."""
        return self.typing

    def gives_back(self, value: Any) -> bool:
        """Whether *value* comes back unchanged from the control that shows it."""
        return same(self.read(self.show(value)), value)

    @staticmethod
    def canonical(raw: list[str]) -> str:
        """Return what a control has sent as one text: what `show` returns, if it is untouched."""
        # Browsers send the newlines of HTTP, whatever the value has.
        return raw[0].replace("\r\n", "\n").replace("\r", "\n") if raw else ""

    def apply(self, setting: Setting) -> None:
        """Take up the setting; its limits become flags, for the HTML."""
        self.setting = setting
        if self.limits:
            for flag, limit in zip(self.limits, (setting.min, setting.max), strict=True):
                if limit is not None:
                    setattr(self.flags, flag, limit)

    def process_data(self, value: Any) -> None:
        self.data = value
        self.text = self.show(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.text = self.canonical(valuelist)
        self.data = None
        self.data = self.parse(self.text)

    def _value(self) -> str:
        return self.text


class OptionalField(SettingField):
    """Base of fields where blank is None, if None is a value that the setting may have."""

    def show(self, value: Any) -> str:
        return "" if value is None and self.setting.optional else self.show_some(value)

    def parse(self, text: str) -> Any:
        return None if not text and self.setting.optional else self.parse_some(text)

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        value, self.data = self.data, None
        # What no page could show again, nobody could change again.
        if why := self._obstacle(value):
            raise ValueError(gettext("This is not saved, because %(why)s.", why=why))
        self.data = value

    def _obstacle(self, value: Any) -> str:
        try:
            return "" if self.gives_back(value) else gettext(NOT_GIVEN_BACK)
        except Unshown as error:
            return str(error)
        except ValueError:  # its text is nothing that it takes
            return gettext(NOT_GIVEN_BACK)

    def show_some(self, value: Any) -> str:
        raise NotImplementedError

    def parse_some(self, text: str) -> Any:
        raise NotImplementedError


class LineField(OptionalField):
    """Base of what is written on one line, where space around it means nothing."""

    widget: Any = widgets.TextInput()
    longest = 5000  #: characters that it reads; more are refused before anything looks at them

    def parse(self, text: str) -> Any:
        if len(text) > self.longest:
            raise ValueError(
                gettext("This is too long: write at most %(count)s characters.", count=self.longest)
            )
        return super().parse(text)

    def show(self, value: Any) -> str:
        text = super().show(value)
        if "\n" in text:
            raise Unshown(gettext("its text has several lines"))
        return text

    @staticmethod
    def canonical(raw: list[str]) -> str:
        return SettingField.canonical(raw).strip()


def expect(value: Any, kind: type, *others: type) -> None:
    """Raise Unshown unless *value* is exactly of one of the types."""
    if type(value) not in (kind, *others):
        name = type(value).__name__
        raise Unshown(
            gettext(
                "it is of type %(type)s, and this control is for %(noun)s",
                type=name,
                noun=value_types.noun(kind),
            )
        )


def describe(value: Any) -> str:
    """Return any value as text for people, not longer than a page can bear."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    try:
        text = str(value)
    except Exception as error:  # whatever an object's own __str__ raises
        text = gettext(
            "(%(type)s that can't be shown: %(error)s)",
            type=type(value).__name__,
            error=type(error).__name__,
        )
    return readable(text)


def readable(text: str) -> str:
    """Return a text as people can bear it and browsers take it."""
    if len(text) > TEXT_LIMIT:
        text = text[: TEXT_LIMIT - 1] + "…"
    return text.encode("utf-8", "backslashreplace").decode()


def is_unicode(text: str) -> bool:
    """Whether *text* can be sent to a browser; half of a surrogate pair can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
