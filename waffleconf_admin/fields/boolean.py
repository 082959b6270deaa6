"""Fields for yes or no."""

from __future__ import annotations

from ..i18n import gettext
from ..settings.choices import Choice
from . import widgets
from .base import SettingField
from .choice import ChoiceField
from .value_text import require_type

#: What people may write for yes and no.
TRUE = ("true", "on", "yes", "y", "1")
FALSE = ("false", "off", "no", "n", "0")


class BooleanField(SettingField):
    """Yes or no."""

    control = "checkbox"
    is_switch = True
    may_send_nothing = True
    widget = widgets.Checkbox()

    def format(self, value: object) -> str:
        require_type(value, bool)
        return "true" if value else "false"

    def display(self, value: object) -> str:
        return gettext("On") if self.format(value) == "true" else gettext("Off")

    def sent_values(self, text: str) -> list[str]:
        return ["", "on"] if text == "true" else [""]

    @staticmethod
    def canonical(values: list[str]) -> str:
        # The box comes after its hidden input. Whatever value a box may send, it means ticked.
        last = values[-1].strip() if values else ""
        return "false" if last.lower() in ("", *FALSE) else "true"

    def read(self, text: str) -> bool:
        return self.parse(text)  # unlike a box: "maybe" is not yes

    def parse(self, text: str) -> bool:
        return self.read_word(text)

    @staticmethod
    def read_word(text: str) -> bool:
        """Return what a word for yes or no means.

        :raises ValueError: it is none.
        """
        word = text.strip().lower()
        if word in TRUE or word in FALSE:
            return word in TRUE
        raise ValueError(gettext("Enter true or false."))


class OptionalBooleanField(ChoiceField):
    """Yes, no or None."""

    def choices(self) -> list[Choice]:
        labels = {None: gettext("Not set"), True: gettext("On"), False: gettext("Off")}
        return [Choice(value, label) for value, label in labels.items()]

    def read(self, text: str) -> object:
        word = text.strip().lower()
        return word in TRUE if word in (*TRUE, *FALSE) else super().read(text)
