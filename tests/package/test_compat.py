"""What the documents of Flask-WaffleConf 0.3.1 show works with another import line."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import peewee
import pytest
from documentation import block
from flask import Flask, current_app, request
from flask_sqlalchemy import SQLAlchemy
from wtforms import Form, StringField

from waffleconf_admin import (
    AlchemyWaffleStore,
    InvalidValue,
    PeeweeWaffleStore,
    WaffleConf,
    WaffleMixin,
    WaffleStore,
    core,
    models,
    util,
    watcher,
)

#: As 0.3.1 on Python 3.9 stores them: MAX_FILESIZE 26, SITENAME "x".
OLD_ROWS = {"MAX_FILESIZE": "gARLGi4=", "SITENAME": "gASVBQAAAAAAAACMAXiULg=="}


class Colour:
    def __init__(self, red: int) -> None:
        self.red = red


def quickstart_app() -> Flask:
    app = Flask(__name__)
    app.config["WAFFLE_CONFS"] = {
        "MAX_FILESIZE": {"desc": "Max upload filesize (in bytes)", "default": 1000},
        "SITENAME": {"desc": "Name of the site appearing in the header", "default": "Waffle"},
    }
    return app


def alchemy(path: Path) -> Flask:
    app = quickstart_app()
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{path}"
    db = SQLAlchemy(app)

    class ConfModel(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __tablename__ = "confs"

        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    with app.app_context():
        db.create_all()

    configstore = AlchemyWaffleStore(db=db, model=ConfModel)
    waffle = WaffleConf(app, configstore)
    views(app, waffle)
    return app


def peewee_without_db(path: Path) -> Flask:
    app = quickstart_app()
    db = peewee.SqliteDatabase(path)

    class ConfModel(peewee.Model, WaffleMixin):  # type: ignore[misc]
        class Meta:
            database = db

        key = peewee.CharField(unique=True)
        value = peewee.TextField()

    with db.connection_context():
        db.create_tables([ConfModel])

    configstore = PeeweeWaffleStore(model=ConfModel)
    waffle = WaffleConf(app, configstore)
    views(app, waffle)
    return app


def views(app: Flask, waffle: WaffleConf) -> None:
    @app.before_request  # before_first_request is gone from Flask
    def do_before() -> None:
        waffle.state.update_conf()

    @app.route("/")
    def index() -> Any:
        state = current_app.extensions["waffleconf"]
        parsed = state.parse_conf()
        return parsed["SITENAME"]

    @app.route("/all")
    def get_all() -> Any:
        state = current_app.extensions["waffleconf"]
        parsed = state.parse_conf()
        return parsed

    @app.route("/key/<key>")
    def get_key(key: str) -> Any:
        state = current_app.extensions["waffleconf"]
        parsed = state.parse_conf([key])
        return parsed

    class NameForm(Form):
        sitename = StringField()

    @app.route("/update", methods=["POST"])
    def update_vars() -> Any:
        form = NameForm(request.form)
        if form.validate():
            vals = {"SITENAME": form.sitename.data}
            state = current_app.extensions["waffleconf"]
            state.update_db(vals)
        return current_app.config["SITENAME"]


@pytest.fixture(params=[alchemy, peewee_without_db])
def quickstart(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Flask]:
    return lambda: request.param(tmp_path / "test.db")


def test_the_documented_quickstart_and_views_work(quickstart: Callable[[], Flask]) -> None:
    client = quickstart().test_client()
    assert client.get("/").text == "Waffle"
    assert client.get("/all").json == {"MAX_FILESIZE": 1000, "SITENAME": "Waffle"}
    assert client.get("/key/SITENAME").json == {"SITENAME": "Waffle"}
    assert client.post("/update", data={"sitename": "New"}).text == "New"
    assert client.get("/").text == "New"


def test_tables_are_made_without_before_first_request(make_app: Callable[..., Flask]) -> None:
    app = make_app({"K": {"default": 1}}, create=False)
    db = app.waffle_db  # type: ignore[attr-defined]
    block("docs/upgrading.md", "db.create_all()").run(app=app, db=db)
    app.extensions["waffleconf"].update_db({"K": 2})
    assert app.extensions["waffleconf"].read()["K"].value == 2


def test_what_was_saved_is_there_after_a_restart(quickstart: Callable[[], Flask]) -> None:
    quickstart().test_client().post("/update", data={"sitename": "New"})
    assert quickstart().test_client().get("/").text == "New"


def test_rows_of_031_are_read(quickstart: Callable[[], Flask]) -> None:
    app = quickstart()
    with app.app_context():
        store = app.extensions["waffleconf"].configstore
        for key, text in OLD_ROWS.items():
            store.put(key, text)
        store.commit()
    assert app.test_client().get("/all").json == {"MAX_FILESIZE": 26, "SITENAME": "x"}


@pytest.mark.parametrize(
    ("declared", "default", "stored", "served"),
    [
        ("int", 10, 2.5, 10),
        ("int", 10, None, 10),
        ("int", 10, "25", 25),
        ("float", 0.5, 1, 1),
        ("json", {}, [1, {"a": None}], [1, {"a": None}]),
        ("json", [], 2.5, 2.5),
        (None, 10, 2.5, 2.5),
        (None, 10, "25", "25"),
    ],
)
def test_a_type_of_02_counts_again(
    make_app: Callable[..., Flask], declared: str | None, default: Any, stored: Any, served: Any
) -> None:
    make_app({"K": {"default": None}}).extensions["waffleconf"].update_db({"K": stored})
    conf = {"default": default} | ({"type": declared} if declared else {})
    state = make_app({"K": conf}, create=False).extensions["waffleconf"]
    assert state.read()["K"].value == served and type(state.read()["K"].value) is type(served)


def test_deserialize_outside_of_an_app_is_given_the_classes() -> None:
    text = util.serialize(Colour(1))
    with pytest.raises(InvalidValue, match=r"class .*\.Colour is not allowed"):
        util.deserialize(text)
    assert util.deserialize(text, classes=[Colour]).red == 1


def test_nothing_is_at_the_page_unless_the_blueprint_is_registered(
    quickstart: Callable[[], Flask],
) -> None:
    assert quickstart().test_client().get("/admin/config").status_code == 404


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
        (core.WaffleConf, {"app": None, "configstore": None}),
        (core.WaffleConf.init_app, {"app": ..., "configstore": None}),
        (core._WaffleState, {"app": ..., "configstore": ...}),
        (core._WaffleState.parse_conf, {"keys": ()}),
        (core._WaffleState.update_conf, {}),
        (core._WaffleState.update_db, {"new_values": ...}),
        (WaffleStore, {"db": None, "model": None}),
        (AlchemyWaffleStore, {"db": None, "model": None}),
        (PeeweeWaffleStore, {"db": None, "model": None}),
        (WaffleStore.get, {"key": ...}),
        (WaffleStore.put, {"key": ..., "value": ...}),
        (WaffleStore.delete, {"key": ...}),
        (WaffleStore.commit, {}),
        (models.WaffleMixin.get_key, {}),
        (models.WaffleMixin.get_value, {}),
        (util.serialize, {"data": ...}),
        (util.deserialize, {"data": ...}),
        (watcher.get_watcher, {"watcher_type": ...}),
        (watcher.get_notifier, {"notifier_type": ...}),
        *((getattr(watcher, name), {"state": ...}) for name in (
            "_dummy", "_file_watcher", "_file_notifier", "_redis_watcher", "_redis_notifier",
        )),
    ],
    ids=lambda value: getattr(value, "__qualname__", ""),
)  # fmt: skip
def test_documented_names_and_parameters(function: Any, parameters: dict[str, Any]) -> None:
    found = {
        name: ... if parameter.default is parameter.empty else parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
    }
    assert dict(list(found.items())[: len(parameters)]) == parameters


@pytest.mark.parametrize(
    ("key", "default"),
    [
        ("WAFFLE_MULTIPROC", False),
        ("WAFFLE_WATCHTYPE", "file"),
        ("WAFFLE_WATCHER_FILE", "/tmp/waffleconf.txt"),
        ("WAFFLE_REDIS_HOST", "localhost"),
        ("WAFFLE_REDIS_PORT", 6379),
        ("WAFFLE_REDIS_CHANNEL", "waffleconf"),
        ("WAFFLE_TEMPLATE", "waffleconf/waffle_form"),
    ],
)
def test_documented_defaults(key: str, default: Any) -> None:
    assert core.DEFAULTS[key] == default
