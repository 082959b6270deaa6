"""Attributes of a declaration: what each of them may be, whatever the others are."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from contextvars import Context
from enum import EnumMeta
from typing import Any

from ..plain import plain
from .annotation import read_type
from .choices import choice_list
from .needs import read_needs


def read_attributes(entry: Mapping[str, object]) -> dict[str, Any]:
    """Return the attributes of a declaration as `READERS` read them; unknown ones are left out.

    An attribute that is None is as if it were not there, but for those that are True or False.

    :raises ValueError: one of them is wrong; the message names it and says what to write.
    """
    attributes: dict[str, Any] = {}  # each has values of the type that its reader returns
    for name in sorted(READERS.keys() & entry.keys()):
        declared, read = entry[name], READERS[name]
        if declared is None and read is not _flag:
            continue
        try:
            attributes[name] = read(declared)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error.__cause__
    if "default" in attributes:
        if attributes.keys() & {"type", "choices", "min", "max"}:
            attributes["default"] = plain(attributes["default"])
        attributes["default"] = _copy_default(attributes["default"], attributes.get("choices"))
    return attributes


def named_group(declared: object) -> tuple[str, object]:
    """Return the name of a group and its label, from ``name``, ``(name, label)`` or a lazy label.

    :raises ValueError: it is none of these; or a lazy label that can't be read in no request.
    """
    pair = declared if isinstance(declared, tuple) and len(declared) == 2 else (declared, declared)
    if not all(map(_is_text, pair)):
        raise ValueError("write the name of a group, or a pair, (name, label)")
    name, label = pair
    try:
        # The rights go by the name, so no reader's language may change it: where there is no
        # request and no app, a lazy translation is as it is written in the code.
        return Context().run(str, name), label
    except Exception as error:
        raise ValueError(
            "the name of a group can't be read outside a request: write a pair, (name, label)"
        ) from error


def _is_text(declared: object) -> bool:
    """Whether this is a text, or may be a lazy translation, which is of any class."""
    return isinstance(declared, str) or type(declared).__module__ != "builtins"


def _text(declared: object) -> object:
    if not _is_text(declared):
        raise ValueError("write a text")
    return declared


def _flag(declared: object) -> bool:
    if not isinstance(declared, bool):
        raise ValueError("write True or False")
    return declared


def _keywords(declared: object) -> tuple[object, ...]:
    words = declared if isinstance(declared, (list, tuple)) else (declared,)
    if not all(map(_is_text, words)):
        raise ValueError("write a text, or a list of texts")
    return tuple(words)


def _confirm(declared: object) -> tuple[bool, object]:
    """Whether changes are reviewed, and what the review says of them."""
    if isinstance(declared, bool):
        return declared, ""
    if callable(declared) or _is_text(declared):
        return True, declared
    raise ValueError("write True, a text, or a function of (old, new) that returns a text")


def _choices(declared: object) -> object:
    """The choices as a list; a function stays one."""
    if callable(declared) and not isinstance(declared, EnumMeta):
        return declared
    try:
        return choice_list(declared)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"they can't be read at the start ({type(error).__name__}): write a function that "
            "returns them"
        ) from error


def _validators(declared: object) -> tuple[object, ...]:
    if not isinstance(declared, (list, tuple)):
        raise ValueError("write a list of them")
    for validator in declared:
        if inspect.isclass(validator):
            name = validator.__name__
            raise ValueError(f"{name} is a class; write {name}(), with the parentheses")
        if not callable(validator):
            raise ValueError("each must be a function of (form, field)")
    return tuple(declared)


def _former_names(declared: object) -> tuple[str, ...]:
    names = declared if isinstance(declared, (list, tuple)) else [declared]
    if not all(isinstance(name, str) and name and name.isprintable() for name in names):
        raise ValueError("write the former name of the setting, or a list of them, newest first")
    return tuple(dict.fromkeys(names))


def _convert(declared: object) -> object:
    if not callable(declared):
        raise ValueError("write a function of the stored value that returns the new one")
    return declared


def _field(declared: object) -> object:
    if not callable(declared):
        raise ValueError(
            "write a WTForms field class, or a function of the setting that returns a field, such "
            "as lambda setting: DecimalField(places=2)"
        )
    return declared


def _copy_default(declared: object, choices: object) -> object:
    """A copy of the default: the app may change what it has declared, a list for example.

    An object whose class has no ``__eq__`` equals only itself: as one of the choices it stays.
    """
    values = [choice.value for choice in choices] if isinstance(choices, list) else []
    stay = {id(value): value for value in values if _has_no_eq(value)}
    try:
        return copy.deepcopy(declared, stay)
    except Exception as error:
        name = type(declared).__name__
        raise ValueError(f"default: a {name} can't be copied, nor stored: take another") from error


def _has_no_eq(value: object) -> bool:
    return getattr(type(value), "__eq__", None) is object.__eq__


def _anything(declared: object) -> object:
    """A value of the setting's own type, which the other attributes determine."""
    return declared


#: Every attribute, and what reads it; a ValueError of these says what to write.
READERS: dict[str, Callable[[object], object]] = {
    "desc": _text,
    "default": _anything,
    "help": _text,
    "group": named_group,
    "choices": _choices,
    "min": _anything,
    "max": _anything,
    "validators": _validators,
    "secret": _flag,
    "readonly": _flag,
    "confirm": _confirm,
    "keywords": _keywords,
    "needs": read_needs,
    "restart": _flag,
    "multiline": _flag,
    "field": _field,
    "type": read_type,
    "unit": _text,
    "was": _former_names,
    "convert": _convert,
}

#: What others call an attribute of ours, and its name here.
SYNONYMS = {
    **dict.fromkeys(("label", "title", "name", "verbose_name", "description"), "desc"),
    **dict.fromkeys(("hint", "tooltip"), "help"),
    **dict.fromkeys(("section", "category", "fieldset"), "group"),
    **dict.fromkeys(("options", "values", "enum"), "choices"),
    **dict.fromkeys(("initial", "value"), "default"),
    **dict.fromkeys(("password", "sensitive"), "secret"),
    "widget": "field",
}
