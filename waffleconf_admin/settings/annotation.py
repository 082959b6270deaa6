"""Annotation: a type that is written as more than a class, such as ``list[str]``."""

from __future__ import annotations

from collections.abc import Iterable
from enum import EnumMeta, Flag
from types import NoneType, UnionType
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from . import value_types
from .choices import Choice, ChoiceSet

UNIONS = (Union, UnionType)
#: Types whose annotations name the types of their items.
GENERICS = (list, tuple, set, frozenset, dict)
#: The annotations that every value fits.
ANY = (Any, object)


class DeclaredType(NamedTuple):
    """What the attribute ``type`` of a declaration means."""

    value_type: type | None = None  #: None: the choices or the default decide
    annotation: object = None  #: what it says beyond that; None: nothing
    choices: tuple[object, ...] = ()  #: those that follow from it
    nullable: bool = False  #: whether None is a value too


def read_type(declared: object) -> DeclaredType:
    """Return what a declaration means by a type: a class, one of our names, or an annotation.

    :raises ValueError: it means none; the message says what to write.
    """
    annotation, nullable = _without_none(declared)
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return DeclaredType(None, annotation, args, nullable)
    if origin is None:
        return DeclaredType(value_types.named(annotation), nullable=nullable)
    if origin in UNIONS:
        raise ValueError(f"values of a setting have one type, beside None; {text(declared)} has "
                         "several: take one")  # fmt: skip
    check_annotation(annotation)
    return DeclaredType(origin, annotation, tuple(_choices_of_items(origin, args)), nullable)


def check_annotation(annotation: object) -> None:
    """Refuse an annotation that no value can be checked against.

    :raises ValueError: the message says what to write.
    """
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal or annotation in ANY:
        return
    if origin in (*UNIONS, *GENERICS) and parts:
        for part in parts:
            if part is not ...:
                check_annotation(part)
        return
    try:
        if origin is not None:
            raise TypeError
        isinstance(None, annotation)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(
            f"no value can be checked against {text(annotation)}: write a class, or list, tuple, "
            "set, frozenset or dict with the types of its items, or Literal"
        ) from None


def fits(annotation: Any, value: Any) -> bool:
    """Whether a value is what a checked annotation says, and so are its items."""
    # Both are Any: an annotation may be no type, and what the value is, is found out here.
    origin, args = get_origin(annotation), get_args(annotation)
    if annotation in ANY:
        return True
    if origin is Literal:
        return value in ChoiceSet(map(Choice, args))
    if origin in UNIONS:
        return any(fits(each, value) for each in args)
    if not value_types.accepts(origin or annotation, value):
        return False
    if origin is dict:
        return all(fits(args[0], key) and fits(args[1], value[key]) for key in value)
    if origin is tuple and args[1:] != (...,):
        return len(args) == len(value) and all(map(fits, args, value))
    return origin is None or all(fits(args[0], item) for item in value)


def text(annotation: object) -> str:
    """Return an annotation as it is written."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _without_none(annotation: object) -> tuple[object, bool]:
    """An annotation without the None that it allows, and whether it does."""
    origin, args = get_origin(annotation), get_args(annotation)
    none = NoneType if origin in UNIONS else None
    if none not in args or not (origin in UNIONS or origin is Literal):
        return annotation, False
    rest = tuple(each for each in args if each is not none)
    make = Literal if origin is Literal else Union
    return make[rest], True


def _choices_of_items(origin: type, args: tuple[object, ...]) -> Iterable[object]:
    """The choices of the items of a list, tuple or set, where its annotation names them."""
    if origin is dict or (origin is tuple and args[1:] != (...,)):
        return ()
    item = args[0]
    if get_origin(item) is Literal:
        return get_args(item)
    return item if isinstance(item, EnumMeta) and Flag not in item.__mro__ else ()
