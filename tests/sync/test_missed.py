"""Changes without a notification: two hosts that don't share what they should."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from fleet import until

from waffleconf_admin.sync import missed, postgresql, redis
from waffleconf_admin.sync.file import FILE_NOT_SHARED, FileWatch
from waffleconf_admin.sync.missed import MissedNotifications
from waffleconf_admin.watcher import _dummy

CONFS = {"SITENAME": {"default": "Waffle"}}
MISSED = "Changes were found that"
HOUR = 3600.0


# The rule, on a clock of the test's own


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """A function that lets time pass."""
    now = [1000.0]
    monkeypatch.setattr(missed.time, "monotonic", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def after(events: str, clock: Callable[[float], None], late: float = 0.0) -> bool:
    """Whether there is trouble after events: a number of seconds is listened, (number) slept."""
    found = MissedNotifications(FILE_NOT_SHARED, 60.0, late)
    for event in events.split():
        if event == "change":
            found.note_change()
        elif event == "notification":
            found.note_notification()
        elif event.startswith("("):
            clock(float(event.strip("()")))
        else:
            clock(float(event))
            found.note_listening(float(event))
    return found.trouble is not None


@pytest.mark.parametrize(
    ("events", "trouble"),
    [
        ("change 5", True),
        ("change 4", False),
        ("change 4 notification 60", False),
        ("change 4 change 1", True),
        ("change 4 notification 60 change 5", True),
        ("notification 3 change 60", False),
        ("notification 6 change 5", True),
        ("change (600) 1 notification 60", False),
        ("change 5 notification 60", True),
        ("change 5 (3590)", True),
        ("change 5 (3601)", False),
        ("change 5 (3000) change 5 (3000)", True),
        ("change 5 (3601) change 5", True),
    ],
)
def test_a_change_counts_if_there_is_no_notification_before_or_after_it(
    clock: Callable[[float], None], events: str, trouble: bool
) -> None:
    assert after(events, clock) == trouble


@pytest.mark.parametrize(("events", "trouble"), [("change 60", False), ("change 65", True)])
def test_a_long_interval_gives_a_notification_more_time(
    clock: Callable[[float], None], events: str, trouble: bool
) -> None:
    assert after(events, clock, late=60.0) == trouble


# Two apps on one database


def quiet(state: Any) -> None:
    """Receives nothing."""
    while not state.stopping.wait(0.05):
        pass


@pytest.fixture
def two(
    make_app: Callable[..., Flask],
    tmp_path: Path,
    redis_server: str,
    server_url: Callable[[str], str],
) -> Callable[..., Any]:
    """A function that makes the states of two apps that don't get each other's notifications."""

    def two(**config: Any) -> tuple[Any, Any]:
        if config.get("WAFFLE_WATCHTYPE") == "postgresql":
            config["url"] = server_url("postgres")
        states = [
            make_app(
                CONFS,
                **{
                    "WAFFLE_MULTIPROC": True,
                    "WAFFLE_WATCHER_FILE": str(tmp_path / name),
                    "WAFFLE_REDIS_URL": redis_server,
                    "WAFFLE_REDIS_CHANNEL": f"{tmp_path} {name}",
                    "WAFFLE_POSTGRESQL_CHANNEL": name,
                    **config,
                },
            ).extensions["waffleconf"]
            for name in ("here", "there")
        ]
        for state in states:
            assert state.update_conf()
            # As if the watcher had started long ago: what comes just then does not count.
            assert until(lambda state=state: state.synchronizer._missed._notified_at >= 0)
            if state.health().watch_type in ("redis", "postgresql"):  # which read once they listen
                assert until(lambda state=state: state.health().last_notification)
            state.synchronizer._missed._notified_at = -math.inf
        return states[0], states[1]

    return two


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes count after a short while."""
    monkeypatch.setattr(missed, "GRACE", 0.1)
    monkeypatch.setattr(FileWatch, "max_delay", lambda self: 0.0)
    monkeypatch.setattr(redis.RedisWatch, "max_delay", lambda self: 0.0)
    monkeypatch.setattr(postgresql.PostgreSQLWatch, "max_delay", lambda self: 0.0)


WATCH_TYPES: dict[str, tuple[Any, str | None]] = {
    "file": ("file", "'redis', 'postgresql' or 'database'"),
    "redis": ("redis", "the same WAFFLE_WATCHTYPE, server and channel"),
    "postgresql": ("postgresql", "the same WAFFLE_WATCHTYPE, server and channel"),
    "pair": ((quiet, _dummy), "the same WAFFLE_WATCHTYPE, server and channel"),
}


