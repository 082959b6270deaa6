"""Setting: one declared setting, and what its declaration says of a value."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from types import NoneType
from typing import Any

from . import kinds
from .util import same
from .words import gettext, ngettext

log = logging.getLogger(__name__)

Kind = type  # within Setting, "type" is an attribute
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
    type: Kind | None = None  #: only where it was declared
    help: Any = ""
    group: str = ""  #: the name of its group, the same in every language: `can` may go by it
    group_label: Any = ""  #: what people read of it; may be a lazy translation
    choices: Iterable[Any] | Callable[[], Iterable[Any]] | None = None
    validators: tuple[Callable[[Any, Any], Any], ...] = ()
    min: Any = None  #: of numbers the least value, of what has a length the least length
    max: Any = None
    secret: bool = False
    readonly: bool = False
    confirm: bool = False
    multiline: bool = False
    field: Callable[..., Any] | None = None  #: a WTForms field class, or a function of the Setting

    def __repr__(self) -> str:
        # Nothing of the default: it may be a secret, and this ends up in logs.
        return f"<Setting {self.key!r} {self.kind.__name__}>"

    @property
    def kind(self) -> Kind:
        """The declared type, else that of the default."""
        return self.type or type(self.default)

    @property
    def optional(self) -> bool:
        """Whether None is a value that it may have."""
        return self.default is None

    @property
    def several(self) -> bool:
        """Whether its value holds several of the choices, not one."""
        return issubclass(self.kind, _SEVERAL)

    @property
    def members(self) -> list[Any]:
        """The members of an Enum; none of another kind."""
        members: Any = self.kind if issubclass(self.kind, Enum) else ()
        return list(members)

    def copy_default(self) -> Any:
        """Return the default, as a copy that the caller may change."""
        return copy.deepcopy(self.default)

    def pairs(self) -> list[tuple[Any, str]] | None:
        """Return the choices as ``(value, label)``, asked now if they are a function; None: any."""
        if self.choices is None:
            return None
        choices = self.choices() if callable(self.choices) else self.choices
        return [_pair(choice) for choice in choices]

    def problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared type, choices or limits; None when it doesn't.

        Validators are not asked: they need a form.
        """
        if value is None and self.optional:
            return None
        return self.type_problem(value) or self.choice_problem(value) or self.limit_problem(value)

    def type_problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared type."""
        if self.type is None:
            return None
        if kinds.accepts(self.type, value):
            return kinds.shape_problem(self.type, value)
        return self._wrong_type(value)

    def choice_problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared choices."""
        try:
            pairs = self.pairs()
        except Exception as error:
            # What is raised about the choices of a secret may quote it.
            log.error("%s: no choices", self.key, exc_info=None if self.secret else error)
            return gettext(
                "Its choices can't be listed at the moment (%(error)s).", error=type(error).__name__
            )
        if pairs is None or any(same(value, choice) for choice, _ in pairs):
            return None
        if self.several and isinstance(value, _SEVERAL):
            if all(any(same(item, choice) for choice, _ in pairs) for item in value):
                return None
            return gettext("Something in this is not one of the choices.")
        return gettext("This is not one of the choices.")

    def limit_problem(self, value: Any) -> str | None:
        """Return how *value* breaks the declared limits."""
        if self.min is None and self.max is None:
            return None
        try:
            size = len(value) if self.counted() else value
            # "not >=", because nan is neither.
            if self.min is not None and not size >= self.min:
                return gettext("At least %(limit)s.", limit=self._amount(self.min))
            if self.max is not None and not size <= self.max:
                return gettext("At most %(limit)s.", limit=self._amount(self.max))
        except (TypeError, ArithmeticError):  # the latter: Decimal("sNaN")
            return self._wrong_type(value)
        return None

    def _wrong_type(self, value: Any) -> str:
        noun, name = kinds.noun(self.kind), type(value).__name__
        return gettext("This must be %(noun)s, not %(type)s.", noun=noun, type=name)

    def counted(self) -> bool:
        """Whether the limits are those of a length."""
        return self.kind is NoneType or hasattr(self.kind, "__len__")

    def _amount(self, limit: Any) -> str:
        """A limit in words."""
        if not self.counted():
            return kinds.words(self.kind, limit)
        in_words = next(unit for kinds_, unit in _UNITS if issubclass(self.kind, kinds_))
        return in_words(limit)


def _pair(choice: Any) -> tuple[Any, str]:
    if isinstance(choice, tuple) and len(choice) == 2:
        return choice
    return choice, kinds.label(choice)
