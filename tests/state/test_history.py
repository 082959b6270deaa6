"""The history: what a save leaves in it, what it gives, and the way back."""

from __future__ import annotations

import datetime as dt
import getpass
import logging
import sqlite3
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import peewee
import pytest
import sqlalchemy as sa
from documentation import Block, blocks
from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import (
    AlchemyWaffleStore,
    ConflictError,
    InvalidValue,
    PeeweeWaffleStore,
    StoreError,
    WaffleChangeMixin,
    WaffleConf,
)
from waffleconf_admin.codec import serialize
from waffleconf_admin.state.history import BATCH
from waffleconf_admin.store import HistoryQuery, HistoryRow, WaffleStore

CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "SIZE": {"default": 20, "min": 1, "max": 100},
    "HOURS": {"default": {"mon": [9, 18]}},
    "TOKEN": {"default": "", "secret": True},
}

MakeApp = Callable[..., Flask]


@pytest.fixture(params=["file", "memory", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param in ("postgres", "mariadb"):
        return str(request.getfixturevalue("server_url")(request.param))
    return {"file": None, "memory": ":memory:"}[request.param]


@pytest.fixture
def app(make_app: MakeApp, orm: str, url: str | None) -> Flask:
    """An app with a history, on each database."""
    return make_app(CONFS, orm=orm, url=url, history=True)


@pytest.fixture
def state(app: Flask) -> Any:
    return app.extensions["waffleconf"]


@pytest.fixture
def simple(make_app: MakeApp, orm: str) -> Any:
    """The state of an app with a history, on SQLite."""
    return make_app(CONFS, orm=orm, history=True).extensions["waffleconf"]


NAIVE = datetime(2026, 1, 1)


def summary(changes: Any) -> list[tuple[Any, ...]]:
    return [(c.key, c.old, c.new) for c in changes]


def redeclared(state: Any, **changed: Any) -> None:
    """Replaces declarations, as a new version of the app does; None takes one out."""
    confs = {**CONFS, **changed}
    state.app.config["WAFFLE_CONFS"] = {key: c for key, c in confs.items() if c is not None}


def test_every_change_of_a_save_is_kept_with_who_when_and_why(state: Any) -> None:
    before = datetime.now(UTC) - timedelta(seconds=2)  # MariaDB rounds to seconds
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 5}, actor="ana", note="a new name")
    changes = state.history.list()
    assert sorted(summary(changes)) == [("SITENAME", None, "Bar"), ("SIZE", None, 5)]
    assert {c.change_set for c in changes} == {saved.change_set}
    for change in changes:
        assert (change.actor, change.note, change.source) == ("ana", "a new name", "code")
        assert change.at.tzinfo is UTC
        assert before <= change.at <= datetime.now(UTC) + timedelta(seconds=2)


def test_newest_comes_first_with_old_and_new(state: Any) -> None:
    for name in ("one", "two"):
        state.update_db({"SITENAME": name})
    state.reset(["SITENAME"])
    changes = state.history.list("SITENAME")
    assert summary(changes) == [
        ("SITENAME", "two", None),
        ("SITENAME", "one", "two"),
        ("SITENAME", None, "one"),
    ]
    assert len({c.change_set for c in changes}) == 3
    assert [c.id for c in changes] == sorted((c.id for c in changes), reverse=True)
    assert (changes[0].new_text, changes[2].old_text) == (None, None)


def test_what_changes_nothing_leaves_nothing(simple: Any) -> None:
    simple.update_db({"SIZE": 5})
    assert simple.update_db({"SIZE": 5}).change_set is None
    simple.reset(["SITENAME"])
    with pytest.raises(InvalidValue):
        simple.update_db({"SITENAME": "Bar", "SIZE": 0})
    with pytest.raises(ConflictError):
        simple.update_db({"SITENAME": "Bar"}, expected={"SIZE": 9})
    assert summary(simple.history.list()) == [("SIZE", None, 5)]


def test_defaults_that_are_stored_are_nobodys_change(simple: Any) -> None:
    simple.parse_conf()
    assert simple.history.list() == []


def test_secrets_leave_no_value_anywhere_and_are_not_undone(state: Any, app: Flask) -> None:
    saved = state.update_db({"TOKEN": "s3cr3t", "SIZE": 5})
    state.update_db({"TOKEN": "0ther"})
    (change,) = state.history.list("TOKEN", limit=1)
    assert (change.old, change.new, change.secret) == (None, None, True)
    with app.app_context():
        rows = state.configstore.read_history(HistoryQuery(keys=["TOKEN"]))
    assert [(row.old, row.new) for row in rows] == [(None, None)] * 2
    with pytest.raises(InvalidValue, match="secret"):
        state.history.undo(change.change_set)
    assert state.history.undo(saved.change_set) == {"SIZE": 20}
    assert state.read(["TOKEN"])["TOKEN"].value == "0ther"


