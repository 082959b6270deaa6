"""Our WTForms fields, and the one table from type to field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from pathlib import PurePath
from types import NoneType
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from ..settings import value_types
from ..settings.setting import Setting
from .base import SettingField, describe
from .basic import BooleanField, TextField
from .binding import log_failure
from .choice import ChoiceField, OptionalBooleanField, ZoneField
from .measure import DurationField, FileSizeField
from .multiple import FlagField, SeveralField
from .number import DecimalField, FloatField, IntegerField, RangeField, WholeRangeField
from .structured import BytesField, JsonField
from .temporal import DateField, DateTimeField, TimeField
from .text import NETS, ColorField, EmailField, NetField, PathField, UrlField, UuidField

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
    "FileSizeField",
    "FlagField",
    "FloatField",
    "IntegerField",
    "JsonField",
    "Maker",
    "NetField",
    "OptionalBooleanField",
    "PathField",
    "RangeField",
    "SettingField",
    "SeveralField",
    "TextField",
    "TimeField",
    "UrlField",
    "UuidField",
    "WholeRangeField",
    "ZoneField",
    "choose",
    "describe",
]

#: A field class, or a function of the Setting that returns a field class or an unbound field.
Maker = Callable[..., Any]


def _boolean(setting: Setting) -> type[SettingField]:
    return OptionalBooleanField if setting.optional else BooleanField


def _range(setting: Setting) -> type[SettingField]:
    return WholeRangeField if isinstance(setting.default, int) else RangeField


#: The field for each type of value, and for what inherits from it.
FIELDS: Mapping[type, Maker] = {
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
    **dict.fromkeys(NETS, NetField),
    **dict.fromkeys((bytes, bytearray), BytesField),
    **dict.fromkeys((list, tuple, set, frozenset, dict), JsonField),
}


def choose(setting: Setting, table: Mapping[type, Maker] = FIELDS) -> Any:
    """Return the field class or unbound field for a setting; None where there is none."""
    if setting.field is not None:
        maker: Maker | None = setting.field
    elif setting.choices is not None:
        flags = issubclass(setting.value_type, Flag)
        maker = FlagField if flags else SeveralField if setting.several else ChoiceField
    else:
        maker = next(
            (table[base] for base in value_types.bases(setting.value_type) if base in table), None
        )
    if maker is None or isinstance(maker, type):
        return maker
    try:
        return setting.call(maker, setting)
    except Exception as error:
        log_failure(f"the function for the field of {setting.key}", setting, error)
        return None
