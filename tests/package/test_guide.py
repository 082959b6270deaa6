"""The programs and transcripts of the pages for newcomers run as the pages show them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from documentation import ROOT, Block, block
from flask.testing import FlaskClient
from pages import sent
from terminal import Terminal

pytestmark = pytest.mark.filterwarnings("ignore:'get_engine' is:DeprecationWarning")  # its env.py
URL = "/admin/config"
FACTORY = ROOT / "examples" / "factory"
START = "docs/getting-started.md"


@pytest.fixture
def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    return Terminal(tmp_path, monkeypatch)


# Getting started


def test_one_file_is_an_app_with_a_settings_page(terminal: Terminal) -> None:
    terminal.write("shop.py", block(START, "TEMPLATE = ").code)
    with terminal.app("shop") as app:
        client = app.test_client()
        page = client.get("/").text
        assert "<h1>Waffle</h1>" in page and page.count("<p>") == 3
        form = sent(client.get(URL).text, SITENAME="Crêperie", PAGE_SIZE="5")
        assert client.post(URL, data=form).status_code == 303
        page = client.get("/").text
        assert "<h1>Crêperie</h1>" in page and page.count("<p>") == 5
    terminal.play(block(START, "$ flask --app shop waffle list").code)


def make_with_sqlalchemy(terminal: Terminal) -> Block:
    files = [path for path in FACTORY.rglob("*") if path.suffix in (".py", ".html")]
    names = sorted(path.relative_to(FACTORY).as_posix() for path in files)
    assert block(START, "shop/templates/index.html\n").code.split() == names
    return block(START, "flask db init")


def make_with_flaskdb(terminal: Terminal) -> Block:
    for each in (
        block(START, "# shop/extensions.py"),
        block(START, "# shop/models.py"),
        block(START, "# shop/__init__.py"),
    ):
        terminal.write(each.code.split()[1], each.code)
    return block(START, "flask create-tables")


@pytest.mark.parametrize("make", [make_with_sqlalchemy, make_with_flaskdb])
def test_the_factory_goes_from_migrations_to_a_save_that_names_the_user(
    terminal: Terminal, make: Callable[[Terminal], Block]
) -> None:
    shutil.copytree(FACTORY, terminal.folder, dirs_exist_ok=True)
    commands = make(terminal).code.splitlines()
    terminal.write("instance/config.py", f'WAFFLE_WATCHER_FILE = "{terminal.folder}/watch.txt"\n')
    for line in commands[:-1]:
        terminal.run(line)
    assert commands[-1] == "flask run"
    with terminal.app("shop") as app:
        ana, bob = app.test_client(), app.test_client()
        assert log_in(bob, "bob", "wrong") is None
        assert log_in(bob, "bob", "waffle") == URL
        assert log_in(ana, "ana", "waffle") == URL
        page = bob.get(URL).text
        assert "PAGE_SIZE" in page and "MAIL_TOKEN" not in page and 'name="PAGE_SIZE"' not in page
        form = sent(ana.get(URL).text, SITENAME="Ana's", PAGE_SIZE="3")
        assert ana.post(URL, data=form).status_code == 303
        assert app.extensions["waffleconf"].history.list()[0].actor == "ana"
        page = bob.get("/").text
        assert "<h1>Ana&#39;s</h1>" in page and page.count("<li>") == 3
        terminal.play(block(START, "$ flask waffle set SITENAME").code)
        assert "<h1>Crêperie</h1>" in bob.get("/").text


def log_in(client: FlaskClient, name: str, password: str) -> str | None:
    """Go to the settings page, and log in where it leads; return where that leads."""
    login = client.get(URL).location
    assert login.startswith("/login")
    form = sent(client.get(login).text, name=name, password=password)
    return client.post(login, data=form).location


# Configuration


def test_every_layer_wins_over_the_next(terminal: Terminal) -> None:
    terminal.write("shop.py", block("docs/configuration.md", "WaffleConf(app, ").code)
    terminal.write("instance/config.py", "")
    terminal.play(block("docs/configuration.md", "$ flask").code)
