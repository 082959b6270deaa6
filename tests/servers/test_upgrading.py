"""The checklist of docs/upgrading.md, followed with the real Flask-WaffleConf 0.3.1."""

from __future__ import annotations

import base64
import contextlib
import pickle
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from fleet import Process, until
from release_031 import FOLLOWING, python

from waffleconf_admin import AlchemyWaffleStore, WaffleConf
from waffleconf_admin.codec import serialize

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Name", "default": "Waffle"},
    "PLAN": {"desc": "Plan", "default": "small"},
}
NEW = {"SINCE": {"default": date(2026, 1, 1)}}
PATH = "sqlite:///site.db"


class Roll:
    """An app in a folder, in both releases.

    :param folder: of the app, the watch file and, by 0.3.1's reading of PATH, the database.
    """

    def __init__(self, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.config = {
            "SQLALCHEMY_DATABASE_URI": PATH,
            "WAFFLE_CONFS": CONFS,
            "WAFFLE_MULTIPROC": True,
            "WAFFLE_WATCHER_FILE": str(folder / "changed"),
        }

    def old_worker(self) -> Process:
        config = self.config | {"ROOT_PATH": str(self.folder), "SQLALCHEMY_DATABASE_URI": PATH}
        return self._worker(config, [python(), "-c", FOLLOWING])

    def new_worker(self) -> Process:
        return self._worker(self.config)

    def _worker(self, config: dict[str, Any], command: list[Any] | None = None) -> Process:
        process = Process(config, command or ())
        self.stack.callback(process.end)
        return process

    def new_app(self, **config: Any) -> Flask:
        """The new release in this process, as a shell has it, with a history."""
        instance = self.folder / "instance"
        app = Flask("shop", root_path=str(self.folder), instance_path=str(instance))
        app.config.update(self.config | {"WAFFLE_MULTIPROC": False} | config)
        app.config["WAFFLE_CONFS"] = CONFS | NEW
        db = SQLAlchemy(app)
        models = AlchemyWaffleStore.make_models(db)
        WaffleConf(app, AlchemyWaffleStore(db, models[0], history=models[1]))
        with app.app_context():
            engine = db.engine
        self.stack.callback(engine.dispose)
        return app

    def make_rows(self) -> None:
        """The rows of former days: 0.3.1's own threads get in each other's way to make them."""
        with contextlib.closing(sqlite3.connect(self.folder / "site.db")) as connection, connection:
            connection.execute(
                "CREATE TABLE confs "
                "(id INTEGER PRIMARY KEY, key VARCHAR(255) UNIQUE, value TEXT NOT NULL)"
            )
            rows = [(key, serialize(conf["default"])) for key, conf in CONFS.items()]
            connection.executemany("INSERT INTO confs (key, value) VALUES (?, ?)", rows)

    def rows(self, table: str) -> list[Any]:
        """The rows of a table of the file that 0.3.1 uses."""
        with contextlib.closing(sqlite3.connect(self.folder / "site.db")) as connection:
            return connection.execute(f"SELECT * FROM {table} ORDER BY id").fetchall()


def waffle(app: Flask, *command: str) -> tuple[int, str]:
    """The exit code and the output of a command."""
    result = app.test_cli_runner().invoke(args=["waffle", *command])
    return result.exit_code, result.output


def pickled(value: object) -> str:
    return base64.b64encode(pickle.dumps(value, 2)).decode()


@pytest.fixture
def roll(tmp_path: Path) -> Iterator[Roll]:
    with contextlib.ExitStack() as stack:
        yield Roll(tmp_path, stack)


def test_the_checklist_leads_to_the_new_release_and_back(roll: Roll) -> None:
    roll.make_rows()
    old = roll.old_worker()
    old.do("save", "Crêperie")
    old.do("save_pickle", "PLAN", pickled(SimpleNamespace(users=5)))

    # Before: the relative path, and the rows that would not load.
    before = roll.rows("confs")
    code, said = waffle(roll.new_app(), "check")
    assert code == 1 and f"{roll.folder}/site.db has stored values (PLAN, SITENAME)" in said
    roll.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{roll.folder}/site.db"
    app = roll.new_app()
    assert "error    the history: A table of the settings" in waffle(app, "check")[1]
    with app.app_context():
        app.extensions["sqlalchemy"].create_all()  # the history's table, once
    code, said = waffle(app, "check")
    assert code == 1 and "database: ok" in said
    assert "error  PLAN  the default is used: " in said and "SITENAME" not in said
    assert waffle(roll.new_app(WAFFLE_CLASSES=[SimpleNamespace]), "check")[0] == 0
    assert roll.rows("confs") == before
    old.do("save_pickle", "PLAN", pickled("medium"))  # the other remedy
    app = roll.new_app()
    code, said = waffle(app, "check")
    assert (code, said.count("ok")) == (0, said.count("\n"))

    # During: both save, and each follows the other.
    new = roll.new_worker()
    assert new.do("request") == "Crêperie"
    old.do("save", "from 0.3.1")
    assert new.do("request") == "from 0.3.1"
    new.do("save", "from the new release")
    assert until(lambda: old.do("config") == "from the new release")  # it polls every ten seconds
    state = app.extensions["waffleconf"]
    state.update_db({"SITENAME": "from the shell", "PLAN": "large"}, actor="ana")
    assert [change.old for change in state.history.list("SITENAME")] == ["from the new release"]

    # After: no old worker is left. What they can't follow comes now.
    assert new.do("request") == "from the new release"  # the shell has no WAFFLE_MULTIPROC
    state.update_db({"SINCE": date(2026, 2, 2)})
    json_app = roll.new_app(WAFFLE_SERIALIZER="json")
    assert waffle(json_app, "convert", "json", "--apply")[0] == 0
    with pytest.raises(AssertionError, match="Traceback"):
        old.do("values")

    # Back again: pickles first. The table of the history and the new settings stay, unused.
    assert waffle(app, "convert", "pickle", "--apply")[0] == 0
    unused = roll.rows("conf_changes"), [row for row in roll.rows("confs") if row[1] == "SINCE"]
    assert all(unused)
    again = roll.old_worker()
    assert again.do("values") == {"SITENAME": "from the shell", "PLAN": "large"}
    again.do("save", "0.3.1 again")
    assert (roll.rows("conf_changes"), [r for r in roll.rows("confs") if r[1] == "SINCE"]) == unused
    assert new.do("request") == "0.3.1 again"
