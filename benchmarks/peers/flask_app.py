"""Flask with SQLAlchemy: our settings by each watch type, or constants."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask, current_app, request
from flask_sqlalchemy import SQLAlchemy
from shared import CONFIG, DATABASE, DEFAULTS, FOLDER, READ, SAVED, shown

PAGE = "/admin/config" if CONFIG["watch"] else None


def create_app() -> Flask:
    app = Flask("benchmark")
    app.config.update(
        SECRET_KEY="benchmark",
        # A watch type of PostgreSQL listens in the app's own database.
        SQLALCHEMY_DATABASE_URI=CONFIG["postgresql"]
        if CONFIG["watch"] == "postgresql"
        else f"sqlite:///{DATABASE}",
        **DEFAULTS,
    )
    db = SQLAlchemy(app)
    model = make_model(db)
    with app.app_context():
        db.metadata.create_all(db.engine)
    save = with_settings(app, db, model) if CONFIG["watch"] else constants(db, model)

    @app.route("/")
    def read() -> str:
        return shown([current_app.config[key] for key in READ])

    @app.route("/save")
    def write() -> str:
        save(request.args["value"])
        return ""

    return app


def make_model(db):
    """Not a WaffleMixin: constants are served by a process that has never imported the package."""

    class Conf(db.Model):
        __tablename__ = "benchmark"

        key = db.Column(db.String(255), primary_key=True)
        value = db.Column(db.Text)

        def get_key(self):
            return self.key

        def get_value(self):
            return self.value

    return Conf


def with_settings(app, db, model):
    from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, anyone

    app.config.update(
        WAFFLE_CONFS={key: {"default": value} for key, value in DEFAULTS.items()},
        WAFFLE_STORE_DEFAULTS=False,
        WAFFLE_MULTIPROC=True,
        WAFFLE_WATCHTYPE=CONFIG["watch"],
        WAFFLE_WATCHER_FILE=str(FOLDER / "changed"),
        WAFFLE_REDIS_URL=CONFIG["redis"],
        WAFFLE_REDIS_CHANNEL=str(FOLDER),
    )
    state = WaffleConf(app, AlchemyWaffleStore(db=db, model=model)).state
    app.register_blueprint(WaffleAdmin(can=anyone))
    return lambda value: state.update_db({SAVED: value})


def constants(db, model):
    """Constants can't be saved: a row is, that nobody reads."""
    sql = sa.text(f"REPLACE INTO {model.__tablename__} (key, value) VALUES (:key, :value)")

    def save(value):
        db.session.execute(sql, {"key": SAVED, "value": value})
        db.session.commit()

    return save
