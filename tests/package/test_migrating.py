"""The steps and scripts of docs/migrating.md, run on what the other packages store.

Their rows were written by Flask-Constance 0.1.2 (SQLAlchemy 1.4) and by django-constance 4.4.0
(Django 5.2), and read from the SQLite files: the tables of flask_constance/backends/fsqla.py and
constance/models.py, the texts of constance/codecs.py.
"""

from __future__ import annotations

import importlib
import runpy
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest
from documentation import block
from flask import Flask

#: The files of the page.
CONFIG = block("docs/migrating.md", "# config.py")
BEFORE = block("docs/migrating.md", '"size": PAGE_SIZE}')
AFTER = block("docs/migrating.md", '"size": conf.PAGE_SIZE}')
DECLARATIONS = block("docs/migrating.md", "# settings.py")
SCRIPTS = [
    block("docs/migrating.md", "constance_settings"),
    block("docs/migrating.md", "constance_constance"),
]

#: What is declared after the way from each package, and which rows that one has left.
SHOP = """
import os
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from waffleconf_admin import AlchemyWaffleStore, WaffleConf

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite:///" + os.path.abspath("site.db")
app.config["WAFFLE_SERIALIZER"] = "json"
app.config["WAFFLE_CONFS"] = {CONFS}
db = SQLAlchemy(app)
Conf, ConfChange = AlchemyWaffleStore.make_models(db)
WaffleConf(app, AlchemyWaffleStore(db, Conf, history=ConfChange))
with app.app_context():
    db.create_all()
"""
FLASK_CONSTANCE = """
CREATE TABLE constance_settings (
    id INTEGER NOT NULL, name VARCHAR(256) NOT NULL, value JSON, PRIMARY KEY (id)
);
INSERT INTO constance_settings VALUES
    (1, 'SITENAME', '"Cr\\u00eaperie"'),
    (2, 'OPEN', 'false'),
    (3, 'NOTE', 'null'),
    (4, 'PAGE_SIZE', 10),
    (5, 'HOURS', '{"mon": [9, 17]}'),
    (6, 'GONE', '1');
"""
OF_FLASK_CONSTANCE = """{
    "SITENAME": {"default": "Waffle"},
    "OPEN": {"default": True},
    "NOTE": {"default": None},
    "PAGE_SIZE": {"default": 10, "min": 1},
    "HOURS": {"default": {}},
}"""
DJANGO_CONSTANCE = """
CREATE TABLE "constance_constance" (
    "id" integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    "key" varchar(255) NOT NULL UNIQUE,
    "value" text NULL
);
INSERT INTO constance_constance VALUES
    (1, 'SITENAME', '{"__type__": "default", "__value__": "Cr\\u00eaperie"}'),
    (2, 'PAGE_SIZE', '{"__type__": "default", "__value__": 10}'),
    (3, 'OPEN', '{"__type__": "default", "__value__": false}'),
    (4, 'SINCE', '{"__type__": "date", "__value__": "2026-02-02"}'),
    (5, 'AT', '{"__type__": "datetime", "__value__": "2026-02-02T08:30:00+00:00"}'),
    (6, 'FROM', '{"__type__": "time", "__value__": "08:30:00"}'),
    (7, 'PRICE', '{"__type__": "decimal", "__value__": "2.50"}'),
    (8, 'WAIT', '{"__type__": "timedelta", "__value__": 1800.0}'),
    (9, 'ID', '{"__type__": "uuid", "__value__": "00000000000000000000000000000002"}'),
    (10, 'HOURS', '{"__type__": "default", "__value__": [9, 17]}'),
    (11, 'DAYS', '{"__type__": "default",
                   "__value__": {"open": {"__type__": "date", "__value__": "2026-01-01"}}}'),
    (12, 'EMPTY', NULL);
"""
OF_DJANGO_CONSTANCE = """{
    "SITENAME": {"default": "Waffle"},
    "PAGE_SIZE": {"default": 10, "min": 1},
    "OPEN": {"default": True},
    "SINCE": {"default": date(2026, 1, 1)},
    "AT": {"default": None, "type": datetime},
    "FROM": {"default": time(9)},
    "PRICE": {"default": Decimal("1.50")},
    "WAIT": {"default": timedelta(minutes=5)},
    "ID": {"default": None, "type": UUID},
    "HOURS": {"default": []},
    "DAYS": {"default": {}},
    "EMPTY": {"default": ""},
}"""


