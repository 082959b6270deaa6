"""A process with an app of its own, for tests/test_processes.py: reads commands, prints answers."""

from __future__ import annotations

import json
import os
import sys
import threading
from typing import Any

from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleConf, WaffleMixin


def make_app(config: dict[str, Any]) -> Flask:
    app = Flask(__name__)
    app.config.update(config)
    db = SQLAlchemy(app)

    class Conf(db.Model, WaffleMixin):  # type: ignore[name-defined, misc]
        __tablename__ = "confs"

        id = db.Column(db.Integer, primary_key=True)
        key = db.Column(db.String(255), unique=True)
        value = db.Column(db.Text)

    with app.app_context():
        db.create_all()
    WaffleConf(app, AlchemyWaffleStore(db=db, model=Conf))
    app.add_url_rule("/", view_func=lambda: str(current_app.config["SITENAME"]))
    return app


def threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("waffleconf")]


def answer(app: Flask, command: str, argument: str) -> Any:
    state = app.extensions["waffleconf"]
    if command == "config":
        return app.config["SITENAME"]
    if command == "request":
        return app.test_client().get("/").text
    if command == "save":
        return state.update_db({"SITENAME": argument})
    if command == "threads":
        return threads()
    if command == "stop":
        state.stop()
        return threads()
    if command == "fork":
        return fork(app)
    raise AssertionError(command)


def fork(app: Flask) -> list[str]:
    """Go on as a child process, which has this one's standard input and output."""
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
        os._exit(0)
    return threads()


if __name__ == "__main__":
    app = make_app(json.loads(sys.argv[1]))
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(app, *json.loads(line))), flush=True)
