"""Flask-WaffleConf 0.3.1: `parse_conf()` of ten settings a request.

Run as a program it is one of the processes of propagation.py, with the commands of
tests/follower.py that are needed there.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy
from flask_waffleconf import AlchemyWaffleStore, WaffleConf, WaffleMixin


def make_app(config: dict[str, Any]) -> Flask:
    app = Flask(__name__)
    app.config.update(config, SQLALCHEMY_TRACK_MODIFICATIONS=False)
    app.app_context().push()
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __tablename__ = "confs"

        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    db.create_all()  # first: the watcher may read at once
    WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf)).state.update_conf()
    return app


def create_app() -> Flask:
    from shared import DATABASE, DEFAULTS, FOLDER, READ, SAVED, shown

    watched = FOLDER / "changed"
    watched.touch()  # a file made later would be news
    app = make_app(
        {
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{DATABASE}",
            "WAFFLE_CONFS": {key: {"default": value} for key, value in DEFAULTS.items()},
            "WAFFLE_MULTIPROC": True,
            "WAFFLE_WATCHER_FILE": str(watched),
        }
    )
    state = app.extensions["waffleconf"]

    @app.route("/")
    def read() -> str:
        values = state.parse_conf(READ)
        return shown([values[key] for key in READ])

    @app.route("/save")
    def write() -> str:
        state.update_db({SAVED: request.args["value"]})
        return ""

    return app


class Commands:
    def __init__(self, state: Any) -> None:
        self.state = state
        self.seen: dict[str, float] = {}

    def note_times(self) -> None:
        """Note when this process sees values: it has no signal, so look every millisecond."""

        def look() -> None:
            while True:
                value, now = self.state.app.config["SITENAME"], time.monotonic()
                self.seen.setdefault(value, now)
                time.sleep(0.001)

        threading.Thread(target=look, daemon=True).start()

    def seen_at(self, value: str) -> float | None:
        return self.seen.get(value)

    def save_at(self, value: str) -> float:
        """Save; the time of the call."""
        called = time.monotonic()
        self.state.update_db({"SITENAME": value})
        return called


if __name__ == "__main__":
    commands = Commands(make_app(json.loads(sys.argv[1])).extensions["waffleconf"])
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(commands, name)(*arguments)), flush=True)
