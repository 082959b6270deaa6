"""Numbered: Enums whose members auto() numbers, so that another member may get a stored number."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping
from enum import Enum

from .setting import Setting

REMEDY = (
    "auto() numbers its members, and the format 'pickle' stores these numbers: if a member is "
    "added above others, a stored value is another member. Write today's numbers in place of "
    "auto(), or set WAFFLE_SERIALIZER = 'json', which stores names"
)

_CALL = re.compile(r"\bauto\(\)")


def find_numbered(settings: Mapping[str, Setting]) -> dict[str, str]:
    """Return the name of an Enum for each setting whose members `auto` numbers."""
    found = {}
    for key, setting in settings.items():
        for value_type in _types_of(setting):
            if issubclass(value_type, Enum) and _is_numbered(value_type):
                found[key] = value_type.__name__
    return found


def _types_of(setting: Setting) -> Iterable[type]:
    choices = setting.choices if isinstance(setting.choices, list) else ()
    return {setting.value_type, *(type(choice.value) for choice in choices)}


def _is_numbered(enum: type[Enum]) -> bool:
    if not all(type(member.value) is int for member in enum):
        return False
    try:
        return _CALL.search(inspect.getsource(enum)) is not None
    except (OSError, TypeError):  # its source is not at hand
        return False
