"""Fields for one of the choices."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from wtforms.fields.core import Label

from .. import kinds, widgets
from ..setting import Setting
from ..util import same
from ..words import gettext
from .base import SettingField, describe
from .plain import FALSE, TRUE

#: Up to so many choices are radio buttons, more are a select.
RADIO_BUTTONS = 4


class ChoiceField(SettingField):
    """One of the declared choices."""

    widget = widgets.Options()
    button = "radio"
    companion = Markup()  #: stands before the buttons

    @property
    def roles(self) -> str:
        """The ARIA role of its buttons together; blank for a select."""
        return "radiogroup" if self.control == "radio" else ""

    def pairs(self) -> list[tuple[Any, Any]]:
        """Return ``(value, label)`` of each choice."""
        pairs = self.setting.pairs()
        if pairs is None:  # an Enum
            pairs = [(member, kinds.label(member)) for member in self.setting.members]
        if self.setting.optional and all(value is not None for value, _ in pairs):
            pairs.insert(0, (None, gettext("(none)")))
        return pairs

    @cached_property
    def texts(self) -> dict[str, tuple[Any, Any]]:
        """The choices by the text that stands for each."""
        texts: dict[str, tuple[Any, Any]] = {}
        for value, label in self.pairs():
            self._add(texts, value, label)
        return texts

    def options(self) -> list[tuple[str, Any]]:
        """Return ``(text, label)`` of all that the control offers."""
        return [(text, label) for text, (_, label) in self._offered.items()]

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self._offered = self.texts

    def process(self, *args: Any, **kwargs: Any) -> None:
        super().process(*args, **kwargs)
        self.control = self.fitting()
        if self.roles:
            self.label.field_id = next(iter(self)).id if self._offered else self.id

    def fitting(self) -> str:
        """Return the kind of control that fits the number of choices."""
        return "radio" if len(self._offered) <= RADIO_BUTTONS else "select"

    def process_data(self, value: Any) -> None:
        if not any(same(value, choice) for choice, _ in self.texts.values()):
            # A value from before the choices were changed: offered until something else is chosen.
            self._offered = dict(self.texts)
            self._add(
                self._offered,
                value,
                gettext("%(value)s (no longer a choice)", value=describe(value)),
            )
        super().process_data(value)

    def show(self, value: Any) -> str:
        for text, (choice, _) in self._offered.items():
            if same(choice, value):
                return text
        return describe(value)

    def display(self, value: Any) -> str:
        for choice, label in self._offered.values():
            if same(choice, value):
                return str(label)
        return describe(value)

    def gives_back(self, value: Any) -> bool:
        return True  # each of the texts stands for one value

    def parse(self, text: str) -> Any:
        try:
            return self.texts[text][0]
        except KeyError:
            raise ValueError(gettext("This is not one of the choices.")) from None

    def __iter__(self) -> Iterator[Button]:
        for number, (text, label) in enumerate(self.options()):
            yield Button(self, number, text, label)

    def is_chosen(self, text: str) -> bool:
        """Whether the choice that this text stands for is the one, or one of those, chosen."""
        return text == self.text

    def _add(self, texts: dict[str, tuple[Any, Any]], value: Any, label: Any) -> None:
        text = value.name or "" if isinstance(value, Enum) else describe(value)
        if text.splitlines() != [text] or "\0" in text:
            text = ascii(text) if text else text
        while text in texts:  # 1 and "1", or whatever else looks alike
            text = f"{type(value).__name__}:{text}"
        texts[text] = value, label


class Button:
    """One choice of a `ChoiceField`, to be placed by a template."""

    def __init__(self, field: ChoiceField, number: int, text: str, label: Any) -> None:
        self.field = field
        self.number, self.text = number, text
        self.id = f"{field.id}.{number}"
        self.label = Label(self.id, label)
        self.checked = field.is_chosen(text)

    def __call__(self, **kwargs: Any) -> Markup:
        field = self.field
        given = {"type": field.button, "id": self.id, "name": field.name, "value": self.text}
        html = widgets.attributes(given | {"checked": self.checked} | kwargs)
        companion = field.companion if self.number == 0 else ""
        return Markup(f"{companion}<input{html}>")

    def __html__(self) -> str:
        return self()


class OptionalBooleanField(ChoiceField):
    """Yes, no or None."""

    def pairs(self) -> list[tuple[Any, Any]]:
        return [(None, gettext("Not set")), (True, gettext("On")), (False, gettext("Off"))]

    def read(self, text: str) -> Any:
        word = text.strip().lower()
        return word in TRUE if word in (*TRUE, *FALSE) else super().read(text)


class ZoneField(ChoiceField):
    """A time zone: a ZoneInfo, or its name."""

    def pairs(self) -> list[tuple[Any, Any]]:
        pairs: list[tuple[Any, Any]] = [(name, name) for name in kinds.time_zones()]
        return [(None, gettext("(none)")), *pairs] if self.setting.optional else pairs

    def process_data(self, value: Any) -> None:
        super().process_data(_zone_name(value))
        self.data = value

    def show(self, value: Any) -> str:
        return super().show(_zone_name(value))

    def display(self, value: Any) -> str:
        return super().display(_zone_name(value))

    def gives_back(self, value: Any) -> bool:
        return value is None or kinds.accepts(self.setting.kind, value)

    def parse(self, text: str) -> Any:
        name = super().parse(text)
        return ZoneInfo(name) if name and issubclass(self.setting.kind, ZoneInfo) else name


def _zone_name(value: Any) -> Any:
    return value.key if isinstance(value, ZoneInfo) else value
