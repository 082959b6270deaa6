"""The settings are one set for each app: several databases behind one app cause a warning."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from documentation import block
from flask import Flask, g
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session
from werkzeug.test import Client

from waffleconf_admin import AlchemyWaffleStore, PeeweeWaffleStore, WaffleConf, WaffleMixin
from waffleconf_admin.contexts import quiet_context

CONFS = {"SITENAME": {"default": "Waffle"}}


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    return [text for text in found if "more than one database" in text]


class ByTenant(Session):
    def get_bind(self, *_: Any, **__: Any) -> Any:
        return self._db.engines[g.get("tenant")]


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[Flask]:
    """An app whose session goes to the database of g.tenant."""
    app = Flask("shop", root_path=str(tmp_path))
    tenants = {name: f"sqlite:///{tmp_path}/{name}.db" for name in ("bakery", "brewery")}
    app.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/main.db",
        SQLALCHEMY_BINDS=tenants,
        WAFFLE_CONFS=CONFS,
        WAFFLE_STORE_DEFAULTS=False,
    )
    db = SQLAlchemy(app, session_options={"class_": ByTenant})
    Conf, _ = AlchemyWaffleStore.make_models(db)
    WaffleConf(app, AlchemyWaffleStore(db, Conf))
    with app.app_context():
        for engine in db.engines.values():
            db.metadata.create_all(engine)
        yield app
        for engine in db.engines.values():
            engine.dispose()


def save(app: Flask, name: str, tenant: str | None = None) -> None:
    g.tenant = tenant
    app.extensions["waffleconf"].update_db({"SITENAME": name})


def test_a_save_to_another_tenants_database_warns_once(
    shops: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    save(shops, "one", "bakery")
    save(shops, "two", "bakery")
    assert warnings(caplog) == []
    save(shops, "three", "brewery")
    (warning,) = warnings(caplog)
    assert "docs/databases.md" in warning
    save(shops, "four", "bakery")
    save(shops, "five", "brewery")
    assert len(warnings(caplog)) == 1


def test_a_save_to_another_tenants_schema_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path}/test.db")

    class BySchema(Session):
        def get_bind(self, *_: Any, **__: Any) -> Any:
            return engine.execution_options(schema_translate_map={"tenant": g.get("tenant")})

    app = Flask("shop", root_path=str(tmp_path))
    app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", WAFFLE_CONFS=CONFS)
    db = SQLAlchemy(app, session_options={"class_": BySchema})
    Conf, _ = AlchemyWaffleStore.make_models(db)
    WaffleConf(app, AlchemyWaffleStore(db, Conf))
    db.metadata.create_all(engine)
    with quiet_context(app):
        save(app, "one", "main")
        save(app, "two", "main")
        assert warnings(caplog) == []
        save(app, "three", "other")
    assert len(warnings(caplog)) == 1
    engine.dispose()


def test_a_proxy_that_is_initialised_again_warns(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    proxy = peewee.DatabaseProxy()

    class Conf(WaffleMixin, peewee.Model):  # type: ignore[misc]
        class Meta:
            database = proxy

        key = peewee.CharField(unique=True)
        value = peewee.TextField()

    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    state = WaffleConf(app, PeeweeWaffleStore(model=Conf)).state
    found = []
    for name in ("bakery", "bakery", "brewery"):
        proxy.initialize(peewee.SqliteDatabase(tmp_path / f"{name}.db"))
        with proxy.connection_context():
            proxy.create_tables([Conf])
        state.update_db({"SITENAME": name})
        found.append(len(warnings(caplog)))
    assert found == [0, 0, 1]


def test_an_app_for_each_tenant_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The code is that of docs/databases.md."""
    monkeypatch.chdir(tmp_path)
    code = block("docs/databases.md", "DispatcherMiddleware").code
    names: dict[str, Any] = {"__name__": "tenants"}
    exec(code.replace("sqlite:///", f"sqlite:///{tmp_path}/"), names)
    client, apps = Client(names["application"]), names["tenants"]
    apps["/bakery"].extensions["waffleconf"].update_db({"SITENAME": "Crêperie"})
    assert client.get("/bakery/").text == "Crêperie"
    assert client.get("/brewery/").text == "brewery"
    apps["/brewery"].extensions["waffleconf"].update_db({"SITENAME": "Beer"})
    assert warnings(caplog) == []
    for app in apps.values():
        with app.app_context():
            names["db"].session.remove()
            names["db"].engine.dispose()
