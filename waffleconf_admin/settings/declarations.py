"""Declarations: WAFFLE_CONFS, checked entry by entry."""

from __future__ import annotations

import difflib
import inspect
import logging
from collections.abc import Callable, Mapping
from contextvars import Context
from enum import Enum, EnumMeta
from numbers import Number

from flask import Flask

from .. import calls
from ..exceptions import InvalidValue
from . import value_types
from .choices import choice_list
from .setting import Setting

log = logging.getLogger(__name__)


def declare(
    confs: Mapping[str, Mapping[str, object]], app: Flask | None = None
) -> dict[str, Setting]:
    """Check WAFFLE_CONFS and return its settings, in the same order.

    :param confs: ``{key: {"desc": …, "default": …, …}}``. ``WAFFLE_*`` keys are left out, and
        unknown attributes ignored, each with a warning in the log; but one that resembles ours is
        a mistake.
    :param app: whose functions are in them; None if there are none.
    :raises InvalidValue: a declaration is wrong; ``.errors`` says by key what, and what to do.
    :raises TypeError: a function can't be called, because asgiref is missing.
    """
    if not isinstance(confs, Mapping):
        raise InvalidValue(
            f"WAFFLE_CONFS must be a dict of settings, not {type(confs).__name__}: "
            '{"SITENAME": {"desc": "Name of the site", "default": "Waffle"}}'
        )
    settings: dict[str, Setting] = {}
    errors: dict[str, str] = {}
    call = calls.caller(app) if app else calls.call_directly
    for key, entry in confs.items():
        if isinstance(key, str) and key.startswith("WAFFLE_"):
            log.warning("WAFFLE_CONFS: %s is left out: it configures waffleconf_admin itself", key)
            continue
        try:
            settings[key] = _setting(key, entry, call)
        except ValueError as error:
            errors[str(key)] = str(error)
    if errors:
        raise InvalidValue(errors)
    if app:
        for setting in settings.values():
            _check_functions(app, setting)
    return settings


_NAMES = {"desc"} | Setting.__dataclass_fields__.keys() - {"key", "label", "group_label", "call"}
_FLAGS = ("secret", "readonly", "confirm", "multiline")


def _setting(key: object, entry: object, call: Callable[..., object]) -> Setting:
    """One checked entry; a ValueError names the attribute and the remedy."""
    if not isinstance(key, str) or not key.isprintable() or not key:
        raise ValueError("the name of a setting must be a string of printable characters")
    if not isinstance(entry, Mapping):
        raise ValueError(
            f'declare it as a dict, such as {{"default": 1}}, not {type(entry).__name__}'
        )
    for name in sorted(str(name) for name in entry if name not in _NAMES):
        # Ignoring "secert" would show a password to everybody.
        if near := difflib.get_close_matches(name.lower(), _NAMES, n=1):
            raise ValueError(
                f"{name}: there is no such attribute. Write {near[0]}, if you mean that; else take "
                "it out, or give it a name of its own"
            )
        log.warning("WAFFLE_CONFS: %s: unknown attribute %s is ignored", key, name)
    given = {name for name in _NAMES & entry.keys() if entry[name] is not None}
    options = {name: entry[name] for name in given - {"desc", "default"}}
    options["type"] = value_types.named(entry.get("type"))
    if "default" in entry:
        default = entry["default"]
    else:
        default = "" if options["type"] in (None, str) else None
        log.warning("WAFFLE_CONFS: %s has no default: %r is used", key, default)
    if "choices" in options:
        options["choices"] = _choices(options["choices"])
    options["validators"] = _validators(entry.get("validators", ()))
    options["group"], options["group_label"] = named_group(options.get("group", ""))
    for name in _FLAGS:
        if not isinstance(entry.get(name, False), bool):
            raise ValueError(f"{name}: write True or False")
    setting = Setting(key, _label(key, entry.get("desc")), default, **options, call=call)
    _check_limits(setting)
    _check_default(setting)
    _check_field(setting)
    return setting


def named_group(declared: object) -> tuple[str, object]:
    """Return the name of a group and its label, from ``name``, ``(name, label)`` or a lazy label.

    :raises ValueError: a lazy label that can't be read in no request.
    """
    pair = declared if isinstance(declared, tuple) and len(declared) == 2 else (declared, declared)
    name, label = pair
    try:
        # The rights go by the name, so no reader's language may change it: where there is no
        # request and no app, a lazy translation is as it is written in the code.
        return Context().run(str, name), label
    except Exception as error:
        raise ValueError(
            "group: its name can't be read outside a request: write a pair, (name, label)"
        ) from error


