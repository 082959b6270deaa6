"""An app with async views for servers/test_async_servers.py: for WSGI `app`, for ASGI `asgi`.

The folder for database and watch file comes in an environment variable.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from asgiref.wsgi import WsgiToAsgi
from flask import Flask, current_app, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.schema import CreateTable

from waffleconf_admin import AlchemyWaffleStore, InvalidValue, WaffleAdmin, WaffleConf, conf

FOLDER = os.environ["WAFFLE_FOLDER"]
db = SQLAlchemy()
Conf = AlchemyWaffleStore.make_models(db)[0]


async def no_digits(form: Any, field: Any) -> None:
    await asyncio.sleep(0)
    if any(character.isdigit() for character in field.data):
        raise ValueError("no digits")


app = Flask(__name__)
app.config.update(
    SECRET_KEY="test",
    SQLALCHEMY_DATABASE_URI=f"sqlite:///{FOLDER}/settings.db",
    WAFFLE_CONFS={"SITENAME": {"default": "Waffle", "validators": [no_digits]}},
    WAFFLE_SERIALIZER="json",
    WAFFLE_MULTIPROC=True,
    WAFFLE_WATCHER_FILE=f"{FOLDER}/changed",
)
db.init_app(app)
with app.app_context():  # several workers may start at once
    db.session.execute(CreateTable(Conf.__table__, if_not_exists=True))
    db.session.commit()
WaffleConf(app, AlchemyWaffleStore(db, Conf))


async def everybody(action: str, setting: object) -> bool:
    await asyncio.sleep(0)
    return action == "view"


app.register_blueprint(WaffleAdmin(can=everybody))


@app.get("/")
async def index() -> dict[str, Any]:
    """Say what a view and tasks beside each other read."""

    async def read() -> object:
        await asyncio.sleep(0)
        return conf.SITENAME

    return answer(values=[conf.SITENAME, *await asyncio.gather(read(), read())])


@app.get("/wait/<value>")
async def wait(value: str) -> dict[str, Any]:
    """Read, wait until `app.config` has another value, and read again."""
    first = conf.SITENAME
    Path(FOLDER, "waiting").touch()
    while current_app.config["SITENAME"] != value:
        await asyncio.sleep(0.01)
    return answer(values=[first, conf.SITENAME])


@app.get("/save/<value>")
async def save(value: str) -> dict[str, Any]:
    """Save in a thread, or in the event loop, and read what was saved."""
    await asyncio.sleep(0)
    update_db = current_app.extensions["waffleconf"].update_db
    try:
        if request.args.get("in") == "loop":
            update_db({"SITENAME": value})
        else:
            await asyncio.to_thread(update_db, {"SITENAME": value})
    except InvalidValue as error:
        return answer(error=str(error))
    return answer(values=[conf.SITENAME])


def answer(**facts: Any) -> dict[str, Any]:
    return {"pid": os.getpid(), "config": current_app.config["SITENAME"], **facts}


asgi = WsgiToAsgi(app)
