"""What each of many processes does to one database, for tests/store/test_many_writers.py."""

from __future__ import annotations

import contextlib
import functools
import multiprocessing
import os
import random
import resource
import signal
import traceback
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from typing import Any
from unittest import mock

import peewee
from apps import connect_peewee
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from nursery import IMPORTED
from programs import environment

from waffleconf_admin import (
    AlchemyWaffleStore,
    ConflictError,
    PeeweeWaffleStore,
    StoreError,
    WaffleConf,
    WaffleMixin,
    WaffleStore,
)
from waffleconf_admin.codec import deserialize, serialize

KEYS = [f"K{n:02}" for n in range(30)]
PROCESSES = 8
SAVES = 10
LIMIT = 30


@functools.cache
def forks() -> ForkServerContext:
    """Processes that are forks of one that has imported what they need: it takes them a second."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["writers", *IMPORTED])
    # Before Python 3.13.1 it finds only what is on the environment's path, and doesn't say so.
    with mock.patch.dict(os.environ, environment()):
        forkserver.ensure_running()
    return context


def confs() -> dict[str, Any]:
    return {key: {"default": 0} for key in KEYS}


@contextlib.contextmanager
def state_on(
    orm: str, url: str, create: bool = False, engine: dict[str, Any] | None = None
) -> Iterator[Any]:
    """The state of an app of this process, on a database whose table is there or created.

    :param engine: options of SQLAlchemy's engine.
    """
    app = Flask("shop")
    app.config.update(TESTING=True, SECRET_KEY="test", WAFFLE_CONFS=confs())
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine or {}
    with contextlib.ExitStack() as stack:
        store = (on_sqlalchemy if orm == "sqlalchemy" else on_peewee)(app, url, create, stack)
        yield WaffleConf(app, store).state
        app.extensions["waffleconf"].stop()


def on_sqlalchemy(app: Flask, url: str, create: bool, stack: contextlib.ExitStack) -> WaffleStore:
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __tablename__ = "confs"
        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    with app.app_context():
        stack.callback(db.engine.dispose)
        if create:
            db.create_all()
    return AlchemyWaffleStore(db=db, model=Conf)


def on_peewee(app: Flask, url: str, create: bool, stack: contextlib.ExitStack) -> WaffleStore:
    db = connect_peewee(url.replace("mysql+pymysql:", "mysql:").replace("postgresql:", "psycopg3:"))

    class Conf(peewee.Model, WaffleMixin):  # type: ignore[misc]
        class Meta:
            database = db
            table_name = "confs"

        key = peewee.CharField(unique=True)
        value = peewee.TextField()

    db.connect()  # as an app does for a request; else each read and save connects anew
    stack.callback(db.close)
    if create:
        db.create_tables([Conf])
    return PeeweeWaffleStore(model=Conf)


def start(state: Any, me: int, chance: random.Random) -> int:
    """The first reading of an empty table, which adds the defaults."""
    assert state.parse_conf() == dict.fromkeys(KEYS, 0)
    return 0


def increment(state: Any, me: int, chance: random.Random) -> int:
    """Add one to every key by compare-and-set; returns how often another was faster."""
    lost = 0
    for key in chance.sample(KEYS, len(KEYS)):
        while True:
            seen = state.parse_conf([key])[key]
            try:
                state.update_db({key: seen + 1}, expected={key: seen})
                break
            except ConflictError:
                lost += 1
    return lost


def increment_by_swap(state: Any, me: int, chance: random.Random) -> int:
    """The same below the extension, three keys at once in any order."""
    lost = 0
    order = chance.sample(KEYS, len(KEYS))
    with state.app.app_context():
        for at in range(0, len(order), 3):
            keys = order[at : at + 3]
            while True:
                seen = dict(state.configstore.read(keys))
                after = {key: serialize(deserialize(seen[key]) + 1) for key in keys}
                if state.configstore.swap({key: (seen[key], after[key]) for key in keys}):
                    break
                lost += 1
    return lost


def disjoint(state: Any, me: int, chance: random.Random) -> int:
    """Save keys that nobody else saves."""
    mine = KEYS[me::PROCESSES]
    for number in range(1, SAVES + 1):
        assert state.update_db(dict.fromkeys(mine, number)) == dict.fromkeys(mine, number)
    return 0


def pairs(state: Any, me: int, chance: random.Random) -> int:
    """Two read, six save two keys at once; returns how often a reader saw half of a save."""
    one, other = KEYS[:2]
    if me >= 2:
        for number in range(SAVES):
            state.update_db({one: me * 1000 + number, other: me * 1000 + number})
        return 0
    halves = 0
    for _ in range(SAVES * 5):
        values = state.parse_conf([one, other])
        halves += values[one] != values[other]
    return halves


def share(state: Any, me: int, chance: random.Random) -> int:
    """Raise one of two keys while both together are below a limit; returns how often in vain."""
    lost = 0
    mine = KEYS[me % 2]
    while sum((seen := state.parse_conf(KEYS[:2])).values()) < LIMIT:
        try:
            state.update_db({mine: seen[mine] + 1}, expected=seen)
        except ConflictError:
            lost += 1
    return lost


def choose(state: Any, me: int, chance: random.Random) -> int:
    """Take one key of each pair while neither has a row; returns how often in vain."""
    lost = 0
    for pair in zip(KEYS[::2], KEYS[1::2], strict=True):
        try:
            state.update_db({pair[me % 2]: 1}, expected=dict.fromkeys(pair, 0))
        except ConflictError:
            lost += 1
    return lost


DUTIES: dict[str, Callable[[Any, int, random.Random], int]] = {
    duty.__name__: duty
    for duty in (start, increment, increment_by_swap, disjoint, pairs, share, choose)
}


def work(me: int, orders: Any, together: Any) -> None:
    """A process's life: one order after another, all processes beginning each at once."""
    while (order := orders.recv()) is not None:
        duty, orm, url, seed = order
        try:
            with state_on(orm, url) as state:
                state.read(KEYS[:1])  # connected
                together.wait(60)
                orders.send(DUTIES[duty](state, me, random.Random(f"{seed} {me}")))
        except BaseException:
            together.abort()
            orders.send(traceback.format_exc())
            raise


