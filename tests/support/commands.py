"""What the tests of the command line share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from click.testing import Result
from flask import Flask

CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle", "max": 200, "group": "Shop"},
    "PAGE_SIZE": {"default": 10, "min": 1, "max": 50},
    "OFFSET": {"default": 0},
    "RATIO": {"default": 1.5},
    "OPEN": {"default": False, "group": "Shop"},
    "TEXT": {"default": "", "multiline": True},
    "THEME": {"default": "light", "choices": ["light", "dark"]},
    "HOURS": {"default": {"mon": [9, 17]}},
    "TIMEOUT": {"default": timedelta(minutes=5)},
    "REGION": {"default": "eu", "readonly": True},
    "TOKEN": {"default": "", "secret": True},
}

Run = Callable[..., Result]


def stored(app: Flask) -> dict[str, Any]:
    """The values of the rows in the database, by key."""
    records = app.extensions["waffleconf"].read()
    return {key: record.value for key, record in records.items() if record.text is not None}


def history(app: Flask) -> list[tuple[str, str, str]]:
    """The changes in the history, the last first: key, actor and source."""
    changes = app.extensions["waffleconf"].history.list()
    return [(change.key, change.actor, change.source) for change in changes]
