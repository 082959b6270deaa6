"""Flask-Migrate: both tables of the settings are made and changed by migrations.

    pip install "waffleconf-admin[sqlalchemy]" Flask-Migrate
    export FLASK_APP=examples/migrate/app.py
    flask db init       # once
    flask db migrate    # after each change of a model
    flask db upgrade    # in each deployment, before the new release starts
    flask run

docs/databases.md explains it.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, anyone, conf

db = SQLAlchemy()
migrate = Migrate(db=db)
# Models of the app's metadata, as all others are: migrations find them by themselves.
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
waffle = WaffleConf(configstore=AlchemyWaffleStore(db, Conf, history=ConfChange))


class Product(db.Model):  # type: ignore[misc, name-defined]
    """A model of the app."""

    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(80), nullable=False)


def create_app(config: Mapping[str, object] | None = None) -> Flask:
    """Make the app; it starts and serves the defaults before its tables exist, too."""
    app = Flask(__name__)
    app.config.from_mapping(
        SECRET_KEY="change me",
        SQLALCHEMY_DATABASE_URI="sqlite:///site.db",
        WAFFLE_CONFS={"SITENAME": {"desc": "Name of the site", "default": "Waffle"}},
        WAFFLE_SERIALIZER="json",
    )
    app.config.from_mapping(config or {})
    db.init_app(app)
    migrate.init_app(app)
    waffle.init_app(app)
    app.register_blueprint(WaffleAdmin(can=anyone))  # on your own machine only
    app.add_url_rule("/", "index", lambda: conf.SITENAME)
    return app
