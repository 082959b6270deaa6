"""Our WTForms fields, and the one table from type to field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import NoneType
from typing import Any

from ..declarations import Setting
from .base import SettingField, describe
from .bound import log_failure
from .choice import ChoiceField, OptionalBooleanField
from .plain import BooleanField, FloatField, IntegerField, TextField
from .structure import JsonField

__all__ = [
    "FIELDS",
    "BooleanField",
    "ChoiceField",
    "FloatField",
    "IntegerField",
    "JsonField",
    "Maker",
    "OptionalBooleanField",
    "SettingField",
    "TextField",
    "choose",
    "describe",
]

#: A field class, or a function of the Setting that returns a field class or an unbound field.
Maker = Callable[..., Any]


def _boolean(setting: Setting) -> type[SettingField]:
    return OptionalBooleanField if setting.optional else BooleanField


#: The field for each type of value, and for what inherits from it.
FIELDS: Mapping[type, Maker] = {
    bool: _boolean,
    int: IntegerField,
    float: FloatField,
    str: TextField,
    NoneType: TextField,
    list: JsonField,
    dict: JsonField,
}


def choose(setting: Setting, table: Mapping[type, Maker] = FIELDS) -> Any:
    """Return the field class or unbound field for a setting; None where there is none."""
    if setting.field is not None:
        maker: Maker | None = setting.field
    elif setting.choices is not None and not setting.several:
        maker = ChoiceField
    else:
        maker = next((table[base] for base in setting.kind.__mro__ if base in table), None)
    if maker is None or isinstance(maker, type):
        return maker
    try:
        return maker(setting)
    except Exception as error:
        log_failure(f"the function for the field of {setting.key}", setting, error)
        return None
