"""Setting: one declared setting, and what its declaration says of a value."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from types import NoneType
from typing import Any, Literal

from ..calls import call_directly, describe_error
from ..i18n import gettext, ngettext
from . import value_types
from .choices import Choice, choice_list
from .conversion import convert
from .equality import same

log = logging.getLogger(__name__)

Type = type  # within Setting, "type" is an attribute
#: What is served of a stored value: it, a converted one, or the default in its place.
Served = Literal["stored", "converted", "default"]
#: Types whose values are the same where they are equal.
_HASHED = (str, bytes, bool, int, NoneType)
_SEVERAL = (list, tuple, set, frozenset)
_UNITS: tuple[tuple[Any, Callable[[int], str]], ...] = (
    ((str, NoneType), lambda n: ngettext("%(count)s character", "%(count)s characters", n)),
    ((bytes, bytearray), lambda n: ngettext("%(count)s byte", "%(count)s bytes", n)),
    (object, lambda n: ngettext("%(count)s item", "%(count)s items", n)),
)


@dataclass(frozen=True, repr=False, eq=False)
class Setting:
    """One declared setting; what `declare` made of an entry of WAFFLE_CONFS."""

    key: str
    label: Any  #: may be a lazy translation
    default: Any
    type: Type | None = None  #: only where it was declared
    help: Any = ""
    group: str = ""  #: the name of its group, the same in every language: `can` may go by it
    group_label: Any = ""  #: what people read of it; may be a lazy translation
    choices: list[Choice] | Callable[[], Any] | None = None
    validators: tuple[Callable[[Any, Any], Any], ...] = ()
    min: Any = None  #: of numbers the least value, of what has a length the least length
    max: Any = None
    secret: bool = False
    readonly: bool = False
    confirm: bool = False
    multiline: bool = False
    field: Callable[..., Any] | None = None  #: a WTForms field class, or a function of the Setting
    call: Callable[..., Any] = call_directly  #: calls the functions above, as their app needs it

    def __repr__(self) -> str:
        # Nothing of the default: it may be a secret, and this ends up in logs.
        return f"<Setting {self.key!r} {self.value_type.__name__}>"

    @property
    def value_type(self) -> Type:
        """The declared type, else that of the default."""
        return self.type or type(self.default)

    @property
    def optional(self) -> bool:
        """Whether None is a value that it may have."""
        return self.default is None

    @property
    def several(self) -> bool:
        """Whether its value holds several of the choices, not one."""
        return issubclass(self.value_type, _SEVERAL)

    @property
    def members(self) -> list[Any]:
        """The members of an Enum; empty for another type."""
        members: Any = self.value_type if issubclass(self.value_type, Enum) else ()
        return list(members)

    def copy_default(self) -> Any:
        """Return the default, as a copy that the caller may change."""
        return copy.deepcopy(self.default)

    def list_choices(self) -> list[Choice] | None:
        """Return the choices, asked now if they are a function, each with a label; None: any."""
        choices = self._choices_now()
        return choices and [
            choice._replace(label=value_types.label(choice.value))
            if choice.label is None
            else choice
            for choice in choices
        ]

    def _choices_now(self) -> list[Choice] | None:
        return choice_list(self.call(self.choices)) if callable(self.choices) else self.choices

    # What may be served, and saved

    def serve(self, value: Any) -> tuple[Any, Served]:
        """Return what is served of a stored value, and which that is.

        One of another type than is declared is converted if nothing is lost by it, else the default
        is served. What only breaks limits, choices or validators was allowed when it was saved.
        """
        if self.type_problem(value) is None:
            return value, "stored"
        try:
            return self._converted(value), "converted"
        except ValueError:
            return self.copy_default(), "default"

    def problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared type, choices or limits; None when it doesn't.

        Validators are not asked: they need a form.
        """
        if value is None and self.optional:
            return None
        return self.type_problem(value) or self.choice_problem(value) or self.limit_problem(value)

    def stored_problem(self, value: Any) -> str | None:
        """Return the same of a stored value, without asking any function of the app.

        Of a secret only that it breaks something.
        """
        if value is None and self.optional:
            return None
        problem = self.type_problem(value)
        if not (problem or callable(self.choices)):
            problem = self.choice_problem(value)
        problem = problem or self.limit_problem(value)
        return gettext("Of a secret nothing more is said.") if problem and self.secret else problem

    def type_problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared type, so that it is neither served nor saved.

        The type is declared by ``type=``; else by the choices, if they are not a function; else by
        limits: then it is that of the default. Where only the default tells, any type is allowed.
        """
        if value is None and self.optional:
            return None
        if not self._is_of_type(value) or not self._is_comparable(value):
            return self._wrong_type(value)
        return value_types.shape_problem(self.type, value) if self.type else None

    def choice_problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared choices."""
        try:
            choices = self._choices_now()
        except Exception as error:
            # What is raised about the choices of a secret may quote it.
            what = describe_error(error) if self.secret else type(error).__name__
            cause = None if self.secret else error
            log.error("%s: no choices (%s)", self.key, what, exc_info=cause)
            return gettext(
                "Its choices can't be listed at the moment (%(error)s).", error=type(error).__name__
            )
        if choices is None or self._is_among(value, choices):
            return None
        if self.several and isinstance(value, _SEVERAL):
            if all(self._is_among(item, choices) for item in value):
                return None
            return gettext("Something in this is not one of the choices.")
        return gettext("This is not one of the choices.")

    def limit_problem(self, value: Any) -> str | None:
        """Return how *value*, of the declared type, breaks the declared limits."""
        if self.min is None and self.max is None:
            return None
        size = len(value) if self.counted() else value
        # "not >=", because nan is neither.
        if self.min is not None and not size >= self.min:
            return gettext("At least %(limit)s.", limit=self._amount(self.min))
        if self.max is not None and not size <= self.max:
            return gettext("At most %(limit)s.", limit=self._amount(self.max))
        return None

    def counted(self) -> bool:
        """Whether the limits are those of a length."""
        return self.value_type is NoneType or hasattr(self.value_type, "__len__")

    def _amount(self, limit: Any) -> str:
        """A limit in words."""
        if not self.counted():
            return value_types.words(self.value_type, limit)
        in_words = next(unit for types, unit in _UNITS if issubclass(self.value_type, types))
        return in_words(limit)

    # Types

    @cached_property
    def _types(self) -> tuple[Type, ...]:
        """The declared types; none where only the default tells."""
        if self.type is not None:
            return (self.type,)
        if self._static_choices:
            return tuple(dict.fromkeys([type(self.default), *self._choice_types]))
        limited = self.min is not None or self.max is not None
        return (type(self.default),) if limited and self.default is not None else ()

    @cached_property
    def _static_choices(self) -> list[Choice]:
        """The choices, unless only a function knows them."""
        return self.choices if isinstance(self.choices, list) else []

    @cached_property
    def _choice_types(self) -> tuple[Type, ...]:
        return tuple(dict.fromkeys(type(choice.value) for choice in self._static_choices))

    @cached_property
    def _hashed(self) -> set[tuple[Type, Any]]:
        """The choices that are found at once: there may be thousands."""
        values = [choice.value for choice in self._static_choices]
        return {(type(value), value) for value in values if type(value) in _HASHED}

    def _is_among(self, value: Any, choices: list[Choice]) -> bool:
        if type(value) in _HASHED and choices is self._static_choices:
            return (type(value), value) in self._hashed
        return any(same(value, choice.value) for choice in choices)

    def _holds_several(self, value: Any) -> bool:
        """Whether a value can hold several of the choices."""
        return self.several and isinstance(value, self.type or _SEVERAL)

    def _is_of_type(self, value: Any) -> bool:
        if not self._static_choices or (self.type and not self.several):
            return not self._types or any(value_types.accepts(each, value) for each in self._types)
        types = self._choice_types
        if not self.several:
            return type(value) in self._types
        # Where the choices are lists, a list may be one of them.
        return self._holds_several(value) and (
            type(value) in types or all(type(item) in types for item in value)
        )

    def _is_comparable(self, value: Any) -> bool:
        """Whether the limits can tell anything of a value."""
        try:
            self.limit_problem(value)
        except Exception:  # mostly a TypeError; Decimal("sNaN") and classes of apps have others
            return False
        return True

    def _wrong_type(self, value: Any) -> str:
        if self._static_choices and self._holds_several(value):
            return gettext("Something in this is not one of the choices.")
        if self._static_choices and self.type is None:
            return gettext("This is not one of the choices.")
        noun, name = value_types.noun(self.value_type), type(value).__name__
        return gettext("This must be %(noun)s, not %(type)s.", noun=noun, type=name)

    def _converted(self, value: Any) -> Any:
        """Return a value of another type as one that is served.

        :raises ValueError: something would be lost.
        """
        several = self.several and self._static_choices
        made = self._convert_items(value) if several else self._convert(value, self._types)
        aware = getattr(self.default, "tzinfo", None) is not None
        if aware != (getattr(made, "tzinfo", None) is not None) and self.default is not None:
            raise ValueError  # a time without a zone, say, can't be compared with one that has one
        if self.type_problem(made):
            raise ValueError
        return made

    def _convert_items(self, value: Any) -> Any:
        whole = value if self._holds_several(value) else convert(value, self.value_type)
        types = self._choice_types
        made = [item if type(item) in types else self._convert(item, types) for item in whole]
        if type(whole) not in _SEVERAL or len(type(whole)(made)) < len(made):
            raise ValueError
        return type(whole)(made)

    def _convert(self, value: Any, types: Iterable[Type]) -> Any:
        """Convert to the first type that goes: that of the default before others."""
        first = () if self.default is None or self.several else (type(self.default),)
        found = []
        for value_type in dict.fromkeys([*first, *(types or (NoneType,))]):
            with suppress(ValueError):
                found.append(convert(value, value_type))
        if not found:
            raise ValueError
        choices = self._static_choices
        return next((made for made in found if self._is_among(made, choices)), found[0])
