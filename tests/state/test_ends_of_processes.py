"""Saves with an end in several processes: one takes them back, whatever becomes of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from fleet import Process, end
from states import state_of

CONFS = {"SITENAME": {"default": "Waffle"}}


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    config = {
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'test.db'}",
        "WAFFLE_CONFS": CONFS,
        "HISTORY": True,
        "WAFFLE_WATCH_INTERVAL": 0.05,
        "WAFFLE_WATCHER_FILE": str(tmp_path / "watch.txt"),
    }
    started: list[Process] = []

    def start(**changes: Any) -> Process:
        started.append(Process(config | changes))
        return started[-1]

    yield start
    running = [process for process in started if process.popen.poll() is None]
    assert not any("Traceback" in printed for printed in end(running))


def test_of_many_processes_one_takes_a_save_back_and_all_serve_it(
    start: Callable[..., Process],
) -> None:
    fleet = [start(WAFFLE_MULTIPROC=True) for _ in range(4)]
    for process in fleet:
        process.do("note_times")
    assert fleet[0].do("save_for", "Sale", 1.5) == {"SITENAME": "Sale"}
    for value in ("Sale", "Waffle"):
        assert all(process.comes_to_note(value) for process in fleet)
    assert fleet[0].do("sources") == ["code", "end"]


@pytest.mark.parametrize("when", ["before", "in the middle", "after"])
def test_a_process_that_is_killed_takes_a_save_back_or_leaves_it_to_the_next(
    start: Callable[..., Process], when: str
) -> None:
    first = start()
    with first.popen:
        first.send("die_at_end", when)
        assert first.popen.wait(30) == -9, "it went back before anybody was killed"
    second = start()
    assert second.do("request") == "Waffle"
    assert (second.do("sources"), second.do("open_ends")) == (["code", "end"], 0)


def test_when_all_were_down_at_the_end_the_next_start_heals_before_it_serves(
    start: Callable[..., Process],
) -> None:
    first = start()
    first.do("save_for", "Sale", 0.1)
    first.end()
    time.sleep(0.1)  # nobody is there to say that it is over
    assert start().do("request") == "Waffle"


@pytest.mark.parametrize("database", ["sqlite", "postgres", "mariadb"])
def test_of_two_at_once_one_takes_a_save_back(
    request: pytest.FixtureRequest, make_app: Callable[..., Flask], orm: str, database: str
) -> None:
    url = None if database == "sqlite" else request.getfixturevalue("server_url")(database)
    first, second = (
        state_of(make_app(CONFS, orm=orm, url=url, history=True, create=create))
        for create in (True, False)
    )
    first.update_db({"SITENAME": "Sale"}, until=soon())
    together = threading.Barrier(2)
    for state in (first, second):
        meet(state, together)
    threads = [threading.Thread(target=state.update_conf) for state in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [state.app.config["SITENAME"] for state in (first, second)] == ["Waffle"] * 2
    assert first.history is not None
    assert [change.source for change in first.history.list()] == ["end", "code"]
    assert first.ends.read() == second.ends.open == ()


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(minutes=10)


def meet(state: Any, together: threading.Barrier) -> None:
    """Let a save with ends wait for the other, by a clock that says that they are due."""
    store = state.configstore
    swap = store.swap
    store.clock = lambda: time.time() + 660

    def meeting(*arguments: Any) -> Any:
        store.swap = swap
        together.wait(10)
        return swap(*arguments)

    store.swap = meeting


@pytest.mark.parametrize("database", ["postgres", "mariadb"])
def test_a_clock_that_is_wrong_ends_nothing_early_or_late(
    request: pytest.FixtureRequest,
    make_app: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
    orm: str,
    database: str,
) -> None:
    url = request.getfixturevalue("server_url")(database)
    state: Any = state_of(make_app(CONFS, orm=orm, url=url, history=True))
    state.update_db({"SITENAME": "Sale"}, until=soon())
    real = time.time
    for ahead in (7200, -7200):
        monkeypatch.setattr(time, "time", lambda ahead=ahead: real() + ahead)
        assert state.update_conf() and state.app.config["SITENAME"] == "Sale"
        assert 500 < state.ends.deadline - time.monotonic() < 601
