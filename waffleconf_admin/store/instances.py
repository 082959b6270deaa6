"""Instances of the app's models: the key and the text that each of them stands for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from ..models import WaffleMixin

#: A model of the app's, an instance of one, or a column. Any: the app declares the attributes,
#: with or without our mixins, and each ORM has types of its own.
Model = Any


def key_of(instance: Model) -> str:
    """Return the key of the setting that an instance stores."""
    return str(instance.get_key() if hasattr(instance, "get_key") else instance.key)


def text_of(instance: Model) -> str:
    """Return the text that an instance stores."""
    return as_text(instance.get_value() if hasattr(instance, "get_value") else instance.value)


def as_text(stored: object) -> str:
    """Return a stored value as text; what no store writes (NULL) is empty."""
    if isinstance(stored, bytes):  # a column of binary type
        return stored.decode(errors="replace")
    return stored if isinstance(stored, str) else ""


def overrides(model: object) -> bool:
    """Whether a model overrides ``get_key`` or ``get_value``: its columns don't say it all."""
    return any(
        getattr(model, name, original) is not original
        for name, original in (
            ("get_key", WaffleMixin.get_key),
            ("get_value", WaffleMixin.get_value),
        )
    )


def read_time(stored: datetime) -> datetime:
    """Return the time that a column holds, aware; without a time zone it is UTC."""
    return stored.astimezone(UTC) if stored.tzinfo else stored.replace(tzinfo=UTC)


def column_time(at: datetime, *, zoned: bool) -> datetime:
    """Return a time as its column takes it; without a time zone it is UTC all the same."""
    at = at.astimezone(UTC)
    return at if zoned else at.replace(tzinfo=None)
