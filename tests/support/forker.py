"""A process that forks while its watcher's thread is at work, run by tests/sync/test_forks.py.

Its arguments are the configuration of its app, and the module whose import it forks in, which
sitecustomize.py makes last; without one it forks again and again. Prints what a child that can't
work says.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
from importlib import import_module
from typing import Any

import sitecustomize
from fleet import until
from follower import make_app

from waffleconf_admin import watcher
from waffleconf_admin.sync.watchfile import touch_file


def watch(state: Any) -> None:
    """A watcher that imports when it connects, and again while it listens."""
    import_module("connecting")
    while not state.stopping.wait(0.05):
        import_module("listening")
        state.update_conf()


def notify(state: Any) -> None:
    """A notifier that fails in the main thread, so that the watcher's thread sends, and imports."""
    if os.getpid() == PARENT and threading.current_thread() is threading.main_thread():
        raise OSError("no such pigeon")
    import_module("sending")


PARENT = os.getpid()


def check(state: Any) -> None:
    """Whether this process can do all that an app needs."""
    for name in sitecustomize.SLOW:
        module: Any = sys.modules.get(name)
        assert module is None or not module.__spec__._initializing, f"{name} is half imported"
    "localhost".encode("idna")
    assert state.update_conf()
    state.update_db({"SITENAME": f"from {os.getpid()}"})
    assert until(lambda: state.health().last_notification)
    health = state.health()
    assert health.alive and health.trouble is None, health


def fork(state: Any) -> None:
    """Fork, and end if the child can't work."""
    child = os.fork()
    if child:
        if os.waitpid(child, 0)[1]:
            sys.exit(1)
        return
    faulthandler.dump_traceback_later(15)  # what hangs says where
    signal.alarm(20)
    status = 1
    try:
        check(state)
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def main(config: dict[str, Any], module: str) -> None:
    watcher.register("registered", watch, notify)
    if config["WAFFLE_WATCHTYPE"] == "pair":
        config["WAFFLE_WATCHTYPE"] = (watch, notify)
    state = make_app(config).extensions["waffleconf"]
    if module == "sending":
        state.update_db({"SITENAME": "A"})
    if config["WAFFLE_WATCHTYPE"] == "file":
        touch_file(config["WAFFLE_WATCHER_FILE"], b".")
    if module:
        assert sitecustomize.BEGUN[module].wait(20)
        fork(state)
        return
    for number in range(12):  # what a child saves, the thread reads during the next forks
        fork(state)
        time.sleep(number * 0.003)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), sys.argv[2])
