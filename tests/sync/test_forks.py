"""A fork waits for what our threads do, for a limited time, and its child can do everything."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from fleet import WAIT, until

from waffleconf_admin.contexts import quiet_context
from waffleconf_admin.sync import forks
from waffleconf_admin.sync.thread import WatcherThread

SUPPORT = Path(__file__).parents[1] / "support"
CONFS = {"SITENAME": {"default": "Waffle"}}


def fork(child: Callable[[], object] = lambda: True) -> bool:
    """Fork; whether what the child asks is true."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(int(WAIT))
        status = 1
        try:
            status = 0 if child() else 1
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1] == 0


@contextmanager
def thread_that(work: Callable[[], object]) -> Iterator[None]:
    """A thread of our own that does something and may still be at it."""
    begun = threading.Event()

    def run() -> None:
        with forks.working():
            begun.set()
            work()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert begun.wait(WAIT)
    yield
    thread.join(WAIT)
    assert not thread.is_alive()


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that sets how long forks wait."""

    def patience(**limits: float) -> None:
        for name, seconds in limits.items():
            monkeypatch.setattr(forks, name, seconds)

    return patience


def test_a_fork_waits_until_our_threads_have_done_their_work(
    patience: Callable[..., None],
) -> None:
    patience(IO_LIMIT=60)
    done: list[bool] = []
    with thread_that(lambda: threading.Event().wait(0.3) or done.append(True)):
        assert fork(lambda: done)


@pytest.mark.parametrize("limit", [0.1, 60])
def test_a_fork_does_not_wait_for_what_may_take_for_ever(
    patience: Callable[..., None], limit: float
) -> None:
    patience(IO_LIMIT=limit)
    end, done = threading.Event(), list[bool]()

    def wait() -> None:
        if limit > WAIT:
            forks.end_work()
        end.wait(WAIT)
        done.append(True)

    with thread_that(wait):
        assert fork(lambda: not done)
        end.set()


@pytest.mark.parametrize(("limit", "waits"), [(60, True), (0, False)])
def test_a_fork_waits_longer_for_an_import(
    patience: Callable[..., None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    limit: float,
    waits: bool,
) -> None:
    patience(IO_LIMIT=0, IMPORT_LIMIT=limit)
    (tmp_path / "takes_long.py").write_text("import time; time.sleep(0.5); COMPLETE = True")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "takes_long", raising=False)
    with thread_that(lambda: __import__("takes_long")):
        assert until(lambda: "takes_long" in sys.modules)
        assert fork(lambda: hasattr(sys.modules["takes_long"], "COMPLETE")) == waits


def test_a_fork_waits_longer_for_the_look_up_of_a_host_name(
    patience: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    patience(IO_LIMIT=0)
    begun, done = threading.Event(), list[bool]()

    def look_up(*_: Any) -> list[Any]:
        begun.set()
        threading.Event().wait(0.3)
        done.append(True)
        return []

    monkeypatch.setattr("_socket.getaddrinfo", look_up)
    with thread_that(lambda: socket.getaddrinfo("localhost", 1)):
        assert begun.wait(WAIT)
        assert fork(lambda: done)


def test_a_fork_waits_as_long_as_ever_for_what_follows_a_look_up(
    patience: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    patience(IO_LIMIT=0.4)
    done: list[bool] = []

    def connect() -> None:
        socket.getaddrinfo("localhost", 1)  # takes longer than the limit
        threading.Event().wait(0.2)
        done.append(True)

    wait = threading.Event().wait
    monkeypatch.setattr("_socket.getaddrinfo", lambda *_: wait(0.6) or [])
    with thread_that(connect):
        assert fork(lambda: done)


def test_a_thread_of_our_own_that_forks_does_not_wait_for_itself(
    patience: Callable[..., None],
) -> None:
    patience(IO_LIMIT=60)
    forked: list[bool] = []
    with thread_that(lambda: forked.append(fork())):
        pass
    assert forked == [True]


def test_work_begins_after_a_fork_that_is_under_way() -> None:
    begun = threading.Event()

    def run() -> None:
        with forks.working(), forks.working():  # the inner one is part of the outer one
            begun.set()

    forks._before_fork()
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        assert not begun.wait(0.2)
    finally:
        forks._after_fork_in_parent()
    assert begun.wait(WAIT)
    thread.join(WAIT)


def test_a_child_waits_for_none_of_its_parent_s_threads(patience: Callable[..., None]) -> None:
    patience(IO_LIMIT=0.1)
    end = threading.Event()
    with thread_that(lambda: end.wait(WAIT)):
        assert fork(lambda: patience(IO_LIMIT=60) or fork())
        end.set()


def test_a_child_waits_for_no_lock_of_its_parent() -> None:
    class Owner:
        reset_after_fork = watch = do_what_is_due = note_failure = read_soon = lambda *_: None

    watcher = WatcherThread(Owner(), wanted=False)
    with watcher._lock:  # another thread of the parent begins
        assert fork(lambda: watcher.ensure_after_fork() or watcher.ready_pid == os.getpid())


# With an app


@pytest.fixture
def forks_well(tmp_path: Path, redis_server: str) -> Callable[..., None]:
    """A function that runs support/forker.py with a watch type, on SQLite by default."""
    for name in ("connecting", "listening", "sending"):
        (tmp_path / f"{name}.py").touch()

    def run(watch_type: str, module: str = "", **config: Any) -> None:
        config = {
            "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'test.db'}",
            "WAFFLE_CONFS": CONFS,
            "WAFFLE_MULTIPROC": True,
            "WAFFLE_WATCHTYPE": watch_type,
            "WAFFLE_WATCHER_FILE": str(tmp_path / "watch.txt"),
            "WAFFLE_REDIS_URL": redis_server,
            "WAFFLE_REDIS_CHANNEL": str(tmp_path),
            **config,
        }
        path = filter(None, [str(SUPPORT), str(tmp_path), os.environ.get("PYTHONPATH")])
        done = subprocess.run(
            [sys.executable, SUPPORT / "forker.py", json.dumps(config), module],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(path),
                "SLOW_IMPORTS": f"{module}={1.5 * forks.IO_LIMIT}" if module else "",
            },
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    return run


@pytest.mark.parametrize(
    ("watch_type", "module"),
    [
        ("redis", "stringprep"),
        ("pair", "connecting"),
        ("pair", "listening"),
        ("pair", "sending"),
        ("registered", "connecting"),
        ("registered", "sending"),
    ],
)
def test_no_child_inherits_half_a_module(
    forks_well: Callable[..., None], watch_type: str, module: str
) -> None:
    forks_well(watch_type, module)


@pytest.mark.parametrize("watch_type", ["file", "database"])
def test_no_child_inherits_half_of_what_the_first_reload_imports(
    forks_well: Callable[..., None],
    make_app: Callable[..., Flask],
    mariadb_url: str,
    watch_type: str,
) -> None:
    make_app(CONFS, url=mariadb_url)
    # A name that has to be looked up: the driver needs a codec for it, when it first connects.
    url = mariadb_url.replace("127.0.0.1", "localhost")
    forks_well(watch_type, "stringprep", SQLALCHEMY_DATABASE_URI=url, CREATE_TABLE=False)


@pytest.mark.parametrize("watch_type", ["file", "redis", "postgresql", "database", "pair"])
def test_each_of_many_children_can_work(
    forks_well: Callable[..., None], server_url: Callable[[str], str], watch_type: str
) -> None:
    config: dict[str, Any] = {"WAFFLE_RESYNC_INTERVAL": 0.02, "WAFFLE_WATCH_INTERVAL": 0.02}
    if watch_type == "postgresql":
        config["SQLALCHEMY_DATABASE_URI"] = server_url("postgres")
    forks_well(watch_type, **config)


def test_a_child_knows_a_database_that_its_parent_was_just_getting_to_know(
    make_app: Callable[..., Flask], postgres_url: str, patience: Callable[..., None]
) -> None:
    # SQLAlchemy asks a database for its version and more at the first connection of a process.
    make_app(CONFS, url=postgres_url)
    patience(IO_LIMIT=0)
    app = make_app(
        CONFS, url=postgres_url, create=False, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="database"
    )
    with quiet_context(app):
        dialect = app.waffle_db.engine.dialect  # type: ignore[attr-defined]
    asked, answered, real, parent = (
        threading.Event(),
        threading.Event(),
        dialect.initialize,
        os.getpid(),
    )

    def initialize(connection: Any) -> None:
        if os.getpid() == parent:
            asked.set()
            answered.wait(WAIT)
        real(connection)

    dialect.initialize = initialize
    assert asked.wait(WAIT)
    state = app.extensions["waffleconf"]
    assert fork(lambda: state.update_conf() and dialect.server_version_info)
    answered.set()
