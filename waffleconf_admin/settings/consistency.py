"""Consistency: whether the attributes of a declaration go together."""

from __future__ import annotations

from contextlib import suppress
from enum import Enum
from numbers import Number

from . import value_types
from .choices import ChoiceSet
from .setting import Setting


def check_setting(setting: Setting, *, has_unit: bool) -> None:
    """Refuse a setting whose attributes exclude each other.

    :param has_unit: whether a unit was declared.
    :raises ValueError: the message names an attribute, and says what to do.
    """
    if has_unit and not _is_of_numbers(setting.value_type):
        raise ValueError("unit: it stands beside a number, and this is none: take it out")
    _check_limits(setting)
    _check_default(setting)
    if setting.field is not None and setting.secret:
        raise ValueError("field: a secret has a control of its own: take out field or secret")
    if setting.secret and callable(setting.confirm_text):
        raise ValueError("confirm: a function could show the secret: write a text, or True")


def _check_limits(setting: Setting) -> None:
    value_type, counted = setting.value_type, setting.limits.counted
    limits = [limit for limit in (setting.min, setting.max) if limit is not None]
    if value_type is value_types.Range and len(limits) < 2:
        raise ValueError("min and max: a range has two ends, so declare both")
    if not limits:
        return
    if issubclass(value_type, (bool, Enum)):
        raise ValueError("min and max don't go with this type of setting: take them out")
    if counted and not all(type(limit) is int and limit >= 0 for limit in limits):
        raise ValueError("min and max of this setting count its length: write whole numbers")
    if issubclass(value_type, Number) and not all(map(_is_number, limits)):
        raise ValueError("min and max of this setting must be numbers")
    values = limits if counted or setting.default is None else [*limits, setting.default]
    try:
        above = len(limits) == 2 and setting.min > setting.max
        _ = [value <= limit for value in values for limit in limits]
    except (TypeError, ArithmeticError):
        raise ValueError(
            f"min and max of this setting must be {value_types.noun(value_type)}, like its default"
        ) from None
    if above:
        raise ValueError(f"min: {setting.min} is above max, {setting.max}: exchange them")


def _is_of_numbers(value_type: type) -> bool:
    """Whether values of a type are numbers that are written without a unit."""
    others = (bool, Enum, value_types.FileSize)
    return issubclass(value_type, Number) and not issubclass(value_type, others)


def _is_number(limit: object) -> bool:
    return isinstance(limit, Number) and not isinstance(limit, bool)


def _check_default(setting: Setting) -> None:
    """Refuse a default that breaks its own declaration; functions of choices are not asked yet."""
    if setting.default is not None and (problem := _default_problem(setting)):
        raise ValueError(problem)


def _default_problem(setting: Setting) -> str | None:
    """Return how a default that is not None breaks its declaration, and what to do."""
    if not value_types.accepts(setting.value_type, setting.default):
        return (
            f"type: it means {value_types.noun(setting.value_type)}, but the default is of type "
            f"{type(setting.default).__name__}: change one of them"
        )
    if not callable(setting.choices) and setting.choice_problem(setting.default):
        if setting.several and ChoiceSet(setting.choices or ()).has_twice(setting.default):
            return "choices: the default has one of them twice: take one out"
        if (alike := _choice_alike(setting)) is not None:
            return (
                f"choices: the default has the type {type(setting.default).__name__}, the choice "
                f"equal to it {type(alike).__name__}: take one"
            )
        pairs = any(choice.label is not None for choice in setting.choices or ())
        hint = " (what has two items is a value with its label)" if pairs else ""
        return f"choices: the default is not one of them: add it, or change the default{hint}"
    if problem := setting.type_problem(setting.default):
        return f"default: {problem}"
    if problem := setting.limit_problem(setting.default):
        limit = problem.rstrip(".").lower()
        return f"default: it is outside min and max ({limit}): change it, or the limits"
    return None


def _choice_alike(setting: Setting) -> object:
    """Return the choice that only Python takes for the default: a text of another class, say."""
    for choice in setting.choices if isinstance(setting.choices, list) else ():
        with suppress(Exception):  # that of arrays can't be told
            if type(choice.value) is not type(setting.default) and choice.value == setting.default:
                return choice.value
    return None