def test_a_change_of_what_was_a_secret_then_stays_hidden(simple: Any) -> None:
    simple.update_db({"TOKEN": "old"})
    saved = simple.update_db({"TOKEN": "new"})
    redeclared(simple, TOKEN={"default": ""})
    (change,) = simple.history.of(saved.change_set)
    assert change.secret
    with pytest.raises(InvalidValue, match="secret"):
        simple.history.undo(saved.change_set)
    assert simple.read(["TOKEN"])["TOKEN"].value == "new"


def test_a_setting_that_became_secret_is_hidden_from_then_on(simple: Any) -> None:
    saved = simple.update_db({"SITENAME": "Bar"})
    redeclared(simple, SITENAME={"default": "Waffle", "secret": True})
    (change,) = simple.history.list()
    assert (change.old, change.new, change.old_text, change.new_text) == (None,) * 4
    assert "Bar" not in repr(change)
    with pytest.raises(InvalidValue, match="secret"):
        simple.history.undo(saved.change_set)


FILTERS: list[tuple[dict[str, Any], list[int]]] = [
    ({}, [4, 3, 2, 1, 0]),
    ({"key": "SIZE"}, [4, 2, 1]),
    ({"key": ["SIZE", "HOURS"]}, [4, 3, 2, 1]),
    ({"key": []}, []),
    ({"key": "NOTHING"}, []),
    ({"actor": "ana"}, [3, 0]),
    ({"actor": "AN"}, []),
    ({"actor_part": "AN"}, [3, 0]),
    ({"actor_part": "%"}, []),
    ({"actor_part": "\0"}, []),
    ({"actor_part": "a" * 60_000}, []),  # SQLite refuses to look for it
    ({"source": "cli"}, [4]),
    ({"limit": 2}, [4, 3]),
    ({"before": 3, "limit": 2}, [2, 1]),
    ({"key": "SIZE", "actor": "ben", "before": 2}, [1]),
]


def test_list_filters(state: Any) -> None:
    state.update_db({"SITENAME": "Bar"}, actor="ana")
    state.update_db({"SIZE": 1}, actor="ben")
    state.update_db({"SIZE": 2}, actor="ben")
    state.update_db({"HOURS": {}}, actor="ana")
    state.update_db({"SIZE": 3}, source="cli")
    ids = [change.id for change in state.history.list()][::-1]
    for filters, found in FILTERS:
        if "before" in filters:
            filters = filters | {"before": ids[filters["before"]]}
        assert [ids.index(change.id) for change in state.history.list(**filters)] == found, filters


MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
DAY = {"since": MIDNIGHT, "until": MIDNIGHT + timedelta(days=1)}
WEEK = 7 * 24 * 60
#: Minutes after midnight at which rows are stamped, in the order of their ids: by two hosts, of
#: which one is a week behind for a while and one far ahead.
STAMPS = [-3000, -30, 1, -1, 2, -2, -WEEK, 3, WEEK, 1439, 1441, -WEEK + 5, 1438, 3000, 4, 2, 2, -2]


@pytest.fixture
def stamped(state: Any) -> Callable[..., list[int]]:
    """A function that lists changes, as the minutes at which they are stamped."""
    with state.app.app_context():
        for minutes in STAMPS:
            at = MIDNIGHT + timedelta(minutes=minutes)
            row = HistoryRow("x", "SIZE", None, serialize(5), "ana", at, "", "code")
            state.configstore.add_history([row])
        state.configstore.commit()

    def found(**filters: Any) -> list[int]:
        changes = state.history.list(**{"limit": 20, **filters})
        return [round((change.at - MIDNIGHT).total_seconds() / 60) for change in changes]

    return found


