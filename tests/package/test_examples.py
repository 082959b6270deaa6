"""The apps of examples/ with other extensions run, and show what they are for."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pages import sent, stored

EXAMPLES = Path(__file__).parents[2] / "examples"
URL = "/admin/config"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Flask]]:
    """A function that makes the app of an example, with a database of the test's own."""
    made = []

    def make(name: str) -> Flask:
        path = EXAMPLES / name / "app.py"
        spec = importlib.util.spec_from_file_location(f"example_{name}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        url = f"sqlite:///{tmp_path}/{name}.db"
        app: Flask = module.create_app({"SQLALCHEMY_DATABASE_URI": url})
        made.append((app, module.db))
        return app

    yield make
    for app, db in made:
        with app.app_context():
            db.engine.dispose()


def save(client: FlaskClient, name: str, **options: Any) -> None:
    """Save as a browser does: these apps check tokens."""
    page = client.get(URL, **options).text.partition("data-waffle")[2]
    answer = client.post(URL, data=sent(page, SITENAME=name), **options)
    assert answer.status_code == 303, answer.text


def check_saved(app: Flask, name: str, actor: str) -> None:
    change = app.extensions["waffleconf"].history.list()[0]
    assert (stored(app)["SITENAME"], change.actor, change.source) == (name, actor, "page")
    assert app.test_client().get("/").text == name


def log_in(client: FlaskClient, user: str, password: str, names: tuple[str, str]) -> str:
    """Send the log-in form to which the page leads; return where that leads."""
    asked = client.get(URL)
    assert asked.status_code == 302 and asked.location.startswith("/login")
    form = sent(client.get(asked.location).text, **dict(zip(names, (user, password), strict=True)))
    return str(client.post(asked.location, data=form).location)


def security(app: Flask) -> None:
    names = ("email", "password")
    ana, bob = app.test_client(), app.test_client()
    assert log_in(bob, "bob@example.org", "waffle", names) == URL
    assert bob.get(URL).status_code == 403
    assert log_in(ana, "ana@example.org", "waffle", names) == URL
    save(ana, "Ana's")
    check_saved(app, "Ana's", "ana@example.org")


def flask_admin(app: Flask) -> None:
    client, ana = app.test_client(), ("ana", "waffle")
    assert client.get(URL).status_code == client.get("/log-in").status_code == 401
    assert "Settings" not in client.get("/admin/").text
    assert client.get("/log-in", auth=ana).location == "/admin/"
    menu = client.get("/admin/", auth=ana).text
    assert re.search(rf'href="{URL}"[^>]*>\s*Settings', menu)
    assert "navbar" in client.get(URL, auth=ana).text
    save(client, "Ana's", auth=ana)
    check_saved(app, "Ana's", "ana")


old_security = pytest.mark.skipif(
    version("Flask-Security").startswith("5.6."),
    reason="the last release for Flask 3.0 imports pkg_resources, which setuptools has no more",
)


@pytest.mark.parametrize("show", [pytest.param(security, marks=old_security), flask_admin])
def test_an_example_runs_and_shows_what_it_is_for(
    make: Callable[[str], Flask], show: Callable[[Flask], None]
) -> None:
    show(make(show.__name__))


def test_every_example_is_tested_and_documented() -> None:
    names = {path.parent.name for path in EXAMPLES.glob("*/app.py")}
    assert names == {"security", "flask_admin"}
    page = (EXAMPLES.parent / "docs" / "apps.md").read_text()
    for name in names:
        assert f"examples/{name}/app.py" in page
        assert f"examples/{name}/app.py" in (EXAMPLES / name / "app.py").read_text()
