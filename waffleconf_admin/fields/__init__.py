"""Our WTForms fields, and the one table from type to field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from pathlib import PurePath
from types import NoneType
from uuid import UUID
from zoneinfo import ZoneInfo

from ..settings import value_types
from ..settings.setting import Setting
from .base import SettingField
from .boolean import BooleanField, OptionalBooleanField
from .choice import ChoiceField, ZoneField
from .dates import DateField, DateTimeField, TimeField
from .factory import Source, log_failure
from .json import JsonField
from .multiple_choice import FlagField, MultipleChoiceField
from .number import (
    DecimalField,
    DurationField,
    FileSizeField,
    FloatField,
    IntegerField,
    RangeField,
    WholeRangeField,
)
from .optional import LineField, OptionalField
from .text import (
    IP_EXAMPLES,
    BytesField,
    ColorField,
    EmailField,
    IPAddressField,
    PathField,
    TextField,
    UrlField,
    UuidField,
)
from .value_text import UnsupportedValue

__all__ = [
    "FIELDS",
    "BooleanField",
    "BytesField",
    "ChoiceField",
    "ColorField",
    "DateField",
    "DateTimeField",
    "DecimalField",
    "DurationField",
    "EmailField",
    "FieldFactory",
    "FileSizeField",
    "FlagField",
    "FloatField",
    "IPAddressField",
    "IntegerField",
    "JsonField",
    "LineField",
    "MultipleChoiceField",
    "OptionalBooleanField",
    "OptionalField",
    "PathField",
    "RangeField",
    "SettingField",
    "TextField",
    "TimeField",
    "UnsupportedValue",
    "UrlField",
    "UuidField",
    "WholeRangeField",
    "ZoneField",
    "choose_source",
]

#: A field class, or a function of the Setting that returns a field class or an unbound field.
FieldFactory = Callable[..., object]


def _boolean(setting: Setting) -> type[SettingField]:
    return OptionalBooleanField if setting.optional else BooleanField


def _range(setting: Setting) -> type[SettingField]:
    return WholeRangeField if isinstance(setting.default, int) else RangeField


_OWN = (_boolean, _range)

#: The field for each type of value, and for what inherits from it.
FIELDS: Mapping[type, FieldFactory] = {
    bool: _boolean,
    int: IntegerField,
    float: FloatField,
    Decimal: DecimalField,
    value_types.Range: _range,
    value_types.FileSize: FileSizeField,
    str: TextField,
    NoneType: TextField,
    value_types.Email: EmailField,
    value_types.Url: UrlField,
    value_types.Color: ColorField,
    value_types.TimeZone: ZoneField,
    ZoneInfo: ZoneField,
    date: DateField,
    time: TimeField,
    datetime: DateTimeField,
    timedelta: DurationField,
    Enum: ChoiceField,
    Flag: FlagField,
    UUID: UuidField,
    PurePath: PathField,
    **dict.fromkeys(IP_EXAMPLES, IPAddressField),
    **dict.fromkeys((bytes, bytearray), BytesField),
    **dict.fromkeys((list, tuple, set, frozenset, dict), JsonField),
}


def choose_source(setting: Setting, table: Mapping[type, FieldFactory] = FIELDS) -> Source | None:
    """Return the field class or unbound field for a setting; None where there is none."""
    factory = _factory(setting, table)
    if factory is None or isinstance(factory, type):
        return factory
    if factory in _OWN:  # they need no context of an app
        return factory(setting)
    try:
        return setting.call(factory, setting)
    except Exception as error:
        log_failure(f"the function for the field of {setting.key}", setting, error)
        return None


def _factory(setting: Setting, table: Mapping[type, FieldFactory]) -> FieldFactory | None:
    if setting.field is not None:
        return setting.field
    value_type = setting.value_type
    if setting.choices is not None:
        if issubclass(value_type, Flag):
            return FlagField
        return MultipleChoiceField if setting.several else ChoiceField
    if value_type in table:
        return table[value_type]
    bases = value_types.bases(value_type)
    return next((table[base] for base in bases if base in table), None)
