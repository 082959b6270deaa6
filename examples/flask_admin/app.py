"""Flask-Admin: the settings page in its layout, with an entry in the menu for those who may.

    pip install "waffleconf-admin[sqlalchemy,babel]" Flask-Admin
    flask --app examples/flask_admin/app.py run

Open http://127.0.0.1:5000/admin/ and then /log-in, with any name and the password "waffle".
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from flask import Flask, Response, abort, current_app, redirect, request, url_for
from flask_admin import Admin, helpers
from flask_admin.contrib.sqla import ModelView
from flask_admin.menu import MenuLink
from flask_babel import Babel
from flask_sqlalchemy import SQLAlchemy
from jinja2 import DictLoader
from werkzeug.wrappers import Response as BaseResponse

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, conf

db = SQLAlchemy()
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf(configstore=AlchemyWaffleStore(db, Conf, history=ConfChange))

#: Puts the block of our pages into that of Flask-Admin's; templates/settings_layout.html.
LAYOUT = """{% extends "admin/base.html" %}
{% block page_title %}{% endblock %}
{% block body %}{% block content %}{% endblock %}{% endblock %}"""


class Product(db.Model):  # type: ignore[misc, name-defined]
    """A product, for Flask-Admin to edit."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), nullable=False)


def is_admin() -> bool:
    """Return whether the browser has sent the password; a real app asks its log-in."""
    sent = request.authorization
    password = (sent.password if sent else None) or ""
    return hmac.compare_digest(password.encode(), current_app.config["PASSWORD"].encode())


def require_admin() -> bool:
    """Return True, or ask the browser for the password."""
    return is_admin() or abort(Response("Log in.", 401, {"WWW-Authenticate": "Basic"}))


def log_in() -> BaseResponse:
    """Ask for the password, and show Flask-Admin."""
    require_admin()
    return redirect(url_for("admin.index"))


class AdminLink(MenuLink):  # type: ignore[misc]
    """An entry of the menu that others don't see."""

    def is_accessible(self) -> bool:
        return is_admin()


class AdminView(ModelView):  # type: ignore[misc]
    """The rows of a model, for admins only."""

    def is_accessible(self) -> bool:
        return is_admin()


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Make the app."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        PASSWORD="waffle",
        SQLALCHEMY_DATABASE_URI="sqlite:///site.db",
        WAFFLE_CONFS={"SITENAME": {"desc": "Name of the site", "default": "Waffle"}},
        WAFFLE_SERIALIZER="json",
    )
    app.config.from_mapping(config or {})
    app.jinja_loader = DictLoader({"settings_layout.html": LAYOUT})
    db.init_app(app)
    waffle.init_app(app)
    Babel(app)  # where Flask-Babel is installed, Flask-Admin needs it
    admin = Admin(app, name="Shop")
    admin.add_view(AdminView(Product, db))
    admin.add_link(AdminLink(name="Settings", endpoint="waffleconf_admin.index"))

    page = WaffleAdmin(
        can=lambda action, setting: require_admin(),
        actor=lambda: request.authorization.username,
        layout="settings_layout.html",
    )

    @page.context_processor
    def variables() -> dict[str, object]:
        """What Flask-Admin's templates need."""
        view = admin.index_view
        return {"admin_view": view, "get_url": view.get_url, "theme": admin.theme, "h": helpers}

    app.register_blueprint(page)
    app.add_url_rule("/", "index", lambda: conf.SITENAME)
    app.add_url_rule("/log-in", "log_in", log_in)
    with app.app_context():
        db.create_all()
    return app
