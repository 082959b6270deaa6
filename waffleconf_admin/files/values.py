"""Values in a file: what JSON can hold as such, and everything else as on the command line.

A `timedelta` is the text "1 h 30 min" in a file, a set a list, a member of an Enum its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

from flask import Flask

from ..contexts import context_of
from ..exceptions import InvalidValue, StoreError
from ..fields import UnsupportedValue
from ..forms.values import get_setting, parse_text
from ..i18n import gettext
from ..settings.equality import same
from ..settings.setting import Setting
from ..state.state import State
from .converters import Converter, converter_of


class FileValues:
    """The values of an app's settings, as files have them.

    :param settings: all that are declared.
    """

    def __init__(self, app: Flask, settings: Mapping[str, Setting]) -> None:
        self._app = app
        self.settings = settings

    def load(self, key: str, written: object) -> object:
        """Return the value of what a file has for a setting, read as the page reads it.

        :param written: a bool, number, text, list or dict, or None.
        :raises InvalidValue: it is no value of the setting, or the setting is not declared.
        """
        setting = get_setting(self.settings, key)
        try:
            with context_of(self._app):
                converter = self._converter(setting)
                return None if written is None and setting.optional else converter.load(written)
        except UnsupportedValue as error:
            problem = gettext("It can only be changed in code: %(why)s.", why=error)
            raise InvalidValue({key: problem}) from error
        except InvalidValue:
            raise
        except ValueError as error:
            # The message may quote what it refuses.
            problem = gettext("This value is not accepted.") if setting.secret else str(error)
            raise InvalidValue({key: problem}) from (None if setting.secret else error)

    def dump(self, key: str, value: object) -> object:
        """Return what `load` takes for a value of a setting.

        :raises InvalidValue: no file can hold it.
        """
        setting = self.settings[key]
        with context_of(self._app), suppress(ValueError):  # its field may have no text for it
            converter = self._converter(setting)
            for written in [None] if value is None else converter.candidates(value):
                with suppress(InvalidValue):
                    if unchanged(value, self.load(key, written)):
                        return written
        raise InvalidValue(
            {key: gettext("No file can hold this value: it can only be changed in code.")}
        )

    def _converter(self, setting: Setting) -> Converter:
        return converter_of(
            setting, lambda text: parse_text(self.settings, setting.key, text, self._app.config)
        )


def load_values(state: State, written: Mapping[str, object]) -> dict[str, object]:
    """Return the values of settings by key, of what a file has for them.

    :raises InvalidValue: some are no values, or not declared; `errors` names all of them, and what
        a save would refuse of the others.
    """
    file_values = FileValues(state.app, state.settings)
    values: dict[str, object] = {}
    problems: dict[str, str] = {}
    for key, part in written.items():
        try:
            values[key] = file_values.load(key, part)
        except InvalidValue as error:
            problems |= error.errors or {key: str(error)}
    if problems:
        problems |= find_problems(state, values)
        raise InvalidValue({key: problems[key] for key in written if key in problems})
    return values


def find_problems(state: State, values: Mapping[str, object]) -> Mapping[str, str]:
    """Return why a save of values would be refused, by key; none where it can't be known now."""
    try:
        state.check(values)
    except InvalidValue as error:
        return error.errors
    except StoreError:
        pass
    return {}


def unchanged(value: object, wanted: object) -> bool:
    """Whether a setting has the value of a file already: 2 is 2.0 where files have 2.0."""
    # Python compares them exactly.
    return same(value, wanted) or (type(value) is int and type(wanted) is float and value == wanted)
