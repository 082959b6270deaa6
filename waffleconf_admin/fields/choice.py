"""Fields for one of several choices."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from markupsafe import Markup
from wtforms.fields.core import Label

from .. import widgets
from ..declarations import Setting
from ..util import same
from .base import SettingField, describe

#: Up to so many choices are radio buttons, more are a select.
RADIO_BUTTONS = 4


class ChoiceField(SettingField):
    """One of the declared choices."""

    widget = widgets.Options()

    def pairs(self) -> list[tuple[Any, Any]]:
        """Return ``(value, label)`` of each choice."""
        pairs = self.setting.pairs() or []
        if self.setting.optional and all(value is not None for value, _ in pairs):
            pairs.insert(0, (None, "(none)"))
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
        self.control = "radio" if len(self._offered) <= RADIO_BUTTONS else "select"
        if self.control == "radio":
            self.label.field_id = next(iter(self)).id if self._offered else self.id

    def process_data(self, value: Any) -> None:
        if not any(same(value, choice) for choice, _ in self.texts.values()):
            # A value from before the choices were changed: offered until something else is chosen.
            self._offered = dict(self.texts)
            self._add(self._offered, value, f"{describe(value)} (no longer a choice)")
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
            raise ValueError("This is not one of the choices.") from None

    def __iter__(self) -> Iterator[RadioButton]:
        for number, (text, label) in enumerate(self.options()):
            yield RadioButton(self, number, text, label)

    def _add(self, texts: dict[str, tuple[Any, Any]], value: Any, label: Any) -> None:
        text = describe(value)
        if text != self.canonical([text]) or "\0" in text:
            text = ascii(text)
        while text in texts:  # 1 and "1", or whatever else looks alike
            text = f"{type(value).__name__}:{text}"
        texts[text] = value, label


class RadioButton:
    """One choice of a `ChoiceField`, to be placed by a template."""

    def __init__(self, field: ChoiceField, number: int, text: str, label: Any) -> None:
        self.field = field
        self.text = text
        self.id = f"{field.id}.{number}"
        self.label = Label(self.id, label)
        self.checked = text == field.text

    def __call__(self, **kwargs: Any) -> Markup:
        given = {"type": "radio", "id": self.id, "name": self.field.name, "value": self.text}
        html = widgets.attributes(given | {"checked": self.checked} | kwargs)
        return Markup(f"<input{html}>")

    def __html__(self) -> str:
        return self()


class OptionalBooleanField(ChoiceField):
    """Yes, no or None."""

    def pairs(self) -> list[tuple[Any, Any]]:
        return [(None, "Not set"), (True, "On"), (False, "Off")]
