"""Apps with a JSON API."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from waffleconf_admin import WaffleAdmin

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "max": 40},
    "PAGE_SIZE": {"desc": "Page size", "default": 20, "min": 1, "max": 100, "group": "Shop"},
    "THEME": {"default": "light", "choices": ["light", "dark"], "group": "Shop"},
    "HOURS": {"default": {"mon": [9, 18]}, "group": "Shop"},
    "TIMEOUT": {"default": timedelta(minutes=30)},
    "TOKEN": {"default": "factory-needle", "secret": True},
    "REGION": {"default": "eu", "readonly": True},
}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An app with an API and a history, without CSRF protection; ana uses it."""
    app = make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana", api=True))
    return app


@pytest.fixture
def client(app: Flask) -> Any:
    """A client of `app`."""
    return app.test_client()
