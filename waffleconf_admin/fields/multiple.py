"""Fields for several of the choices, with a check box for each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_
from typing import Any

from markupsafe import Markup

from ..i18n import gettext
from ..settings.choices import Choice
from ..settings.equality import same
from . import widgets
from .choice import ChoiceField


class SeveralField(ChoiceField):
    """Several of the declared choices, in a list, tuple or set. Its text has a line for each."""

    control = "checks"
    button = "checkbox"
    roles = "group"

    @property
    def companion(self) -> Markup:  # type: ignore[override]
        """A hidden input that is sent when every box is empty."""
        given = widgets.attributes({"type": "hidden", "name": self.name, "value": ""})
        return Markup(f"<input{given}>")

    def choices(self) -> list[Choice]:
        return [choice for choice in super().choices() if choice.value is not None]

    def items(self, value: Any) -> list[Any]:
        """Return what a value is made of."""
        return [] if value is None else list(value)

    def gathered(self, items: list[Any]) -> Any:
        """Return the value that is made of items."""
        return self.setting.value_type(items)

    def fitting(self) -> str:
        return "checks"

    def process_data(self, value: Any) -> None:
        self._offer(value)
        self.data, self.text = value, self.show(value)

    def gives_back(self, value: Any) -> bool:
        if value is None:
            return self.setting.optional
        self._offer(value)
        # Their order is not shown, and comes back only from a control that nobody touches.
        lines = [line for line in self.show(value).split("\n") if line]
        return type(value) is self.setting.value_type and len(lines) == len(self.items(value))

    def show(self, value: Any) -> str:
        items = self.items(value)
        return "\n".join(
            text for text, choice in self._offered.items() if _is_among(choice.value, items)
        )

    def display(self, value: Any) -> str:
        return ", ".join(ChoiceField.display(self, item) for item in self.items(value))

    def read(self, text: str) -> Any:
        """Return the value of a text that somebody wrote: with commas, or on lines."""
        lines = text.strip().split("\n")
        if any(line not in self.texts for line in lines):
            lines = text.replace("\n", ",").split(",")
        return self.parse(self.canonical([line.strip() for line in lines]))

    @staticmethod
    def canonical(raw: list[str]) -> str:
        return "\n".join(text for text in raw if text)

    def parse(self, text: str) -> Any:
        chosen = text.split("\n") if text else []
        for line in chosen:
            if line not in self.texts:
                raise ValueError(gettext("“%(text)s” is not one of the choices.", text=line[:50]))
        if not chosen and self.setting.optional:
            return None
        return self.gathered([self.texts[line].value for line in dict.fromkeys(chosen)])

    def process_formdata(self, valuelist: list[str]) -> None:
        stored = self.items(self.data)
        super().process_formdata(valuelist)
        if isinstance(self.data, (list, tuple)):
            # Boxes have no order of their own: what stays keeps its place, what is new follows.
            kept = [item for item in stored if _is_among(item, self.data)]
            new = [item for item in self.data if not _is_among(item, kept)]
            self.data = self.gathered([*kept, *new])

    def chosen(self) -> set[str]:
        return set(self.text.split("\n"))

    def _offer(self, value: Any) -> None:
        """Offer what of a value is from before the choices were changed."""
        self._offered = dict(self.texts)
        for item in self.items(value):
            if not any(same(item, choice.value) for choice in self._offered.values()):
                label = gettext(
                    "%(value)s (no longer a choice)", value=ChoiceField.display(self, item)
                )
                self._add(self._offered, Choice(item, label))
                self.has_former = True

    def _add(self, texts: dict[str, Choice], choice: Choice) -> None:
        super()._add(texts, choice)
        if "" in texts:  # stands for no box at all
            texts["''"] = texts.pop("")


def _is_among(item: Any, items: Iterable[Any]) -> bool:
    return any(same(item, other) for other in items)


class FlagField(SeveralField):
    """Members of a Flag."""

    def items(self, value: Any) -> list[Any]:
        members = [] if value is None else list(value)
        # Bits that no member has a name for stand for themselves, as a choice that is none.
        named = self.gathered(members)
        return members if value is None or named == value else [*members, value ^ named]

    def gathered(self, items: list[Any]) -> Any:
        return reduce(or_, items, self.setting.value_type(0))

    def read(self, text: str) -> Any:
        return super().read(text.replace("|", ","))
