"""Contexts: the state outside of requests, beside a view's session, and with other stores."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from flask import Flask
from states import CONFS, VALUES, MakeApp, Memory, rows, state_of

from waffleconf_admin import (
    BusyError,
    StoreError,
    WaffleConf,
)
from waffleconf_admin.codec import serialize


def test_every_method_works_without_a_context_in_a_view_and_in_a_thread(
    make_app: MakeApp, orm: str
) -> None:
    app = make_app(CONFS, orm)
    state = state_of(app)
    results: list[Any] = []

    def work() -> str:
        results.append(state.update_db({"SITENAME": f"name {len(results)}"}))
        results.append(state.parse_conf(["SITENAME"]))
        results.append(state.update_conf())
        results.append(state.reset(["SITENAME"]))
        return ""

    work()
    app.add_url_rule("/", view_func=work)
    app.test_client().get("/")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(results) == 12
    assert results[5] == {"SITENAME": "name 4"}
    assert results[9] == {"SITENAME": "name 8"}


def test_in_the_context_of_another_app_the_own_database_is_used(
    make_app: MakeApp, tmp_path: Any
) -> None:
    app, other = make_app(CONFS), make_app(CONFS, url=f"sqlite:///{tmp_path / 'other.db'}")
    with other.app_context():
        state_of(app).update_db({"SITENAME": "App"})
    assert rows(app) == {"SITENAME": serialize("App")}
    assert rows(other) == {}


@pytest.mark.parametrize("method", ["parse_conf", "update_conf", "read"])
def test_a_view_keeps_its_pending_and_flushed_objects_through_a_read(
    make_app: MakeApp, url: str | None, method: str
) -> None:
    app = make_app(CONFS, url=url)
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():
        flushed, pending = model(key="a", value="1"), model(key="b", value="2")
        db.session.add(flushed)
        db.session.flush()
        db.session.add(pending)
        getattr(state_of(app), method)()
        assert pending in db.session.new
        db.session.commit()
        assert {r.key for r in db.session.query(model)} >= {"a", "b"}


def test_a_view_keeps_its_pending_objects_through_a_save(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():
        db.session.add(model(key="dirty", value="1"))
        db.session.commit()
        dirty, pending = db.session.query(model).one(), model(key="b", value="2")
        dirty.value = "changed"
        db.session.add(pending)
        with db.session.no_autoflush:
            state_of(app).update_db({"SITENAME": "Saved"})
        assert pending in db.session.new
        assert dirty in db.session.dirty
        db.session.rollback()
        assert {r.key: r.value for r in db.session.query(model)} == {
            "dirty": "1",
            "SITENAME": serialize("Saved"),
        }


def test_with_an_open_write_on_sqlite_a_save_says_at_once_what_to_do(
    make_app: MakeApp, url: str | None
) -> None:
    app = make_app(CONFS, url=url)
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():
        db.session.add(model(key="a", value="1"))
        db.session.flush()
        with pytest.raises(BusyError, match=r"[Cc]ommit"):
            state_of(app).update_db({"SITENAME": "x"})
        db.session.commit()
        assert state_of(app).update_db({"SITENAME": "x"})


def test_a_store_of_four_methods_does_everything() -> None:
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    state = WaffleConf(app, Memory()).state
    assert state is not None
    assert state.parse_conf() == VALUES
    assert state.update_db({"SITENAME": "x"}, expected={"SITENAME": "Waffle"}) == {"SITENAME": "x"}
    assert state.update_conf()
    assert app.config["SITENAME"] == "x"
    assert state.reset(["SITENAME"]) == {"SITENAME": "Waffle"}


def test_a_third_party_store_that_fails_is_a_store_error() -> None:
    class Broken(Memory):
        def get(self, key: str) -> Any:
            raise OSError("no such host")

    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    state = WaffleConf(app, Broken()).state
    assert state is not None
    assert state.update_conf() is False
    with pytest.raises(StoreError) as caught:
        state.update_db({"SITENAME": "x"})
    assert isinstance(caught.value.__cause__, OSError)


def test_a_fork_ends_no_context_of_the_app(make_app: MakeApp, orm: str) -> None:
    """At its end an app may remove the session of the thread that forks."""
    app = make_app(CONFS, orm)
    ended: list[None] = []
    app.teardown_appcontext(lambda error: ended.append(None))
    state_of(app).after_fork()
    # Flask-SQLAlchemy knows its engine inside a context only, and its sessions belong to that.
    assert len(ended) == (orm == "sqlalchemy")
