"""make_models: what it takes, with either ORM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playhouse.flask_utils import FlaskDB
from sqlalchemy import orm

from waffleconf_admin import AlchemyWaffleStore, PeeweeWaffleStore, WaffleConf

CONFS: dict[str, Any] = {"SITENAME": {"default": "Waffle"}}


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    app = Flask("shop", root_path=str(tmp_path))
    url = f"sqlite:///{tmp_path}/test.db"
    app.config.update(WAFFLE_CONFS=CONFS, SQLALCHEMY_DATABASE_URI=url, DATABASE=url)
    return app


def works(app: Flask, store: Any) -> bool:
    """Whether an app on a store can save and has a history."""
    state = WaffleConf(app, store).state
    assert state is not None and state.history is not None
    saved = state.update_db({"SITENAME": "Crêperie"})
    return bool(state.history.of(saved.change_set)) and state.read()["SITENAME"].text is not None


def database(app: Flask) -> Any:
    return peewee.SqliteDatabase(f"{app.root_path}/test.db")


def proxy(app: Flask) -> Any:
    made = peewee.DatabaseProxy()
    made.initialize(database(app))
    return made


def base_model(app: Flask) -> Any:
    class Base(peewee.Model):
        class Meta:
            database = peewee.SqliteDatabase(f"{app.root_path}/test.db")

    return Base


PEEWEE: list[Callable[[Flask], Any]] = [
    database,
    proxy,
    base_model,
    lambda app: FlaskDB(app),
    lambda app: FlaskDB(app).Model,
]


@pytest.mark.parametrize("make", PEEWEE)
def test_peewee_takes_a_database_or_a_base_class(app: Flask, make: Callable[[Flask], Any]) -> None:
    Conf, ConfChange = PeeweeWaffleStore.make_models(make(app))
    used = Conf._meta.database
    with used.connection_context():
        used.create_tables([Conf, ConfChange])
    assert works(app, PeeweeWaffleStore(model=Conf, history=ConfChange))
    used.close()


def test_peewee_takes_a_database_that_is_named_later(app: Flask) -> None:
    later = FlaskDB()
    for db in (later, later.Model):
        Conf, _ = PeeweeWaffleStore.make_models(db)
        assert isinstance(Conf._meta.database, peewee.Proxy)


def flask_sqlalchemy(app: Flask) -> tuple[Any, Any]:
    db = SQLAlchemy(app)
    return db, db


def flask_sqlalchemys_model(app: Flask) -> tuple[Any, Any]:
    db = SQLAlchemy(app)
    return db, db.Model


def own_base(app: Flask) -> tuple[Any, Any]:
    class Base(orm.DeclarativeBase):
        pass

    return SQLAlchemy(app, model_class=Base), Base


@pytest.mark.parametrize("make", [flask_sqlalchemy, flask_sqlalchemys_model, own_base])
def test_sqlalchemy_takes_the_extension_or_a_base_class(
    app: Flask, make: Callable[[Flask], tuple[Any, Any]]
) -> None:
    db, given = make(app)
    Conf, ConfChange = AlchemyWaffleStore.make_models(given)
    with app.app_context():
        Conf.metadata.create_all(db.engine)
        assert works(app, AlchemyWaffleStore(db, Conf, history=ConfChange))
        db.engine.dispose()


class Base(orm.DeclarativeBase):
    pass


class Shop(Base):
    __tablename__ = "shops"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)


WRONG: list[Any] = [None, "sqlite:///site.db", Flask("shop"), int, object(), sa.MetaData()]


@pytest.mark.parametrize(
    "wrong", [*WRONG, orm.DeclarativeBase, Shop, peewee.Model, peewee.SqliteDatabase(None)]
)
def test_sqlalchemy_takes_nothing_else(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"make_models\(db\): db is Flask-SQLAlchemy's db"):
        AlchemyWaffleStore.make_models(wrong)


@pytest.mark.parametrize("wrong", [*WRONG, Base, peewee.SqliteDatabase])
def test_peewee_takes_nothing_else(wrong: Any) -> None:
    with pytest.raises(TypeError, match=r"make_models\(db\): db is a peewee database"):
        PeeweeWaffleStore.make_models(wrong)
