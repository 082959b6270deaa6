"""Obstacles: why a setting can't have again what it had before a change."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from .. import forms
from ..contexts import context_of
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings import value_types
from ..settings.setting import Setting
from .change import Change
from .codec import Codec


def find_obstacle(
    change: Change, app: Flask, codec: Codec, settings: Mapping[str, Setting] | None
) -> str:
    """Return why the old value of a change can't be restored; "" when it can.

    :param settings: all that are declared; None: the app's own code, validators and functions of
        choices, is not asked.
    """
    setting = change.setting
    if setting is None:
        return gettext("it is no longer a setting")
    if change.notes_default:
        return gettext("a deployment changes no value, and its defaults stand in the code")
    if setting.environment is not None:
        return gettext(
            "the environment variable %(name)s sets it", name=setting.environment.variable
        )
    if change.secret:
        return gettext("it is a secret, and of secrets no value is kept")
    if change.old_text is None:
        return ""
    try:
        stored = codec.decode(change.old_text, change.key)
    except InvalidValue:
        return gettext("its old value can't be read any more")
    old, served = setting.serve(stored)
    if served == "default" or is_of_another_type(setting, old):
        return gettext("it is of another type now")
    if settings is None:
        problem = setting.stored_problem(old)
    else:
        with context_of(app):
            problem = forms.check_values(settings, {setting.key: old}, app.config).get(setting.key)
    if not problem:
        return ""
    return gettext("its old value is no longer allowed: %(problem)s", problem=problem)


def is_of_another_type(setting: Setting, value: object) -> bool:
    """Whether a value is of another type than its setting, as after a change of the default.

    Code may save such a value where no ``type`` is declared. It never comes back by itself or by a
    click: code that was written for the type of today would break.
    """
    return setting.default is not None and not value_types.accepts(setting.value_type, value)
