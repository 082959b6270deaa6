"""Values outside a form: read from a text, shown as a text, checked against what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from flask import Flask, current_app, has_app_context

from ..exceptions import InvalidValue
from ..fields import FIELDS, ChoiceField, Maker, SettingField, binding, choose, describe
from ..fields.base import NOT_GIVEN_BACK, Unshown
from ..i18n import gettext
from ..settings.setting import Setting
from .check import check
from .form import SettingsForm

#: Where an app keeps the fields that its pages have added.
ADDED = "waffleconf_fields"


def add_fields(app: Flask, fields: Mapping[type, Maker]) -> None:
    """Let the command line of an app use the fields of a page.

    :raises ValueError: another page has another field for one of the types.
    """
    added = app.extensions.setdefault(ADDED, {})
    for kind, maker in fields.items():
        if added.get(kind, maker) != maker:
            raise ValueError(
                f"fields: two pages have different fields for {kind.__name__}, and the command "
                "line could use one of them only: give both pages the same, or name a field in "
                'the declarations of single settings, {"default": …, "field": …}'
            )
    added.update(fields)


def parse_text(
    settings: Mapping[str, Setting], key: str, text: str, values: Mapping[str, Any]
) -> Any:
    """Return the value of a text that somebody wrote for a setting, read as the page reads it.

    To be called in the app's context.

    :param settings: all that are declared.
    :param values: the current values by key, for validators that look at other settings.
    :raises InvalidValue: the setting is not declared, or the text is none of its values.
    """
    setting = find(settings, key)
    try:
        kind = choose(setting, _table())
        field = binding.alone(setting, kind)
        if isinstance(field, SettingField):
            field.gives_back(setting.default)  # what it can't show it can't take either
            return field.read(text)
    except Unshown as error:
        raise InvalidValue(
            {key: gettext("It can only be changed from code: %(why)s.", why=error)}
        ) from error
    except ValueError as error:
        # Without a cause for a secret: Python's own messages quote what they refuse.
        raise InvalidValue({key: str(error)}) from (None if setting.secret else error)
    field.setting, field.record = setting, SimpleNamespace(value=setting.copy_default())
    binding.take(field, [text])
    check(_draft(settings, values), field)
    if field.errors:
        raise InvalidValue({key: " ".join(map(str, field.errors))})
    return field.data


def choice_texts(setting: Setting) -> list[str]:
    """Return the texts that stand for the choices of a setting; none where it has none."""
    try:
        field = binding.alone(setting, choose(setting, _table()))
        return list(field.texts) if isinstance(field, ChoiceField) else []
    except Exception:  # a function of choices that fails has been told of already
        return []


def exact_text(setting: Setting, value: Any) -> str:
    """Return the text that `parse_text` takes for a value of a setting that is no secret.

    :raises InvalidValue: there is none; the message says why.
    """
    try:
        field = binding.alone(setting, choose(setting, _table()))
        if not isinstance(field, SettingField):
            return show_text(setting, value)
        if isinstance(value, str) or field.gives_back(value):
            return field.show(value)
        why = gettext(NOT_GIVEN_BACK)
    except Unshown as error:
        why = str(error)
    except ValueError:  # its text is nothing that the field takes
        why = gettext(NOT_GIVEN_BACK)
    raise InvalidValue({setting.key: gettext("No text stands for this value: %(why)s.", why=why)})


def show_text(setting: Setting, value: Any) -> str:
    """Return the text that the control of a setting shows of a value; of a secret nothing."""
    if setting.secret:
        return ""
    return ", ".join(sent_texts(setting, value, _table()))


def sent_texts(setting: Setting, value: Any, table: Mapping[type, Maker]) -> list[str]:
    """Return what the control of a setting sends that shows a value.

    :param table: the fields by type.
    """
    try:
        field = binding.alone(setting, choose(setting, table))
        if isinstance(field, SettingField):
            return [field.show(value)]
        field.process(None, value)
        return binding.untouched(field)
    except Exception:  # a value that it can't show, or whatever an app's own field raises
        return [describe(value)]


def check_values(
    settings: Mapping[str, Setting], new_values: Mapping[str, Any], values: Mapping[str, Any]
) -> dict[str, str]:
    """Return what is wrong with values from anywhere, ``{key: message}``: what is declared holds.

    To be called in the app's context.

    :param settings: all that are declared.
    :param new_values: ``{key: value}``; undeclared keys are left out.
    :param values: the current values by key, for validators that look at other settings.
    """
    checked = {key: settings[key] for key in new_values if key in settings}
    problems = {key: setting.problem(new_values[key]) for key, setting in checked.items()}
    errors = {key: problem for key, problem in problems.items() if problem}
    asked = [key for key in checked if checked[key].validators and key not in errors]
    if not asked:
        return errors
    form = _draft(settings, {**values, **new_values})
    for key in asked:
        field = form.probe(key, new_values[key])
        check(form, field)
        if field.errors:
            errors[key] = " ".join(map(str, field.errors))
    return errors


def _table() -> Mapping[type, Maker]:
    """The fields of the app, with those that its pages have added."""
    added = current_app.extensions.get(ADDED, {}) if has_app_context() else {}
    return {**FIELDS, **added}


def find(settings: Mapping[str, Setting], key: str) -> Setting:
    try:
        return settings[key]
    except KeyError:
        raise InvalidValue({key: gettext("There is no setting of that name.")}) from None


def _draft(settings: Mapping[str, Setting], values: Mapping[str, Any]) -> SettingsForm:
    """A form of all settings as they would be: for validators that look at others."""
    return SettingsForm(
        settings,
        {
            key: SimpleNamespace(text=None, value=values.get(key, setting.default), problem=None)
            for key, setting in settings.items()
        },
    )
