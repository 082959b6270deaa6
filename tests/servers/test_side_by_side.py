"""The real Flask-WaffleConf 0.3.1 and this one read each other's rows, and follow each other.

It lives in an environment of its own beside this one, with the Flask and SQLAlchemy of its time.
"""

from __future__ import annotations

import base64
import contextlib
import json
import pickle
import subprocess
import sys
import uuid
import venv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from flask import Flask
from fleet import Process, until
from required import MISSING, REQUIRE_ALL, required
from writers import on_peewee, on_sqlalchemy

from waffleconf_admin import WaffleConf
from waffleconf_admin.settings.equality import same

OLD = [
    "Flask-WaffleConf==0.3.1",
    "Flask==2.2.5",
    "Werkzeug==2.2.3",
    "Flask-SQLAlchemy==2.5.1",
    "SQLAlchemy==1.4.54",
    "redis==5.2.1",
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
APP = """
import base64, json, pickle, sys, warnings
warnings.simplefilter("ignore")
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_waffleconf import AlchemyWaffleStore, WaffleConf, WaffleMixin

def make_state(**config):
    app = Flask("old")
    app.config.update(config, SQLALCHEMY_TRACK_MODIFICATIONS=False)
    app.app_context().push()
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):
        __tablename__ = "confs"
        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    waffle = WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf))
    db.create_all()
    return waffle.state
"""
ONCE = """
url, defaults, new = sys.argv[1], *map(base64.b64decode, sys.stdin.read().split("|"))
confs = {key: {"desc": key, "default": value} for key, value in pickle.loads(defaults).items()}
state = make_state(SQLALCHEMY_DATABASE_URI=url, WAFFLE_CONFS=confs)
if new:
    state.update_db(pickle.loads(new))
print(base64.b64encode(pickle.dumps(state.parse_conf())).decode())
"""
FOLLOWING = """
state = make_state(**json.loads(sys.argv[1]))
state.update_conf()
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    command, *arguments = json.loads(line)
    if command == "save":
        state.update_db({"SITENAME": arguments[0]})
    print(json.dumps(state.app.config["SITENAME"]), flush=True)
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
        [python, "-c", APP + ONCE, url],
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


# Notifications, in a fleet that is upgraded worker by worker


@pytest.fixture(params=["file", "redis"])
def config(request: pytest.FixtureRequest, url: str, tmp_path: Path) -> dict[str, Any]:
    return {
        "SQLALCHEMY_DATABASE_URI": url,
        "WAFFLE_CONFS": {"SITENAME": {"desc": "Name", "default": "Waffle"}},
        "WAFFLE_MULTIPROC": True,
        "WAFFLE_WATCHTYPE": request.param,
        "WAFFLE_WATCHER_FILE": str(tmp_path / "changed"),
        "WAFFLE_REDIS_CHANNEL": f"fleet {uuid.uuid4()}",
    }


@pytest.fixture
def default_redis() -> Iterator[None]:
    """A Redis where 0.3.1 publishes, whatever it is told: on port 6379 of this host."""
    import redis

    with contextlib.ExitStack() as stack:
        try:
            with redis.Redis() as client:
                client.ping()
        except redis.ConnectionError:
            with required():
                stack.enter_context(servers.redis_server(6379))
        except redis.RedisError as error:  # one that wants a password, say
            (pytest.fail if REQUIRE_ALL else pytest.skip)(f"{MISSING}redis-on-port-6379 {error}")
        yield


@pytest.fixture
def fleet(
    request: pytest.FixtureRequest, config: dict[str, Any], old: Path
) -> Iterator[tuple[Process, Process]]:
    """A process with this package and one with 0.3.1, which both watch."""
    import redis

    if config["WAFFLE_WATCHTYPE"] == "redis":
        request.getfixturevalue("default_redis")
    with contextlib.ExitStack() as stack:
        here = Process(config)
        stack.callback(here.end)
        there = Process(config, [str(old), "-c", APP + FOLLOWING])
        stack.callback(there.end)
        if config["WAFFLE_WATCHTYPE"] == "redis":
            client, channel = stack.enter_context(redis.Redis()), config["WAFFLE_REDIS_CHANNEL"]
            assert until(lambda: client.pubsub_numsub(channel)[0][1] == 2)
        yield here, there


def test_each_follows_what_the_other_saves(fleet: tuple[Process, Process]) -> None:
    here, there = fleet
    there.do("save", "from 0.3.1")
    assert here.comes_to_serve("from 0.3.1")
    here.do("save", "from here")
    assert until(lambda: there.do("config") == "from here")  # it looks every ten seconds
