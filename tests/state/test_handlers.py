"""Handlers: what `on_change` calls, with what, and what a failing one stops."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask, current_app
from fleet import until
from states import CONFS, MakeApp, away, kinds, put, state_of, statements

from waffleconf_admin import ChangeEvent, InvalidValue, WaffleConf, conf_changed
from waffleconf_admin.codec import serialize
from waffleconf_admin.state.state import State


@pytest.fixture
def state(make_app: MakeApp) -> State:
    return state_of(make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False))


@pytest.fixture
def other(make_app: MakeApp, state: State) -> State:
    """That of another process on the same database."""
    return state_of(make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False))


def extension(state: State) -> WaffleConf:
    assert isinstance(state.extension, WaffleConf)
    return state.extension


@contextmanager
def questions(state: State, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """How often the history is asked who has saved, each time with one statement."""
    asked: list[Any] = []
    read_latest = state.configstore.read_latest

    def read(keys: Any) -> Any:
        with statements(state.app) as seen:
            rows = read_latest(keys)
        asked.append((sorted(keys), kinds(seen)))
        return rows

    with monkeypatch.context() as patch:
        patch.setattr(state.configstore, "read_latest", read)
        yield asked


def listen(state: State, *keys: str) -> list[ChangeEvent]:
    events: list[ChangeEvent] = []
    extension(state).on_change(*keys)(events.append)
    return events


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["SITENAME"], [{"SITENAME": ("Waffle", "A")}]),
        (["HOURS"], []),
        (["HOURS", "MAX_FILESIZE"], [{"MAX_FILESIZE": (1000, 7)}]),
        (
            ["SITENAME", "MAX_FILESIZE"],
            [{"SITENAME": ("Waffle", "A"), "MAX_FILESIZE": (1000, 7)}],
        ),
        ([], [{"SITENAME": ("Waffle", "A"), "MAX_FILESIZE": (1000, 7)}]),
    ],
)
def test_a_handler_is_called_once_a_save_with_the_changes_of_its_keys(
    state: State, keys: list[str], expected: list[Any]
) -> None:
    events = listen(state, *keys)
    saved = state.update_db({"SITENAME": "A", "MAX_FILESIZE": 7}, actor="ana")
    assert [event.changes for event in events] == expected
    assert {event[1:] for event in events} <= {("local", "ana", saved.change_set, "code")}


def test_an_event_from_elsewhere_has_the_facts_of_the_last_save(
    state: State, other: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.update_conf(), other.update_conf()
    events = listen(state)
    received: list[Any] = []

    def receive(sender: Flask, **event: Any) -> None:
        received.append(event)

    other.update_db({"SITENAME": "A", "MAX_FILESIZE": 1}, actor="ana")
    other.update_db({"MAX_FILESIZE": 2}, actor="bo", source="page")
    last = other.update_db({"MAX_FILESIZE": 3}, source="import")
    with conf_changed.connected_to(receive, state.app), questions(state, monkeypatch) as asked:
        state.update_conf()
    changes = {"SITENAME": ("Waffle", "A"), "MAX_FILESIZE": (1000, 3)}
    assert events == [ChangeEvent(changes, "remote", None, last.change_set, "import")]
    assert received == [events[0]._asdict()]
    assert asked == [(["MAX_FILESIZE", "SITENAME"], ["SELECT"])]


def test_the_history_is_read_only_if_somebody_listens(
    state: State, other: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    state.update_conf()
    listen(state, "HOURS")
    other.update_db({"SITENAME": "A"})
    with questions(state, monkeypatch) as asked:
        assert state.update_conf()
    assert asked == []


def test_nobody_has_saved_what_the_first_load_finds(
    state: State, other: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.update_db({"SITENAME": "A"}, actor="ana")
    events = listen(state, "SITENAME", "MAX_FILESIZE")
    with questions(state, monkeypatch) as asked:
        state.app.test_client().get("/")
    assert events == [ChangeEvent({"SITENAME": ("Waffle", "A")}, "remote")]
    assert asked == []


@pytest.mark.parametrize("how", ["no history", "history away"])
def test_an_event_comes_without_the_facts_too(
    make_app: MakeApp, state: State, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "no history":
        state = state_of(make_app(CONFS))
    state.update_conf()
    events = listen(state)
    put(state.app, "SITENAME", serialize("A"))
    if how == "history away":
        monkeypatch.setattr(state.configstore, "read_latest", away)
    state.update_conf()
    assert events == [ChangeEvent({"SITENAME": ("Waffle", "A")}, "remote")]


# Calls


def test_a_handler_runs_after_the_commit_in_the_context_of_its_app(
    state: State, other: State
) -> None:
    found: list[Any] = []

    def handle(event: ChangeEvent) -> None:
        name = current_app.config["SITENAME"]
        found.append((current_app.name, name, other.parse_conf(["SITENAME"])))

    assert extension(state).on_change("SITENAME")(handle) is handle
    state.update_db({"SITENAME": "A"})
    assert found == [(state.app.name, "A", {"SITENAME": "A"})]


def test_an_async_handler_is_awaited(state: State) -> None:
    events = []

    @extension(state).on_change("SITENAME")
    async def handle(event: ChangeEvent) -> None:
        events.append(event.changes)

    state.update_db({"SITENAME": "A"})
    assert events == [{"SITENAME": ("Waffle", "A")}]


@pytest.mark.parametrize("local", [True, False], ids=["save", "reload"])
@pytest.mark.parametrize("asynchronous", [True, False], ids=["async", "plain"])
def test_a_handler_may_save(state: State, other: State, local: bool, asynchronous: bool) -> None:
    """Its own save is handled after it, and not within it."""
    state.update_conf()
    steps: list[str] = []

    def save(event: ChangeEvent) -> None:
        steps.append("begin")
        state.update_db({"MAX_FILESIZE": 7})
        steps.append("end")

    async def save_async(event: ChangeEvent) -> None:
        save(event)

    on_change = extension(state).on_change
    on_change("SITENAME")(save_async if asynchronous else save)
    on_change("MAX_FILESIZE")(lambda event: steps.append(str(event.changes["MAX_FILESIZE"])))
    (state if local else other).update_db({"SITENAME": "A"})
    state.update_conf()
    assert steps == ["begin", "end", "(1000, 7)"]
    assert other.parse_conf(["MAX_FILESIZE"]) == {"MAX_FILESIZE": 7}


def test_a_handler_may_save_in_the_thread_of_the_watcher(make_app: MakeApp, state: State) -> None:
    watching = {"WAFFLE_MULTIPROC": True, "WAFFLE_WATCHTYPE": "database"}
    follower = state_of(make_app(CONFS, WAFFLE_WATCH_INTERVAL=0.02, **watching))
    follower.update_conf()
    threads: list[str] = []

    @extension(follower).on_change("SITENAME")
    def handle(event: ChangeEvent) -> None:
        threads.append(threading.current_thread().name)
        follower.update_db({"MAX_FILESIZE": len(threads)})

    for number, name in enumerate("AB", 1):
        state.update_db({"SITENAME": name})
        assert until(lambda number=number: state.parse_conf()["MAX_FILESIZE"] == number)
    assert threads == ["waffleconf-watcher"] * 2


def test_handlers_of_two_threads_run_one_after_the_other(state: State, other: State) -> None:
    """The second thread leaves its event to the first, and waits for nothing."""
    state.update_conf()
    inside, go_on, order = threading.Event(), threading.Event(), list[Any]()

    @extension(state).on_change("SITENAME")
    def handle(event: ChangeEvent) -> None:
        order.append(event.changes["SITENAME"])
        inside.set()
        assert go_on.wait(30)

    thread = threading.Thread(target=state.update_db, args=[{"SITENAME": "A"}])
    thread.start()
    assert inside.wait(30)
    state.update_db({"SITENAME": "B"})
    assert order == [("Waffle", "A")]
    go_on.set()
    thread.join(30)
    assert order == [("Waffle", "A"), ("A", "B")]


def test_a_child_calls_handlers_though_its_parent_was_calling_them(state: State) -> None:
    if not hasattr(os, "fork"):
        pytest.skip("no fork")
    read, write = os.pipe()

    @extension(state).on_change("SITENAME")
    def handle(event: ChangeEvent) -> None:
        if event.changes["SITENAME"][1] == "child":
            os.write(write, b"called")
        elif not (pid := os.fork()):
            state.after_fork()
            state.update_db({"SITENAME": "child"})
            os._exit(0)
        else:
            os.waitpid(pid, 0)

    state.update_db({"SITENAME": "parent"})
    os.close(write)
    with open(read, "rb") as pipe:
        assert pipe.read() == b"called"


# Failures


class Boom(Exception):
    """Quotes what it was given."""


@pytest.fixture
def failing(state: State) -> Iterator[list[ChangeEvent]]:
    """A receiver and a handler that fail, before one that notes its events."""

    def fail(*_: Any, changes: Any = None, **__: Any) -> None:
        raise Boom(state.app.config["TOKEN"])

    extension(state).on_change()(fail)
    events = listen(state)
    with conf_changed.connected_to(fail, state.app):
        yield events


@pytest.mark.parametrize("local", [True, False], ids=["save", "reload"])
def test_a_failing_handler_is_logged_once_and_stops_nothing(
    state: State,
    other: State,
    failing: list[ChangeEvent],
    local: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    state.update_db({"TOKEN": "hunter2"})
    failing.clear(), caplog.clear()
    if local:
        assert state.update_db({"SITENAME": "A"}) == {"SITENAME": "A"}
    else:
        other.update_db({"SITENAME": "A"})
        assert state.update_conf()
    assert [event.changes for event in failing] == [{"SITENAME": ("Waffle", "A")}]
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert [error.split(":")[0].split(",")[0] for error in errors] == [
        "A receiver of conf_changed failed",
        "A handler of on_change failed",
    ]
    assert all("Boom\n" in error and "test_handlers.py" in error for error in errors)
    assert "hunter2" not in caplog.text


def test_without_secrets_the_log_has_the_message_of_a_failure(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    state = state_of(make_app({"SITENAME": {"default": "Waffle"}}))

    @extension(state).on_change("SITENAME")
    def fail(event: ChangeEvent) -> None:
        raise Boom("no such host")

    state.update_db({"SITENAME": "A"})
    assert "Boom: no such host" in caplog.text


# Mistakes


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("SITENAM", r"on_change\('SITENAM'\): there is no setting SITENAM: write SITENAME, if"),
        ("COLOR", r"there is no setting COLOR: declare it in WAFFLE_CONFS\."),
    ],
)
@pytest.mark.parametrize("when", ["before init_app", "after it"])
def test_a_key_that_is_not_declared_is_an_error(
    make_app: MakeApp, key: str, message: str, when: str
) -> None:
    app = make_app(CONFS)
    store = state_of(app).configstore
    waffle = extension(state_of(app))
    if when == "before init_app":
        waffle = WaffleConf()
        waffle.on_change(key)(print)
        del app.extensions["waffleconf"]
    with pytest.raises(InvalidValue, match=message):
        if when == "before init_app":
            waffle.init_app(app, store)
        else:
            waffle.on_change(key)(print)


def test_a_handler_that_is_refused_is_not_added(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    waffle = extension(state_of(app))
    with pytest.raises(InvalidValue, match="SITENAM"):
        waffle.on_change("SITENAM")(print)
    waffle.init_app(Flask("another"), state_of(app).configstore)


def test_the_brackets_are_needed(state: State) -> None:
    with pytest.raises(TypeError, match=r"Write @waffle\.on_change\(\"KEY\"\)"):
        extension(state).on_change(print)  # type: ignore[arg-type]


def test_a_handler_that_yields_is_refused(state: State) -> None:
    async def handle(event: ChangeEvent) -> Any:
        yield

    with pytest.raises(TypeError, match=r"on_change\(\) is an async function that yields"):
        extension(state).on_change()(handle)


def test_one_extension_calls_its_handlers_for_each_of_its_apps(make_app: MakeApp) -> None:
    waffle, apps = WaffleConf(), []

    @waffle.on_change("SITENAME")
    def handle(event: ChangeEvent) -> None:
        apps.append(current_app._get_current_object())  # type: ignore[attr-defined]

    made = [make_app(CONFS) for _ in range(2)]
    for app in made:
        store = app.extensions.pop("waffleconf").configstore
        waffle.init_app(app, store)
        state_of(app).update_db({"SITENAME": "A"})
    assert apps == made


def test_an_event_shows_no_values() -> None:
    event = ChangeEvent({"TOKEN": ("", "hunter2")}, "local")
    assert repr(event) == "<ChangeEvent local: TOKEN>"
