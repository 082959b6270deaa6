"""A small shop whose front page follows its settings."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from flask import Flask, current_app, render_template, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.schema import CreateIndex, CreateTable

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, anyone

from .catalogue import featured, money, price, products
from .settings import CONFS

db = SQLAlchemy()


Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf()


def create_app() -> Flask:
    """Make the shop.

    Its database and watch file are in the folder that the environment variable DEMO_INSTANCE
    names, by default examples/demo/instance.
    """
    app = Flask(__name__, instance_path=os.environ.get("DEMO_INSTANCE"))
    folder = Path(app.instance_path)
    folder.mkdir(parents=True, exist_ok=True)
    app.config.from_mapping(
        SECRET_KEY="only for the demo: a real app's key is random and secret",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder / 'shop.db'}",
        WAFFLE_CONFS=CONFS,
        WAFFLE_SERIALIZER="json",
        # Several workers follow each other through a file of the shop's own.
        WAFFLE_MULTIPROC=True,
        WAFFLE_WATCHER_FILE=str(folder / "settings.changed"),
    )
    db.init_app(app)
    create_tables(app)
    waffle.init_app(app, AlchemyWaffleStore(db, Conf, history=ConfChange))
    # Everybody may change everything here. A real app asks its log-in:
    #     WaffleAdmin(can=lambda action, setting: session.get("is_admin") is True)
    app.register_blueprint(WaffleAdmin(can=anyone))

    app.before_request(close_for_maintenance)
    app.add_url_rule("/", "index", index)
    app.add_url_rule("/favicon.ico", "icon", lambda: app.send_static_file("icon.svg"))
    app.add_template_filter(price)
    app.add_template_filter(money)
    app.context_processor(lambda: {"pid": os.getpid()})
    return app


def create_tables(app: Flask) -> None:
    """Make the tables that aren't there, also when several workers start at once."""
    with app.app_context():
        for table in db.metadata.sorted_tables:
            db.session.execute(CreateTable(table, if_not_exists=True))
            for index in table.indexes:
                db.session.execute(CreateIndex(index, if_not_exists=True))
        db.session.commit()


def close_for_maintenance() -> Any:
    """In maintenance visitors get a notice; the settings stay within reach."""
    open_anyway = request.blueprint == "waffleconf_admin" or request.endpoint in ("static", "icon")
    if current_app.config["MAINTENANCE"] and not open_anyway:
        return render_template("maintenance.html"), 503
    return None


def index() -> str:
    config = current_app.config
    search = request.args.get("q", "").strip() if config["SEARCH"] else ""
    found = products(search, config["SORT_BY"])
    size = config["PAGE_SIZE"]
    pages = max(1, -(-len(found) // size))
    page = min(max(request.args.get("page", 1, type=int), 1), pages)
    return render_template(
        "index.html",
        search=search,
        found=found,
        shown=found[(page - 1) * size : page * size],
        featured=featured(config["FEATURED"]),
        page=page,
        pages=pages,
    )
