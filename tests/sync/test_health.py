"""What a process says about how well it follows, and what a request does to follow."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from fleet import WAIT, until
from follower import fail_reads

from waffleconf_admin import AlchemyWaffleStore, WaffleConf, WaffleStore
from waffleconf_admin.sync import heartbeat, notifier, single_flight, thread
from waffleconf_admin.sync.file import FileWatch
from waffleconf_admin.sync.resync import ResyncSchedule
from waffleconf_admin.sync.watchfile import touch_file
from waffleconf_admin.watcher import _dummy

CONFS = {"SITENAME": {"default": "Waffle"}}
MakeApp = Callable[..., Flask]


def make(make_app: MakeApp, **config: Any) -> tuple[Flask, Any]:
    app = make_app(CONFS, **{"WAFFLE_MULTIPROC": True, **config})
    app.add_url_rule("/", view_func=lambda: current_app.config["SITENAME"])
    return app, app.extensions["waffleconf"]


def quiet(state: Any) -> None:
    """A watcher that does nothing: only requests and what is due remain."""
    while not state.stopping.wait(0.05):
        pass


def test_a_process_knows_when_it_read_and_how_long_it_took(make_app: MakeApp) -> None:
    before = datetime.now(UTC)
    app, state = make(make_app)
    assert state.health().reloads == 0
    app.test_client().get("/")
    health = state.health()
    assert (health.watch_type, health.reloads) == ("file", 1)
    assert health.alive and not health.lags
    assert before <= health.last_reload <= datetime.now(UTC)
    assert 0 < health.reload_seconds < 60
    assert (health.last_notification, health.last_error, health.trouble) == (None, None, None)


def test_it_can_be_sent_as_json(make_app: MakeApp) -> None:
    app, state = make(make_app)
    app.add_url_rule("/health", "health", lambda: state.health()._asdict())
    assert app.test_client().get("/health").json["trouble"] is None


def test_without_multiproc_there_is_no_watch_type(make_app: MakeApp) -> None:
    app, state = make(make_app, WAFFLE_MULTIPROC=False)
    app.test_client().get("/")
    health = state.health()
    assert (health.watch_type, health.trouble, state.propagation()) == (None, None, None)
    assert not health.alive and not health.lags


def test_without_multiproc_no_reload_is_ever_due(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "HEARTBEAT_TIMEOUT", 0.0)
    app, state = make(make_app, WAFFLE_MULTIPROC=False, WAFFLE_RESYNC_INTERVAL=0.0001)
    app.test_client().get("/")
    assert not state.health().lags


def test_the_time_of_the_last_notification_is_reported(make_app: MakeApp) -> None:
    app, state = make(make_app)
    touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
    assert until(lambda: state.health().last_notification and state.health().reloads)


def test_after_a_failed_reload_it_lags_until_one_succeeds(make_app: MakeApp) -> None:
    app, state = make(make_app)
    app.test_client().get("/")
    mend = fail_reads(state)
    touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
    assert until(lambda: state.health().lags)
    health = state.health()
    assert health.last_error == "the database is away"
    assert "could not be loaded" in health.trouble
    mend()
    assert until(lambda: not state.health().lags)
    assert state.health().trouble is None
    assert state.health().last_error == "the database is away"


@pytest.mark.parametrize(
    "watch_type", ["file", "redis", (quiet, _dummy)], ids=["file", "redis", "custom"]
)
def test_a_failed_reload_is_tried_again_with_every_watch_type(
    make_app: MakeApp, redis_server: str, watch_type: Any
) -> None:
    _app, state = make(make_app, WAFFLE_WATCHTYPE=watch_type, WAFFLE_REDIS_URL=redis_server)
    fail_reads(state, 1)
    assert not state.update_conf()
    assert until(lambda: state.health().reloads)


def test_a_removed_watch_file_is_trouble_until_it_is_back(make_app: MakeApp) -> None:
    app, state = make(make_app)
    path = app.config["WAFFLE_WATCHER_FILE"]
    os.remove(path)
    assert "receives no notifications" in state.health().trouble
    state.update_db({"SITENAME": "A"})
    assert state.health().trouble is None


def test_a_watcher_that_fails_is_trouble_and_is_called_again(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(thread, "RETRY", 0.3)
    calls: list[None] = []

    def watch(state: Any) -> None:
        calls.append(None)
        assert not state.stopping.is_set()  # it has connected
        if len(calls) < 5:
            raise OSError("no such pigeon")
        quiet(state)

    _app, state = make(make_app, WAFFLE_WATCHTYPE=(watch, _dummy))
    assert until(lambda: state.health().trouble)
    assert state.health().watch_type == "custom"
    assert state.health().last_error == "no such pigeon"
    assert until(lambda: len(calls) == 5)
    assert until(lambda: state.health().trouble is None)
    # The very first failure may be that of an app which is still being put together.
    lines = [record.getMessage() for record in caplog.records]
    lines = [line for line in lines if line.startswith("Watching")]
    assert len(lines) == 2 and "no such pigeon" in lines[0] and "works again" in lines[1]


def test_a_watcher_that_fails_only_once_is_not_logged(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failures = [OSError("no such pigeon")]

    def watch(state: Any) -> None:
        if failures:
            raise failures.pop()
        quiet(state)

    _app, state = make(make_app, WAFFLE_WATCHTYPE=(watch, _dummy))
    assert until(lambda: state.health().trouble)
    assert until(lambda: state.health().trouble is None)
    assert "Watching" not in caplog.text


def test_a_watcher_that_returns_unasked_is_trouble(make_app: MakeApp) -> None:
    def watch(state: Any) -> None:
        """Returns at once."""

    _app, state = make(make_app, WAFFLE_WATCHTYPE=(watch, _dummy))
    assert until(lambda: state.health().trouble)
    assert "returned" in state.health().last_error


def test_a_watcher_ends_in_a_forked_process(make_app: MakeApp) -> None:
    _app, state = make(make_app)
    beats = state.synchronizer._thread._heartbeat
    child = os.fork()
    if child == 0:
        os._exit(1 if beats.beat() else 0)
    assert os.waitpid(child, 0)[1] == 0 and not beats.is_over()


def test_the_thread_ends_with_its_app() -> None:
    app = Flask("gone")
    app.config.update(WAFFLE_CONFS=CONFS, WAFFLE_MULTIPROC=True)
    app.config["WAFFLE_WATCHTYPE"] = (quiet, _dummy)
    WaffleConf(app, WaffleStore())
    watcher = app.extensions["waffleconf"].synchronizer._thread._thread
    assert watcher.is_alive()
    del app

    def ended() -> bool:
        gc.collect()
        return not watcher.is_alive()

    assert until(ended)


def test_a_database_in_memory_is_not_watched(make_app: MakeApp) -> None:
    _, state = make(make_app, url=":memory:")
    watcher = state.synchronizer._thread._thread
    watcher.join(WAIT)
    assert not watcher.is_alive()


def test_values_lag_when_no_reload_came_when_it_was_due(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "HEARTBEAT_TIMEOUT", 0.5)

    def watch(state: Any) -> None:
        threading.Event().wait(60)  # not even asks whether to stop

    app, state = make(make_app, WAFFLE_WATCHTYPE=(watch, _dummy), WAFFLE_RESYNC_INTERVAL=0.1)
    assert until(lambda: state.health().lags)
    assert "does not run" in state.health().trouble
    assert not state.health().alive
    with state.synchronizer._thread.busy():  # with a slow reload, say
        assert state.health().trouble is None
    app.test_client().get("/")  # requests check in its place
    assert not state.health().lags


# What may be said after a save


@pytest.mark.parametrize(
    ("watch_type", "sentence"),
    [
        ("file", "The whole site uses the new values at once."),
        ("redis", "The whole site uses the new values at once."),
        ("database", "The whole site uses the new values within 3 seconds."),
        ((quiet, _dummy), "The rest of the site has been notified."),
    ],
    ids=["file", "redis", "database", "custom"],
)
def test_after_a_save_it_says_when_the_others_follow(
    make_app: MakeApp, redis_server: str, watch_type: Any, sentence: str
) -> None:
    config = {"WAFFLE_REDIS_URL": redis_server, "WAFFLE_WATCH_INTERVAL": 3}
    _app, state = make(make_app, WAFFLE_WATCHTYPE=watch_type, **config)
    state.update_db({"SITENAME": "A"})
    assert state.propagation() == sentence


def test_a_save_that_writes_nothing_notifies_nobody(make_app: MakeApp) -> None:
    sent: list[Any] = []
    _, state = make(make_app, WAFFLE_WATCHTYPE=(quiet, sent.append))
    for _ in range(2):
        state.update_db({"SITENAME": "A"})
    assert len(sent) == 1


def test_a_notification_that_can_not_be_sent_is_trouble_and_sent_later(make_app: MakeApp) -> None:
    sent: list[Any] = []
    away = threading.Event()

    def notify(state: Any) -> None:
        if away.is_set():
            raise OSError("no such pigeon")
        sent.append(state.app)

    away.set()
    app, state = make(make_app, WAFFLE_WATCHTYPE=(quiet, notify), WAFFLE_RESYNC_INTERVAL=45)
    state.update_db({"SITENAME": "A"})
    assert "within 45 seconds" in state.propagation()
    assert "within 45 seconds" in state.health().trouble
    away.clear()
    assert until(lambda: sent == [app])
    assert until(lambda: state.health().trouble is None)


def test_a_notification_that_can_not_be_sent_is_tried_again_after_a_pause(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(notifier, "RETRY", 0.3)
    tries: list[float] = []

    def notify(state: Any) -> None:
        tries.append(time.monotonic())
        raise OSError("no such pigeon")

    _app, state = make(make_app, WAFFLE_WATCHTYPE=(quiet, notify))
    state.update_db({"SITENAME": "A"})
    assert until(lambda: len(tries) == 3)
    assert all(later - earlier >= 0.3 for earlier, later in itertools.pairwise(tries))
    assert caplog.text.count("could not be notified") == 1


# WAFFLE_MULTIPROC was forgotten


@pytest.mark.parametrize(
    ("environ", "warnings"),
    [
        ({"wsgi.multiprocess": True}, 1),
        ({"wsgi.multiprocess": False}, 0),
        ({"wsgi.multiprocess": True, "wsgi.run_once": True}, 0),  # CGI: each request is a process
    ],
)
def test_several_processes_without_multiproc_are_logged_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, environ: dict[str, Any], warnings: int
) -> None:
    app, state = make(make_app, WAFFLE_MULTIPROC=False)
    for _ in range(3):
        app.test_client().get("/", environ_overrides=environ)
    assert caplog.text.count("WAFFLE_MULTIPROC = True") == warnings
    assert bool(state.health().trouble) == bool(warnings)


@pytest.mark.parametrize("stopped", [True, False])
def test_with_multiproc_that_is_no_trouble(make_app: MakeApp, stopped: bool) -> None:
    app, state = make(make_app)
    if stopped:
        state.stop()
    app.test_client().get("/", environ_overrides={"wsgi.multiprocess": True})
    assert state.health().trouble is None


# Requests


@pytest.fixture
def slow(make_app: MakeApp) -> tuple[Flask, Any, threading.Event, list[float]]:
    """An app whose reads wait for an event; only requests follow."""
    app, state = make(make_app, WAFFLE_WATCH_INTERVAL=60)
    app.test_client().get("/")
    go, reads = threading.Event(), []
    store = state.configstore

    def read(keys: Any = None) -> Any:
        reads.append(time.monotonic())
        go.wait(60)
        return type(store).read(store, keys)

    store.read = store.read_fresh = store.read_promptly = read
    return app, state, go, reads


def test_a_request_waits_for_a_slow_reload_but_not_for_ever(slow: Any) -> None:
    app, state, go, reads = slow
    touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
    assert app.test_client().get("/").text == "Waffle"
    assert time.monotonic() - reads[0] > single_flight.PATIENCE / 2  # it has waited
    assert state.health().reloads == 1  # and not until the reload was done
    go.set()


def test_while_a_reload_hangs_only_the_first_requests_wait(slow: Any) -> None:
    app, _state, go, reads = slow
    touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
    app.test_client().get("/")
    began = time.monotonic()
    for _ in range(200):
        app.test_client().get("/")
    assert time.monotonic() - began < 100  # not a second each
    assert len(reads) == 1
    go.set()


def test_the_threads_of_a_process_share_a_reload(slow: Any) -> None:
    app, state, go, reads = slow
    touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(app.test_client().get, "/") for _ in range(8)]
        assert until(lambda: reads)
        go.set()
    assert all(answer.result().status_code == 200 for answer in answers)
    assert len(reads) == 1
    assert state.health().reloads == 2


def test_a_change_during_a_shared_reload_is_not_missed(
    slow: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _state, go, reads = slow
    path, checks = app.config["WAFFLE_WATCHER_FILE"], []
    changed = FileWatch.changed
    monkeypatch.setattr(FileWatch, "changed", lambda self: checks.append(1) or changed(self))
    touch_file(path, b".")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(app.test_client().get, "/")
        assert until(lambda: reads)
        touch_file(path, b".")
        before = len(checks)
        second = pool.submit(app.test_client().get, "/")
        assert until(lambda: len(checks) > before)
        threading.Event().wait(0.1)  # it joins the reload that is under way
        go.set()
        first.result(), second.result()
    assert len(reads) == 2


def test_an_error_in_a_reload_leaves_the_request_alone(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app, state = make(make_app, WAFFLE_WATCH_INTERVAL=60)
    app.test_client().get("/")
    store = state.configstore

    def read(keys: Any = None) -> Any:
        raise AttributeError("a mistake in somebody's store")

    store.read = store.read_fresh = store.read_promptly = read
    touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
    assert app.test_client().get("/").text == "Waffle"
    assert "a mistake in somebody's store" in caplog.text
    del store.read, store.read_fresh, store.read_promptly
    other, _state = make(make_app, WAFFLE_WATCH_INTERVAL=60)
    other.extensions["waffleconf"].update_db({"SITENAME": "A"})
    assert app.test_client().get("/").text == "A"


def test_where_no_thread_can_be_started_requests_follow_by_themselves(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    caplog.set_level(logging.WARNING)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", start)
        app, state = make(make_app)
        app.test_client().get("/")
        other, _state = make(make_app, WAFFLE_WATCH_INTERVAL=60)
        other.extensions["waffleconf"].update_db({"SITENAME": "A"})
        assert app.test_client().get("/").text == "A"
        state.stop()
    assert "can't be started" in caplog.text


@pytest.mark.parametrize(
    ("worker", "mule", "spooler", "starts"),
    [(0, 0, False, False), (1, 0, False, True), (0, 1, False, True), (0, 0, True, True)],
    ids=["master", "worker", "mule", "spooler"],
)
def test_in_a_uwsgi_master_there_is_no_thread_before_a_request(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    worker: int,
    mule: int,
    spooler: bool,
    starts: bool,
) -> None:
    class Uwsgi:
        worker_id = staticmethod(lambda: worker)
        mule_id = staticmethod(lambda: mule)
        i_am_the_spooler = staticmethod(lambda: spooler)

    monkeypatch.setitem(sys.modules, "uwsgi", Uwsgi)
    app, state = make(make_app)
    state.update_conf()
    assert state.health().alive == starts
    app.test_client().get("/")
    assert state.health().alive


def test_without_the_thread_a_request_reads_now_and_then(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "HEARTBEAT_TIMEOUT", 0.3)

    def watch(state: Any) -> None:
        threading.Event().wait(60)

    app, state = make(make_app, WAFFLE_WATCHTYPE=(watch, _dummy))
    client = app.test_client()
    client.get("/")
    assert state.health().reloads == 1
    assert until(lambda: client.get("/") and state.health().reloads == 2)
    assert state.health().trouble
    for _ in range(20):
        client.get("/")
    assert state.health().reloads < 20


def test_a_long_pause_between_two_beats_is_no_time_of_listening() -> None:
    listened: list[float] = []
    beats = heartbeat.ThreadHeartbeat(listened.append)
    beats.last -= 10
    assert beats.beat()
    assert listened == [heartbeat.INTERVAL]


def test_what_is_due_already_does_not_wait_for_a_read_that_is_wanted_soon() -> None:
    schedule = ResyncSchedule(0.0)
    schedule.read_soon()
    assert schedule.is_due()


def test_a_watcher_that_waits_long_has_heartbeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "INTERVAL", 0.01)
    listened: list[float] = []
    beats = heartbeat.ThreadHeartbeat(listened.append)
    assert beats.pause(0.1) and len(listened) > 5
    beats.stop()
    assert not beats.pause(60)


def test_a_database_that_is_initialised_later_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thread, "RETRY", 0.05)
    db = SQLAlchemy()
    store = AlchemyWaffleStore(db, *AlchemyWaffleStore.make_models(db))
    asked: list[bool] = []
    in_memory = store.in_memory
    monkeypatch.setattr(store, "in_memory", lambda: asked.append(True) or in_memory())
    app = Flask("shop")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path}/test.db",
        WAFFLE_MULTIPROC=True,
        WAFFLE_WATCHER_FILE=str(tmp_path / "watched"),
        WAFFLE_CONFS=CONFS,
    )
    state: Any = WaffleConf(app, store).state
    try:
        assert until(lambda: len(asked) > 2)
        assert (state.health().trouble, state.health().last_error) == (None, None)
        db.init_app(app)
        with app.app_context():
            db.create_all()
        touch_file(app.config["WAFFLE_WATCHER_FILE"], b".")
        assert until(lambda: state.health().last_notification)  # the thread watches now
        assert (state.health().trouble, state.health().last_error) == (None, None)
    finally:
        state.stop()
