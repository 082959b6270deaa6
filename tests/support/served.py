"""A WSGI app for servers/test_app_servers.py: one app for each watch type, side by side.

/TYPE/ says which process serves which value, /TYPE/save/VALUE saves one. The folder for databases
and watch file, and the URLs of Redis and PostgreSQL, come in environment variables.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from flask import Flask, current_app, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import make_url, text
from sqlalchemy.schema import CreateTable
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from waffleconf_admin import AlchemyWaffleStore, WaffleConf, WaffleMixin

FOLDER = os.environ["WAFFLE_FOLDER"]
db = SQLAlchemy()


class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
    __tablename__ = "confs"

    id = db.Column(db.Integer, primary_key=True)
    key = db.Column(db.String(255), unique=True)
    value = db.Column(db.Text)


waffle = WaffleConf(configstore=AlchemyWaffleStore(db=db, model=Conf))


WATCH_TYPES = ("file", "redis", "postgresql", "database")


def make_app(watch_type: str) -> Flask:
    app = Flask(watch_type)
    app.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{FOLDER}/{watch_type}.db",
        WAFFLE_CONFS={"SITENAME": {"default": "Waffle"}},
        WAFFLE_MULTIPROC=True,
        WAFFLE_WATCHTYPE=watch_type,
        WAFFLE_WATCHER_FILE=f"{FOLDER}/changed",
        WAFFLE_REDIS_URL=os.environ["WAFFLE_REDIS"],
        WAFFLE_REDIS_CHANNEL=FOLDER,
    )
    if watch_type == "postgresql":
        # psycopg2, the driver that SQLAlchemy 2.0 takes by itself, is refused under gevent.
        url = make_url(os.environ["WAFFLE_POSTGRESQL"]).set(drivername="postgresql+psycopg")
        app.config["SQLALCHEMY_DATABASE_URI"] = url.render_as_string(hide_password=False)
    if watch_type == "database":
        app.config["WAFFLE_WATCH_INTERVAL"] = 0.2
    db.init_app(app)
    with app.app_context():  # several workers may start at once
        if watch_type == "postgresql":  # IF NOT EXISTS alone does not help there
            db.session.execute(text("SELECT pg_advisory_xact_lock(1)"))
        db.session.execute(CreateTable(Conf.__table__, if_not_exists=True))
        db.session.commit()
    waffle.init_app(app)
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/save/<value>", "save", save)
    return app


def index() -> dict[str, Any]:
    time.sleep(float(request.args.get("hold", 0)))  # leaves other requests to other workers
    health = current_app.extensions["waffleconf"].health()
    return {
        "pid": os.getpid(),
        "value": current_app.config["SITENAME"],
        "watchers": sum(thread.name == "waffleconf-watcher" for thread in threading.enumerate()),
        "alive": health.alive,
        "trouble": health.trouble,
        "error": health.last_error,
    }


def save(value: str) -> dict[str, Any]:
    current_app.extensions["waffleconf"].update_db({"SITENAME": value})
    return {"pid": os.getpid()}


app = Flask(__name__)
app.wsgi_app = DispatcherMiddleware(  # type: ignore[method-assign]
    app.wsgi_app, {f"/{name}": make_app(name) for name in WATCH_TYPES}
)
