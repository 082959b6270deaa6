"""Numbered: Enums whose members auto() numbers, so that another member may get a stored number."""

from __future__ import annotations

import ast
import enum
import inspect
import sys
from collections.abc import Iterable, Mapping
from enum import Enum

from .setting import Setting
from .type_rule import SEVERAL

REMEDY = (
    "auto() numbers its members, and the format 'pickle' stores these numbers: if a member is "
    "added above others, a stored value is another member. Write today's numbers in place of "
    "auto(), or set WAFFLE_SERIALIZER = 'json', which stores names"
)


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
    items = setting.default if isinstance(setting.default, SEVERAL) else ()
    values = (*items, *(choice.value for choice in choices))
    return dict.fromkeys([setting.value_type, *map(type, values)])


def _is_numbered(cls: type[Enum]) -> bool:
    """Whether `auto` numbers the members of an Enum; False where that is unknown."""
    try:
        if not all(type(member.value) is int for member in cls):
            return False
        names = vars(sys.modules[cls.__module__])
        return any(_is_auto(call.func, names) for call in _calls(inspect.getsource(cls)))
    except Exception:  # its source is not at hand, or is no Python: the app starts all the same
        return False


def _calls(source: str) -> Iterable[ast.Call]:
    """Return the calls in the values that the body of a class gives its names."""
    if source[:1].isspace():  # a class within a class or function
        source = f"if True:\n{source}"
    body = next(node.body for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ClassDef))
    values = (item.value for item in body if isinstance(item, ast.Assign | ast.AnnAssign))
    nodes = (node for value in values if value for node in ast.walk(value))
    return (node for node in nodes if isinstance(node, ast.Call))


def _is_auto(function: ast.expr, names: Mapping[str, object]) -> bool:
    """Whether what is called is `enum.auto`.

    :param names: those of the module; what a function has imported is known by its name alone.
    """
    if isinstance(function, ast.Attribute):
        return function.attr == "auto"
    if not isinstance(function, ast.Name):
        return False
    return names.get(function.id, enum.auto if function.id == "auto" else None) is enum.auto
