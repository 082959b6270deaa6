"""Stored values whose declarations have changed since."""

from __future__ import annotations

from typing import Any

INT: dict[str, Any] = {"default": 10, "type": int, "min": 1, "max": 100}


CHANGED: dict[str, Any] = {
    "LIMIT": INT,
    "OPEN": {"default": True, "type": bool},
    "SHARE": {"default": 5, "type": int, "max": 100},
    "NAME": {"default": "Waffle"},
    "TOKEN": {"default": 1, "type": int, "secret": True},
}


#: What was stored before the declarations became these.
STORED: dict[str, Any] = {
    "LIMIT": "25",
    "OPEN": "perhaps",
    "SHARE": 500,
    "NAME": 7,
    "TOKEN": "hunter2",
}