def _label(key: str, desc: object) -> object:
    if desc is None or (isinstance(desc, str) and not desc):  # a lazy translation is left alone
        return key.replace("_", " ").strip().capitalize() or key
    return desc


def _validators(declared: object) -> tuple[Callable[[object, object], object], ...]:
    if not isinstance(declared, (list, tuple)):
        raise ValueError("validators: write a list of them")
    for validator in declared:
        if inspect.isclass(validator):
            name = validator.__name__
            raise ValueError(f"validators: {name} is a class; write {name}(), with the brackets")
        if not callable(validator):
            raise ValueError("validators: each must be a function of (form, field)")
    return tuple(declared)


def _choices(declared: object) -> object:
    """The choices as a list; a function stays one."""
    if callable(declared) and not isinstance(declared, EnumMeta):
        return declared
    try:
        return choice_list(declared)
    except ValueError as error:
        raise ValueError(f"choices: {error}") from error
    except Exception as error:
        raise ValueError(
            f"choices: they can't be read at the start ({type(error).__name__}): write a function "
            "that returns them"
        ) from error


def _check_limits(setting: Setting) -> None:
    if setting.value_type is value_types.Range and None in (setting.min, setting.max):
        raise ValueError("min and max: a range has two ends, so declare both")
    limits = [limit for limit in (setting.min, setting.max) if limit is not None]
    if not limits:
        return
    value_type = setting.value_type
    if issubclass(value_type, (bool, Enum)):
        raise ValueError("min and max don't go with this type of setting: take them out")
    if setting.limits.counted and not all(type(limit) is int and limit >= 0 for limit in limits):
        raise ValueError("min and max of this setting count its length: write whole numbers")
    if issubclass(value_type, Number) and not all(isinstance(limit, Number) for limit in limits):
        raise ValueError("min and max of this setting must be numbers")
    values = (
        limits if setting.limits.counted or setting.default is None else [*limits, setting.default]
    )
    try:
        above = len(limits) == 2 and setting.min > setting.max
        _ = [value <= limit for value in values for limit in limits]
    except (TypeError, ArithmeticError):
        raise ValueError(
            f"min and max of this setting must be {value_types.noun(value_type)}, like its default"
        ) from None
    if above:
        raise ValueError(f"min: {setting.min} is above max, {setting.max}: exchange them")


def _check_default(setting: Setting) -> None:
    """Refuse a default that breaks its own declaration; functions of choices are not asked yet."""
    try:
        setting.copy_default()
    except Exception as error:
        name = type(setting.default).__name__
        raise ValueError(f"default: a {name} can't be copied, nor stored: take another") from error
    if setting.default is None:
        return
    if not value_types.accepts(setting.value_type, setting.default):
        raise ValueError(
            f"type: it means {value_types.noun(setting.value_type)}, but the default is of type "
            f"{type(setting.default).__name__}: change one of them"
        )
    if not callable(setting.choices) and setting.choice_problem(setting.default):
        pairs = any(choice.label is not None for choice in setting.choices or ())
        raise ValueError(
            "choices: the default is not one of them: add it, or change the default"
            + (" (what has two items is a value with its label)" if pairs else "")
        )
    if problem := setting.type_problem(setting.default):
        raise ValueError(f"default: {problem}")
    if problem := setting.limit_problem(setting.default):
        raise ValueError(
            f"default: it is outside min and max ({problem.rstrip('.').lower()}): "
            "change it, or the limits"
        )


def _check_field(setting: Setting) -> None:
    if setting.field is None:
        return
    if not callable(setting.field):
        raise ValueError(
            "field: write a WTForms field class, or a function of the setting that returns a "
            "field, such as lambda setting: DecimalField(places=2)"
        )
    if setting.secret:
        raise ValueError("field: a secret has a control of its own: take out field or secret")


def _check_functions(app: Flask, setting: Setting) -> None:
    for name, function in (
        ("choices", setting.choices),
        ("field", setting.field),
        *(("validators", validator) for validator in setting.validators),
    ):
        calls.check(app, function, f"{setting.key}: {name}: this")