class Crowd:
    """Eight processes that do the same thing at the same time."""

    def __init__(self) -> None:
        self.together = together = forks().Barrier(PROCESSES)
        self.members = []
        for me in range(PROCESSES):
            here, there = forks().Pipe()
            process = forks().Process(target=work, args=(me, there, together), daemon=True)
            process.start()
            self.members.append((process, here))

    def do(self, duty: str, orm: str, url: str, seed: int) -> int:
        """Let all do it and return the sum of what they return; fails with what one raised."""
        for _, orders in self.members:
            orders.send((duty, orm, url, seed))
        answers = []
        for _, orders in self.members:
            assert orders.poll(120), f"{duty} did not end, seed {seed}"
            answers.append(orders.recv())
        assert all(isinstance(answer, int) for answer in answers), (seed, answers)
        return sum(answers)

    def end(self) -> None:
        for process, orders in self.members:
            with contextlib.suppress(OSError):
                orders.send(None)
            process.join(10)
            process.kill()
            process.join()
            orders.close()


def count_up(orm: str, url: str, printed: Any) -> None:
    """Save 1 to 200 as the values of two keys, and send each number once it is saved."""
    with state_on(orm, url) as state:
        for number in range(1, 201):
            state.update_db({KEYS[0]: number, KEYS[1]: number})
            printed.send(number)


def outgrow(orm: str, url: str, said: Any) -> None:
    """Save more than a file of SQLite may hold, send what the error says, and save it with room."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    with state_on(orm, url, create=True) as state:
        state.update_db({KEYS[0]: 1, KEYS[1]: 1})
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
        try:
            state.update_db({KEYS[0]: 2, KEYS[1]: "x" * 1_000_000})
        except StoreError as error:
            said.send(str(error))
        assert [state.read()[key].value for key in KEYS[:2]] == [1, 1]
        assert state.app.config[KEYS[1]] == 1
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        state.update_db({KEYS[0]: 3, KEYS[1]: "x" * 1_000_000})
        assert len(state.read()[KEYS[1]].value) == 1_000_000
