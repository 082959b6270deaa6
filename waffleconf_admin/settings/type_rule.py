"""TypeRule: whether a value is of the declared type, and how another value becomes one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime, time
from types import NoneType
from typing import TypeGuard

from ..i18n import gettext, mark
from . import value_types
from .annotation import fits, text
from .choices import ChoiceSet
from .conversion import convert
from .limits import Limits

#: Types whose values can hold several of the choices.
SEVERAL = (list, tuple, set, frozenset)
#: Types of times that may have a time zone.
TIMES = (datetime, time)
HAS_ZONE = mark("This must have no time zone.")
HAS_NO_ZONE = mark("This must have a time zone.")
IS_NO_CHOICE = mark("This is not one of the choices.")
ITEM_IS_NO_CHOICE = mark("Something in this is not one of the choices.")
CHOSEN_TWICE = mark("Something in this is there twice: take one out.")


class TypeRule:
    """What a declaration says of the type of a value.

    The type is declared by ``type=``; else by the choices, if they are not a function; else by
    limits: then it is that of the default. Where only the default remains, any type is allowed.

    :param declared: what ``type=`` says; None where it was left out.
    :param choices: empty where there are none, or only a function knows them.
    :param annotation: what the declared type says beyond a class: list[str]; None: nothing.
    """

    def __init__(
        self,
        declared: type | None,
        default: object,
        choices: ChoiceSet,
        limits: Limits,
        annotation: object,
    ) -> None:
        self._declared = declared
        self._annotation = annotation
        self._default = default
        self._choices = choices
        self._limits = limits
        self._value_type = limits.value_type
        self._several = issubclass(self._value_type, SEVERAL)
        self._types = self._declared_types()

    def problem(self, value: object) -> str | None:
        """Return how a value breaks the rule; None when it doesn't."""
        if problem := self.class_problem(value):
            return problem
        if self._choices and not self._fits(value):
            return self._misfit()
        return value_types.shape_problem(self._declared, value) if self._declared else None

    def class_problem(self, value: object) -> str | None:
        """Return how a value, or what it holds, is of another class; None when it isn't.

        A text of the wrong shape and a wrong choice are of the right class.
        """
        if not self._accepts(value):
            return self._wrong_type(value)
        if problem := self._zone_problem(value):
            return problem
        if not self._limits.apply_to(value):
            return self._wrong_type(value)
        return None if self._choices or self._fits(value) else self._misfit()

    def _fits(self, value: object) -> bool:
        return self._annotation is None or fits(self._annotation, value)

    def convert(self, value: object) -> object:
        """Return a value of another type as one of the declared type.

        :raises ValueError: it can't be, or something would be lost.
        """
        whole = self._several and self._choices
        made = self._convert_items(value) if whole else self._convert(value, self._types)
        if self.problem(made):
            raise ValueError
        return made

    def _declared_types(self) -> tuple[type, ...]:
        """The declared types; none where any type is allowed."""
        if self._declared is not None:
            return (self._declared,)
        if self._choices:
            return tuple(dict.fromkeys([type(self._default), *self._choices.types]))
        limited = self._limits.min is not None or self._limits.max is not None
        return (type(self._default),) if limited and self._default is not None else ()

    def _accepts(self, value: object) -> bool:
        if self._choices and self._several:
            return self._holds_several(value) and self._holds_choices(value)
        if self._choices and self._declared is None:
            return type(value) in self._types
        return not self._types or any(value_types.accepts(each, value) for each in self._types)

    def _holds_several(self, value: object) -> TypeGuard[Collection[object]]:
        """Whether a value can hold several of the choices."""
        return self._several and isinstance(value, self._declared or SEVERAL)

    def _holds_choices(self, value: Collection[object]) -> bool:
        """Whether all that a value holds may be choices, or it itself, where these are lists."""
        types = self._choices.types
        return type(value) in types or all(type(item) in types for item in value)

    def _zone_problem(self, value: object) -> str | None:
        """Return how a time differs from the default in that only one of them has a time zone:
        code that compares either with the time now would fail with the other.
        """
        default = self._default
        if not (self._types and isinstance(value, TIMES) and isinstance(default, TIMES)):
            return None
        if (value.tzinfo is None) == (default.tzinfo is None):
            return None
        return gettext(HAS_ZONE if default.tzinfo is None else HAS_NO_ZONE)

    def _wrong_type(self, value: object) -> str:
        if self._choices and self._holds_several(value):
            return gettext(ITEM_IS_NO_CHOICE)
        if self._choices and self._declared is None:
            return gettext(IS_NO_CHOICE)
        noun, name = value_types.noun(self._value_type), type(value).__name__
        return gettext("This must be %(noun)s, not %(type)s.", noun=noun, type=name)

    def _misfit(self) -> str:
        if self._choices:
            return gettext(ITEM_IS_NO_CHOICE if self._several else IS_NO_CHOICE)
        return gettext("This must be of the type %(type)s.", type=text(self._annotation))

    def _convert_items(self, value: object) -> object:
        whole = value if self._holds_several(value) else convert(value, self._value_type)
        if not isinstance(whole, SEVERAL) or type(whole) not in SEVERAL:
            raise ValueError
        types = self._choices.types
        items = [item if type(item) in types else self._convert(item, types) for item in whole]
        made = type(whole)(items)
        if len(made) < len(items):
            raise ValueError
        return made

    def _convert(self, value: object, types: Iterable[type]) -> object:
        """Convert to the first type that is possible: to that of the default before others."""
        first = () if self._default is None or self._several else (type(self._default),)
        found = []
        for value_type in dict.fromkeys([*first, *(types or (NoneType,))]):
            with suppress(ValueError):
                found.append(convert(value, value_type))
        if not found:
            raise ValueError
        return next((made for made in found if made in self._choices), found[0])
