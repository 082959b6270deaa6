"""A process with an app of its own, run by fleet.py: reads commands, prints answers."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.schema import CreateTable

from waffleconf_admin import (
    AlchemyWaffleStore,
    ChangeEvent,
    StoreError,
    WaffleConf,
    WaffleMixin,
    conf_changed,
)
from waffleconf_admin.sync import reporter


def make_app(config: dict[str, Any]) -> Flask:
    app = Flask(__name__)
    app.config.update(config)
    db = SQLAlchemy(app)

    Change: Any = None
    Worker: Any = None
    if host := config.get("HOST"):
        socket.gethostname = lambda: host  # type: ignore[assignment]
    if interval := config.get("REPORT_INTERVAL"):
        reporter.FIRST, reporter.INTERVAL = 0.0, interval
        Conf, Change, Worker = AlchemyWaffleStore.make_models(db, workers=True)
    elif config.get("HISTORY"):
        Conf, Change = AlchemyWaffleStore.make_models(db)
    else:

        class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc, no-redef]
            __tablename__ = "confs"

            id = db.Column(db.Integer, primary_key=True)
            key = db.Column(db.String(255), unique=True)
            value = db.Column(db.Text)

    if config.get("CREATE_TABLE", True):
        with app.app_context():
            for model in filter(None, (Conf, Change, Worker)):
                db.session.execute(CreateTable(model.__table__, if_not_exists=True))
            db.session.commit()
    WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf, history=Change, workers=Worker))
    app.add_url_rule("/", view_func=lambda: str(current_app.config["SITENAME"]))
    return app


def fail_reads(state: Any, count: int = 1_000_000) -> Callable[[], None]:
    """Let the next reads of a state fail; gives the function that ends it."""
    store, left = state.configstore, [None] * count

    def read(keys: Any = None) -> Any:
        if left:
            left.pop()
            raise StoreError("the database is away")
        return type(store).read(store, keys)

    store.read = store.read_fresh = store.read_promptly = read
    return left.clear


class Stream:
    """Saves without a pause: in each save a counter of this process's own, and shared settings."""

    def __init__(self, state: Any, name: str) -> None:
        self.state = state
        self.name = name
        self.shared = [key for key in state.settings if key.startswith("SHARED")]
        self.returned = self.tried = state.app.config[name]
        self.failed = 0
        self.going = threading.Event()
        self.thread: threading.Thread | None = None

    def start(self, pause: float) -> None:
        self.going.set()
        self.thread = threading.Thread(target=self.run, args=[pause], daemon=True)
        self.thread.start()

    def run(self, pause: float) -> None:
        chance = random.Random(self.name)
        while self.going.is_set():
            self.tried += 1
            keys = chance.sample(self.shared, min(3, len(self.shared)))
            values = dict.fromkeys(keys, f"{self.name} {self.tried}")
            try:
                self.state.update_db({self.name: self.tried, **values})
                self.returned = self.tried
            except StoreError:
                self.failed += 1
            threading.Event().wait(pause)

    def halt(self) -> list[int]:
        self.going.clear()
        if self.thread is not None:
            self.thread.join()
        return [self.returned, self.tried, self.failed]


