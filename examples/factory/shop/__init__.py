"""The factory: configuration first, then the extensions, then the blueprints."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask

from waffleconf_admin import WaffleAdmin

from . import auth, views
from .extensions import db, login_manager, migrate, waffle
from .settings import CONFS


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Make the app; it starts and serves the defaults before its tables exist, too."""
    app = Flask(__name__, instance_relative_config=True)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SQLALCHEMY_DATABASE_URI="sqlite:///shop.db",
        USE_SESSION_FOR_NEXT=True,  # the log-in leads back to where the visitor came from
        WAFFLE_CONFS=CONFS,
        WAFFLE_SERIALIZER="json",
        WAFFLE_MULTIPROC=True,  # running processes follow what another one saves
        WAFFLE_WATCHER_FILE="/tmp/shop-settings.txt",
    )
    app.config.from_pyfile("config.py", silent=True)  # in the folder "instance"
    app.config.from_mapping(config or {})

    db.init_app(app)
    migrate.init_app(app, db)
    waffle.init_app(app)
    login_manager.init_app(app)

    app.register_blueprint(views.blueprint)
    app.register_blueprint(auth.blueprint)
    app.register_blueprint(WaffleAdmin(can=auth.can))
    return app
