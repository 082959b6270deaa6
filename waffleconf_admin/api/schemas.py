"""Schemas: what values of a setting are in JSON, as JSON Schema."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from enum import Enum, Flag
from types import NoneType
from uuid import UUID

from ..exceptions import InvalidValue
from ..files import FileValues
from ..settings import value_types
from ..settings.setting import Setting

Schema = dict[str, object]

#: The schemas by type of value, and of what inherits from it. Everything else is a text.
_TYPES: Mapping[type, Schema] = {
    bool: {"type": "boolean"},
    value_types.FileSize: {"type": ["integer", "string"]},
    int: {"type": "integer"},
    float: {"type": "number"},
    Decimal: {"type": ["string", "integer"]},
    value_types.Email: {"type": "string", "format": "email"},
    value_types.Url: {"type": "string", "format": "uri"},
    str: {"type": "string"},
    NoneType: {"type": "string"},
    datetime: {"type": "string"},
    date: {"type": "string", "format": "date"},
    UUID: {"type": "string", "format": "uuid"},
    list: {"type": "array"},
    tuple: {"type": "array"},
    set: {"type": "array", "uniqueItems": True},
    frozenset: {"type": "array", "uniqueItems": True},
    dict: {"type": "object"},
    Flag: {"type": "array", "uniqueItems": True},
    Enum: {"type": "string"},
    object: {"type": "string"},
}

#: The keywords for limits, by type in JSON. What else may be a text has no limits in JSON.
_LIMITS = {
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


def value_schema(file_values: FileValues, setting: Setting) -> Schema:
    """Return the schema of the values that may be sent for a setting; of a secret only its type.

    A value may be refused that fits it: validators have no schema.
    """
    schema: Schema = {"title": str(setting.label)}
    if setting.help:
        schema["description"] = str(setting.help)
    schema |= _type_schema(setting)
    if setting.secret:
        return schema | {"writeOnly": True}
    schema |= _limits(setting, schema) | _choices(file_values, setting)
    with suppress(InvalidValue):
        schema["default"] = file_values.dump(setting.key, setting.default)
    return schema


def _type_schema(setting: Setting) -> Schema:
    if setting.field is not None or callable(setting.choices):
        return {}  # only the app knows
    if setting.choices is not None and not setting.several:
        return {}  # they may be of several types
    if isinstance(setting.default, int) and setting.value_type is value_types.Range:
        schema: Schema = dict(_TYPES[int])
    else:
        base = next(base for base in value_types.bases(setting.value_type) if base in _TYPES)
        schema = dict(_TYPES[base])
    types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if isinstance(setting.default, float) and not math.isfinite(setting.default):
        types = [*types, "string"]  # "inf"
    if setting.optional:
        types = [*types, "null"]
    schema["type"] = types if len(types) > 1 else types[0]
    return schema


def _limits(setting: Setting, schema: Schema) -> Schema:
    types = schema.get("type", "")
    name = types[0] if isinstance(types, list) else str(types)
    # A text in JSON has other characters than the bytes or the date that it stands for.
    if name not in _LIMITS or (name == "string" and not issubclass(setting.value_type, str)):
        return {}
    pairs = zip(_LIMITS[name], (setting.min, setting.max), strict=True)
    return {keyword: limit for keyword, limit in pairs if limit is not None}


def _choices(file_values: FileValues, setting: Setting) -> Schema:
    if callable(setting.choices):
        return {}  # they may be others tomorrow
    values = [choice.value for choice in setting.choices or ()] or setting.members
    try:
        if setting.several:
            values = [setting.value_type([value]) for value in values]
        written = [file_values.dump(setting.key, value) for value in values]
    except (InvalidValue, TypeError):  # a namedtuple, for one, is not made of a list
        return {}
    if not written:
        return {}
    if setting.several or issubclass(setting.value_type, Flag):
        lists = [items for items in written if isinstance(items, list)]
        return {"items": {"enum": [item for items in lists for item in items]}}
    return {"enum": [*written, None] if setting.optional and None not in written else written}
