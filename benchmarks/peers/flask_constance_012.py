"""Flask-Constance 0.1.2 with its SQLAlchemy backend and its view for Flask-Admin."""

from __future__ import annotations

from flask import Flask, request
from flask_admin import Admin
from flask_constance import Constance, settings
from flask_constance.admin import ConstanceAdminView
from flask_constance.backends.fsqla import FlaskSQLAlchemyBackend, SettingMixin
from flask_sqlalchemy import SQLAlchemy
from shared import DATABASE, DEFAULTS, READ, SAVED, shown

PAGE = "/admin/constance/"


def create_app() -> Flask:
    app = Flask("benchmark")
    app.config.update(
        SECRET_KEY="benchmark",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{DATABASE}",
        SQLALCHEMY_TRACK_MODIFICATIONS=False,
        CONSTANCE_PAYLOAD=DEFAULTS,
    )
    db = SQLAlchemy(app)

    class Setting(db.Model, SettingMixin):  # type: ignore[name-defined, misc]
        pass

    Constance(app, FlaskSQLAlchemyBackend(Setting, db.session))
    Admin(app).add_view(ConstanceAdminView(name="Settings", endpoint="constance"))
    with app.app_context():
        db.create_all()
        for key in DEFAULTS:  # reading adds what is missing
            getattr(settings, key)
        db.session.commit()

    @app.route("/")
    def read() -> str:
        return shown([getattr(settings, key) for key in READ])

    @app.route("/save")
    def write() -> str:
        setattr(settings, SAVED, request.args["value"])
        db.session.commit()
        return ""

    return app
