"""Fields for several of the choices, with a check box for each."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import reduce
from operator import or_

from markupsafe import Markup

from ..i18n import gettext
from ..settings.choices import Choice, ChoiceSet
from ..settings.type_rule import CHOSEN_TWICE, SEVERAL
from . import widgets
from .choice import ChoiceField, ChoiceTexts, text_of
from .value_text import require_type


class MultipleChoiceField(ChoiceField):
    """Several of the declared choices, in a list, tuple or set; its text has a line for each."""

    control = group_control = "checks"
    is_group = True
    may_send_nothing = True
    input_type = "checkbox"
    role = "group"

    @property
    def hidden_input(self) -> Markup:  # type: ignore[override]
        """An input that is sent when no box is ticked."""
        given = widgets.attributes({"type": "hidden", "name": self.name, "value": ""})
        return Markup(f"<input{given}>")  # nosec B704 # its texts are escaped

    def choices(self) -> list[Choice]:
        return [choice for choice in super().choices() if choice.value is not None]

    def items(self, value: object) -> list[object]:
        """Return the items of a value.

        :raises UnsupportedValue: it has none; an older declaration had another type.
        """
        if value is None:
            return []
        if not isinstance(value, SEVERAL):
            value = require_type(value, self.setting.value_type)
        return list(value)

    def collect(self, items: list[object]) -> object:
        """Return the value that holds these items."""
        return self.setting.value_type(items)

    def fits_buttons(self) -> bool:
        return True  # however many there are, each has a box

    def process_data(self, value: object) -> None:
        self._offer(value)
        self.data, self.text = value, self.format(value)

    def round_trips(self, value: object) -> bool:
        self._offer(value)
        return super().round_trips(value)

    def gives_back(self, value: object, text: str) -> bool:
        if value is None:
            return self.setting.optional
        # Boxes have no order: it is kept only as long as nobody touches them.
        lines = [line for line in text.split("\n") if line]
        return type(value) is self.setting.value_type and len(lines) == len(self.items(value))

    def format(self, value: object) -> str:
        chosen = set(map(self._offered.text_of, self.items(value)))
        return "\n".join(text for text in self._offered if text in chosen)

    def write(self, value: object) -> str:
        return "\n".join(self._texts_of(value))

    def write_line(self, value: object) -> str:
        return one_line(self._texts_of(value))

    def _texts_of(self, value: object) -> list[str]:
        """The texts of the items, in their order where they have one; of former choices too."""
        offered = self._offering(value)
        texts = [offered.text_of(item) or "" for item in self.items(value)]
        if isinstance(value, (list, tuple)):
            return texts
        chosen = set(texts)
        return [text for text in offered if text in chosen]

    def display(self, value: object) -> str:
        return ", ".join(ChoiceField.display(self, item) for item in self.items(value))

    def read(self, text: str) -> object:
        """Return the value of a text that somebody wrote, with commas or line by line."""
        lines = text.strip().split("\n")
        if any(line not in self.texts for line in lines):
            lines = text.replace("\n", ",").split(",")
        return self.parse(self.canonical([line.strip() for line in lines]))

    def sent_values(self, text: str) -> list[str]:
        return ["", *text.split("\n")] if text else [""]

    @staticmethod
    def canonical(values: list[str]) -> str:
        return "\n".join(text for text in values if text)

    def parse(self, text: str) -> object:
        chosen = text.split("\n") if text else []
        for line in chosen:
            if line not in self.texts:
                raise ValueError(gettext("“%(text)s” is not one of the choices.", text=line[:50]))
        if len(set(chosen)) < len(chosen):
            raise ValueError(gettext(CHOSEN_TWICE))
        if not chosen and self.setting.optional:
            return None
        return self.collect([self.texts[line].value for line in chosen])

    def process_formdata(self, valuelist: list[str]) -> None:
        stored = self.items(self.data)
        super().process_formdata(valuelist)
        if isinstance(self.data, (list, tuple)):
            # Boxes have no order of their own: what stays keeps its place, what is new follows.
            sent, former = ChoiceSet(map(Choice, self.data)), ChoiceSet(map(Choice, stored))
            staying = [item for item in stored if item in sent]
            new = [item for item in self.data if item not in former]
            self.data = self.collect([*staying, *new])

    def chosen(self) -> set[str]:
        return set(self.text.split("\n"))

    def _offer(self, value: object) -> None:
        """Offer the items of a value that are no longer choices, too."""
        self._offered = self._offering(value)
        self.has_removed_choice |= len(self._offered) > len(self.texts)

    def _offering(self, value: object) -> ChoiceTexts:
        """The choices, and those items of a value that are no longer among them."""
        offered = self.texts.copy()
        for item in self.items(value):
            if offered.text_of(item) is None:
                label = gettext(
                    "%(value)s (no longer a choice)", value=ChoiceField.display(self, item)
                )
                self._add(offered, Choice(item, label))
        return offered

    def _add(self, texts: ChoiceTexts, choice: Choice) -> None:
        # "" is the text of no box at all.
        texts.add(text_of(choice.value) or _unused("''", texts), choice)


def one_line(texts: Sequence[str]) -> str:
    """Texts on one line, after commas: one that has a comma or a blank around it is quoted."""
    bare = [text == text.strip() and "," not in text for text in texts]
    return ", ".join(text if each else f'"{text}"' for each, text in zip(bare, texts, strict=True))


def _unused(text: str, texts: Container[str]) -> str:
    """The text, quoted as often as it takes to be none of those."""
    while text in texts:
        text = f"'{text}'"
    return text


class FlagField(MultipleChoiceField):
    """Members of a Flag."""

    def items(self, value: object) -> list[object]:
        if value is None:
            return []
        value = require_type(value, self.setting.value_type)
        members: list[object] = list(value)
        # Bits without a name are an item of their own, which is none of the choices.
        named = self.collect(members)
        return members if named == value else [*members, value ^ named]

    def collect(self, items: list[object]) -> object:
        return reduce(or_, items, self.setting.value_type(0))

    def read(self, text: str) -> object:
        return super().read(text.replace("|", ","))
