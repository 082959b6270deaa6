"""The real Flask-WaffleConf 0.3.1 and this one read each other's rows, and follow each other.

It lives in an environment of its own beside this one, with the Flask and SQLAlchemy of its time.
"""

from __future__ import annotations

import base64
import contextlib
import pickle
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from flask import Flask
from fleet import Process, until
from release_031 import APP, FOLLOWING, python
from required import MISSING, REQUIRE_ALL, required
from sqlalchemy.engine import make_url
from writers import on_peewee, on_sqlalchemy

from waffleconf_admin import WaffleConf
from waffleconf_admin.settings.equality import same

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
ONCE = """
url, defaults, new = sys.argv[1], *map(base64.b64decode, sys.stdin.read().split("|"))
confs = {key: {"desc": key, "default": value} for key, value in pickle.loads(defaults).items()}
state = make_state(SQLALCHEMY_DATABASE_URI=url, WAFFLE_CONFS=confs)
if new:
    state.update_db(pickle.loads(new))
print(base64.b64encode(pickle.dumps(state.parse_conf())).decode())
"""


@pytest.fixture(scope="module")
def old() -> Path:
    """The Python of an environment with Flask-WaffleConf 0.3.1."""
    return python()


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


# Redis, in a fleet that is upgraded worker by worker; test_upgrading.py has the watch file


@pytest.fixture
def default_redis() -> Iterator[None]:
    """A Redis where 0.3.1 publishes, whatever its configuration says: on port 6379 of this host."""
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


Fleet = Callable[..., tuple[Process, Process]]


@pytest.fixture
def fleet(url: str, old: Path, default_redis: None) -> Iterator[Fleet]:
    """A function that starts a process with this package and one with 0.3.1, on one Redis."""
    import redis

    with contextlib.ExitStack() as stack:

        def start(server: str, **config: Any) -> tuple[Process, Process]:
            port, channel = make_url(server).port, f"fleet {uuid.uuid4()}"
            config |= {
                "SQLALCHEMY_DATABASE_URI": url,
                "WAFFLE_CONFS": {"SITENAME": {"desc": "Name", "default": "Waffle"}},
                "WAFFLE_MULTIPROC": True,
                "WAFFLE_WATCHTYPE": "redis",
                "WAFFLE_REDIS_PORT": port,
                "WAFFLE_REDIS_CHANNEL": channel,
            }
            processes = Process(config), Process(config, [str(old), "-c", FOLLOWING])
            for process in processes:
                stack.callback(process.end)
            client = stack.enter_context(redis.Redis(port=port or 6379))
            assert until(lambda: client.pubsub_numsub(channel)[0][1] == 2)
            return processes

        yield start


def test_each_follows_what_the_other_saves(fleet: Fleet) -> None:
    here, there = fleet("redis://localhost:6379")
    there.do("save", "from 0.3.1")
    assert here.comes_to_serve("from 0.3.1")
    here.do("save", "from here")
    assert there.comes_to_serve("from here")


def test_a_short_resync_follows_where_031_publishes_on_another_redis(
    fleet: Fleet, redis_server: str
) -> None:
    here, there = fleet(redis_server, WAFFLE_RESYNC_INTERVAL=1)
    notified = here.do("health")["last_notification"]  # by its subscription
    there.do("save", "from 0.3.1")
    assert here.comes_to_serve("from 0.3.1")
    assert here.do("health")["last_notification"] == notified
    here.do("save", "from here")
    assert there.comes_to_serve("from here")
