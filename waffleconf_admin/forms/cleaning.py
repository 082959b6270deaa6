"""Cleaning: values from anywhere, checked against what is declared, as validators leave them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from wtforms import Field

from ..fields.binding import BoundField
from ..fields.factory import instantiate
from ..fields.value_text import generic_text
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Setting
from .form import SettingsForm
from .validation import validate_field

#: How often validators are asked about the values of one save: again if they have cleaned some.
ROUNDS = 2

#: Types whose values can be changed in place, or hold such values.
CONTAINERS = (list, tuple, dict, set, frozenset, deque, bytearray)


class Cleaned(NamedTuple):
    """Values that were checked."""

    values: dict[str, object]  #: by key, as validators leave them
    problems: dict[str, str]  #: messages by key; no values are to be saved if there are any


class Drafts(dict[str, Record]):
    """Values in place of what is stored, as records; each is made when a form asks for it."""

    def __init__(self, settings: Mapping[str, Setting], values: Mapping[str, object]) -> None:
        super().__init__()
        self._settings = settings
        self._values = values

    def __missing__(self, key: str) -> Record:
        return Record(None, _own_copy(self._values.get(key, self._settings[key].default)))


def check_values(
    settings: Mapping[str, Setting], new_values: Mapping[str, object], values: Mapping[str, object]
) -> dict[str, str]:
    """Return what is wrong with values from anywhere, ``{key: message}``, as `clean_values` finds
    it.
    """
    return clean_values(settings, new_values, values).problems


def clean_values(
    settings: Mapping[str, Setting], new_values: Mapping[str, object], values: Mapping[str, object]
) -> Cleaned:
    """Check values from anywhere, and return them as validators leave them: what is declared holds.

    A validator may set ``field.data``, as in a form of WTForms. If one has, all are asked again,
    with a form of the cleaned values: a rule between two settings holds for what is saved. To be
    called in the app's context.

    :param settings: all that are declared.
    :param new_values: ``{key: value}``; undeclared keys are not checked.
    :param values: the current values by key, for validators that ask for other settings.
    """
    checked = {key: settings[key] for key in new_values if key in settings}
    cleaned = {**new_values, **{key: checked[key].plain(new_values[key]) for key in checked}}
    problems = {
        # A validator may make a value fit its declaration, but gets none of another class.
        key: (setting.class_problem if setting.validators else setting.problem)(cleaned[key])
        for key, setting in checked.items()
    }
    errors = {key: problem for key, problem in problems.items() if problem}
    asked = [key for key in checked if checked[key].validators and key not in errors]
    if not asked:
        return Cleaned(cleaned, errors)
    refused: dict[str, str] = {}
    for _ in range(ROUNDS):
        before, form = dict(cleaned), draft_form(settings, {**values, **cleaned})
        refused = _ask_validators(form, [checked[key] for key in asked], cleaned)
        if all(cleaned[key] is before[key] for key in asked):
            break
    return Cleaned(cleaned, errors | refused)


def draft_form(settings: Mapping[str, Setting], values: Mapping[str, object]) -> SettingsForm:
    """Return a form of all settings as they would be, for validators that ask for others."""
    return SettingsForm(settings, Drafts(settings, values))


def _ask_validators(
    form: SettingsForm, settings: Iterable[Setting], values: dict[str, object]
) -> dict[str, str]:
    """Let the validators of settings check and clean their values; return messages by key."""
    refused = {}
    for setting in settings:
        value = values[setting.key]
        field = _plain_field(form, setting, value)
        validate_field(form, field)
        if field.errors:
            refused[setting.key] = setting.problem(value) or " ".join(map(str, field.errors))
        if not same(field.data, value):
            values[setting.key] = field.data
    return refused


def _plain_field(form: SettingsForm, setting: Setting, value: object) -> BoundField:
    """Return a field that holds a value from code, for the declared validators."""
    options = form.field_options | {"name": setting.key, "id": setting.key}
    field: BoundField = instantiate(Field, setting, options)
    field.process(None, _own_copy(value))
    # Validators ask here whether anything was given.
    field.setting, field.raw_data = setting, [generic_text(value)]
    return field


def _own_copy(value: object) -> object:
    """Return a value that validators may change in place: only ``field.data`` may be cleaned."""
    if not isinstance(value, CONTAINERS):
        return value
    try:
        return copy.deepcopy(value)
    except Exception:  # of what it holds; that can't be stored either
        return value
