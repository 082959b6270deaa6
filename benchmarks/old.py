"""A process of Flask-WaffleConf 0.3.1, which has to be in the environment of this Python.

Run by propagation.py, it takes the commands of tests/follower.py that are needed there.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_waffleconf import AlchemyWaffleStore, WaffleConf, WaffleMixin


def make_state(config: dict[str, Any]) -> Any:
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
    state = WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf)).state
    state.update_conf()
    return state


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
    commands = Commands(make_state(json.loads(sys.argv[1])))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        print(json.dumps(getattr(commands, name)(*arguments)), flush=True)