@pytest.mark.parametrize("also", [{}, {"key": "SIZE"}, {"actor": "ana"}, {"source": "code"}])
def test_times_are_filtered_by_what_they_say(
    stamped: Callable[..., list[int]], also: dict[str, Any]
) -> None:
    day = [1439, 1438, 4, 3, 2, 2, 2, 1]
    assert stamped(**DAY, **also) == day
    assert stamped(since=DAY["until"], **also) == [WEEK, 3000, 1441]
    assert stamped(until=MIDNIGHT, **also) == [-1, -2, -2, -30, -3000, -WEEK + 5, -WEEK]
    elsewhere = MIDNIGHT.astimezone(dt.timezone(timedelta(hours=5)))
    assert stamped(since=elsewhere, until=DAY["until"], **also) == day
    exactly = MIDNIGHT + timedelta(minutes=2)
    assert stamped(since=exactly, until=exactly + timedelta(seconds=1), **also) == [2, 2, 2]
    assert stamped(since=MIDNIGHT, until=exactly, **also) == [1]
    assert stamped(since=MIDNIGHT + timedelta(days=30), **also) == []
    assert stamped(until=MIDNIGHT - timedelta(days=9), **also) == []


def test_without_a_range_of_times_the_last_that_was_made_comes_first(
    stamped: Callable[..., list[int]],
) -> None:
    assert stamped() == STAMPS[::-1]


@pytest.mark.parametrize(
    "times", [{}, DAY, {"since": MIDNIGHT}, {"until": MIDNIGHT}], ids=["all", "day", "from", "to"]
)
def test_pages_have_each_change_once_whatever_the_clocks_said(
    state: Any, stamped: Callable[..., list[int]], times: dict[str, Any]
) -> None:
    expected = [change.id for change in state.history.list(limit=20, **times)]
    for size in (1, 2, 4):
        found: list[int] = []
        while page := state.history.list(limit=size, before=found[-1] if found else None, **times):
            found += [change.id for change in page]
            assert len(found) <= len(STAMPS), size
        assert found == expected, size


def test_after_a_change_that_was_pruned_meanwhile_nothing_older_follows(
    state: Any, stamped: Callable[..., list[int]]
) -> None:
    last = state.history.list(limit=3, until=MIDNIGHT)[-1]
    with state.app.app_context():
        state.configstore.prune_history(last.at + timedelta(seconds=2), 20)
    assert stamped(until=MIDNIGHT, before=last.id) == []
    assert stamped(until=MIDNIGHT) == [-1]


def test_pruning_goes_by_what_the_times_say(state: Any, stamped: Callable[..., list[int]]) -> None:
    with state.app.app_context():
        assert state.configstore.prune_history(MIDNIGHT, 4) == 4
        assert stamped(until=MIDNIGHT) == [-1, -2, -2]
        assert state.configstore.prune_history(MIDNIGHT, 20) == 3
    assert stamped() == [minutes for minutes in STAMPS[::-1] if minutes > 0]


def test_latest_gives_the_last_change_of_each_setting(state: Any) -> None:
    state.update_db({"SITENAME": "Bar", "SIZE": 1})
    state.update_db({"SIZE": 2})
    latest = state.history.latest(["SITENAME", "SIZE", "HOURS", "NOTHING"])
    assert {key: change.new for key, change in latest.items()} == {"SITENAME": "Bar", "SIZE": 2}
    assert state.history.latest([]) == {}


def test_latest_of_more_settings_than_a_statement_can_name(simple: Any) -> None:
    redeclared(simple, **{f"K{i}": {"default": 0} for i in range(1000)})
    simple.update_db({f"K{i}": i + 1 for i in range(1000)})
    latest = simple.history.latest(f"K{i}" for i in range(12_000))
    assert {key: change.new for key, change in latest.items()} == {
        f"K{i}": i + 1 for i in range(1000)
    }


# Back again


def test_undo_gives_all_settings_of_a_save_what_they_had(state: Any) -> None:
    state.update_db({"SIZE": 5})
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 6, "HOURS": {}})
    undone = state.history.undo(saved.change_set, actor="ana", note="wrong day")
    assert undone == {"SITENAME": "Waffle", "SIZE": 5, "HOURS": {"mon": [9, 18]}}
    records = state.read()
    assert (records["SITENAME"].text, records["SIZE"].value) == (None, 5)
    assert state.app.config["SIZE"] == 5
    changes = state.history.of(undone.change_set)
    assert {(c.actor, c.note, c.source) for c in changes} == {("ana", "wrong day", "undo")}
    again = state.history.undo(undone.change_set)
    assert again == {"SITENAME": "Bar", "SIZE": 6, "HOURS": {}}


def test_undo_of_a_reset_brings_the_value_back(simple: Any) -> None:
    simple.update_db({"SIZE": 5})
    assert simple.history.undo(simple.reset(["SIZE"]).change_set) == {"SIZE": 5}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("limit", -1), ("limit", "5"), ("before", "x"), ("since", NAIVE), ("until", NAIVE)],
)
def test_a_range_that_is_none_is_an_error_that_names_it(simple: Any, name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=f"^{name}="):
        simple.history.list(**{name: wrong})


