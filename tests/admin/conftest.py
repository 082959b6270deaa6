"""Apps with a settings page."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from pages import CONFS, EDITED_CONFS, HISTORY_CONFS, MakeApp

from waffleconf_admin import WaffleAdmin


@pytest.fixture
def orm_app(make_app: MakeApp, orm: str) -> Flask:
    """An app with each ORM, without CSRF protection."""
    app = make_app(CONFS, orm=orm)
    app.register_blueprint(WaffleAdmin())
    return app


@pytest.fixture
def history_app(make_app: MakeApp, orm: str) -> Flask:
    """An app with a history, with each ORM; ana saves on its page."""
    app = make_app(HISTORY_CONFS, orm=orm, history=True)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    return app


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app with CSRF protection that stores changed values only; ana saves on its page."""
    app = make_app(EDITED_CONFS, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    return app


@pytest.fixture
def client(app: Flask) -> Any:
    """A client of `app`."""
    return app.test_client()
