"""Declarations: WAFFLE_CONFS, checked entry by entry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping
from enum import Enum
from numbers import Number
from typing import Any

from flask import Flask

from .. import calls
from ..exceptions import InvalidValue
from . import value_types
from .annotation import DeclaredType
from .attributes import READERS, SYNONYMS, read_attributes
from .choices import ChoiceSet, choice_list
from .copied import describe_copied, find_copied
from .names import nearest_name, present_name, wrong_names
from .needs import Need, find_cycle
from .reserved import DATABASE_KEYS, find_public_secrets
from .setting import Setting

log = logging.getLogger(__name__)


def declare(
    confs: Mapping[str, Mapping[str, object]], app: Flask | None = None
) -> dict[str, Setting]:
    """Check WAFFLE_CONFS and return its settings, in the same order.

    :param confs: ``{key: {"desc": …, "default": …, …}}``. ``WAFFLE_*`` keys and those of the
        database are left out, and unknown attributes ignored, each with a line in the log; but one
        that resembles ours is a mistake.
    :param app: whose functions are in them; None if there are none.
    :raises InvalidValue: a declaration is wrong; ``.errors`` says by key what, and what to do.
    :raises TypeError: a function can't be called, because asgiref is missing.
    """
    if not isinstance(confs, Mapping):
        raise InvalidValue(
            f"WAFFLE_CONFS must be a dict of settings, not {type(confs).__name__}: "
            '{"SITENAME": {"desc": "Name of the site", "default": "Waffle"}}; or, when init_app is '
            "called, a Settings class, or a list of these"
        )
    settings: dict[str, Setting] = {}
    errors: dict[str, str] = {}
    call = calls.caller(app) if app else calls.call_directly
    for key, entry in confs.items():
        if isinstance(key, str) and key.startswith("WAFFLE_"):
            log.warning("WAFFLE_CONFS: %s is left out: it configures waffleconf_admin itself", key)
            continue
        if key in DATABASE_KEYS:
            log.error(
                "WAFFLE_CONFS: %s is left out: it says where the settings are stored. Take it out, "
                "and set it in the configuration of the app",
                key,
            )
            continue
        try:
            settings[key] = _setting(key, entry, call)
        except ValueError as error:
            errors[str(key)] = str(error)
    errors |= _wrong_needs(settings, errors)
    errors |= wrong_names(settings, app.config["WAFFLE_RETIRED"] if app else ())
    if errors:
        raise InvalidValue(errors)
    if warning := describe_copied(find_copied(confs)):
        log.warning("WAFFLE_CONFS: %s", warning)
    for key in find_public_secrets(confs):
        log.warning(
            "WAFFLE_CONFS: %s is not declared as a secret: the page, the history and the command "
            'line show its value. Declare "secret": True',
            key,
        )
    if app:
        for setting in settings.values():
            _check_functions(app, setting)
    return settings


def _setting(key: object, entry: object, call: Callable[..., object]) -> Setting:
    """Return one checked entry; a ValueError names the attribute and the remedy."""
    if not isinstance(key, str) or not key.isprintable() or not key:
        raise ValueError("the name of a setting must be a string of printable characters")
    if not key.isidentifier():
        log.warning(
            "WAFFLE_CONFS: %s is not a name of Python: conf[%r] reads it, but nothing after a dot "
            "can. Write a name in capitals, such as SITENAME",
            key,
            key,
        )
    if not isinstance(entry, Mapping):
        raise ValueError(
            f'declare it as a dict, such as {{"default": 1}}, not {type(entry).__name__}'
        )
    _check_names(key, entry)
    attributes = read_attributes(entry)
    label = _label(key, attributes.pop("desc", None))
    default = attributes.pop("default", None)
    declared: DeclaredType = attributes.pop("type", DeclaredType())
    if declared.choices:
        attributes["choices"] = _choices(declared.choices, attributes.get("choices"))
    if "default" not in entry:
        default = "" if declared.value_type in (None, str) else None
        log.warning("WAFFLE_CONFS: %s has no default: %r is used", key, default)
    if "convert" in attributes and declared.value_type is None and "choices" not in attributes:
        # Else no value would be of a wrong type.
        if default is None:
            raise ValueError('convert: declare the type that it returns: "type": …')
        declared = declared._replace(value_type=type(default))
    group, group_label = attributes.pop("group", ("", ""))
    confirm, confirm_text = attributes.pop("confirm", (False, ""))
    setting = Setting(
        key,
        label,
        default,
        type=declared.value_type,
        annotation=declared.annotation,
        nullable=declared.nullable,
        group=group,
        group_label=group_label,
        confirm=confirm,
        confirm_text=confirm_text,
        call=call,
        **attributes,
    )
    if "unit" in attributes and not _is_of_numbers(setting.value_type):
        raise ValueError("unit: it stands beside a number, and this is none: take it out")
    _check_limits(setting)
    _check_default(setting)
    if setting.field is not None and setting.secret:
        raise ValueError("field: a secret has a control of its own: take out field or secret")
    if setting.secret and callable(setting.confirm_text):
        raise ValueError("confirm: a function could show the secret: write a text, or True")
    return setting


def _check_names(key: str, entry: Mapping[Any, object]) -> None:
    for name in sorted(str(name) for name in entry if name not in READERS):
        # Ignoring "secert" would show a password to everybody.
        if near := nearest_name(name, READERS):
            near = SYNONYMS.get(name, near)
            raise ValueError(
                f"{name}: there is no such attribute. Write {near}, if you mean that; else take "
                "it out, or give it a name of its own"
            )
        hint = f": write {SYNONYMS[name]}, if you mean that" if name in SYNONYMS else ""
        log.warning("WAFFLE_CONFS: %s: unknown attribute %s is ignored%s", key, name, hint)


def _choices(allowed: tuple[object, ...], given: object) -> object:
    """The choices of a type that names them: what is given, which may have labels, or all."""
    choices = choice_list(allowed)
    if given is None:
        return choices
    known = ChoiceSet(choices)
    if isinstance(given, list) and not all(choice.value in known for choice in given):
        raise ValueError("choices: one of them is not what type says: add it there, or take it out")
    return given


def _label(key: str, desc: object) -> object:
    if desc is None or (isinstance(desc, str) and not desc):  # a lazy translation is left alone
        return key.replace("_", " ").strip().capitalize() or key
    return desc


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
    try:
        setting.copy_default()
    except Exception as error:
        name = type(setting.default).__name__
        raise ValueError(f"default: a {name} can't be copied, nor stored: take another") from error
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
        pairs = any(choice.label is not None for choice in setting.choices or ())
        hint = " (what has two items is a value with its label)" if pairs else ""
        return f"choices: the default is not one of them: add it, or change the default{hint}"
    if problem := setting.type_problem(setting.default):
        return f"default: {problem}"
    if problem := setting.limit_problem(setting.default):
        limit = problem.rstrip(".").lower()
        return f"default: it is outside min and max ({limit}): change it, or the limits"
    return None


def _wrong_needs(settings: Mapping[str, Setting], faulty: Container[str]) -> dict[str, str]:
    """Return by key what is wrong with ``needs``, and what to do.

    :param faulty: the keys that are left out of the settings, because of another mistake.
    """
    needs = {key: setting.needs for key, setting in settings.items() if setting.needs}
    errors = {}
    for key, needed in needs.items():
        found = (_need_problem(need, settings) for need in needed if need.key not in faulty)
        problem = next(filter(None, found), "")
        if not problem and (cycle := find_cycle(needs, key)):
            problem = f"{' needs '.join(cycle)}: take out one of these"
        if problem:
            errors[key] = f"needs: {problem}"
    return errors


def _need_problem(need: Need, settings: Mapping[str, Setting]) -> str | None:
    other = settings.get(need.key)
    if other is None:
        if present := present_name(need.key, settings):
            return f"{need.key} is called {present} now: write {present}"
        near = nearest_name(need.key, settings)
        hint = f"write {near}, if you mean that" if near else "write the key of a setting"
        return f"there is no setting {need.key}: {hint}"
    if not need.is_exact:
        return None
    if other.secret:
        return f"the page would show the value of the secret {need.key}: write {need.key!r} alone"
    if callable(other.choices) or not (problem := other.problem(need.value)):
        return None
    return f"{need.value!r} is no value of {need.key}: write one that it may have. {problem}"


def _check_functions(app: Flask, setting: Setting) -> None:
    for name, function in (
        ("choices", setting.choices),
        ("field", setting.field),
        ("confirm", setting.confirm_text),
        ("convert", setting.convert),
        *(("validators", validator) for validator in setting.validators),
    ):
        calls.check(app, function, f"{setting.key}: {name}: this")