def test_undo_writes_nothing_when_somebody_changed_one_since(state: Any) -> None:
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 6})
    state.update_db({"SIZE": 7})
    with pytest.raises(ConflictError) as caught:
        state.history.undo(saved.change_set)
    assert caught.value.keys == ("SIZE",)
    assert state.read(["SITENAME"])["SITENAME"].value == "Bar"
    assert state.history.undo(saved.change_set, keys=["SITENAME"]) == {"SITENAME": "Waffle"}


def test_undo_is_a_conflict_if_later_changes_have_brought_the_same_value(simple: Any) -> None:
    saved = simple.update_db({"SIZE": 6})
    simple.update_db({"SIZE": 7})
    simple.update_db({"SIZE": 6})
    with pytest.raises(ConflictError):
        simple.history.undo(saved.change_set)
    assert simple.read(["SIZE"])["SIZE"].value == 6


def test_undo_of_what_is_undone_already_is_a_conflict_with_the_first(simple: Any) -> None:
    saved = simple.update_db({"SIZE": 6})
    simple.history.undo(saved.change_set)
    with pytest.raises(ConflictError):
        simple.history.undo(saved.change_set)


def test_an_old_value_is_put_back_over_changes_that_the_person_knows(simple: Any) -> None:
    for size in (5, 6, 7):
        simple.update_db({"SIZE": size})
    newest, _, first = simple.history.list("SIZE")
    second = simple.history.list("SIZE")[1]
    put = simple.history.undo(second.change_set, keys=["SIZE"], seen=newest.id)
    assert put == {"SIZE": 5}
    with pytest.raises(ConflictError):
        simple.history.undo(first.change_set, keys=["SIZE"], seen=newest.id)
    assert simple.read(["SIZE"])["SIZE"].value == 5


@pytest.mark.parametrize("is_known", [True, False], ids=["to a value", "of a save"])
def test_an_undo_does_not_overwrite_what_is_written_past_the_history(
    simple: Any, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    saved = simple.update_db({"SIZE": 5})
    (change,) = simple.history.list()
    latest = simple.history.latest

    def late(keys: Any) -> Any:
        with simple.app.app_context():  # as Flask-WaffleConf 0.3.1 writes
            simple.configstore.put("SIZE", serialize(9))
            simple.configstore.commit()
        return latest(keys)

    monkeypatch.setattr(simple.history, "latest", late)
    with pytest.raises(ConflictError):
        simple.history.undo(saved.change_set, seen=change.id if is_known else None)
    assert simple.read(["SIZE"])["SIZE"].value == 9


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (None, "no longer a setting"),
        ({"default": 3, "max": 4}, "no longer allowed: At most 4"),
        ({"default": "many"}, "another type"),
        ({"default": [1], "type": list[int]}, "another type"),
        ({"default": 20, "secret": True}, "secret"),
    ],
    ids=["gone", "invalid", "another type", "another declared type", "secret"],
)
def test_undo_leaves_out_what_cannot_be_and_says_why(simple: Any, now: Any, reason: str) -> None:
    simple.update_db({"SIZE": 5})
    saved = simple.update_db({"SIZE": 6, "SITENAME": "Bar"})
    redeclared(simple, SIZE=now)
    of_size = next(c for c in simple.history.of(saved.change_set) if c.key == "SIZE")
    assert reason in simple.history.obstacle(of_size)
    with pytest.raises(InvalidValue, match=reason):
        simple.history.undo(saved.change_set, keys=["SIZE"])
    assert simple.history.undo(saved.change_set) == {"SITENAME": "Waffle"}


def test_where_the_default_is_none_any_value_comes_back(simple: Any) -> None:
    redeclared(simple, SIZE={"default": None})
    simple.update_db({"SIZE": 5})
    saved = simple.update_db({"SIZE": "many"})
    assert simple.history.undo(saved.change_set) == {"SIZE": 5}


def test_a_value_that_cannot_be_read_any_more_says_so(simple: Any) -> None:
    simple.app.config["WAFFLE_CLASSES"] = (Point,)
    redeclared(simple, SIZE=None)
    simple.update_db({"HOURS": Point(1)})
    saved = simple.update_db({"HOURS": {}})
    simple.app.config["WAFFLE_CLASSES"] = ()
    redeclared(simple)
    (change,) = simple.history.of(saved.change_set)
    assert change.old is None and "Point" in change.problem
    with pytest.raises(InvalidValue, match="can't be read"):
        simple.history.undo(saved.change_set)


