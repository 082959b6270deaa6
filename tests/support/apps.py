"""Databases of apps, with their models and stores."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from flask import Flask


def _alchemy(
    app: Flask,
    url: str,
    create: bool,
    history: bool,
    stack: contextlib.ExitStack,
    *,
    workers: bool = False,
) -> Any:
    from flask_sqlalchemy import SQLAlchemy

    from waffleconf_admin import AlchemyWaffleStore, WaffleMixin

    app.config["SQLALCHEMY_DATABASE_URI"] = url
    db = SQLAlchemy(app)
    Change: Any = None
    Worker: Any = None
    if workers:
        Conf, Change, Worker = AlchemyWaffleStore.make_models(db, workers=True)
    elif history:
        Conf, Change = AlchemyWaffleStore.make_models(db)
    else:

        class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc, no-redef]
            __tablename__ = "confs"

            id = db.Column(db.Integer, primary_key=True)
            key = db.Column(db.String(255), unique=True)
            value = db.Column(db.Text)

    with app.app_context():
        engine = db.engine
        if create:
            db.create_all()
    stack.callback(engine.dispose)
    return db, Conf, AlchemyWaffleStore(db=db, model=Conf, history=Change, workers=Worker)


def _peewee(
    app: Flask,
    url: str,
    create: bool,
    history: bool,
    stack: contextlib.ExitStack,
    *,
    workers: bool = False,
) -> Any:
    import peewee

    from waffleconf_admin import PeeweeWaffleStore, WaffleMixin

    db = connect_peewee(_peewee_url(url))
    Change: Any = None
    Worker: Any = None
    if workers:
        Conf, Change, Worker = PeeweeWaffleStore.make_models(db, workers=True)
    elif history:
        Conf, Change = PeeweeWaffleStore.make_models(db)
    else:

        class Conf(peewee.Model, WaffleMixin):  # type: ignore[misc, no-redef]
            class Meta:
                database = db
                table_name = "confs"

            key = peewee.CharField(unique=True)
            value = peewee.TextField()

    models = [model for model in (Conf, Change, Worker) if model]
    if create and url == "sqlite://":
        db.connect()
        db.create_tables(models)  # an in-memory database lasts as long as its connection
    elif create:
        with db.connection_context():
            db.create_tables(models)
    stack.callback(db.close)
    return db, Conf, PeeweeWaffleStore(db=db, model=Conf, history=Change, workers=Worker)


def connect_peewee(url: str) -> Any:
    """The database of a URL in peewee's words."""
    from playhouse import db_url

    if "psycopg3" not in db_url.schemes:  # before peewee 3.17.7
        from playhouse.psycopg3_ext import Psycopg3Database

        db_url.register_database(Psycopg3Database, "psycopg3")
    return db_url.connect(url)


def _peewee_url(url: str) -> str:
    """SQLAlchemy's spelling of a database URL in peewee's words."""
    if url == "sqlite://":
        return "sqlite:///:memory:"
    schemes = {
        "mysql+pymysql": "mysql",
        "postgresql": "psycopg3",
        "postgresql+psycopg": "psycopg3",
        "postgresql+psycopg2": "postgresql",
    }
    scheme, rest = url.split(":", 1)
    return f"{schemes.get(scheme, scheme)}:{rest}"


ORMS: dict[str, Callable[..., Any]] = {"sqlalchemy": _alchemy, "peewee": _peewee}
