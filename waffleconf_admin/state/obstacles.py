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
from .repository import Repository


class Obstacles:
    """Says of changes why they can't be undone.

    :param settings: all that are declared; None: the app's own code, validators and functions of
        choices, is not asked.
    """

    def __init__(
        self, app: Flask, repository: Repository, settings: Mapping[str, Setting] | None
    ) -> None:
        self._app = app
        self._repository = repository
        self._settings = settings

    def of(self, change: Change) -> str:
        """Return why the old value can't be restored; "" when it can."""
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
            stored = self._repository.codec.decode(change.old_text, change.key)
        except InvalidValue:
            return gettext("its old value can't be read any more")
        old, served = setting.serve(stored)
        if served == "default" or is_of_another_type(setting, old):
            return gettext("it is of another type now")
        problem = self._problem(setting, old)
        if not problem:
            return ""
        return gettext("its old value is no longer allowed: %(problem)s", problem=problem)

    def _problem(self, setting: Setting, value: object) -> str | None:
        if self._settings is None:
            return setting.stored_problem(value)
        with context_of(self._app):
            found = forms.check_values(self._settings, {setting.key: value}, self._app.config)
        return found.get(setting.key)


def is_of_another_type(setting: Setting, value: object) -> bool:
    """Whether a value is of another type than its setting, as after a change of the default.

    Code may save such a value where no ``type`` is declared. It never comes back by itself or by a
    click: code that was written for the type of today would break.
    """
    return setting.default is not None and not value_types.accepts(setting.value_type, value)