def test_a_setting_gone_from_the_code_shows_that_it_changed_and_nothing_more(simple: Any) -> None:
    saved = simple.update_db({"SIZE": 5}, actor="ana")
    redeclared(simple, SIZE=None)
    changes = [*simple.history.list(), *simple.history.of(saved.change_set)]
    for change in [*changes, simple.history.latest(["SIZE"])["SIZE"]]:
        assert (change.key, change.actor, change.secret) == ("SIZE", "ana", True)
        assert {change.old, change.new, change.old_text, change.new_text} == {None}


class Point:
    def __init__(self, x: int) -> None:
        self.x = x

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Point) and other.x == self.x


def test_undo_keeps_the_rules_across_settings(make_app: MakeApp) -> None:
    def validate(values: Any) -> Any:
        big = values["SIZE"] > 50 and values["SITENAME"] == "Waffle"
        return {"SITENAME": "Name it first."} if big else {}

    state = make_app(CONFS, history=True, validate=validate).extensions["waffleconf"]
    saved = state.update_db({"SITENAME": "Bar"})
    state.update_db({"SIZE": 60})
    with pytest.raises(InvalidValue, match="Name it first"):
        state.history.undo(saved.change_set)


def test_undo_of_a_save_that_the_history_has_not(simple: Any) -> None:
    with pytest.raises(InvalidValue, match="no such save"):
        simple.history.undo("0" * 32)


# Pruning


def age(state: Any, days: float) -> None:
    """Makes all that is in the history as many days older."""
    table = state.configstore.history
    time_ = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=days)
    with state.app.app_context():
        if hasattr(table, "update") and hasattr(table, "_meta"):
            table.update({table.at: time_}).execute()
        else:
            state.app.waffle_db.session.execute(sa.update(table).values(at=time_))
            state.app.waffle_db.session.commit()


def test_prune_deletes_old_rows_in_batches(state: Any) -> None:
    for size in range(1, 6):
        state.update_db({"SIZE": size})
    age(state, 31)
    state.update_db({"SIZE": 9})
    assert state.history.prune() == 0  # WAFFLE_HISTORY_DAYS is None: all are kept
    assert state.history.prune(32) == 0
    assert state.history.prune(30, limit=3) == 3
    assert [change.new for change in state.history.list()] == [9, 5, 4]
    assert state.history.prune(30, limit=3) == 2
    assert [change.new for change in state.history.list()] == [9]


def test_a_save_prunes_now_and_then(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm=orm, history=True, WAFFLE_HISTORY_DAYS=30)
    state = app.extensions["waffleconf"]
    state.update_db({"SIZE": 1})
    age(state, 31)
    state.update_db({"SIZE": 2})  # too soon after the last deletion
    assert len(state.history.list()) == 2
    state.history._next_tidy = 0.0
    state.update_db({"SIZE": 3})
    assert [change.new for change in state.history.list()] == [3, 2]


def test_a_save_after_a_full_batch_prunes_the_next_one(make_app: MakeApp, orm: str) -> None:
    confs = {f"K{number}": {"default": 0} for number in range(BATCH + 1)}
    app = make_app(confs, orm=orm, history=True, WAFFLE_HISTORY_DAYS=30)
    state = app.extensions["waffleconf"]
    state.update_db(dict.fromkeys(confs, 1))
    age(state, 31)
    state.history._next_tidy = 0.0
    state.update_db({"K0": 2})
    assert [change.new for change in state.history.list()] == [2, 1]
    state.update_db({"K0": 3})
    assert [change.new for change in state.history.list()] == [3, 2]


def test_a_save_does_not_wait_for_pruning(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, orm=orm, history=True, WAFFLE_HISTORY_DAYS=30)
    state = app.extensions["waffleconf"]
    state.update_db({"SIZE": 1})
    age(state, 31)
    other = sqlite3.connect(
        f"{app.root_path}/test.db", isolation_level=None, check_same_thread=False
    )
    other.execute("BEGIN IMMEDIATE")
    later = threading.Timer(1.0, other.rollback)
    later.start()
    state.history._next_tidy = 0.0
    with caplog.at_level(logging.INFO):
        state.history.tidy()  # would succeed if it waited
    later.join()
    other.close()
    assert "not deleted" in caplog.text
    assert len(state.history.list()) == 1


def test_a_view_with_pending_objects_may_prune_and_read(state: Any) -> None:
    state.update_db({"SIZE": 1})
    with state.app.app_context():
        state.configstore.get("SIZE")
        assert len(state.history.list()) == 1
        assert state.history.prune(1) == 0


