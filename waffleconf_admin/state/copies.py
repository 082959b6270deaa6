"""Copies of values, fast ones of the most common; and which values need none."""

from __future__ import annotations

import copy
from datetime import date, datetime, timedelta
from enum import Enum
from types import NoneType
from uuid import UUID

from ..codec.values import SCALARS

#: Types whose values nobody can change in place, so that they can be handed out again and again.
_IMMUTABLE = SCALARS - {bytearray}
#: Those of them whose values every format gives back as they are. Not Decimal: one with a large
#: exponent is short, and can't be read.
_SCALARS = frozenset({NoneType, bool, int, float, str, date, timedelta, UUID})
#: Lists and dicts in one another. A list that is many times in another is short as a text, and
#: longer with each level as a copy.
_MAX_DEPTH = 2


class NoQuickCopy(Exception):
    """A value is not made of lists, dicts and values of common types only."""


def is_immutable(value: object) -> bool:
    """Whether a value can't be changed in place; False may also mean that this is not known."""
    return type(value) in _IMMUTABLE or isinstance(value, Enum)


def quick_copy(value: object, depth: int = _MAX_DEPTH) -> object:
    """Return a copy that has no list or dict in common with a value of common types.

    It is what the value's stored text is read back as, if that is not too long to be read, in a
    tenth of the time.

    :raises NoQuickCopy: the value has parts of other types, or is deeply nested.
    """
    cls = type(value)
    if cls in _SCALARS or (isinstance(value, datetime) and cls is datetime and not value.tzinfo):
        return value
    if depth and isinstance(value, list) and cls is list:
        if _SCALARS.issuperset(map(type, value)):
            return value.copy()
        return [quick_copy(item, depth - 1) for item in value]
    if depth and isinstance(value, dict) and cls is dict and set(map(type, value)) <= {str}:
        if _SCALARS.issuperset(map(type, value.values())):
            return value.copy()
        return {key: quick_copy(item, depth - 1) for key, item in value.items()}
    raise NoQuickCopy


def own_copy(value: object) -> object:
    """Return a default or a value of a layer as one that no other record has."""
    try:
        return quick_copy(value)
    except NoQuickCopy:
        return copy.deepcopy(value)
