"""Constraints: the annotation of a setting in a class, as attributes of its declaration.

Constraints in ``Annotated`` are those of annotated-types, or others with the same attributes. None
of them is imported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Annotated, ClassVar, Union, get_args, get_origin

from . import value_types
from .annotation import ANY, GENERICS, UNIONS, check_annotation, fits, read_type, text
from .limits import Limited, Limits

#: What to do about a constraint that no attribute can say.
_REMEDY = "take it out, and write a function in validators="


def is_class_variable(annotation: object) -> bool:
    """Whether an annotation says that an attribute is the class's own, and no setting."""
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def annotated_attributes(annotation: object, entry: dict[str, object]) -> dict[str, object]:
    """Return a declaration with ``type``, ``min`` and ``max`` as an annotation says.

    :param entry: the default, and what else is declared beside the annotation.
    :raises ValueError: no declaration can say it, or the default is of another type; the message
        says what to write.
    """
    bare, constraints = _take_apart(annotation)
    check_annotation(bare)
    default = entry["default"]
    if not fits(bare, default):
        remedy = f"write {text(bare)} | None" if default is None else "change one of them"
        raise ValueError(
            f"default: it is of type {type(default).__name__}, and the annotation says "
            f"{text(bare)}: {remedy}"
        )
    declared = read_type(None if bare in ANY else bare)
    limits = _limits(declared.value_type, constraints)
    if twice := sorted(limits.keys() & entry.keys()):
        raise ValueError(f"{twice[0]}: the annotation has a limit too: take out one of them")
    named = entry.get("type")
    if isinstance(named, str) and value_types.TYPES.get(named) in value_types.OURS:
        of_name = value_types.python_type(value_types.TYPES[named])
        if of_name is not declared.value_type or declared.nullable:
            raise ValueError(f"type: {named!r} goes with the annotation {of_name.__name__}")
    elif named is not None:
        raise ValueError("type: the annotation says it: take it out")
    return ({} if bare in ANY else {"type": bare}) | entry | limits


def _take_apart(annotation: object) -> tuple[object, tuple[object, ...]]:
    """An annotation without ``Annotated`` and names for types, and the constraints in it.

    :raises ValueError: there are constraints of items.
    """
    for attribute in ("__value__", "__supertype__"):  # of `type Name = …`, and of NewType
        if hasattr(annotation, attribute):
            return _take_apart(getattr(annotation, attribute))
    origin = get_origin(annotation)
    if origin is Annotated:
        annotated, *metadata = get_args(annotation)
        bare, inner = _take_apart(annotated)
        return bare, (*inner, *metadata)
    if origin not in (*UNIONS, *GENERICS) or not get_args(annotation):
        return annotation, ()
    parts = [_take_apart(part) for part in get_args(annotation)]
    bare = tuple(part for part, _ in parts)
    constraints = tuple(each for _, inner in parts for each in inner)
    if origin in UNIONS:
        return Union[bare], constraints  # noqa: UP007
    if constraints:
        raise ValueError(f"a declaration can't limit the items of {text(annotation)}: {_REMEDY}")
    return origin[bare], ()


def _limits(value_type: type | None, constraints: Iterable[object]) -> dict[str, Limited]:
    """The attributes that say what constraints say.

    :param value_type: of the values; None: it is not known.
    :raises ValueError: no attribute can say it.
    """
    found: dict[str, Limited] = {}
    for constraint in constraints:
        for name, limit in _named_limits(constraint):
            if value_type is None:
                raise ValueError(f"{name} goes with one type that has an order: {_REMEDY}")
            attribute, made = _READERS[name](name, value_type, limit)
            strictest = max if attribute == "min" else min
            found[attribute] = strictest(made, found.get(attribute, made))
    return found


def _named_limits(constraint: object) -> list[tuple[str, Limited]]:
    """The limits of a constraint by name; none of a comment."""
    if isinstance(constraint, str) or hasattr(constraint, "documentation"):
        return []
    names = [name for name in _READERS if hasattr(constraint, name)]
    others = [name for name in _NOT_HELD if getattr(constraint, name, None) is not None]
    if isinstance(constraint, type) or others or not names:
        name = getattr(constraint, "__name__", type(constraint).__name__)
        raise ValueError(f"a declaration can't say {name} of Annotated: {_REMEDY}")
    return [(name, value) for name in names if (value := getattr(constraint, name)) is not None]


def _limit(name: str, value_type: type, limit: Limited) -> tuple[str, Limited]:
    if Limits(value_type, None, None).counted:
        raise ValueError(
            f"{name} does not go with {value_type.__name__}: write MinLen or MaxLen for its length"
        )
    return ("min" if name in ("ge", "gt") else "max"), limit


def _exclusive_limit(name: str, value_type: type, limit: Limited) -> tuple[str, Limited]:
    """The value next to the limit, where values of the type have a next one."""
    attribute, limit = _limit(name, value_type, limit)
    if issubclass(value_type, int):
        return attribute, math.floor(limit) + 1 if name == "gt" else math.ceil(limit) - 1
    try:
        step = value_type.resolution  # type: ignore[attr-defined]
        return attribute, limit + step if name == "gt" else limit - step
    except (AttributeError, TypeError, OverflowError):
        other = {"gt": "Ge", "lt": "Le"}[name]
        raise ValueError(
            f"{name} does not go with {value_type.__name__}: write {other}, which includes the "
            "limit, or a function in validators="
        ) from None


def _length(name: str, value_type: type, limit: Limited) -> tuple[str, Limited]:
    if not Limits(value_type, None, None).counted:
        raise ValueError(f"{name}: {value_type.__name__} has no length: write Ge or Le")
    return name.removesuffix("_length"), limit


#: The attributes of constraints that a declaration can say, and what reads them.
_READERS: dict[str, Callable[[str, type, Limited], tuple[str, Limited]]] = {
    "ge": _limit,
    "le": _limit,
    "gt": _exclusive_limit,
    "lt": _exclusive_limit,
    "min_length": _length,
    "max_length": _length,
}
#: Those that it can't.
_NOT_HELD = ("multiple_of", "pattern", "tz", "func")