@pytest.mark.parametrize("days", [-1, True, 10**9, "365", float("nan")])
def test_a_wrong_number_of_days_is_told_at_the_start(make_app: MakeApp, days: Any) -> None:
    with pytest.raises(ValueError, match="WAFFLE_HISTORY_DAYS"):
        make_app(CONFS, history=True, WAFFLE_HISTORY_DAYS=days)


# Together with the values, or not at all


def test_a_change_that_cannot_be_kept_is_not_made(state: Any, app: Flask) -> None:
    state.update_db({"SIZE": 5})
    drop = "DROP TABLE conf_changes"
    with app.app_context():
        if hasattr(app.waffle_db, "engine"):  # type: ignore[attr-defined]
            with app.waffle_db.engine.begin() as connection:  # type: ignore[attr-defined]
                connection.execute(sa.text(drop))
        else:
            app.waffle_db.execute_sql(drop)  # type: ignore[attr-defined]
            if app.waffle_db.database != ":memory:":  # type: ignore[attr-defined]
                app.waffle_db.close()  # type: ignore[attr-defined]
    with pytest.raises(StoreError, match="conf_changes"):
        state.update_db({"SIZE": 6})
    assert state.read(["SIZE"])["SIZE"].value == 5


def test_a_save_costs_one_more_statement(make_app: MakeApp) -> None:
    seen: list[str] = []
    app = make_app(CONFS, history=True)
    state = app.extensions["waffleconf"]
    with app.app_context():
        engine = app.waffle_db.engine  # type: ignore[attr-defined]
    state.update_db({"TOKEN": "x"})  # the first of a process asks what the columns are like
    sa.event.listen(engine, "before_cursor_execute", lambda *a: seen.append(a[2].split()[0]))
    state.update_db({"SITENAME": "Bar", "SIZE": 5, "HOURS": {}})
    assert seen == ["SELECT", "INSERT", "INSERT"]
    del seen[:]
    state.history.latest(CONFS)
    state.history.list()
    assert seen == ["SELECT", "SELECT"]


def test_texts_that_a_database_would_refuse_are_made_fit(state: Any) -> None:
    state.update_db({"SIZE": 5}, actor="a\0" * 300, note="\ud800é" + "n" * 5000)
    (change,) = state.history.list()
    assert change.actor == "a" * 150 or change.actor == "a" * 255
    assert change.note.startswith("?é") and len(change.note) == 2000


LATIN = ["latin1", "utf8mb3"]


@pytest.fixture
def latin(make_app: MakeApp, orm: str, mariadb_url: str, request: pytest.FixtureRequest) -> Any:
    """The state of an app whose database has a smaller character set."""
    engine = sa.create_engine(mariadb_url)
    with engine.begin() as connection:
        name = engine.url.database
        connection.exec_driver_sql(f"ALTER DATABASE {name} CHARACTER SET {request.param}")
    engine.dispose()
    url = f"{mariadb_url}&charset=utf8mb4"  # peewee 3 connects with utf8, which lacks "😀"
    app = make_app({**CONFS, "ŠÍŘKA_→": {"default": 1}}, orm, url, history=True)
    return app.extensions["waffleconf"]


@pytest.mark.parametrize("latin", LATIN, indirect=True)
def test_every_script_is_kept_whatever_the_database_has(latin: Any) -> None:
    latin.update_db({"ŠÍŘKA_→": 5}, actor="Łukasz 😀", note="→ done 😀")
    (change,) = latin.history.list("ŠÍŘKA_→", actor="Łukasz 😀")
    assert (change.new, change.note) == (5, "→ done 😀")


@pytest.mark.parametrize("latin", LATIN, indirect=True)
def test_a_text_that_its_table_cannot_hold_names_the_remedy(latin: Any, mariadb_url: str) -> None:
    engine = sa.create_engine(mariadb_url)
    with engine.begin() as connection:
        (charset,) = connection.exec_driver_sql("SELECT @@character_set_database").one()
        connection.exec_driver_sql(f"ALTER TABLE conf_changes CONVERT TO CHARACTER SET {charset}")
    engine.dispose()
    with pytest.raises(StoreError, match="CONVERT TO CHARACTER SET utf8mb4"):
        latin.update_db({"SIZE": 5}, note="😀")
    assert latin.read(["SIZE"])["SIZE"].value == 20


def test_a_large_value_is_kept(state: Any) -> None:
    state.update_db({"SITENAME": "x" * 100_000})
    state.update_db({"SITENAME": "y" * 100_000})
    assert state.history.list(limit=1)[0].old == "x" * 100_000


