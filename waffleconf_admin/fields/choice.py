"""Fields for one of the choices."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cached_property
from itertools import count, groupby
from zoneinfo import ZoneInfo

from markupsafe import Markup
from wtforms.fields.core import Label

from ..i18n import gettext
from ..settings import value_types
from ..settings.choices import Choice
from ..settings.equality import ValueMap, same
from ..settings.setting import Setting
from ..time_zones import find_zone, has_zone_data, time_zones
from . import widgets
from .base import SettingField
from .value_text import generic_text

#: Up to so many choices are radio buttons, more are a select.
RADIO_BUTTONS = 4
#: Characters of all labels that fit on one line, and those that the space around one takes.
ONE_LINE, PADDING = 40, 4


class ChoiceTexts(dict[str, Choice]):
    """Choices by the text that stands for each."""

    _by_value: ValueMap[str] | None = None

    def copy(self) -> ChoiceTexts:
        return ChoiceTexts(self)

    def add(self, text: str, choice: Choice) -> None:
        """Add a choice, by its own text unless another choice has the same."""
        while text in self:  # 1 and "1", or whatever else looks alike
            text = f"{type(choice.value).__name__}:{text}"
        self[text] = choice
        if self._by_value is not None:
            self._by_value.add(choice.value, text)

    def text_of(self, value: object) -> str | None:
        """Return the text of a value; None: it is none of the choices."""
        likely = text_of(value)
        if likely in self and same(self[likely].value, value):
            return likely
        if self._by_value is None:  # most fields never need it
            self._by_value = ValueMap((choice.value, text) for text, choice in self.items())
        return self._by_value.get(value)


class ChoiceField(SettingField):
    """One of the declared choices."""

    control = "select"
    widget = widgets.Choices()
    group_control = "radio"  #: the name of its control, if it is a group
    input_type = "radio"  #: the type of its inputs, if it is a group
    role = "radiogroup"  #: the ARIA role of that group
    hidden_input = Markup()  #: stands before the inputs
    has_removed_choice = False  #: whether its value is no longer one of the choices

    def choices(self) -> list[Choice]:
        """Return the choices, each with a label."""
        choices = self.setting.list_choices(self.notation)
        if choices is None:  # an Enum
            choices = [Choice(member, value_types.label(member)) for member in self.setting.members]
        if self.setting.optional and all(choice.value is not None for choice in choices):
            choices.insert(0, Choice(None, gettext("(none)")))
        return choices

    @cached_property
    def texts(self) -> ChoiceTexts:
        """The choices by the text that stands for each."""
        texts = ChoiceTexts()
        for choice in self.choices():
            self._add(texts, choice)
        return texts

    def options(self) -> list[tuple[str, object]]:
        """Return ``(text, label)`` of all that the control offers."""
        return [(text, choice.label) for text, choice in self._offered.items()]

    def grouped(self) -> list[tuple[object, list[tuple[str, object]]]]:
        """Return the same under the headings of the groups; "" where there is none."""
        offered = groupby(self._offered.items(), lambda item: item[1].group)
        return [(group, [(text, c.label) for text, c in items]) for group, items in offered]

    @property
    def is_short(self) -> bool:
        """Whether all that it offers fits on one line."""
        labels = [str(choice.label) for choice in self._offered.values()]
        return len("".join(labels)) + PADDING * len(labels) <= ONE_LINE

    def apply(self, setting: Setting) -> None:
        super().apply(setting)
        self._offered = self.texts

    def arrange(self) -> None:
        self.is_group = self.fits_buttons()
        self.control = self.group_control if self.is_group else "select"
        if self.is_group:
            self.label.field_id = f"{self.id}.0" if self._offered else self.id

    def fits_buttons(self) -> bool:
        """Whether its choices are so few that each has an input of its own."""
        few = len(self._offered) <= RADIO_BUTTONS
        return few and not any(choice.group for choice in self._offered.values())

    def process_data(self, value: object) -> None:
        if self.texts.text_of(value) is None:
            # It was a choice before the choices were changed: offered until another one is chosen.
            self._offered = self.texts.copy()
            label = gettext("%(value)s (no longer a choice)", value=generic_text(value))
            self._add(self._offered, Choice(value, label))
            self.has_removed_choice = True
        super().process_data(value)

    def format(self, value: object) -> str:
        text = self._offered.text_of(value)
        return generic_text(value) if text is None else text

    def display(self, value: object) -> str:
        text = self._offered.text_of(value)
        return generic_text(value) if text is None else str(self._offered[text].label)

    def gives_back(self, value: object, text: str) -> bool:
        return True  # each text stands for one value

    def parse(self, text: str) -> object:
        try:
            return self.texts[text].value
        except KeyError:
            raise ValueError(gettext("This is not one of the choices.")) from None

    def __iter__(self) -> Iterator[ChoiceInput]:
        chosen = self.chosen()
        for number, (text, label) in enumerate(self.options()):
            yield ChoiceInput(self, number, text, label, text in chosen)

    def labelled_inputs(self) -> Markup:
        """Return the inputs of a group, each in its label, under the headings of the choices."""
        chosen, numbers = self.chosen(), count()
        html = ""
        for heading, options in self.grouped():
            labelled = "".join(
                f"<label>{self.input_html(next(numbers), text, text in chosen)} "
                f"{widgets.escape_text(label)}</label>"
                for text, label in options
            )
            legend = f"<legend>{widgets.escape_text(heading)}</legend>"
            html += f"<fieldset>{legend}{labelled}</fieldset>" if heading else labelled
        return Markup(html)  # nosec B704 # its texts are escaped

    def input_html(self, number: int, text: str, checked: bool, **kwargs: object) -> str:
        """Return the input of one choice.

        :param number: which one, from 0 on.
        :param kwargs: attributes.
        """
        given = {
            "type": self.input_type,
            "id": f"{self.id}.{number}",
            "name": self.name,
            "value": text,
            "checked": checked,
            **kwargs,
        }
        hidden = self.hidden_input if number == 0 else ""
        return f"{hidden}<input{widgets.attributes(given)}>"

    def chosen(self) -> set[str]:
        """Return the texts that stand for what is chosen."""
        return {self.text}

    def _add(self, texts: ChoiceTexts, choice: Choice) -> None:
        texts.add(text_of(choice.value), choice)


def text_of(value: object) -> str:
    """Return the text that stands for a choice, unless another choice has the same."""
    text = value.name or "" if isinstance(value, Enum) else generic_text(value)
    return ascii(text) if text and (text.splitlines() != [text] or "\0" in text) else text


class ChoiceInput:
    """The radio button or check box of one choice, to be placed by a template."""

    def __init__(
        self, field: ChoiceField, number: int, text: str, label: object, checked: bool
    ) -> None:
        self.field = field
        self.number, self.text = number, text
        self.id = f"{field.id}.{number}"
        self.label = Label(self.id, label)
        self.checked = checked

    def __call__(self, **kwargs: object) -> Markup:
        return Markup(self.field.input_html(self.number, self.text, self.checked, **kwargs))  # nosec B704 # its texts are escaped

    def __html__(self) -> str:
        return self()


class ZoneField(ChoiceField):
    """A time zone: a ZoneInfo, or its name."""

    def choices(self) -> list[Choice]:
        none = [Choice(None, gettext("(none)"))] if self.setting.optional else []
        return none + [Choice(name, name) for name in time_zones()]

    def process_data(self, value: object) -> None:
        super().process_data(_zone_name(value))
        self.data = value

    def format(self, value: object) -> str:
        return super().format(_zone_name(value))

    def display(self, value: object) -> str:
        return super().display(_zone_name(value))

    def gives_back(self, value: object, text: str) -> bool:
        return value is None or value_types.accepts(self.setting.value_type, value)

    def parse(self, text: str) -> object:
        try:
            name = super().parse(text)
        except ValueError:
            if has_zone_data() or value_types.shape_problem(value_types.TimeZone, text):
                raise
            name = text  # without data there is no list that it could be in
        is_zone = issubclass(self.setting.value_type, ZoneInfo)
        return find_zone(name) if is_zone and isinstance(name, str) and name else name


def _zone_name(value: object) -> object:
    return value.key if isinstance(value, ZoneInfo) else value
