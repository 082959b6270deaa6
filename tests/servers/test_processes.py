"""Several processes: what one saves, the others serve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fleet import Process, confs, end, until


@pytest.fixture(params=["file", "redis", "postgresql", "database"])
def config(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    config = {
        "TESTING": True,
        "SQLALCHEMY_DATABASE_URI": f"sqlite:///{tmp_path / 'test.db'}",
        "WAFFLE_CONFS": {"SITENAME": {"default": "Waffle"}},
        "WAFFLE_MULTIPROC": True,
        "WAFFLE_WATCHTYPE": request.param,
        "WAFFLE_WATCH_INTERVAL": 0.05,
        "WAFFLE_WATCHER_FILE": str(tmp_path / "watch.txt"),
    }
    if request.param == "redis":
        config["WAFFLE_REDIS_URL"] = request.getfixturevalue("redis_server")
        config["WAFFLE_REDIS_CHANNEL"] = str(tmp_path)
    if request.param == "postgresql":
        url = request.getfixturevalue("server_url")("postgres")
        config["SQLALCHEMY_DATABASE_URI"] = url
    return config


@pytest.fixture
def start(config: dict[str, Any]) -> Iterator[Callable[..., Process]]:
    started: list[Process] = []

    def start(**changes: Any) -> Process:
        started.append(Process(config | changes))
        return started[-1]

    yield start
    assert not any("Traceback" in printed for printed in end(started))


def test_a_process_without_requests_follows(start: Callable[..., Process]) -> None:
    first, second = start(), start()
    assert second.do("request") == "Waffle"
    for name in ("A", "B"):
        assert first.do("save", name) == {"SITENAME": name}
        assert second.comes_to_serve(name)
    assert second.do("save", "C") == {"SITENAME": "C"}
    assert first.comes_to_serve("C")


@pytest.mark.parametrize("config", ["file"], indirect=True)
def test_with_a_file_the_very_next_request_is_current(start: Callable[..., Process]) -> None:
    # The thread polls so seldom that it is the request which follows.
    first, second = start(WAFFLE_WATCH_INTERVAL=60), start(WAFFLE_WATCH_INTERVAL=60)
    assert second.do("request") == "Waffle"
    for number in range(20):
        first.do("save", f"name {number}")
        assert second.do("request") == f"name {number}"


@pytest.mark.parametrize("config", ["file"], indirect=True)
def test_a_handler_is_called_once_in_every_process(start: Callable[..., Process]) -> None:
    processes = [start(HISTORY=True) for _ in range(3)]
    for process in processes:
        process.do("request")
        process.do("note_events")

    def have(count: int) -> bool:
        return all(len(process.do("noted_events")) == count for process in processes)

    for count, name in enumerate(("A", "B"), 1):
        processes[0].do("save", name)
        # Not the value alone: the facts are read after it, and would be those of the next save.
        assert until(partial(have, count))
    (local, *remote) = (process.do("noted_events") for process in processes)
    pairs = [["Waffle", "A"], ["A", "B"]]
    assert [event[:2] for event in local] == [[{"SITENAME": pair}, "local"] for pair in pairs]
    assert remote == [[[changes, "remote", *facts] for changes, _, *facts in local]] * 2
    assert all(change_set and source == "code" for _, _, _, change_set, source in local)


def test_two_saves_in_a_row_are_both_followed(start: Callable[..., Process]) -> None:
    first, second = start(), start()
    second.do("request")
    for number in range(10):
        first.do("save", f"{number} first")
        first.do("save", f"{number} last")
        assert second.comes_to_serve(f"{number} last")


def test_there_is_one_thread_and_stop_ends_it(start: Callable[..., Process]) -> None:
    process = start()
    assert process.do("threads") == ["waffleconf-watcher"]
    assert process.do("stop") == []
    process.do("request")
    assert process.do("threads") == []


def test_without_multiproc_there_is_no_thread_no_file_and_no_notification(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    process = start(WAFFLE_MULTIPROC=False)
    process.do("save", "A")
    process.do("request")
    assert process.do("threads") == []
    assert not (tmp_path / "watch.txt").exists()


def test_a_forked_child_has_a_thread_of_its_own_and_follows(start: Callable[..., Process]) -> None:
    first, second = start(), start()
    assert second.do("request") == "Waffle"
    assert second.do("fork") == ["waffleconf-watcher"]
    first.do("save", "A")
    assert second.comes_to_serve("A")
    assert second.do("save", "B") == {"SITENAME": "B"}
    assert first.comes_to_serve("B")


def test_a_process_ends_without_hanging_or_a_traceback(config: dict[str, Any]) -> None:
    process = Process(config)
    process.do("request")
    assert process.end() == ""
    assert process.popen.returncode == 0


def test_a_process_ends_in_the_middle_of_reloads_too(config: dict[str, Any]) -> None:
    config = config | {"WAFFLE_CONFS": confs(shared=20), "WAFFLE_RESYNC_INTERVAL": 1e-9}
    process = Process(config)
    process.do("write", "COUNTER_0")
    assert process.end() == ""
    assert process.popen.returncode == 0


def test_a_fork_waits_until_the_watcher_holds_no_lock(start: Callable[..., Process]) -> None:
    assert start(WAFFLE_RESYNC_INTERVAL=0.1).do("hold_lock", 0.3)


def test_a_change_that_is_not_announced_is_late_and_not_lost(start: Callable[..., Process]) -> None:
    first, second = start(), start(WAFFLE_RESYNC_INTERVAL=0.5)
    first.do("stop")  # its saves send no notification
    second.do("request")
    first.do("save", "A")
    assert second.comes_to_serve("A")


def test_a_new_worker_begins_with_what_the_database_holds(start: Callable[..., Process]) -> None:
    # The master of a preloading server, or of uWSGI, may have loaded hours ago.
    first, second = start(), start()
    second.do("request")
    second.do("stop")
    first.do("save", "A")
    assert second.do("config") == "Waffle"
    second.do("fork")
    assert second.do("request") == "A"


@pytest.mark.parametrize("config", ["file"], indirect=True)
def test_workers_of_two_releases_follow_each_other(start: Callable[..., Process]) -> None:
    release = {"WAFFLE_CONFS": {"NAME": {"default": "Waffle", "was": "SITENAME"}}}
    old, new = start(), start(**release)
    for number in range(2):
        for writer in (old, new, old):
            value = f"{number} of {writer.popen.pid}"
            writer.do("save", value)
            assert old.comes_to_serve(value) and new.comes_to_serve(value)
    # What an old worker saved last has reached the row of the new name.
    assert start(**release).do("request") == value


@pytest.mark.parametrize("config", ["file"], indirect=True)
def test_an_in_memory_database_gets_no_thread(start: Callable[..., Process]) -> None:
    process = start(SQLALCHEMY_DATABASE_URI="sqlite://")
    assert until(lambda: process.do("threads") == [])


@pytest.mark.parametrize("config", ["redis"], indirect=True)
def test_a_save_stands_though_redis_is_down(config: dict[str, Any]) -> None:
    process = Process(config | {"WAFFLE_REDIS_URL": "redis://127.0.0.1:1/0"})
    assert process.do("save", "A") == {"SITENAME": "A"}
    assert process.do("request") == "A"
    process.end()
