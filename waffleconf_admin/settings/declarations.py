"""Declarations: WAFFLE_CONFS, checked entry by entry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Container, Mapping

from flask import Flask

from .. import calls
from ..exceptions import InvalidValue
from .annotation import DeclaredType
from .attributes import READERS, SYNONYMS, read_attributes
from .choices import ChoiceSet, choice_list
from .consistency import check_setting
from .known_keys import DATABASE_KEYS, describe_copied, find_copied, find_public_secrets
from .names import nearest_name, present_name, wrong_names
from .needs import Need, find_cycle
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
        if _is_left_out(key):
            continue
        try:
            settings[key] = _setting(key, entry, call)
        except ValueError as error:
            errors[str(key)] = str(error)
    errors |= _wrong_needs(settings, errors)
    errors |= wrong_names(settings, app.config["WAFFLE_RETIRED"] if app else ())
    if errors:
        raise InvalidValue(errors)
    _warn(confs)
    if app:
        for setting in settings.values():
            _check_functions(app, setting)
    return settings


def _is_left_out(key: object) -> bool:
    """Whether a key is none of a setting's; the log says why."""
    if isinstance(key, str) and key.startswith("WAFFLE_"):
        log.warning("WAFFLE_CONFS: %s is left out: it configures waffleconf_admin itself", key)
        return True
    if key in DATABASE_KEYS:
        log.error(
            "WAFFLE_CONFS: %s is left out: it says where the settings are stored. Take it out, "
            "and set it in the configuration of the app",
            key,
        )
        return True
    return False


def _warn(confs: Mapping[str, Mapping[str, object]]) -> None:
    """Log what is allowed, and hardly meant."""
    if warning := describe_copied(find_copied(confs)):
        log.warning("WAFFLE_CONFS: %s", warning)
    for key in find_public_secrets(confs):
        log.warning(
            "WAFFLE_CONFS: %s is not declared as a secret: the page, the history and the command "
            'line show its value. Declare "secret": True',
            key,
        )


def _setting(key: object, entry: object, call: Callable[..., object]) -> Setting:
    """Return one checked entry; a ValueError names the attribute and the remedy."""
    key, entry = _check_entry(key, entry)
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
    check_setting(setting, has_unit="unit" in attributes)
    return setting


def _check_entry(key: object, entry: object) -> tuple[str, Mapping[str, object]]:
    """Return a key and a declaration, if they are these."""
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
    return key, entry


def _check_names(key: str, entry: Mapping[object, object]) -> None:
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
