"""Choices: the values that a setting may have, in every shape in which WTForms takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import Enum, EnumMeta
from typing import NamedTuple, TypeGuard

from ..plain import is_lazy, plain
from .equality import ValueMap


class Choice(NamedTuple):
    """One of the choices."""

    value: object
    label: object = None  #: may be a lazy translation; None: it is made from the value
    group: object = ""  #: the heading that it stands under in a list; may be a lazy translation


class ChoiceSet:
    """The values of choices. One is found at once among thousands."""

    def __init__(self, choices: Iterable[Choice]) -> None:
        values = [choice.value for choice in choices]
        #: The types of the values, each once, in their order.
        self.types: tuple[type, ...] = tuple(dict.fromkeys(map(type, values)))
        self._places = ValueMap((value, place) for place, value in enumerate(values))

    def __bool__(self) -> bool:
        return bool(self.types)

    def __contains__(self, value: object) -> bool:
        return self._places.get(value) is not None

    def has_twice(self, values: Collection[object]) -> bool:
        """Whether one of the choices is in values more than once; all of them are choices."""
        return len(set(map(self._places.get, values))) < len(values)


def choice_list(choices: object) -> list[Choice]:
    """Return choices as a list.

    :param choices: values or ``(value, label)`` pairs of any type, such as rows of a query; a dict
        of labels by value, or of choices by group; an Enum.
    :raises ValueError: these are none; the message says what to write.
    """
    if isinstance(choices, Mapping):
        choices = choices.items()
    elif not isinstance(choices, (Iterable, EnumMeta)) or isinstance(choices, (str, bytes)):
        raise ValueError(
            "write a list of values or of (value, label), a dict, an Enum, or a function that "
            f"returns one of these, not {type(choices).__name__}"
        )
    elif isinstance(choices, (set, frozenset)):  # in the same order everywhere
        choices = sorted(choices, key=lambda choice: (type(choice).__name__, repr(choice)))
    found = [
        choice._replace(value=plain(choice.value)) for item in choices for choice in _choices(item)
    ]
    if any(is_lazy(choice.value) for choice in found):
        raise ValueError(
            "the value of a choice is a lazy text, which is another one in each language: write "
            'the value and its label, ("dark", lazy_gettext("Dark"))'
        )
    if not found and isinstance(choices, Iterator):
        raise ValueError("nothing is left in this generator, which can be read once: write a list")
    return found


def _choices(item: object) -> Iterator[Choice]:
    """The choice that an item stands for; of a group all."""
    parts = item if _is_row(item) else (item,)
    if len(parts) == 2 and isinstance(parts[1], (Mapping, list, tuple)):
        for choice in choice_list(parts[1]):
            yield choice._replace(group=parts[0])
    elif len(parts) == 2:
        yield Choice(*parts)
    elif len(parts) == 3 and isinstance(parts[2], dict):  # the last: attributes of an <option>
        yield Choice(*parts[:2])
    elif isinstance(item, (list, tuple)) or parts[0] is item:
        yield Choice(item)
    else:
        raise ValueError(f"a row of {len(parts)}: select two columns, the value and its label")


def _is_row(item: object) -> TypeGuard[Sequence[object]]:
    """Whether an item may be several things, as a pair is."""
    whole = (str, bytes, bytearray, memoryview, range, Enum)
    return isinstance(item, Sequence) and not isinstance(item, whole)
