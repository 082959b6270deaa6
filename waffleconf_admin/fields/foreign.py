"""Fields that are not ours: what the page and the merge need to know of any field of WTForms."""

from __future__ import annotations

from functools import singledispatch
from types import NoneType
from typing import Any

import wtforms
from wtforms.validators import Optional

from ..i18n import gettext
from ..settings.record import Record
from ..settings.setting import Setting
from .base import SettingField, is_set
from .value_text import UnsupportedValue, generic_text

#: Fields of WTForms whose control a browser leaves out where nothing is ticked.
_LEFT_OUT = (wtforms.BooleanField, wtforms.SelectMultipleField)

#: The attributes of a `SettingField` that templates ask for, as fields of WTForms have them.
_ATTRIBUTES: dict[str, object] = {
    "control": "custom",
    "multiline": False,
    "is_group": False,
    "is_switch": False,
    "limits_beside": False,
    "editable": True,
    "reason": "",
    "resettable": True,
    "hidden": False,
    "differs": False,
    "attention": False,
    "has_removed_choice": False,
    "conflict_text": None,
}


def attributes(setting: Setting, record: Record) -> dict[str, object]:
    """Return the attributes of a `SettingField` for another field of a setting."""
    return {
        **_ATTRIBUTES,
        "value_text": generic_text(record.value),
        "default_text": generic_text(setting.default),
        "is_set": is_set(record.value),
        "quoted": is_text(setting),
        "expected": record.value,
    }


def is_text(setting: Setting) -> bool:
    """Whether the values of a setting are texts."""
    return issubclass(setting.value_type, (str, NoneType))


def may_send_nothing(field_class: type) -> bool:
    """Whether a browser leaves out the control of a field class where nothing is ticked."""
    if issubclass(field_class, SettingField):
        return field_class.may_send_nothing
    return issubclass(field_class, _LEFT_OUT)


def needs_hidden_input(field: object) -> bool:
    """Whether a blank hidden input is rendered before a field, so that something is always sent.

    Our own widgets bring it with them.
    """
    return isinstance(field, _LEFT_OUT)


def without_hidden_input(field: object, values: list[str]) -> list[str]:
    """Return what was sent of a field without the blank of its hidden input."""
    return values[1:] if needs_hidden_input(field) and values[:1] == [""] else values


def forgives_blank(field: Any) -> bool:
    """Whether a field of WTForms was sent blank, and its validator ``Optional`` allows that."""
    is_blank = not "".join(field.raw_data or ()).strip()
    return is_blank and any(isinstance(each, Optional) for each in field.validators)


@singledispatch
def sent_values(field: object) -> list[str]:
    """Return what a browser sends of a processed field that nobody touches.

    :raises UnsupportedValue: it is a field that has no value of its own, such as a FieldList.
    """
    if not hasattr(field, "_value"):
        raise UnsupportedValue(
            gettext("this page can't hold a field of type %(type)s", type=type(field).__name__)
        )
    return [str(field._value())]


@sent_values.register(SettingField)
def _of_ours(field: SettingField) -> list[str]:
    return field.sent_values(field.text)


@sent_values.register(wtforms.BooleanField)
def _of_box(field: Any) -> list[str]:
    return ["", str(field._value())] if field.data else [""]


@sent_values.register(wtforms.SelectMultipleField)
def _of_boxes(field: object) -> list[str]:
    return ["", *_selected(field)]


@sent_values.register(wtforms.RadioField)
def _of_buttons(field: object) -> list[str]:
    return _selected(field)


@sent_values.register(wtforms.SelectField)
def _of_select(field: Any) -> list[str]:
    # A select without a selected option shows, and sends, its first.
    return _selected(field) or [str(choice[0]) for choice in field.iter_choices()][:1]


def _selected(field: Any) -> list[str]:
    return [str(choice[0]) for choice in field.iter_choices() if choice[2]]
