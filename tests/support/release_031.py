"""The real Flask-WaffleConf 0.3.1, in an environment beside this one with the Flask of its time."""

from __future__ import annotations

import fcntl
import functools
import json
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from required import MISSING, REQUIRE_ALL

INSTALLED = [
    "Flask-WaffleConf==0.3.1",
    "Flask==2.2.5",
    "Werkzeug==2.2.3",
    "Flask-SQLAlchemy==2.5.1",
    "SQLAlchemy==1.4.54",
    "redis==5.2.1",
]
#: Makes the state of an app of 0.3.1.
APP = """
import base64, json, pickle, sys, warnings
warnings.simplefilter("ignore")
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from flask_waffleconf import AlchemyWaffleStore, WaffleConf, WaffleMixin

def make_state(ROOT_PATH=None, **config):
    app = Flask("old", root_path=ROOT_PATH)
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
#: A process for fleet.Process: does what comes from the standard input.
FOLLOWING = f"""{APP}
state = make_state(**json.loads(sys.argv[1]))
state.update_conf()
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    command, *arguments = json.loads(line)
    if command == "save":
        state.update_db({{"SITENAME": arguments[0]}})
    if command == "save_pickle":
        state.update_db({{arguments[0]: pickle.loads(base64.b64decode(arguments[1]))}})
    if command == "values":
        print(json.dumps(state.parse_conf()), flush=True)
    else:
        print(json.dumps(state.app.config["SITENAME"]), flush=True)
"""


@functools.cache
def python() -> Path:
    """The Python of the environment; made once, and kept. Skips the test where that fails."""
    folder = Path(sys.prefix) / "flask-waffleconf-0.3.1"
    stamp, executable = folder / "installed.json", folder / "bin" / "python"
    wanted = json.dumps([*INSTALLED, sys.version])
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several workers may come at once
        if not stamp.exists() or stamp.read_text() != wanted:
            venv.create(folder, clear=True, with_pip=True)
            pip = [executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            done = subprocess.run([*pip, *INSTALLED], capture_output=True, text=True, check=False)
            if done.returncode:
                reason = f"{MISSING}Flask-WaffleConf-0.3.1 {done.stderr[-500:]}"
                (pytest.fail if REQUIRE_ALL else pytest.skip)(reason)
            stamp.write_text(wanted)
    return executable
