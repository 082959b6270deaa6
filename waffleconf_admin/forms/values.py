"""Values outside a form: read from a text, shown as a text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import wtforms
from flask import Flask, current_app, has_app_context

from ..exceptions import InvalidValue
from ..fields import (
    FIELDS,
    ChoiceField,
    FieldFactory,
    SettingField,
    UnsupportedValue,
    choose_source,
)
from ..fields.binding import find_misreading, process_values
from ..fields.boolean import BooleanField
from ..fields.factory import reporting_failures, standalone_field
from ..fields.foreign import sent_values, without_hidden_input
from ..fields.value_text import NOT_GIVEN_BACK, ONLY_IN_CODE, generic_text
from ..i18n import gettext, mark
from ..settings import value_types
from ..settings.notation import EXACT, PYTHON, Notation
from ..settings.record import Record
from ..settings.setting import Setting
from .cleaning import draft_form
from .validation import validate_field

READS_ANOTHER_TYPE = mark("its field makes a value of type %(type)s of a text, not %(noun)s")

#: The key in ``app.extensions`` of the fields that the pages of an app have added.
ADDED = "waffleconf_fields"


def add_fields(app: Flask, fields: Mapping[type, FieldFactory]) -> None:
    """Let the command line of an app use the fields of a page.

    :raises ValueError: another page has another field for one of the types.
    """
    added = app.extensions.setdefault(ADDED, {})
    for value_type, factory in fields.items():
        if added.get(value_type, factory) != factory:
            raise ValueError(
                f"fields: two pages have different fields for {value_type.__name__}, and the "
                "command line could use one of them only: give both pages the same, or name a "
                'field in the declarations of single settings, {"default": …, "field": …}'
            )
    added.update(fields)


def parse_text(
    settings: Mapping[str, Setting], key: str, text: str, values: Mapping[str, object]
) -> object:
    """Return the value of a text that somebody wrote for a setting, outside the page.

    Numbers are read in Python's notation only, and all else as the page reads it. To be called in
    the app's context.

    :param settings: all that are declared.
    :param values: the current values by key, for validators that ask for other settings.
    :raises InvalidValue: the setting is not declared, or the text is none of its values.
    """
    setting = get_setting(settings, key)
    try:
        with reporting_failures(setting):
            field = field_of(setting, EXACT)
        if isinstance(field, SettingField):
            field.round_trips(setting.default)  # raises for what the field has no text for
            return field.read(text)
    except UnsupportedValue as error:
        raise InvalidValue({key: gettext(ONLY_IN_CODE, why=error)}) from error
    except ValueError as error:
        # Without a cause for a secret: Python's own messages quote what they refuse.
        raise InvalidValue({key: str(error)}) from (None if setting.secret else error)
    field.setting, field.record = setting, Record(None, setting.copy_default())
    process_values(field, _values_sent(field, key, text))
    validate_field(draft_form(settings, values), field)
    if field.errors:
        raise InvalidValue({key: " ".join(map(str, field.errors))})
    if why := _misreading(setting, field.data):
        raise InvalidValue({key: gettext(ONLY_IN_CODE, why=why)})
    return field.data


def _values_sent(field: object, key: str, text: str) -> list[str]:
    """Return what the control of a field of WTForms would send, where somebody wrote a text.

    :raises InvalidValue: the field is a check box, and the text is no word for yes or no.
    """
    if not isinstance(field, wtforms.BooleanField):
        return [text]
    try:  # a box that is sent is ticked, whatever it sends
        return ["y"] if BooleanField.read_word(text) else []
    except ValueError as error:
        raise InvalidValue({key: str(error)}) from error


def _misreading(setting: Setting, value: object) -> str:
    """Return why a value that a field of WTForms has read of a text can't be meant; "" if it can.

    The field has to send it back, as on the page, and it has to be of the type of the default.
    """
    wanted = setting.value_type
    is_free = setting.default is None or (value is None and setting.optional)
    if not (is_free or value_types.accepts(wanted, value)):
        noun, name = value_types.noun(wanted), type(value).__name__
        return gettext(READS_ANOTHER_TYPE, type=name, noun=noun)
    return find_misreading(setting, value, partial(field_of, setting))


def choice_texts(setting: Setting) -> list[str]:
    """Return the texts that stand for the choices of a setting; none where it has none."""
    try:
        field = field_of(setting)
        return list(field.texts) if isinstance(field, ChoiceField) else []
    except Exception:  # a function of choices that fails, which is in the log already
        return []


def exact_text(setting: Setting, value: object) -> str:
    """Return the text that `parse_text` takes for a value of a setting that is no secret.

    :raises InvalidValue: there is none; the message says why.
    """
    try:
        with reporting_failures(setting):
            field = field_of(setting)
        if not isinstance(field, SettingField):
            return show_text(setting, value)
        if isinstance(value, str) or field.round_trips(value):
            text = field.write(value)
            if not getattr(value, "tzinfo", None) or _is_same_time(
                field_of(setting).read(text), value
            ):
                return text
        why = gettext(NOT_GIVEN_BACK)
    except UnsupportedValue as error:
        why = str(error)
    except ValueError:  # its field refuses its text
        why = gettext(NOT_GIVEN_BACK)
    raise InvalidValue({setting.key: gettext("No text stands for this value: %(why)s.", why=why)})


def _is_same_time(read: Any, value: Any) -> bool:
    """Whether what is read of the text of a time is that time.

    A control knows the time zone of its value: CET may be an hour from UTC in summer too. Somebody
    else who has the text takes it for the zone of that name.
    """
    return bool(read == value and read.utcoffset() == value.utcoffset())


def show_text(setting: Setting, value: object, *, on_line: bool = False) -> str:
    """Return the text of a value of a setting, as `parse_text` takes it; of a secret nothing.

    What no text stands for has one to read only.

    :param on_line: several items with commas between them, not line by line.
    """
    if setting.secret:
        return ""
    try:
        field = field_of(setting)
        if isinstance(field, SettingField):
            return field.write_line(value) if on_line else field.write(value)
        field.process(None, value)
        return ", ".join(without_hidden_input(field, sent_values(field)))
    except Exception:  # an UnsupportedValue, or whatever an app's own field raises
        return generic_text(value)


def get_setting(settings: Mapping[str, Setting], key: str) -> Setting:
    """Return a declared setting.

    :raises InvalidValue: there is none of that name.
    """
    return get_settings(settings, [key])[key]


def get_settings(settings: Mapping[str, Setting], keys: Iterable[str]) -> dict[str, Setting]:
    """Return declared settings by key.

    :raises InvalidValue: there is none of one of the names.
    """
    try:
        return {key: settings[key] for key in keys}
    except KeyError as error:
        (key,) = error.args
        raise InvalidValue({key: gettext("There is no setting of that name.")}) from None


def field_of(setting: Setting, notation: Notation = PYTHON) -> Any:
    """Return the field of a setting outside a form, without a value; any field of WTForms.

    :param notation: of numbers.
    :raises UnsupportedValue: the setting can't have one.
    """
    # The fields of the app, with those that its pages have added.
    added = current_app.extensions.get(ADDED, {}) if has_app_context() else {}
    return standalone_field(setting, choose_source(setting, {**FIELDS, **added}), notation)