class Commands:
    """What can be sent to a process."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.state = app.extensions["waffleconf"]
        self.stream: Stream | None = None

    def config(self) -> Any:
        return self.app.config["SITENAME"]

    def values(self) -> dict[str, Any]:
        return {key: self.app.config[key] for key in self.state.settings}

    def request(self) -> str:
        return self.app.test_client().get("/").text

    def save(self, value: str) -> Any:
        return self.state.update_db({"SITENAME": value})

    def save_for(self, value: str, seconds: float) -> Any:
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        return self.state.update_db({"SITENAME": value}, until=end)

    def sources(self) -> list[str]:
        """How the changes were made, the oldest first."""
        return [change.source for change in reversed(self.state.history.list())]

    def open_ends(self) -> int:
        return len(self.state.ends.read())

    def store_defaults(self) -> None:
        self.state.parse_conf()

    def write(self, name: str, pause: float = 0.0) -> None:
        self.stream = Stream(self.state, name)
        self.stream.start(pause)

    def halt(self) -> list[int]:
        assert self.stream is not None
        return self.stream.halt()

    def note_times(self) -> None:
        """Note when this process sees values, by the clock that all processes share."""
        self.seen: dict[Any, float] = {}

        def note(app: Flask, changes: Any, **_: Any) -> None:
            if "SITENAME" in changes:
                self.seen[changes["SITENAME"][1]] = time.monotonic()

        conf_changed.connect(note, self.app, weak=False)

    def seen_at(self, value: str) -> float | None:
        return self.seen.get(value)

    def note_events(self) -> None:
        """Note what handlers of this process get."""
        self.events: list[Any] = []

        def note(event: ChangeEvent) -> None:
            self.events.append(event)

        self.state.extension.on_change("SITENAME")(note)

    def noted_events(self) -> list[Any]:
        return self.events

    def save_at(self, value: str) -> float:
        """Save; the time of the call."""
        called = time.monotonic()
        self.save(value)
        return called

    def reloads(self) -> int:
        return self.state.health().reloads

    def health(self) -> dict[str, Any]:
        return {key: str(value) for key, value in self.state.health()._asdict().items()}

    def count(self) -> dict[str, Any]:
        facts: dict[str, Any] = self.state.workers.count().facts(named=True)
        return facts

    def threads(self) -> list[str]:
        return [t.name for t in threading.enumerate() if t.name == "waffleconf-watcher"]

    def stop(self) -> list[str]:
        self.state.stop()
        return self.threads()

    def fork(self) -> list[str]:
        """Go on as a child process, which has this one's standard input and output."""
        pid = os.fork()
        if pid:
            os.waitpid(pid, 0)
            os._exit(0)
        return self.threads()

    def become(self, user: int, group: int) -> None:
        """Go on as somebody else, as the workers of a master that runs as root do."""
        self.request()  # what it imports, another user may not be able to read
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)

    # Faults

    def fail_reads(self, count: int) -> None:
        """Let the next reloads fail."""
        fail_reads(self.state, count)

    def step_clock(self, seconds: float) -> None:
        real, real_ns = time.time, time.time_ns
        time.time = lambda: real() + seconds  # type: ignore[assignment]
        time.time_ns = lambda: real_ns() + int(seconds * 1e9)  # type: ignore[assignment]

    def limit_files(self, size: int) -> None:
        """As on a full disk: no file can grow beyond so many bytes."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def die(self, when: str, value: str) -> None:
        """Be killed in the middle of a save: before or after the commit."""

        def kill(*args: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        target: tuple[Any, str] = {
            "before": (self.state.configstore, "swap"),
            "after": (self.state.synchronizer, "notify"),
        }[when]
        setattr(*target, kill)
        self.save(value)

    def die_at_end(self, when: str) -> None:
        """Save for a second, and be killed while that goes back.

        :param when: before, in the middle of, or after the transaction.
        """
        self.save_for("Sale", 1)

        def kill(*args: Any, **options: Any) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        store = self.state.configstore
        target: tuple[Any, str] = {
            "before": (store, "swap"),
            "in the middle": (store._history, "settle"),
            "after": (self.state.synchronizer, "notify"),
        }[when]
        setattr(*target, kill)
        while self.state.ends.open:
            threading.Event().wait(0.02)
            self.state.update_conf()

    def hold_lock(self, seconds: float) -> bool:
        """Fork while a reload holds a lock of some library; whether the child gets it."""
        lock, held = threading.Lock(), threading.Event()
        store = self.state.configstore

        def read(keys: Any = None) -> Any:
            with lock:
                held.set()
                threading.Event().wait(seconds)
            return type(store).read(store, keys)

        store.read = store.read_fresh = store.read_promptly = read
        held.wait()
        self.fork()
        del store.read
        return lock.acquire(timeout=5)


def run(config: dict[str, Any]) -> None:
    """Do what comes from the standard input, until its end."""
    commands = Commands(make_app(config))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        command: Callable[..., Any] = getattr(commands, name)
        print(json.dumps(command(*arguments)), flush=True)


if __name__ == "__main__":
    run(json.loads(sys.argv[1]))
