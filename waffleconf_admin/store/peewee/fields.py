"""What peewee's fields are like, and expressions on them."""

from __future__ import annotations

from typing import Any

import peewee


def is_plain(field: Any) -> bool:
    """Whether a field stores text as it is given."""
    return isinstance(field, peewee.CharField | peewee.TextField) and all(
        getattr(type(field), name) is getattr(peewee.TextField, name)
        for name in ("adapt", "db_value", "python_value")
    )


def same_bytes(stored: Any, name: str) -> Any:
    given = peewee.Cast(peewee.Value(name, converter=False), "BINARY")
    return peewee.Expression(peewee.Cast(stored, "BINARY"), "=", given)
