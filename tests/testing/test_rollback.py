"""The recipes of docs/testing.md: at the end of a test what it has saved is rolled back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from documentation import block
from flask import Flask
from pages import sent
from states import state_of

from waffleconf_admin import ConflictError, WaffleAdmin, anyone

MakeApp = Callable[..., Flask]
RECIPES = {
    "sqlalchemy": block("docs/testing.md", "connection.begin_nested()"),
    "peewee": block("docs/testing.md", "configstore.join_transactions()"),
}
CONFS = {"SITENAME": {"default": "Waffle"}, "SIZE": {"default": 10}}


def recipe(orm: str, app: Any, url: str) -> AbstractContextManager[None]:
    """The fixture of the page for an ORM, as a context manager."""
    start = "@pytest.fixture(autouse=True)\ndef rolled_back"
    code = start + RECIPES[orm].code.partition(start)[2].partition("\n\n")[0]
    if url == ":memory:":
        code = code.replace("db.connection_context(), ", "")
    names: dict[str, Any] = {"db": app.waffle_db}
    names["pytest"] = SimpleNamespace(fixture=lambda **options: contextmanager)
    exec(code, names)
    rolled_back: AbstractContextManager[None] = names["rolled_back"](app)
    return rolled_back


@pytest.fixture(params=["file", ":memory:", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path, server_url: Callable[[str], str]) -> str:
    if request.param == "file":
        return f"sqlite:///{tmp_path / 'rolled_back.db'}"
    return ":memory:" if request.param == ":memory:" else server_url(request.param)


def test_saves_by_every_way_in_are_rolled_back(make_app: MakeApp, orm: str, url: str) -> None:
    app: Any = make_app(CONFS, orm, url=url, history=True)
    app.register_blueprint(WaffleAdmin(can=anyone))
    state, client = state_of(app), app.test_client()
    for name in ("first", "second"):
        with recipe(orm, app, url):
            assert state.parse_conf() == {"SITENAME": "Waffle", "SIZE": 10}
            state.update_db({"SITENAME": name})
            with pytest.raises(ConflictError):
                state.update_db({"SIZE": 5}, expected={"SITENAME": "Waffle"})
            page = client.get("/admin/config").text
            assert client.post("/admin/config", data=sent(page, SIZE="20")).status_code == 303
            assert state.parse_conf() == {"SITENAME": name, "SIZE": 20}
            assert state.history and [c.key for c in state.history.list()] == ["SIZE", "SITENAME"]
            assert app.config["SITENAME"] == name
        assert app.config["SITENAME"] == "Waffle"
        assert [record.text for record in state.read().values()] == [None, None]
        assert state.history.list() == []


def test_a_save_inside_atomic_says_that_it_stays(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app: Any = make_app(CONFS, "peewee")
    db, state = app.waffle_db, state_of(app)
    with db.connection_context(), db.atomic() as transaction:
        with state.configstore.join_transactions():  # type: ignore[attr-defined]
            state.update_db({"SIZE": 20})
        assert caplog.text == ""
        transaction.rollback()
    with db.connection_context(), db.atomic() as transaction:
        state.update_db({"SIZE": 30})
        transaction.rollback()
    assert "run the test in store.join_transactions()" in caplog.text
    assert state.parse_conf(["SIZE"]) == {"SIZE": 30}
