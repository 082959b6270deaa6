"""Processes that save settings until somebody kills them; see test_history_killed.py."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sys
import time
import traceback
from typing import Any

import apps
from flask import Flask

from waffleconf_admin import BusyError, WaffleConf

CONFS: dict[str, Any] = {f"K{number}": {"default": 0} for number in range(5)}
CONFS["TEXT"] = {"default": ""}
CONFS["SECRET"] = {"default": "", "secret": True}


def make_app(orm: str, url: str, stack: contextlib.ExitStack, create: bool = False) -> Flask:
    """An app with a history."""
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    _, _, store = apps.ORMS[orm](app, url, create, True, stack)
    WaffleConf(app, store)
    return app


def save(orm: str, url: str, ready: int) -> None:
    """Save, reset and undo at random."""
    with contextlib.ExitStack() as stack:
        state = make_app(orm, url, stack).extensions["waffleconf"]
        while True:
            number = random.randrange(10**6)
            keys = random.sample(list(CONFS), random.randint(1, 4))
            values = {key: number if key.startswith("K") else str(number) * 50 for key in keys}
            with contextlib.suppress(BusyError):  # nothing is saved then, and nothing kept
                (state.reset if number % 7 == 0 else state.update_db)(values)
            os.write(ready, b".")
            time.sleep(random.random() * 0.004)  # on SQLite the other one would starve


def main(orm: str, url: str, rounds: str) -> None:
    """Start and kill two savers, again and again."""
    with contextlib.ExitStack() as stack:  # each saver is a fork of this process: it imports once
        app = make_app(orm, url, stack)
        with app.app_context():
            app.extensions["waffleconf"].configstore.read()
    for _ in range(int(rounds)):
        savers = [start(orm, url) for _ in range(2)]
        try:
            ended = [pid for pid, ready in savers if not os.read(ready, 1)]
            time.sleep(random.random() * 0.05)  # any moment of a save
        finally:
            for pid, ready in savers:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                os.close(ready)
        if ended:
            sys.exit(f"savers ended by themselves: {ended}")


def start(orm: str, url: str) -> tuple[int, int]:
    """A new saver: its process, and where it says that it has saved."""
    ready, say = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            save(orm, url, say)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    os.close(say)
    return pid, ready
