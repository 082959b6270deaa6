"""The programs and transcripts of the pages for newcomers run as the pages show them."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from documentation import ROOT, Block, block
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from pages import sent
from sqlalchemy.exc import InvalidRequestError, SAWarning
from terminal import Terminal

from waffleconf_admin import AlchemyWaffleStore, BusyError, ConflictError, InvalidValue
from waffleconf_admin.state.state import State

pytestmark = pytest.mark.filterwarnings("ignore:'get_engine' is:DeprecationWarning")  # its env.py
URL = "/admin/config"
FACTORY = ROOT / "examples" / "factory"
START = "docs/getting-started.md"
READING = "docs/reading.md"
WRITING = "docs/writing.md"
CONFS = {"SITENAME": {"default": "Waffle"}, "MAX_FILESIZE": {"default": 1000}}

MakeApp = Callable[..., Flask]


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
        assert terminal.exit_code == 0, line
    assert commands[-1] == "flask run"
    if "flask db upgrade" in commands:
        terminal.run("flask db check")  # fails where a migration misses something of a model
        assert terminal.exit_code == 0
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


def test_the_order_matters_where_the_page_says_so(make_app: MakeApp) -> None:
    db = SQLAlchemy()
    AlchemyWaffleStore.make_models(db)
    with pytest.warns(SAWarning), pytest.raises(InvalidRequestError, match="'confs' is already"):
        AlchemyWaffleStore.make_models(db)
    app = make_app(CONFS)
    app.config["WAFFLE_MULTIPROC"] = True
    assert app.extensions["waffleconf"].health().watch_type is None


# Configuration


def test_every_layer_wins_over_the_next(terminal: Terminal) -> None:
    terminal.write("shop.py", block("docs/configuration.md", "WaffleConf(app, ").code)
    terminal.write("instance/config.py", "")
    terminal.play(block("docs/configuration.md", "$ flask").code)


# Reading


def test_each_place_reads_what_another_process_has_saved(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [
        block(READING, "db.create_all()"),
        block(READING, "def title("),
        block(READING, "def view("),
        block(READING, "def greet("),
        block(READING, "def start_thread("),
        block(READING, "def greet_everybody("),
    ]
    terminal.write("shop.py", "\n\n".join(part.code for part in parts))
    with terminal.app("shop") as app:
        client = app.test_client()
        assert client.get("/view").text == "Waffle"
        terminal.run("flask --app shop waffle set SITENAME Crêperie")
        for path in ("/view", "/template", "/async"):
            assert client.get(path).text == "Crêperie"
        assert client.get("/thread").text == "Crêperie Crêperie"
        assert terminal.run("flask --app shop greet") == "Welcome to Crêperie\n"
        terminal.run("flask --app shop waffle set SITENAME Bakery")
        module = app.view_functions["view"].__globals__
        module["greet_everybody"](["Ana"])
        assert capsys.readouterr().out == "Dear Ana, Bakery has news.\n"
        copies = (module["SITENAME"], module["title"](), module["heading"]())
        assert copies == ("Waffle", "Waffle", "Bakery")


def test_the_methods_that_read_the_database_return_what_the_page_says(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    with app.app_context():
        names = block(READING, "state.parse_conf()").run()
    assert "{!r}, with one SELECT".format(names["state"].parse_conf()).replace("'", '"') in (
        block(READING, "state.parse_conf()").code
    )


# Writing


@pytest.fixture
def state(make_app: MakeApp) -> Iterator[State]:
    app = make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)
    with app.app_context():
        yield app.extensions["waffleconf"]


def test_saves_and_resets(state: State) -> None:
    block(WRITING, "state.reset(").run()
    changes = [(c.key, c.old, c.new, c.actor, c.note) for c in reversed(state.history.list())]
    assert changes == [
        ("SITENAME", None, "Crêperie", "ana", ""),
        ("SITENAME", "Crêperie", "Bakery", "ana", "we move"),
        ("MAX_FILESIZE", None, 500, "ana", "we move"),
        ("SITENAME", "Bakery", None, "ana", ""),
    ]
    block(WRITING, "timedelta").run(app=state.app)
    assert [list(end.changes) for end in state.ends.read()] == [["SITENAME"]]


def test_no_day_is_lost_when_two_close_at_the_same_time(make_app: MakeApp) -> None:
    app = make_app({"HOLIDAYS": {"default": []}}, WAFFLE_STORE_DEFAULTS=False)
    close_on = block(WRITING, "def close_on(").run()["close_on"]
    state = app.extensions["waffleconf"]
    parse_conf, others = state.parse_conf, iter(["25 December"])

    def overtaken(keys: list[str]) -> dict[str, object]:
        values = parse_conf(keys)
        for day in others:
            close_on(day, "ben")
        return values

    state.parse_conf = overtaken
    with app.app_context():
        close_on("1 January", "ana")
    assert parse_conf(["HOLIDAYS"]) == {"HOLIDAYS": ["25 December", "1 January"]}


def test_what_fails_later_takes_the_save_back(state: State) -> None:
    def print_signs(name: str) -> None:
        assert state.app.config["SITENAME"] == name
        raise OSError("no paper")

    with pytest.raises(OSError, match="no paper"):
        block(WRITING, "def rename_shop(").run()["rename_shop"]("Bakery", print_signs)
    assert state.app.config["SITENAME"] == "Waffle"


def test_each_error_has_its_branch(
    state: State, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = block(WRITING, "except StoreError as error")
    for error, line in [
        (None, ""),
        (InvalidValue({"SITENAME": "Too long."}), "{'SITENAME': 'Too long.'}\n"),
        (ConflictError(["SITENAME"]), "changed meanwhile: ('SITENAME',)\n"),
        (BusyError("The database is locked."), "not saved: The database is locked.\n"),
    ]:
        monkeypatch.setattr(state, "update_db", Mock(side_effect=error))
        code.run()
        assert capsys.readouterr().out == line
