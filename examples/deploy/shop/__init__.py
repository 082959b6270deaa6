"""A small shop to deploy: an app factory that reads its configuration from an environment variable.

docs/deployment.md explains how to run it.
"""

from __future__ import annotations

import hmac
import os

from flask import Flask, abort, current_app, request
from flask_sqlalchemy import SQLAlchemy
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response

from waffleconf_admin import AlchemyWaffleStore, Setting, WaffleAdmin, WaffleConf, conf

db = SQLAlchemy()
Conf, ConfChange, ConfWorker = AlchemyWaffleStore.make_models(db, workers=True)
waffle = WaffleConf()


def create_app() -> Flask:
    """Make the app; the environment variable SHOP_CONFIG names the file of its configuration."""
    app = Flask(__name__)
    app.config.from_mapping(
        WAFFLE_CONFS={
            "SITENAME": {"default": "Waffle", "desc": "Name of the site"},
            "GREETING": {"default": "Hello", "desc": "First word of each letter"},
        },
        WAFFLE_SERIALIZER="json",
    )
    app.config.from_envvar("SHOP_CONFIG")
    db.init_app(app)
    store = AlchemyWaffleStore(db, Conf, history=ConfChange, workers=ConfWorker)
    waffle.init_app(app, store)
    app.register_blueprint(WaffleAdmin(can=is_operator, actor=operator))
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/ready", "ready", ready)
    app.cli.command("create-tables")(db.create_all)
    if "CELERY" in app.config:
        from .tasks import add_celery

        add_celery(app)
    # One proxy stands before the app; without one these headers would come from anybody.
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1, x_prefix=1)
    return app


def is_operator(action: str, setting: Setting) -> bool:
    """Ask the browser for the password of the operators; a real app asks its log-in."""
    sent = request.authorization
    if sent is None or not hmac.compare_digest(
        (sent.password or "").encode(), current_app.config["OPERATOR_PASSWORD"].encode()
    ):
        abort(Response("Log in.", 401, {"WWW-Authenticate": 'Basic realm="shop"'}))
    return True


def operator() -> str | None:
    """Return who saves, for the history."""
    return request.authorization.username if request.authorization else None


def index() -> dict[str, object]:
    """Say which process serves which value, at which address."""
    return {"name": conf.SITENAME, "process": os.getpid(), "address": request.url}


def ready() -> tuple[dict[str, object], int]:
    """Say whether the values of this process are current, for a readiness probe."""
    health = current_app.extensions["waffleconf"].health()
    return {"trouble": health.trouble}, 503 if health.lags else 200
