"""Settings that stayed behind where Flask-SQLAlchemy 2.5 had its SQLite file are noticed."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleConf
from waffleconf_admin.codec import serialize

CONFS = {"SITENAME": {"default": "Waffle"}, "SIZE": {"default": 20}}


class Folder:
    """The folder of an app, with the file of Flask-SQLAlchemy 2.5 and that of 3."""

    def __init__(self, folder: Path) -> None:
        self.former, self.used = folder / "data" / "site.db", folder / "instance/data/site.db"
        for path in (self.former, self.used):
            path.parent.mkdir(parents=True)
        self.folder = folder

    def app(self, uri: str = "sqlite:///data/site.db", **config: Any) -> Flask:
        instance = str(self.folder / "instance")
        app = Flask("shop", root_path=str(self.folder), instance_path=instance)
        app.config.update(SQLALCHEMY_DATABASE_URI=uri, WAFFLE_CONFS=CONFS, **config)
        db = SQLAlchemy(app)
        Conf, _ = AlchemyWaffleStore.make_models(db)
        WaffleConf(app, AlchemyWaffleStore(db, Conf))
        app.add_url_rule("/", view_func=lambda: app.config["SITENAME"])
        self.db = db
        return app


def write(path: Path, **values: Any) -> None:
    """Make a database with these settings."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE confs (id INTEGER PRIMARY KEY, key TEXT, value TEXT)")
        rows = [(key, serialize(value)) for key, value in values.items()]
        connection.executemany("INSERT INTO confs (key, value) VALUES (?, ?)", rows)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def check(folder: Folder, **options: Any) -> tuple[str, str]:
    """What `flask waffle check` says, and what a view serves."""
    app = folder.app(**options)
    output = app.test_cli_runner().invoke(args=["waffle", "check"]).output
    served = app.test_client().get("/").text
    with app.app_context():
        for engine in folder.db.engines.values():
            engine.dispose()
    return output, served


def nothing(folder: Folder) -> None:
    """The new file has not been made yet."""


def no_rows(folder: Folder) -> None:
    write(folder.used)


def defaults(folder: Folder) -> None:
    """As parse_conf adds them."""
    write(folder.used, SITENAME="Waffle", SIZE=20)


@pytest.mark.parametrize(
    ("make_new", "errors"),
    [(nothing, "2 errors"), (no_rows, "1 error"), (defaults, "1 error")],
)
def test_it_is_said_in_the_log_and_by_check_until_the_file_is_moved(
    folder: Folder,
    make_new: Callable[[Folder], None],
    errors: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(folder.former, SITENAME="Crêperie", OTHER=1)
    make_new(folder)
    output, served = check(folder)
    assert output.startswith(f"database: {errors}\n  error    {folder.former} has stored values")
    assert served == "Waffle"
    for text in (output, caplog.text):
        assert f"{folder.former} has stored values (SITENAME)" in text
        assert f"the app uses {folder.used}" in text and "instance folder" in text
    assert caplog.text.count("instance folder") == 1
    caplog.clear()
    shutil.move(folder.former, folder.used)
    output, served = check(folder)
    assert "database: ok" in output and served == "Crêperie"
    assert "instance folder" not in caplog.text


def test_the_whole_path_is_the_other_remedy(folder: Folder) -> None:
    write(folder.former, SITENAME="Crêperie")
    output, served = check(folder, uri=f"sqlite:///{folder.former}")
    assert "database: ok" in output and served == "Crêperie"


def other_values(folder: Folder) -> None:
    write(folder.former, SITENAME="Crêperie")
    write(folder.used, SITENAME="Bakery")


def the_same_rows(folder: Folder) -> None:
    write(folder.former, SITENAME="Waffle", SIZE=20)
    write(folder.used, SITENAME="Waffle", SIZE=20)


def no_former_file(folder: Folder) -> None:
    write(folder.used)


def other_table(folder: Folder) -> None:
    sqlite3.connect(folder.former).close()
    write(folder.used)


def damaged_file(folder: Folder) -> None:
    folder.former.write_text("no database")
    write(folder.used)


def undeclared_rows(folder: Folder) -> None:
    write(folder.former, OTHER=1)
    write(folder.used)


@pytest.mark.parametrize(
    "make",
    [other_values, the_same_rows, no_former_file, other_table, damaged_file, undeclared_rows],
)
def test_nothing_is_said_where_nothing_was_left_behind(
    folder: Folder, make: Callable[[Folder], None], caplog: pytest.LogCaptureFixture
) -> None:
    make(folder)
    assert "database: ok" in check(folder)[0]
    assert "instance folder" not in caplog.text


def test_check_knows_the_values_of_an_app_that_loads_none_by_itself(folder: Folder) -> None:
    other_values(folder)
    assert "database: ok" in check(folder, WAFFLE_AUTOLOAD=False)[0]
