"""Declaration: the dict of a setting in WAFFLE_CONFS, as type checkers and editors know it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from types import UnionType
from typing import Any, Literal, TypedDict

# Any is what a function of the app takes, or a dict of the app has as keys: each names types of its
# own.

#: A str, or a lazy translation, which is of any class.
Text = object
#: The least or greatest value, or length, that a setting may have.
Limit = int | float | Decimal | date | time | timedelta
Choices = Iterable[object] | Mapping[Any, object] | type[Enum] | Callable[[], object]
Need = str | Mapping[str, object]
Type = type | Literal[
    "bool", "int", "float", "str", "list", "dict",
    "email", "url", "color", "range", "filesize", "timezone", "json",
]  # fmt: skip


class Attributes(TypedDict, total=False):
    """What a declaration may say of a setting beside its default."""

    desc: Text
    help: Text
    group: Text | tuple[str, Text]
    choices: Choices | None
    min: Limit | None
    max: Limit | None
    validators: Sequence[Callable[[Any, Any], object]] | None
    secret: bool
    readonly: bool
    confirm: bool | Text | Callable[[Any, Any], object]
    keywords: Text | Sequence[Text]
    needs: Need | Sequence[Need] | None
    restart: bool
    multiline: bool
    field: Callable[..., object] | None
    type: Type | UnionType | None
    unit: Text
    was: str | Sequence[str]
    convert: Callable[[Any], object] | None


class Declaration(Attributes, total=False):
    """An entry of WAFFLE_CONFS: ``confs: dict[str, Declaration] = {"SITENAME": {…}}``."""

    default: object
