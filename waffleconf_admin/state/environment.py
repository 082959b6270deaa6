"""Environment: the settings whose values environment variables hold."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace

from flask import Flask
from wtforms import validators

from .. import forms
from ..contexts import quiet_context
from ..exceptions import InvalidValue
from ..i18n import english
from ..log_once import LogOnce
from ..settings.setting import EnvironmentValue, Setting

log = logging.getLogger(__name__)

WRONG = "the environment variable %s does not fit: %s Correct the variable, or unset it."
NOT_TEXT = "It is not UTF-8."


class Environment:
    """The environment of an app, as it was when the app was initialised.

    A variable whose name is WAFFLE_ENV_PREFIX and the key of a setting holds that setting, an empty
    variable too. That of a former name counts where the present name has none.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        prefix = app.config["WAFFLE_ENV_PREFIX"]
        self._texts: dict[str, str] = {}  #: by name of a setting
        if prefix is not None:
            self._texts = {
                name.removeprefix(prefix): text
                for name, text in os.environ.items()
                if name.startswith(prefix)
            }
        self._prefix = prefix
        self._log_once = LogOnce(log)

    def __repr__(self) -> str:
        return f"<Environment {self._prefix!r}>"

    def apply(self, settings: Mapping[str, Setting]) -> Mapping[str, Setting]:
        """Return the settings, with the values of those that the environment holds.

        Texts are read as the command line reads them. No function of the app is called, for it may
        need the database: of validators only those of WTForms are asked, and choices that are a
        function are not.

        :raises InvalidValue: a text is no value of its setting; `errors` names all of them.
        """
        held = dict(self._names_of(settings)) if self._texts else {}
        if not held:
            return settings
        errors: dict[str, str] = {}
        values: dict[str, EnvironmentValue] = {}
        with quiet_context(self._app), english():  # the operator reads it, not a visitor
            for key, name in held.items():
                variable = f"{self._prefix}{name}"
                try:
                    value = self._read(settings[key], self._texts[name])
                    values[key] = EnvironmentValue(variable, value)
                except InvalidValue as error:
                    problem = error.errors[key]
                    errors[key] = WRONG % (variable, _sentence(problem))
        if errors:
            raise InvalidValue(errors)  # no cause: it may quote a secret
        return {
            key: replace(setting, environment=values[key]) if key in values else setting
            for key, setting in settings.items()
        }

    def _names_of(self, settings: Mapping[str, Setting]) -> Iterator[tuple[str, str]]:
        """Yield the key of each setting that a variable holds, and the name in the variable."""
        for key, setting in settings.items():
            found = [name for name in (key, *setting.was) if name in self._texts]
            if found:
                yield key, found[0]
            if found and found[0] != key:
                message = "%s%s is called %s%s now: rename the variable."
                prefix = self._prefix
                self._log_once(key, logging.WARNING, message, prefix, found[0], prefix, key)

    def _read(self, setting: Setting, text: str) -> object:
        key = setting.key
        if not text.isascii() and text != text.encode("utf-8", "replace").decode():
            raise InvalidValue({key: NOT_TEXT})
        checked = {key: _without_functions(setting)}
        value = forms.parse_text(checked, key, text, {})
        if problems := forms.check_values(checked, {key: value}, {}):
            raise InvalidValue(problems)
        return value


def _without_functions(setting: Setting) -> Setting:
    """A setting without functions of the app, which may ask the database or other settings."""
    own = tuple(v for v in setting.validators if _is_of_wtforms(v))
    choices = None if callable(setting.choices) else setting.choices
    return replace(setting, validators=own, choices=choices)


def _is_of_wtforms(validator: object) -> bool:
    """Whether a validator is one of WTForms that looks at no other field."""
    module = type(validator).__module__
    return module == validators.__name__ and not isinstance(validator, validators.EqualTo)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
