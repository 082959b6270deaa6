"""Rows of the real Flask-WaffleConf 0.3.1 are read here, and rows written here are read there.

It lives in an environment of its own beside this one, with the Flask and SQLAlchemy of its time.
"""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from conftest import MISSING, REQUIRE_ALL
from flask import Flask
from writers import on_peewee, on_sqlalchemy

from waffleconf_admin import WaffleConf
from waffleconf_admin.util import same

OLD = [
    "Flask-WaffleConf==0.3.1",
    "Flask==2.2.5",
    "Werkzeug==2.2.3",
    "Flask-SQLAlchemy==2.5.1",
    "SQLAlchemy==1.4.54",
]
VALUES: dict[str, Any] = {
    "NOTHING": None,
    "YES": True,
    "NUMBER": -7,
    "LARGE": 2**100,
    "FLOAT": 0.1,
    "INFINITE": float("inf"),
    "COMPLEX": 1 - 2j,
    "TEXT": "Crêperie 🧇\r\n\0",
    "EMPTY": "",
    "LONG": "x" * 100_000,
    "BYTES": b"\x00\xff",
    "ARRAY": bytearray(b"ab"),
    "LIST": [1, [True, None], "a"],
    "TUPLE": (1, (2,), ()),
    "DICT": {"a": {"b": [1.5]}, 1: "one", (1, 2): "pair"},
    "SET": {1, "a"},
    "FROZEN": frozenset({1}),
    "RANGE": range(1, 9, 2),
}
PROGRAM = """
import base64, json, pickle, sys, warnings
warnings.simplefilter("ignore")
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_waffleconf import AlchemyWaffleStore, WaffleConf, WaffleMixin

url, defaults, new = sys.argv[1], *map(base64.b64decode, sys.stdin.read().split("|"))
app = Flask("old")
app.config["SQLALCHEMY_DATABASE_URI"] = url
app.config["SQLALCHEMY_TRACK_MODIFICATIONS"] = False
confs = pickle.loads(defaults).items()
app.config["WAFFLE_CONFS"] = {key: {"desc": key, "default": value} for key, value in confs}
db = SQLAlchemy(app)

class Conf(db.Model, WaffleMixin):
    __tablename__ = "confs"
    id = db.Column(db.Integer, primary_key=True)
    key = db.Column(db.String(255), unique=True)
    value = db.Column(db.Text)

waffle = WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf))
with app.app_context():
    db.create_all()
    if new:
        waffle.state.update_db(pickle.loads(new))
    values = waffle.state.parse_conf()
print(base64.b64encode(pickle.dumps(values)).decode())
"""


@pytest.fixture(scope="module")
def old() -> Path:
    """The Python of an environment with Flask-WaffleConf 0.3.1; made once, kept beside ours."""
    folder = Path(sys.prefix) / "flask-waffleconf-0.3.1"
    stamp = folder / "installed.json"
    python = folder / "bin" / "python"
    wanted = json.dumps([*OLD, sys.version])
    if not stamp.exists() or stamp.read_text() != wanted:
        venv.create(folder, clear=True, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *OLD]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            reason = f"{MISSING}Flask-WaffleConf-0.3.1 {done.stderr[-500:]}"
            (pytest.fail if REQUIRE_ALL else pytest.skip)(reason)
        stamp.write_text(wanted)
    return python


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/test.db"


def in_old(python: Path, url: str, defaults: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """What 0.3.1 says its values are, after it has saved the new ones."""
    pickles = [pickle.dumps(values, 2) if values else b"" for values in (defaults, new)]
    given = [base64.b64encode(raw).decode() for raw in pickles]
    done = subprocess.run(
        [python, "-c", PROGRAM, url],
        input="|".join(given),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    values: dict[str, Any] = pickle.loads(base64.b64decode(done.stdout))
    return values


@pytest.fixture
def state(orm: str, url: str) -> Any:
    """A function that gives a state on the same database; all end with the test."""
    with contextlib.ExitStack() as stack:

        def make(defaults: dict[str, Any]) -> Any:
            app = Flask("new")
            app.config["SQLALCHEMY_DATABASE_URI"] = url
            app.config["WAFFLE_CONFS"] = {key: {"default": v} for key, v in defaults.items()}
            make_store = on_sqlalchemy if orm == "sqlalchemy" else on_peewee
            return WaffleConf(app, make_store(app, url, True, stack)).state

        yield make


def test_what_031_saved_is_read_here(old: Path, url: str, state: Any) -> None:
    in_old(old, url, dict.fromkeys(VALUES, ""), VALUES)
    assert same(state(dict.fromkeys(VALUES, "")).parse_conf(), VALUES)


def test_what_031_added_as_defaults_is_read_here(old: Path, url: str, state: Any) -> None:
    in_old(old, url, VALUES, {})
    records = state(dict.fromkeys(VALUES, "")).read()
    assert same({key: record.value for key, record in records.items()}, VALUES)
    assert not any(record.problem for record in records.values())


def test_what_is_saved_here_is_read_by_031(old: Path, url: str, state: Any) -> None:
    assert len(state(dict.fromkeys(VALUES, "")).update_db(VALUES)) == len(VALUES)
    assert same(in_old(old, url, dict.fromkeys(VALUES, ""), {}), VALUES)


def test_both_go_on_saving_the_same_rows(old: Path, url: str, state: Any) -> None:
    here = state({"TEXT": "", "NUMBER": 0})
    here.update_db({"TEXT": "from here", "NUMBER": 1})
    defaults = {"TEXT": "", "NUMBER": 0}
    assert in_old(old, url, defaults, {"TEXT": "from there"}) == {"TEXT": "from there", "NUMBER": 1}
    assert here.update_db({"NUMBER": 2}, expected={"TEXT": "from there"}) == {"NUMBER": 2}
    assert in_old(old, url, defaults, {}) == {"TEXT": "from there", "NUMBER": 2}