def test_without_a_history_all_works_as_before(make_app: MakeApp, orm: str) -> None:
    state = make_app(CONFS, orm=orm).extensions["waffleconf"]
    assert state.history is None
    saved = state.update_db({"SIZE": 5})
    assert (saved, saved.change_set) == ({"SIZE": 5}, None)


class OwnStore(WaffleStore):
    """A store of somebody else's, with a history."""

    history = "kept"

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.rows: list[HistoryRow] = []
        self.log: list[str] = []

    def commit(self) -> None:
        self.log.append("commit")

    def get(self, key: str) -> Any:
        value = self.values.get(key)
        return None if value is None else type("Record", (), {"key": key, "value": value})()

    def put(self, key: str, value: str) -> Any:
        self.values[key] = value

    def delete(self, key: str) -> Any:
        return self.values.pop(key, None)

    def add_history(self, rows: Any) -> None:
        self.log.append("history")
        self.rows += [row._replace(id=len(self.rows) + 1) for row in rows]

    def read_history(self, query: HistoryQuery) -> list[HistoryRow]:
        found = [row for row in self.rows if query.change_set in (None, row.change_set)]
        return found[::-1][: query.limit]

    def read_latest(self, keys: Any) -> list[HistoryRow]:
        return list({row.key: row for row in self.rows}.values())

    def prune_history(self, until: datetime, limit: int) -> int:
        old = [row for row in self.rows if row.at < until][:limit]
        self.rows = [row for row in self.rows if row not in old]
        return len(old)


def test_a_store_of_ones_own_can_keep_a_history() -> None:
    app, store = Flask("shop"), OwnStore()
    app.config["WAFFLE_CONFS"] = CONFS
    WaffleConf(app, store)
    state = app.extensions["waffleconf"]
    saved = state.update_db({"SIZE": 5}, actor="ana")
    assert store.log == ["history", "commit"]
    assert summary(state.history.list()) == [("SIZE", None, 5)]
    assert state.history.undo(saved.change_set) == {"SIZE": 20}


# The command line


@pytest.fixture
def run(simple: Any) -> Any:
    return lambda *args: simple.app.test_cli_runner().invoke(args=["waffle", *args])


def test_command_line_leaves_its_user_and_way_in(simple: Any, run: Any) -> None:
    run("set", "SIZE", "5")
    run("reset", "SIZE")
    assert [(c.actor, c.source) for c in simple.history.list()] == [(getpass.getuser(), "cli")] * 2


def test_prune_history_wants_a_number_of_days(simple: Any, run: Any) -> None:
    result = run("prune", "--history", "--days", "nan")
    assert result.exit_code == 1 and "write a number of days" in result.stderr


def test_prune_history_deletes_all_that_is_old(simple: Any, run: Any) -> None:
    redeclared(simple, **{f"K{i}": {"default": 0} for i in range(600)})
    simple.update_db({f"K{i}": 1 for i in range(600)})
    age(simple, 31)
    simple.update_db({"SIZE": 9})
    assert "600 changes were deleted." in run("prune", "--history", "--days", "30").stdout
    assert summary(simple.history.list()) == [("SIZE", None, 9)]
    simple.app.config["WAFFLE_HISTORY_DAYS"] = 0
    assert "1 change was deleted." in run("prune", "--history").stdout
    assert "0 changes were deleted." in run("prune", "--history").stdout


def test_prune_history_says_why_it_does_nothing(make_app: MakeApp, run: Any) -> None:
    result = run("prune", "--history")
    assert result.exit_code == 1 and "--days" in result.stderr
    result = make_app(CONFS).test_cli_runner().invoke(args=["waffle", "prune", "--history"])
    assert result.exit_code == 1 and "There is no history" in result.stderr


# What docs/history.md says

MAKE, MAKE_PEEWEE, MODEL, MODEL_PEEWEE, UNDO = blocks("docs/history.md", "python")


