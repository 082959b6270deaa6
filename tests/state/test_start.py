"""The start: what init_app does, and what it refuses."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from playhouse.flask_utils import FlaskDB
from playhouse.sqliteq import SqliteQueueDatabase
from sqlalchemy import orm as sa_orm
from sqlalchemy.ext import asyncio
from states import CONFS, VALUES, MakeApp, Memory, state_of

from waffleconf_admin import (
    AlchemyWaffleStore,
    InvalidValue,
    PeeweeWaffleStore,
    StoreError,
    WaffleAdmin,
    WaffleConf,
    WaffleStore,
)
from waffleconf_admin.defaults import DEFAULTS


def test_init_runs_no_query_and_puts_the_defaults_into_app_config(
    make_app: MakeApp, orm: str, tmp_path: Any
) -> None:
    app = make_app(CONFS, orm, create=False)
    assert {key: app.config[key] for key in CONFS} == VALUES
    assert not (tmp_path / "test.db").exists()


def test_init_leaves_what_the_developer_has_set(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, SITENAME="Set in code")
    assert app.config["SITENAME"] == "Set in code"
    state_of(app).update_conf()
    assert app.config["SITENAME"] == "Waffle"


def test_every_setting_of_the_extension_gets_its_default(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    fixed = {"WAFFLE_CONFS", "WAFFLE_WATCHER_FILE"}
    assert {key: app.config[key] for key in DEFAULTS.keys() - fixed} == {
        key: DEFAULTS[key] for key in DEFAULTS.keys() - fixed
    }


def test_apps_do_not_share_what_stands_in_their_configuration() -> None:
    first, second = Flask("first"), Flask("second")
    for app in (first, second):
        WaffleConf(app, Memory())
    first.config["WAFFLE_CONFS"]["A"] = {"default": 1}
    assert second.config["WAFFLE_CONFS"] == {}


def test_defaults_are_copies(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm)
    app.config["HOURS"]["tue"] = [1, 2]
    state_of(app).parse_conf()["HOURS"]["wed"] = [3, 4]
    assert CONFS["HOURS"]["default"] == {"mon": [9, 18]}
    assert state_of(app).parse_conf()["HOURS"] == {"mon": [9, 18]}


def test_a_declaration_with_a_mistake_stops_the_start(make_app: MakeApp) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_app({"PAGE": {"default": 5, "min": 10, "max": 1}})
    assert "PAGE" in caught.value.errors


REDIS = {"WAFFLE_MULTIPROC": True, "WAFFLE_WATCHTYPE": "redis"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"WAFFLE_WATCH_INTERVAL": -1},
        {"WAFFLE_WATCH_INTERVAL": "soon"},
        {"WAFFLE_RESYNC_INTERVAL": 0},
        {"WAFFLE_CLASSES": ["shop.Point"]},
        {"WAFFLE_CLASSES": dict},
        {"WAFFLE_MULTIPROC": "false"},
        {"WAFFLE_AUTOLOAD": "no"},
        {"WAFFLE_STORE_DEFAULTS": "0"},
        {"WAFFLE_SERIALIZER": "yaml"},
        {"WAFFLE_SERIALIZER": None},
        {"WAFFLE_WATCHER_FILE": 5},
        {"WAFFLE_WATCHER_MODE": 0o440},
        {"WAFFLE_WATCHER_MODE": "0664"},
        {"WAFFLE_CLASSES": {"Point": int}},
        {"WAFFLE_CLASSES": 7},
        {"WAFFLE_CLASSES": iter([int])},
        {"WAFFLE_MULTIPROC": b"false"},
        {"WAFFLE_WATCHER_FILE": ""},
        {"WAFFLE_WATCHER_FILE": "a\0b"},
        {"WAFFLE_WATCHER_MODE": True},
        {"WAFFLE_RESYNC_INTERVAL": True},
        {"WAFFLE_RESYNC_INTERVAL": math.nan},
        {"WAFFLE_WATCH_INTERVAL": ""},
        {"WAFFLE_REDIS_URL": "", **REDIS},
        {"WAFFLE_REDIS_URL": "localhost:6379", **REDIS},
        {"WAFFLE_REDIS_URL": "redis://localhost:port", **REDIS},
        {"WAFFLE_REDIS_HOST": "", **REDIS},
        {"WAFFLE_REDIS_PORT": "abc", **REDIS},
        {"WAFFLE_REDIS_PORT": -1, **REDIS},
        {"WAFFLE_REDIS_PORT": True, **REDIS},
        {"WAFFLE_REDIS_CHANNEL": 5, **REDIS},
        {"WAFFLE_POSTGRESQL_CHANNEL": ""},
        {"WAFFLE_CAN": True},
        {"WAFFLE_ENV_PREFIX": ""},
        {"WAFFLE_RETIRED": "OLD_KEY"},
        {"WAFFLE_TEMPLATE": None},
        {"WAFFLE_TEMPLATE": ""},
    ],
    ids=lambda wrong: re.sub(" at 0x[0-9a-f]+", "", repr(wrong)),  # in each worker the same
)
def test_a_setting_of_the_extension_that_cannot_be_used_is_named(wrong: dict[str, Any]) -> None:
    app = Flask("shop")
    app.config.update(wrong)
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} (is|can't be used)"):
        WaffleConf(app, Memory())


@pytest.mark.parametrize("used", [{}, {**REDIS, "WAFFLE_MULTIPROC": False}])
def test_addresses_of_redis_may_be_empty_where_it_is_not_used(used: dict[str, Any]) -> None:
    app = Flask("shop")
    app.config.update(used)
    app.config.update({f"WAFFLE_REDIS_{name}": "" for name in ("URL", "HOST", "PORT", "CHANNEL")})
    WaffleConf(app, Memory())


def test_rules_that_are_no_function_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^validate=\{\}: write a function$"):
        WaffleConf(Flask("shop"), Memory(), validate={})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("config", "stored"),
    [
        ({}, True),
        ({"WAFFLE_SERIALIZER": "pickle"}, True),
        ({"WAFFLE_SERIALIZER": "json"}, False),
        ({"WAFFLE_SERIALIZER": "json", "WAFFLE_STORE_DEFAULTS": True}, True),
        ({"WAFFLE_SERIALIZER": "pickle", "WAFFLE_STORE_DEFAULTS": False}, False),
    ],
    ids=repr,
)
def test_with_json_defaults_are_not_stored_unless_that_is_set(
    config: dict[str, Any], stored: bool
) -> None:
    app = Flask("shop")
    app.config.update(config, WAFFLE_CONFS={"KEY": {"default": 1}})
    store = Memory()
    WaffleConf(app, store).state.parse_conf()
    assert (app.config["WAFFLE_STORE_DEFAULTS"], bool(store.kept)) == (stored, stored)


def test_a_misspelt_setting_of_the_extension_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask("shop")
    app.config.update(WAFFLE_WATCH_TYPE="redis", WAFFLE_FLAVOUR="vanilla")
    WaffleConf(app, Memory())
    (record,) = caplog.records
    assert "WAFFLE_WATCH_TYPE is not a setting" in record.getMessage()
    assert "WAFFLE_WATCHTYPE?" in record.getMessage()


def test_second_init_on_one_app_is_an_error(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    with pytest.raises(RuntimeError, match="initialised on this app already"):
        WaffleConf(app, state_of(app).configstore)


def test_no_store_is_an_error_that_shows_one() -> None:
    with pytest.raises(RuntimeError, match="AlchemyWaffleStore"):
        WaffleConf(Flask("shop"))


@pytest.mark.parametrize("given", [WaffleAdmin(), WaffleStore, {"SITENAME": 1}, "sqlite://"])
def test_what_is_no_store_is_an_error_that_shows_one(given: Any) -> None:
    app = Flask("shop")
    with pytest.raises(TypeError, match="AlchemyWaffleStore"):
        WaffleConf(app, given)
    assert not app.extensions


@pytest.mark.parametrize("store", [AlchemyWaffleStore, PeeweeWaffleStore])
def test_a_store_without_its_model_is_an_error_that_names_it(store: Any) -> None:
    with pytest.raises(TypeError, match=f"{store.__name__} has no model: write .*model=Conf"):
        WaffleConf(Flask("shop"), store(db=object()))


def test_one_extension_serves_two_apps(make_app: MakeApp, orm: str) -> None:
    store = state_of(make_app(CONFS, orm)).configstore
    waffle = WaffleConf(configstore=store)
    assert waffle.state is None
    first, second, stranger = Flask("first"), Flask("second"), Flask("third")
    waffle.init_app(first)
    waffle.init_app(second, store)
    assert waffle.state is state_of(second)
    for app in (first, second):
        with app.app_context():
            assert waffle.state is state_of(app)
    with stranger.app_context(), pytest.raises(RuntimeError, match=r"call init_app\(app, store\)"):
        _ = waffle.state


def test_the_state_of_another_extension_is_not_ours(make_app: MakeApp) -> None:
    app, other = make_app(CONFS), make_app(CONFS)
    with app.app_context(), pytest.raises(RuntimeError, match="not initialised"):
        _ = other.waffle.state  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("setting", "value"),
    [("WAFFLE_MULTIPROC", True), ("WAFFLE_WATCHER_FILE", "other"), ("WAFFLE_WATCHTYPE", "redis")],
)
def test_what_is_set_after_init_app_is_a_warning(
    make_app: MakeApp, setting: str, value: object, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS)
    app.config[setting] = value
    for _ in range(2):
        app.test_client().get("/")
    assert caplog.text.count(f"{setting}: set after init_app") == 1


def test_what_init_app_has_read_is_no_warning(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    make_app(CONFS).test_client().get("/")
    assert "set after init_app" not in caplog.text


def test_a_default_that_json_can_not_store_is_a_warning(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    confs = {"PLAN": {"default": object()}, "SIZES": {"default": [1, 2]}}
    make_app(confs, WAFFLE_SERIALIZER="json")
    assert "PLAN: the default can't be stored" in caplog.text and "SIZES" not in caplog.text


def mapped() -> tuple[Any, ...]:
    """A `db`, and models of the settings and of the history, of SQLAlchemy."""
    db = SQLAlchemy()
    return db, *AlchemyWaffleStore.make_models(db)


def of_peewee() -> tuple[Any, ...]:
    """The same of peewee."""
    db = peewee.SqliteDatabase(":memory:")
    return db, *PeeweeWaffleStore.make_models(db)


@pytest.mark.parametrize(
    ("store", "given", "remedy"),
    [
        *[
            (AlchemyWaffleStore, lambda a, p, db=db: (db, a[1]), "db= has no session")
            for db in (
                sa_orm.sessionmaker(),
                sa.create_engine("sqlite://"),
                asyncio.async_sessionmaker(),
                asyncio.AsyncSession(),
                SimpleNamespace(
                    session=asyncio.async_scoped_session(asyncio.async_sessionmaker(), id)
                ),
            )
        ],
        (AlchemyWaffleStore, lambda a, p: (a[0], p[1]), "model= is given Conf, which is no mapped"),
        (AlchemyWaffleStore, lambda a, p: (a[1], a[0]), "model= is given SQLAlchemy, which is no"),
        (AlchemyWaffleStore, lambda a, p: (None, a[1]), "db= has no session"),
        (AlchemyWaffleStore, lambda a, p: (p[0], a[1]), "db= has no session"),
        (AlchemyWaffleStore, lambda a, p: (a[0], a[2]), "model=ConfChange has no value"),
        (
            AlchemyWaffleStore,
            lambda a, p: (a[0], a[1], a[1]),
            "history=Conf has no change_set",
        ),
        (AlchemyWaffleStore, lambda a, p: (a[0], a[1], p[2]), "history= is given ConfChange"),
        (AlchemyWaffleStore, lambda a, p: (*a, a[1]), "workers=Conf has no name, host"),
        (
            PeeweeWaffleStore,
            lambda a, p: (p[0], a[1]),
            "model= is given Conf, which is no",
        ),
        (PeeweeWaffleStore, lambda a, p: (p[1], p[0]), "model= is given SqliteDatabase"),
        (PeeweeWaffleStore, lambda a, p: (p[0], p[2]), "model=ConfChange has no value"),
        (PeeweeWaffleStore, lambda a, p: (p[0], p[1], p[1]), "history=Conf has no change_set"),
    ],
)
def test_a_store_with_wrong_arguments_is_an_error_that_names_them(
    store: Any, given: Any, remedy: str
) -> None:
    wrong = store(*given(mapped(), of_peewee()))
    app = Flask("shop")
    with pytest.raises(TypeError, match=f"^{store.__name__}: {remedy}"):
        WaffleConf(app, wrong)
    assert not app.extensions


UNFIT = [
    (lambda path: SqliteQueueDatabase(path, autostart=False), "no transactions"),
    (lambda path: pytest.importorskip("playhouse.pwasyncio").AsyncSqliteDatabase(path), "await"),
]


@pytest.mark.parametrize(("make", "lack"), UNFIT)
def test_a_database_of_peewee_in_which_no_save_is_safe_is_refused(
    make: Any, lack: str, tmp_path: Any
) -> None:
    database = make(str(tmp_path / "test.db"))
    store = PeeweeWaffleStore(database, *PeeweeWaffleStore.make_models(database))
    with pytest.raises(TypeError, match=f"^PeeweeWaffleStore: Conf has a .*{lack}.* of their own"):
        WaffleConf(Flask("shop"), store)


def test_a_proxy_that_gets_such_a_database_later_is_refused_when_it_is_used(
    tmp_path: Any,
) -> None:
    proxy = peewee.DatabaseProxy()
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    waffle = WaffleConf(app, PeeweeWaffleStore(proxy, *PeeweeWaffleStore.make_models(proxy)))
    proxy.initialize(SqliteQueueDatabase(str(tmp_path / "test.db"), autostart=False))
    with pytest.raises(StoreError, match=r"Conf has a SqliteQueueDatabase, .*of their own"):
        waffle.state.read()


def test_a_flaskdb_that_was_not_initialised_is_named() -> None:
    database = FlaskDB()
    store = PeeweeWaffleStore(database, *PeeweeWaffleStore.make_models(database))
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    waffle = WaffleConf(app, store)
    with pytest.raises(StoreError, match=r"init_app\(\) of its FlaskDB"):
        waffle.state.read()
