"""The table of watch types, and the functions of Flask-WaffleConf 0.3.1."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from documentation import block
from flask import Flask
from fleet import until
from watching import State, watching

from waffleconf_admin import watcher
from waffleconf_admin.defaults import DEFAULTS
from waffleconf_admin.sync import watch_types
from waffleconf_admin.sync.database import DatabaseWatch
from waffleconf_admin.sync.file import FileWatch
from waffleconf_admin.sync.watch_types import WATCH_TYPES
from waffleconf_admin.watcher import get_notifier, get_watcher, register

CONFS = {"SITENAME": {"default": "Waffle"}}
both = pytest.mark.parametrize("get", [get_watcher, get_notifier])


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    """A table of watch types that the test may change."""
    monkeypatch.setattr(watch_types, "WATCH_TYPES", dict(WATCH_TYPES))


@pytest.mark.parametrize("name", ["file", "redis"])
def test_the_functions_of_031_are_those_of_a_watch_type(name: str) -> None:
    assert get_watcher(name) is getattr(watcher, f"_{name}_watcher")
    assert get_notifier(name) is getattr(watcher, f"_{name}_notifier")


@pytest.mark.parametrize("name", WATCH_TYPES)
def test_every_watch_type_has_functions(name: str) -> None:
    assert callable(get_watcher(name)) and callable(get_notifier(name))
    assert WATCH_TYPES[name].name == name


def test_redis_without_redis_py_is_file_with_a_warning(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    assert get_watcher("redis") is watcher._file_watcher
    assert get_notifier("redis") is watcher._file_notifier
    assert "waffleconf-admin[redis]" in caplog.text


@both
def test_an_unknown_watch_type_is_an_error_that_lists_them(get: Any) -> None:
    with pytest.raises(ValueError, match="'carrier pigeon' is none of: 'file', 'redis'"):
        get("carrier pigeon")


@both
@pytest.mark.parametrize("watch_type", [None, (print,), (print, None), "", ("file", "redis"), []])
def test_neither_a_name_nor_a_pair_of_functions_is_an_error(get: Any, watch_type: Any) -> None:
    with pytest.raises(ValueError, match=r"\(watch, notify\)"):
        get(watch_type)


def test_a_pair_of_functions_is_a_watch_type() -> None:
    assert (get_watcher((print, repr)), get_notifier([print, repr])) == (print, repr)  # type: ignore[arg-type]


def test_a_registered_watch_type_has_a_name(table: None) -> None:
    register("carrier pigeon", print, repr)
    assert (get_watcher("carrier pigeon"), get_notifier("carrier pigeon")) == (print, repr)
    with pytest.raises(ValueError, match="'carrier pigeon'"):
        get_watcher("owl")


def test_a_registered_watch_type_is_reported_by_its_name(
    make_app: Callable[..., Flask], table: None
) -> None:
    def watch(state: Any) -> None:
        while not state.stopping.wait(0.05):
            state.update_conf()

    register("carrier pigeon", watch, repr)
    app = make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="carrier pigeon")
    state = app.extensions["waffleconf"]
    assert state.health().watch_type == "carrier pigeon"
    assert until(lambda: state.health().last_notification)


def test_the_dummy_does_nothing(tmp_path: Path) -> None:
    state = State(WAFFLE_WATCHER_FILE=str(tmp_path / "watch.txt"))
    watcher._dummy(state)
    assert state.reloads == 0 and not os.listdir(tmp_path)


def test_the_functions_need_no_more_than_app_and_update_conf(tmp_path: Path) -> None:
    class Bare:
        app = Flask("shop")
        app.config.update(
            WAFFLE_WATCHER_FILE=str(tmp_path / "watch.txt"), WAFFLE_WATCH_INTERVAL=0.02
        )

        def update_conf(self) -> None:
            raise EOFError  # the only way to end a watcher without `stopping`

    ended = threading.Event()

    def run() -> None:
        with pytest.raises(EOFError):
            get_watcher("file")(Bare())
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    assert until(lambda: get_notifier("file")(Bare()) or ended.is_set())


def test_settings_that_an_app_lacks_have_their_defaults() -> None:
    assert FileWatch(State()).path == DEFAULTS["WAFFLE_WATCHER_FILE"]
    assert FileWatch(State(WAFFLE_WATCHER_FILE=None)).path == DEFAULTS["WAFFLE_WATCHER_FILE"]


def test_a_database_watcher_reads_without_a_notification() -> None:
    state = State(WAFFLE_WATCH_INTERVAL=0.02)
    with watching(DatabaseWatch(state)):
        assert state.reloads_soon()
        assert state.reloads_soon()


# What the documents show


def test_the_watch_type_that_the_documents_show_works(
    make_app: Callable[..., Flask], redis_server: str
) -> None:
    names: dict[str, Any] = {"app": Flask("shop")}
    code = block("docs/processes.md", "from redis import").code
    exec(code.replace("redis://bus:6379", redis_server), names)
    pair = names["app"].config["WAFFLE_WATCHTYPE"]
    first, second = (
        make_app(CONFS, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE=pair) for _ in range(2)
    )
    for name in ("A", "B"):
        first.extensions["waffleconf"].update_db({"SITENAME": name})
        assert until(lambda name=name: second.config["SITENAME"] == name)
    assert second.extensions["waffleconf"].health().trouble is None


@pytest.mark.parametrize("multiproc", [True, False])
def test_functions_that_an_app_replaces_as_in_031_are_logged_with_the_remedy(
    make_app: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    multiproc: bool,
) -> None:
    make_app(CONFS, WAFFLE_MULTIPROC=multiproc)
    assert "replaced" not in caplog.text
    for name in ("get_watcher", "get_notifier"):
        monkeypatch.setattr(watcher, name, lambda watch_type: print)
    make_app(CONFS, WAFFLE_MULTIPROC=multiproc)
    found = [text for text in caplog.messages if "was replaced, which has no effect" in text]
    assert len(found) == (2 if multiproc else 0)
    assert all("a pair of functions (watch, notify)" in text for text in found)