@pytest.mark.parametrize(
    ("make", "model"), [(MAKE, MODEL), (MAKE_PEEWEE, MODEL_PEEWEE)], ids=["sqlalchemy", "peewee"]
)
def test_models_of_the_docs_are_those_of_make_models(
    make: Block, model: Block, tmp_path: Path
) -> None:
    tables = []
    for number, code in enumerate((make, model)):
        app, url = Flask("shop"), f"sqlite:///{tmp_path}/{number}.db"
        app.config.update(SQLALCHEMY_DATABASE_URI=url, WAFFLE_CONFS=CONFS)
        path = f"{tmp_path}/{number}.db"
        db: Any = SQLAlchemy(app) if make is MAKE else peewee.SqliteDatabase(path)
        names = code.run(**{**globals(), "app": app, "db": db})
        if make is MAKE:
            with app.app_context():
                db.create_all()
                db.engine.dispose()
        else:
            db.create_tables([names["ConfChange"]])
            db.close()
        engine = sa.create_engine(url)
        inspected = sa.inspect(engine)
        columns = {c["name"]: c["nullable"] for c in inspected.get_columns("conf_changes")}
        indexes = {tuple(i["column_names"]) for i in inspected.get_indexes("conf_changes")}
        tables.append((columns, indexes))
        engine.dispose()
    assert tables[0] == tables[1]
    assert {("key", "id"), ("actor", "id"), ("source", "id")} < tables[0][1]


def test_code_of_the_docs_runs(simple: Any, capsys: pytest.CaptureFixture[str]) -> None:
    simple.update_db({"SITENAME": "Bar"}, actor="ben")
    with simple.app.app_context():
        UNDO.run(current_app=simple.app)
    assert "ben None Bar code" in capsys.readouterr().out
    assert simple.read(["SITENAME"])["SITENAME"].value == "Bar"


class Encrypted(WaffleChangeMixin):
    """What an app may do that encrypts its settings."""

    def get_old(self) -> Any:
        return self.cipher_old and self.cipher_old[::-1]

    def get_new(self) -> Any:
        return self.cipher_new and self.cipher_new[::-1]

    old = property(get_old, lambda self, text: setattr(self, "cipher_old", text and text[::-1]))
    new = property(get_new, lambda self, text: setattr(self, "cipher_new", text and text[::-1]))


def encrypted_models(orm: str, db: Any) -> Any:
    if orm == "sqlalchemy":
        Conf, _ = AlchemyWaffleStore.make_models(db)

        class Hidden(db.Model, Encrypted):  # type: ignore[name-defined, misc]
            id = sa.Column(sa.Integer, primary_key=True)
            cipher_old = sa.Column(sa.Text)
            cipher_new = sa.Column(sa.Text)
            key, change_set = sa.Column(sa.Text), sa.Column(sa.Text)
            actor, note, source = sa.Column(sa.Text), sa.Column(sa.Text), sa.Column(sa.Text)
            at = sa.Column(sa.DateTime(timezone=True))

        db.create_all()
        return AlchemyWaffleStore(db, Conf, history=Hidden)
    Conf, _ = PeeweeWaffleStore.make_models(db)

    class Hidden(Encrypted, peewee.Model):  # type: ignore[misc, no-redef]
        class Meta:
            database = db

        cipher_old, cipher_new = peewee.TextField(null=True), peewee.TextField(null=True)
        key, change_set, actor = peewee.TextField(), peewee.TextField(), peewee.TextField()
        note, source, at = peewee.TextField(), peewee.TextField(), peewee.DateTimeField()

    db.create_tables([Conf, Hidden])
    return PeeweeWaffleStore(db, Conf, history=Hidden)


def test_a_model_may_store_its_texts_in_its_own_way(orm: str, tmp_path: Path) -> None:
    app, path = Flask("shop"), f"{tmp_path}/test.db"
    app.config.update(SQLALCHEMY_DATABASE_URI=f"sqlite:///{path}", WAFFLE_CONFS=CONFS)
    db: Any = SQLAlchemy(app) if orm == "sqlalchemy" else peewee.SqliteDatabase(path)
    with app.app_context():
        WaffleConf(app, encrypted_models(orm, db))
        state = app.extensions["waffleconf"]
        state.update_db({"SIZE": 5})
        saved = state.update_db({"SIZE": 6})
        assert summary(state.history.list()) == [("SIZE", 5, 6), ("SIZE", None, 5)]
        engine = sa.create_engine(f"sqlite:///{path}")
        with engine.connect() as connection:
            stored = connection.exec_driver_sql("SELECT cipher_old FROM hidden").scalars().all()
        assert stored == [None, serialize(5)[::-1]]
        assert state.history.undo(saved.change_set) == {"SIZE": 5}
        engine.dispose()
        if orm == "peewee":
            db.close()
        else:
            db.session.remove()
            db.engine.dispose()
    state.stop()


def test_a_save_stands_whatever_pruning_raises(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, history=True, WAFFLE_HISTORY_DAYS=30)
    state = app.extensions["waffleconf"]
    app.config["WAFFLE_HISTORY_DAYS"] = "30"
    assert state.update_db({"SIZE": 1}) == {"SIZE": 1}
    assert "not deleted" in caplog.text