@pytest.mark.parametrize(("watch_type", "remedy"), WATCH_TYPES.values(), ids=WATCH_TYPES)
def test_a_change_without_a_notification_is_trouble(
    two: Callable[..., Any],
    soon: None,
    caplog: pytest.LogCaptureFixture,
    watch_type: Any,
    remedy: str,
) -> None:
    here, there = two(WAFFLE_WATCHTYPE=watch_type, WAFFLE_RESYNC_INTERVAL=0.2)
    for number in range(3):
        here.update_db({"SITENAME": f"{number}"})
        assert until(lambda number=number: there.app.config["SITENAME"] == f"{number}")
        assert until(lambda: MISSED in str(there.health().trouble))
    assert remedy in there.health().trouble and "0.2 seconds" in there.health().trouble
    assert caplog.text.count(MISSED) == 1
    assert here.health().trouble is None


@pytest.mark.parametrize("find", ["update_conf", "refresh"])
def test_every_way_of_reloading_finds_it(two: Callable[..., Any], soon: None, find: str) -> None:
    here, there = two(WAFFLE_RESYNC_INTERVAL=600)
    here.update_db({"SITENAME": "A"})
    getattr(there, find)()
    assert until(lambda: MISSED in str(there.health().trouble))


def listened(state: Any) -> Any:
    """The trouble of a state once its watcher has listened for long."""
    state.synchronizer._missed.note_listening(HOUR)
    return state.health().trouble


@pytest.mark.parametrize(
    ("watch_type", "late"),
    [
        ("file", 60.0),
        ("redis", 2 * redis.PING_AFTER),
        ("postgresql", postgresql.PING_AFTER + postgresql.ANSWER),
        ("pair", 0.0),
    ],
)
def test_a_notification_may_come_so_late(
    two: Callable[..., Any], watch_type: str, late: float
) -> None:
    # A server that hangs is found after ten seconds. Until then it is only quiet.
    here, there = two(
        WAFFLE_WATCHTYPE=WATCH_TYPES[watch_type][0],
        WAFFLE_WATCH_INTERVAL=60,
        WAFFLE_RESYNC_INTERVAL=600,
    )
    here.update_db({"SITENAME": "A"})
    there.update_conf()
    there.synchronizer._missed.note_listening(late)
    assert there.health().trouble is None
    there.synchronizer._missed.note_listening(missed.GRACE + 0.1)
    assert MISSED in there.health().trouble


def test_a_notification_after_the_resync_that_has_read_its_change_is_in_time(
    two: Callable[..., Any], tmp_path: Path
) -> None:
    here, there = two(WAFFLE_RESYNC_INTERVAL=0.2, WAFFLE_WATCHER_FILE=str(tmp_path / "shared"))
    read, notify = threading.Event(), FileWatch.notify
    here.synchronizer._watch_type.notify = lambda: (
        read.wait(60) and notify(here.synchronizer._watch_type)
    )
    saving = threading.Thread(target=here.update_db, args=[{"SITENAME": "A"}])
    saving.start()
    assert until(lambda: there.app.config["SITENAME"] == "A")
    assert there.health().last_notification is None
    read.set()
    saving.join()
    assert until(lambda: there.health().last_notification)
    assert listened(there) is None and listened(here) is None


def test_a_watch_type_without_notifications_misses_none(two: Callable[..., Any]) -> None:
    here, there = two(WAFFLE_WATCHTYPE="database", WAFFLE_WATCH_INTERVAL=600)
    here.update_db({"SITENAME": "A"})
    there.refresh()
    assert listened(there) is None


def test_what_the_first_load_finds_does_not_count(two: Callable[..., Any]) -> None:
    here, _ = two()
    here.update_db({"SITENAME": "A"})
    _, there = two()
    assert there.app.config["SITENAME"] == "A"
    there.app.config["WAFFLE_CONFS"] = {**CONFS, "OTHER": {"default": 1}}
    here.update_db({"SITENAME": "B"})
    assert there.update_conf()  # all is loaded anew
    assert listened(there) is None


def test_one_s_own_saves_do_not_count(two: Callable[..., Any]) -> None:
    here, _ = two(WAFFLE_WATCHTYPE=(quiet, _dummy), WAFFLE_RESYNC_INTERVAL=600)
    # Read before it is taken up: as when a resync comes between.
    here.synchronizer.note_remote_change()
    here.update_db({"SITENAME": "A"})
    assert listened(here) is None


def test_what_comes_while_the_watcher_fails_does_not_count(
    two: Callable[..., Any],
) -> None:
    fails = threading.Event()

    def watch(state: Any) -> None:
        while not fails.wait(0.05):
            state.stopping.is_set()
        raise OSError("no such pigeon")

    here, there = two(WAFFLE_WATCHTYPE=(watch, _dummy), WAFFLE_RESYNC_INTERVAL=600)
    here.update_db({"SITENAME": "A"})
    there.update_conf()
    fails.set()
    assert until(lambda: there.health().last_error)
    here.update_db({"SITENAME": "B"})
    there.update_conf()
    listened(there)
    assert there.synchronizer._missed.trouble is None
