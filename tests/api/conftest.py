"""Apps with a JSON API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pages import API_CONFS

from waffleconf_admin import WaffleAdmin


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An app with an API and a history, without CSRF protection; ana uses it."""
    app = make_app(API_CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana", api=True))
    return app


@pytest.fixture
def client(app: Flask) -> Any:
    """A client of `app`."""
    return app.test_client()
