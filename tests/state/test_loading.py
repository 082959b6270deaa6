"""Loading and reading: the database into memory, and parse_conf."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
from flask import Flask, current_app
from fleet import until
from states import CONFS, VALUES, MakeApp, away, commits, kinds, put, rows, state_of, statements

from waffleconf_admin import (
    BusyError,
    StoreError,
)
from waffleconf_admin.codec import serialize
from waffleconf_admin.contexts import quiet_context
from waffleconf_admin.state import loading
from waffleconf_admin.state.state import State


def create_tables(app: Flask) -> None:
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with quiet_context(app):
        if hasattr(db, "create_all"):
            db.create_all()
        else:
            with db.connection_context():
                db.create_tables([model])


def test_later_requests_run_no_statement(app: Flask) -> None:
    app.add_url_rule("/", view_func=lambda: current_app.config["SITENAME"])
    client = app.test_client()
    client.get("/")
    with statements(app) as seen:
        client.get("/")
    assert seen == []


def test_a_load_takes_one_select(app: Flask, state: State) -> None:
    with statements(app) as seen:
        assert state.update_conf()
    assert kinds(seen) == ["SELECT"]


def test_a_forked_child_reads_what_was_saved_since_its_parent_did(app: Flask, state: State) -> None:
    state.update_conf()
    put(app, "SITENAME", serialize("New"))
    state.after_fork()
    app.test_client().get("/")
    assert app.config["SITENAME"] == "New"


def test_a_row_that_is_gone_gives_the_default_again(app: Flask, state: State) -> None:
    state.update_db({"SITENAME": "Saved"})
    with app.app_context():
        state.configstore.delete("SITENAME")
        state.configstore.commit()
    state.update_conf()
    assert app.config["SITENAME"] == "Waffle"


def test_without_tables_all_goes_on_and_is_logged_once(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, orm, create=False)
    state = state_of(app)
    assert state.update_conf() is False
    assert state.update_conf() is False
    assert app.config["SITENAME"] == "Waffle"
    (record,) = [r for r in caplog.records if r.name.startswith("waffleconf_admin")]
    assert "create the tables" in record.getMessage()
    with pytest.raises(StoreError, match="create the tables"):
        state.parse_conf()
    with pytest.raises(StoreError, match="create the tables"):
        state.update_db({"SITENAME": "x"})


def test_the_watcher_says_nothing_of_missing_tables_while_a_command_may_make_them(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, orm, create=False, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="database")
    assert until(lambda: state_of(app).health().last_error is not None)
    assert "were not loaded" not in caplog.text
    app.test_client().get("/")  # a request needs them
    assert "were not loaded" in caplog.text


@pytest.mark.parametrize("follows", [True, False], ids=["the watcher", "a context"])
def test_a_process_without_requests_says_once_that_tables_stay_away(
    make_app: MakeApp,
    orm: str,
    follows: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A worker of a queue."""
    options = {"WAFFLE_MULTIPROC": follows, "WAFFLE_WATCHTYPE": "database"}
    app = make_app(CONFS, orm, create=False, WAFFLE_WATCH_INTERVAL=0.05, **options)
    for _ in range(2):
        with app.app_context():
            pass
    assert "were not loaded" not in caplog.text
    monkeypatch.setattr(loading, "SETUP_SECONDS", 0.0)
    if follows:
        assert until(lambda: "were not loaded" in caplog.text)
        failed_at = state_of(app).health().last_error_at
        assert until(lambda: state_of(app).health().last_error_at != failed_at)
    else:
        for _ in range(2):
            with app.app_context():
                pass
    assert caplog.text.count("were not loaded") == 1


