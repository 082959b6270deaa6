"""A WSGI app for servers/test_workers.py: / saves what the query says, and counts the workers.

The folder of the database and the watch file comes in an environment variable, the seconds between
two reports too.
"""

from __future__ import annotations

import os
from typing import Any

from flask import Flask, request
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleConf
from waffleconf_admin.sync import reporter

reporter.FIRST, reporter.INTERVAL = 0.0, float(os.environ["REPORT_INTERVAL"])
folder = os.environ["WAFFLE_FOLDER"]
app = Flask("shop")
app.config.update(
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{folder}/shop.db",
    WAFFLE_CONFS={"SITENAME": {"default": "Waffle"}, "POOL": {"default": 5, "restart": True}},
    WAFFLE_MULTIPROC=True,
    WAFFLE_WATCHER_FILE=f"{folder}/changed",
)
db = SQLAlchemy(app)
Conf, ConfChange, ConfWorker = AlchemyWaffleStore.make_models(db, workers=True)
state: Any = WaffleConf(
    app, AlchemyWaffleStore(db, Conf, history=ConfChange, workers=ConfWorker)
).state


@app.get("/")
def index() -> Any:
    state.update_db(request.args.to_dict())
    return state.workers.count().facts(named=True)