class Folder:
    """The folder of an app, whose modules are imported anew for each run."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.monkeypatch = monkeypatch
        monkeypatch.chdir(path)
        monkeypatch.syspath_prepend(str(path))
        monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(self, name: str, code: str) -> None:
        (self.path / name).write_text(code)

    @contextmanager
    def app(self) -> Iterator[Flask]:
        """The app of shop.py as a new process has it, inside its context."""
        for name in ("shop", "config"):
            self.monkeypatch.delitem(sys.modules, name, raising=False)
        app: Flask = importlib.import_module("shop").app
        with app.app_context():
            yield app
            app.extensions["sqlalchemy"].engine.dispose()
        if "waffleconf" in app.extensions:
            app.extensions["waffleconf"].stop()

    def run(self, script: str) -> None:
        """Run a script that imports the app; its engines end with it."""
        with self.app():
            runpy.run_path(str(self.path / script))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    return Folder(tmp_path, monkeypatch)


def execute(path: Path, script: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)


BROUGHT_FROM_FLASK_CONSTANCE = {
    "SITENAME": "Crêperie",
    "OPEN": False,
    "HOURS": {"mon": [9, 17]},
}
BROUGHT_FROM_DJANGO_CONSTANCE = {
    "SITENAME": "Crêperie",
    "OPEN": False,
    "SINCE": date(2026, 2, 2),
    "AT": datetime(2026, 2, 2, 8, 30, tzinfo=UTC),
    "FROM": time(8, 30),
    "PRICE": Decimal("2.50"),
    "WAIT": timedelta(minutes=30),
    "ID": UUID(int=2),
    "HOURS": [9, 17],
    "DAYS": {"open": date(2026, 1, 1)},
}


@pytest.mark.parametrize(
    ("number", "database", "rows", "confs", "brought"),
    [
        (0, "site.db", FLASK_CONSTANCE, OF_FLASK_CONSTANCE, BROUGHT_FROM_FLASK_CONSTANCE),
        (1, "old.db", DJANGO_CONSTANCE, OF_DJANGO_CONSTANCE, BROUGHT_FROM_DJANGO_CONSTANCE),
    ],
    ids=["Flask-Constance", "django-constance"],
)
def test_the_script_brings_over_what_differs_from_the_defaults(
    number: int,
    database: str,
    rows: str,
    confs: str,
    brought: dict[str, object],
    folder: Folder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DJANGO_DATABASE", "sqlite:///old.db")
    folder.write("bring_over.py", SCRIPTS[number].code)
    folder.write("shop.py", SHOP.replace("{CONFS}", confs))
    execute(folder.path / database, rows)
    folder.run("bring_over.py")
    assert f"{', '.join(brought)}\n" in capsys.readouterr().out
    with folder.app() as app:
        history = app.extensions["waffleconf"].history.list()
        assert {change.key: change.new for change in history} == brought
        assert {change.actor for change in history} == {"bring_over.py"}
        assert {key: app.config[key] for key in brought} == brought
    folder.run("bring_over.py")
    assert "values were saved: none" in capsys.readouterr().out


def test_the_declarations_of_django_constance_become_ours() -> None:
    entry = {"default": 10, "help": "Products on a page", "group": "Shop"}
    assert DECLARATIONS.run()["WAFFLE_CONFS"]["PAGE_SIZE"] == entry


def test_constants_become_settings_step_by_step(
    folder: Folder, caplog: pytest.LogCaptureFixture
) -> None:
    def answer(app: Flask) -> object:
        return app.test_client().get("/").json

    def waffle(app: Flask, *command: str) -> str:
        return app.test_cli_runner().invoke(args=["waffle", *command]).output

    config = CONFIG.code.replace("/srv/shop/", f"{folder.path}/")
    after = AFTER.code.replace("/run/shop/", f"{folder.path}/")
    same = {"name": "Waffle", "size": 10}
    folder.write("config.py", config)
    folder.write("shop.py", BEFORE.code)
    with folder.app() as app:
        assert answer(app) == same

    # Declared, but still in config.py, with another value; and with the copy at module level.
    copy = 'PAGE_SIZE = app.config["PAGE_SIZE"]\n'
    folder.write("config.py", config.replace("10", "20"))
    folder.write("shop.py", after.replace("db = SQL", copy + "db = SQL"))
    with folder.app() as app:
        assert "app.config has other values of PAGE_SIZE than WAFFLE_CONFS declares" in caplog.text
        assert "PAGE_SIZE is copied at module level" in waffle(app, "lint", ".")

    # The tables are there, and nothing is stored: all values are what they were.
    folder.write("config.py", config.partition("SITENAME")[0])
    folder.write("shop.py", after)
    with folder.app() as app:
        app.extensions["sqlalchemy"].create_all()
        assert answer(app) == same
        assert "error" not in waffle(app, "check") and "0 findings" in waffle(app, "lint", ".")
        waffle(app, "set", "PAGE_SIZE", "25")
        assert answer(app) == {"name": "Waffle", "size": 25}