def test_each_time_that_the_database_is_away_is_logged_once(
    state: State, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for time in (1, 2):
        with monkeypatch.context() as patch:
            for name in ("read", "read_fresh"):
                patch.setattr(state.configstore, name, away)
            assert not any(state.update_conf() for _ in range(3))
        assert state.update_conf()
        assert caplog.text.count("Settings were not loaded") == time


def test_a_load_after_the_tables_were_made_works(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, create=False)
    assert not state_of(app).update_conf()
    create_tables(app)
    assert state_of(app).update_conf()


def test_the_first_request_after_the_tables_were_made_has_stored_values(
    make_app: MakeApp, orm: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure of the watcher just before does not keep it from loading."""
    monkeypatch.setattr(loading, "SETUP_SECONDS", 0.0)
    app = make_app(CONFS, orm, create=False, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="database")
    app.add_url_rule("/", view_func=lambda: current_app.config["SITENAME"])
    assert until(lambda: "were not loaded" in caplog.text)
    state_of(app).synchronizer.stop()
    create_tables(app)
    put(app, "SITENAME", serialize("Stored"))
    assert app.test_client().get("/").text == "Stored"


def test_a_refresh_is_one_select_whose_values_are_served(app: Flask, state: State) -> None:
    put(app, "SITENAME", serialize("Stored"))
    with statements(app) as seen:
        records = state.refresh()
    assert kinds(seen) == ["SELECT"]
    assert {key: record.value for key, record in records.items()} == VALUES | {"SITENAME": "Stored"}
    assert app.config["SITENAME"] == "Stored"


def test_parse_conf_on_an_empty_table_inserts_the_defaults_in_one_commit(
    app: Flask, state: State
) -> None:
    with statements(app) as seen:
        assert state.parse_conf() == VALUES
    # The second SELECT asks what the columns are like, once in a process.
    assert kinds(seen) == ["SELECT", "INSERT", "SELECT"]
    assert commits(seen) <= 1  # peewee commits below its log
    assert rows(app) == {key: serialize(value) for key, value in VALUES.items()}


def test_parse_conf_of_any_number_of_rows_is_one_select(app: Flask, state: State) -> None:
    state.parse_conf()
    with statements(app) as seen:
        assert state.parse_conf() == VALUES
        assert state.parse_conf(["SITENAME"]) == {"SITENAME": "Waffle"}
    assert kinds(seen) == ["SELECT", "SELECT"]


def test_parse_conf_leaves_app_config_alone(app: Flask, state: State) -> None:
    put(app, "SITENAME", serialize("Stored"))
    assert state.parse_conf(["SITENAME"]) == {"SITENAME": "Stored"}
    assert app.config["SITENAME"] == "Waffle"


@pytest.mark.parametrize("keys", [["NOPE"], ["SECRET_KEY"], ["WAFFLE_CONFS"]])
def test_parse_conf_leaves_undeclared_keys_out(app: Flask, state: State, keys: list[str]) -> None:
    put(app, keys[0], serialize("x"))
    assert state.parse_conf(keys) == {}


def test_parse_conf_never_writes_over_a_value(app: Flask, state: State) -> None:
    read = state.configstore.read
    reads: list[Any] = []

    def slow(keys: Any) -> Any:
        found = read(keys)
        if not reads:
            put(app, "SITENAME", serialize("Faster"))  # between our SELECT and our INSERT
        reads.append(found)
        return found

    state.configstore.read = slow  # type: ignore[method-assign]
    assert state.parse_conf()["SITENAME"] == "Faster"


def test_store_defaults_off_adds_no_rows(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, WAFFLE_STORE_DEFAULTS=False)
    assert state_of(app).parse_conf() == VALUES
    assert rows(app) == {}


def test_reading_succeeds_where_defaults_cannot_be_stored(
    app: Flask, state: State, caplog: pytest.LogCaptureFixture
) -> None:
    def swap(changes: Any) -> bool:
        raise BusyError("locked")

    state.configstore.swap = swap  # type: ignore[method-assign]
    assert state.parse_conf() == VALUES


@pytest.mark.parametrize("text", ["not base64!", serialize(1)[:-4] + "AAAA", "", "é"])
def test_a_row_that_cannot_be_read_costs_its_key_alone(
    app: Flask, state: State, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    put(app, "SITENAME", text)
    put(app, "MAX_FILESIZE", serialize(5))
    assert state.update_conf()
    assert state.parse_conf(["SITENAME", "MAX_FILESIZE"]) == {
        "SITENAME": "Waffle",
        "MAX_FILESIZE": 5,
    }
    assert (app.config["SITENAME"], app.config["MAX_FILESIZE"]) == ("Waffle", 5)
    assert rows(app)["SITENAME"] == text
    lines = [r for r in caplog.records if "SITENAME can't be read" in r.getMessage()]
    assert len(lines) == 1
    assert state.update_db({"SITENAME": "Waffle"}) == {"SITENAME": "Waffle"}
    assert rows(app)["SITENAME"] == serialize("Waffle")


def test_one_default_that_cannot_be_stored_does_not_keep_the_others_out(
    make_app: MakeApp, orm: str
) -> None:
    app = make_app({"SITENAME": CONFS["SITENAME"], "HOURS": {"default": len}}, orm)
    app.config["WAFFLE_CONFS"]["HOURS"]["default"] = logging.getLogger
    assert state_of(app).parse_conf(["SITENAME", "HOURS"])["SITENAME"] == "Waffle"
    assert rows(app) == {"SITENAME": serialize("Waffle")}


def test_a_value_in_the_configuration_that_will_be_lost_is_told(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    make_app(CONFS, HOURS={"mon": [9, 18]}, SITENAME="From the environment")
    (line,) = [record.getMessage() for record in caplog.records if "app.config" in record.msg]
    assert "SITENAME" in line and "HOURS" not in line and "environment" not in line


def test_while_the_database_is_away_one_request_a_second_asks_for_it(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    store, asked, away = state_of(app).configstore, threading.Event(), threading.Event()
    reads: list[None] = []

    def read(keys: Any = None) -> Any:
        reads.append(None)
        if len(reads) > 1:
            asked.set()
            away.wait(10)  # as a host that is gone does
        raise StoreError("the database is away")

    store.read = store.read_fresh = store.read_promptly = read
    app.test_client().get("/")
    state_of(app).loader._next_try -= 1.0  # a second later
    first = threading.Thread(target=app.test_client().get, args=["/"])
    first.start()
    assert asked.wait(10)
    app.test_client().get("/")  # which waits for nothing
    assert len(reads) == 2
    away.set()
    first.join()
