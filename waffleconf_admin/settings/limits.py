"""Limits: the least and the greatest value of a setting, or its length."""

from __future__ import annotations

from collections.abc import Callable
from types import NoneType
from typing import Any, NamedTuple

from ..i18n import gettext, ngettext
from . import value_types
from .notation import PYTHON, Notation

#: A value that limits can hold for, or a limit. Each such type has an order of its own, or a
#: length, so no more can be said of all of them.
Limited = Any

_LENGTHS: tuple[tuple[tuple[type, ...], Callable[[int], str]], ...] = (
    ((str, NoneType), lambda n: ngettext("%(count)s character", "%(count)s characters", n)),
    ((bytes, bytearray), lambda n: ngettext("%(count)s byte", "%(count)s bytes", n)),
    ((object,), lambda n: ngettext("%(count)s item", "%(count)s items", n)),
)


class Limits(NamedTuple):
    """The limits of values of a type; those of their length where the type has one."""

    value_type: type
    min: Limited  #: None: no limit
    max: Limited

    @property
    def counted(self) -> bool:
        """Whether these are limits of a length."""
        return self.value_type is NoneType or hasattr(self.value_type, "__len__")

    def problem(self, value: Limited, notation: Notation = PYTHON) -> str | None:
        """Return how a value of the type breaks the limits; None when it doesn't.

        :param notation: of the limit in the message.
        """
        if self.min is None and self.max is None:
            return None
        size = len(value) if self.counted else value
        # "not >=", because nan is neither.
        if self.min is not None and not size >= self.min:
            return gettext("At least %(limit)s.", limit=self._text(self.min, notation))
        if self.max is not None and not size <= self.max:
            return gettext("At most %(limit)s.", limit=self._text(self.max, notation))
        return None

    def apply_to(self, value: object) -> bool:
        """Whether a value can be compared with the limits."""
        try:
            self.problem(value)
        except Exception:  # mostly a TypeError; Decimal("sNaN") and classes of apps have others
            return False
        return True

    def _text(self, limit: Limited, notation: Notation) -> str:
        if not self.counted:
            return value_types.display_text(self.value_type, limit, notation)
        text = next(text for types, text in _LENGTHS if issubclass(self.value_type, types))
        return text(limit)
