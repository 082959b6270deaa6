"""The extension and its state: declare, load, read, save, reset."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, current_app

from waffleconf_admin import (
    BusyError,
    ConflictError,
    InvalidValue,
    StoreError,
    WaffleAdmin,
    WaffleConf,
    WaffleStore,
    conf,
    conf_changed,
)
from waffleconf_admin.codec.pickles import serialize
from waffleconf_admin.contexts import quiet_context
from waffleconf_admin.core import _WaffleState
from waffleconf_admin.defaults import DEFAULTS

MakeApp = Callable[..., Flask]

CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"desc": "Name of the site", "default": "Waffle"},
    "MAX_FILESIZE": {"desc": "Max upload filesize (in bytes)", "default": 1000},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18]}},
    "TOKEN": {"desc": "A secret", "default": "", "secret": True},
}
VALUES = {key: entry["default"] for key, entry in CONFS.items()}


def state_of(app: Flask) -> _WaffleState:
    state: _WaffleState = app.extensions["waffleconf"]
    return state


@pytest.fixture(params=[None, ":memory:"], ids=["file", "memory"])
def url(request: pytest.FixtureRequest) -> str | None:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def app(make_app: MakeApp, orm: str, url: str | None) -> Flask:
    return make_app(CONFS, orm, url=url)


@pytest.fixture
def state(app: Flask) -> _WaffleState:
    return state_of(app)


def rows(app: Flask) -> dict[str, str]:
    """The stored texts, read past the extension."""
    with quiet_context(app):
        store = state_of(app).configstore
        records = [store.get(key) for key in CONFS]
        return {r.get_key(): r.get_value() for r in records if r is not None}


def put(app: Flask, key: str, text: str) -> None:
    """Write a row past the extension."""
    with quiet_context(app):
        store = state_of(app).configstore
        store.put(key, text)
        store.commit()


@contextmanager
def statements(app: Flask) -> Iterator[list[str]]:
    """The SQL that reaches the database; "COMMIT" for each commit of a write."""
    seen: list[str] = []
    db = app.waffle_db  # type: ignore[attr-defined]
    if hasattr(db, "session"):
        with app.app_context():
            engine = db.engine

        def execute(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            seen.append(statement)

        def commit(_c: Any) -> None:
            seen.append("COMMIT")

        sa.event.listen(engine, "before_cursor_execute", execute)
        sa.event.listen(engine, "commit", commit)
        yield seen
        sa.event.remove(engine, "before_cursor_execute", execute)
        sa.event.remove(engine, "commit", commit)
        return

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(str(record.msg[0] if isinstance(record.msg, tuple) else record.msg))

    logger, listener = logging.getLogger("peewee"), Listener()
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    yield seen
    logger.removeHandler(listener)
    logger.setLevel(level)


def kinds(seen: list[str]) -> list[str]:
    """What was done, without how transactions are opened: SELECT, INSERT, UPDATE, DELETE."""
    words = [statement.split()[0].upper() for statement in seen]
    return [word for word in words if word in ("SELECT", "INSERT", "UPDATE", "DELETE")]


def commits(seen: list[str]) -> int:
    return [statement.split()[0].upper() for statement in seen].count("COMMIT")


# Before anything is loaded


def test_init_runs_no_query_and_puts_the_defaults_into_app_config(
    make_app: MakeApp, orm: str, tmp_path: Any
) -> None:
    app = make_app(CONFS, orm, create=False)
    assert {key: app.config[key] for key in CONFS} == VALUES
    assert not (tmp_path / "test.db").exists()


def test_init_leaves_what_the_developer_has_set(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, SITENAME="Set in code")
    assert app.config["SITENAME"] == "Set in code"
    state_of(app).update_conf()
    assert app.config["SITENAME"] == "Waffle"


def test_every_setting_of_the_extension_gets_its_default(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    fixed = {"WAFFLE_CONFS", "WAFFLE_WATCHER_FILE"}
    assert {key: app.config[key] for key in DEFAULTS.keys() - fixed} == {
        key: DEFAULTS[key] for key in DEFAULTS.keys() - fixed
    }


def test_apps_do_not_share_what_stands_in_their_configuration() -> None:
    first, second = Flask("first"), Flask("second")
    for app in (first, second):
        WaffleConf(app, Memory())
    first.config["WAFFLE_CONFS"]["A"] = {"default": 1}
    assert second.config["WAFFLE_CONFS"] == {}


def test_defaults_are_copies(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm)
    app.config["HOURS"]["tue"] = [1, 2]
    state_of(app).parse_conf()["HOURS"]["wed"] = [3, 4]
    assert CONFS["HOURS"]["default"] == {"mon": [9, 18]}
    assert state_of(app).parse_conf()["HOURS"] == {"mon": [9, 18]}


def test_a_declaration_with_a_mistake_stops_the_start(make_app: MakeApp) -> None:
    with pytest.raises(InvalidValue) as caught:
        make_app({"PAGE": {"default": 5, "min": 10, "max": 1}})
    assert "PAGE" in caught.value.errors


@pytest.mark.parametrize(
    "wrong",
    [
        {"WAFFLE_WATCH_INTERVAL": -1},
        {"WAFFLE_WATCH_INTERVAL": "soon"},
        {"WAFFLE_RESYNC_INTERVAL": 0},
        {"WAFFLE_CLASSES": ["shop.Point"]},
        {"WAFFLE_CLASSES": dict},
    ],
    ids=repr,
)
def test_a_setting_of_the_extension_that_cannot_be_used_is_named(wrong: dict[str, Any]) -> None:
    app = Flask("shop")
    app.config.update(wrong)
    with pytest.raises(ValueError, match=f"^{next(iter(wrong))} is "):
        WaffleConf(app, Memory())


def test_second_init_on_one_app_is_an_error(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    with pytest.raises(RuntimeError, match="initialised on this app already"):
        WaffleConf(app, state_of(app).configstore)


def test_no_store_is_an_error_that_shows_one() -> None:
    with pytest.raises(RuntimeError, match="AlchemyWaffleStore"):
        WaffleConf(Flask("shop"))


@pytest.mark.parametrize("given", [WaffleAdmin(), WaffleStore, {"SITENAME": 1}, "sqlite://"])
def test_what_is_no_store_is_an_error_that_shows_one(given: Any) -> None:
    app = Flask("shop")
    with pytest.raises(TypeError, match="AlchemyWaffleStore"):
        WaffleConf(app, given)
    assert not app.extensions


# Which state


def test_one_extension_serves_two_apps(make_app: MakeApp, orm: str) -> None:
    store = state_of(make_app(CONFS, orm)).configstore
    waffle = WaffleConf(configstore=store)
    assert waffle.state is None
    first, second, stranger = Flask("first"), Flask("second"), Flask("third")
    waffle.init_app(first)
    waffle.init_app(second, store)
    assert waffle.state is state_of(second)
    for app in (first, second):
        with app.app_context():
            assert waffle.state is state_of(app)
    with stranger.app_context(), pytest.raises(RuntimeError, match=r"call init_app\(app, store\)"):
        _ = waffle.state


def test_the_state_of_another_extension_is_not_ours(make_app: MakeApp) -> None:
    app, other = make_app(CONFS), make_app(CONFS)
    with app.app_context(), pytest.raises(RuntimeError, match="not initialised"):
        _ = other.waffle.state  # type: ignore[attr-defined]


# Loading


def test_later_requests_run_no_statement(app: Flask) -> None:
    app.add_url_rule("/", view_func=lambda: current_app.config["SITENAME"])
    client = app.test_client()
    client.get("/")
    with statements(app) as seen:
        client.get("/")
    assert seen == []


def test_a_load_takes_one_select(app: Flask, state: _WaffleState) -> None:
    with statements(app) as seen:
        assert state.update_conf()
    assert kinds(seen) == ["SELECT"]


def test_a_row_that_is_gone_gives_the_default_again(app: Flask, state: _WaffleState) -> None:
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


def away(*arguments: Any) -> Any:
    raise StoreError("the database is away")


def test_each_time_that_the_database_is_away_is_logged_once(
    state: _WaffleState, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
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
    with app.app_context():
        db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
        if orm == "sqlalchemy":
            db.create_all()
        else:
            with db.connection_context():
                db.create_tables([model])
    assert state_of(app).update_conf()


def test_a_refresh_is_one_select_whose_values_are_served(app: Flask, state: _WaffleState) -> None:
    put(app, "SITENAME", serialize("Stored"))
    with statements(app) as seen:
        records = state.refresh()
    assert kinds(seen) == ["SELECT"]
    assert {key: record.value for key, record in records.items()} == VALUES | {"SITENAME": "Stored"}
    assert app.config["SITENAME"] == "Stored"


# parse_conf


def test_parse_conf_on_an_empty_table_inserts_the_defaults_in_one_commit(
    app: Flask, state: _WaffleState
) -> None:
    with statements(app) as seen:
        assert state.parse_conf() == VALUES
    assert kinds(seen) == ["SELECT", "INSERT"]
    assert commits(seen) <= 1  # peewee commits below its log
    assert rows(app) == {key: serialize(value) for key, value in VALUES.items()}


def test_parse_conf_of_any_number_of_rows_is_one_select(app: Flask, state: _WaffleState) -> None:
    state.parse_conf()
    with statements(app) as seen:
        assert state.parse_conf() == VALUES
        assert state.parse_conf(["SITENAME"]) == {"SITENAME": "Waffle"}
    assert kinds(seen) == ["SELECT", "SELECT"]


def test_parse_conf_leaves_app_config_alone(app: Flask, state: _WaffleState) -> None:
    put(app, "SITENAME", serialize("Stored"))
    assert state.parse_conf(["SITENAME"]) == {"SITENAME": "Stored"}
    assert app.config["SITENAME"] == "Waffle"


@pytest.mark.parametrize("keys", [["NOPE"], ["SECRET_KEY"], ["WAFFLE_CONFS"]])
def test_parse_conf_leaves_undeclared_keys_out(
    app: Flask, state: _WaffleState, keys: list[str]
) -> None:
    put(app, keys[0], serialize("x"))
    assert state.parse_conf(keys) == {}


def test_parse_conf_never_writes_over_a_value(app: Flask, state: _WaffleState) -> None:
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
    app: Flask, state: _WaffleState, caplog: pytest.LogCaptureFixture
) -> None:
    def swap(changes: Any) -> bool:
        raise BusyError("locked")

    state.configstore.swap = swap  # type: ignore[method-assign]
    assert state.parse_conf() == VALUES


@pytest.mark.parametrize("text", ["not base64!", serialize(1)[:-4] + "AAAA", "", "é"])
def test_a_row_that_cannot_be_read_costs_its_key_alone(
    app: Flask, state: _WaffleState, text: str, caplog: pytest.LogCaptureFixture
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


# update_db


def test_a_save_is_in_the_database_in_app_config_and_returned(
    app: Flask, state: _WaffleState
) -> None:
    assert state.update_db({"SITENAME": "New", "MAX_FILESIZE": 5}) == {
        "SITENAME": "New",
        "MAX_FILESIZE": 5,
    }
    assert (app.config["SITENAME"], app.config["MAX_FILESIZE"]) == ("New", 5)
    assert rows(app) == {"SITENAME": serialize("New"), "MAX_FILESIZE": serialize(5)}


def test_a_save_takes_three_statements_and_one_commit(app: Flask, state: _WaffleState) -> None:
    state.parse_conf(["SITENAME", "HOURS"])
    state.update_conf()
    with statements(app) as seen:
        state.update_db({"SITENAME": "a", "HOURS": {}, "MAX_FILESIZE": 2, "TOKEN": "t"})
    assert sorted(kinds(seen)) == ["INSERT", "SELECT", "UPDATE"]
    assert commits(seen) <= 1


def test_a_save_of_what_is_there_is_one_select_and_no_write(
    app: Flask, state: _WaffleState
) -> None:
    state.parse_conf()
    state.update_conf()
    with statements(app) as seen:
        assert state.update_db(dict(VALUES)) == {}
    assert kinds(seen) == ["SELECT"]
    assert commits(seen) == 0


def test_a_key_without_a_row_is_written_even_if_it_equals_the_default(
    app: Flask, state: _WaffleState
) -> None:
    assert state.update_db({"SITENAME": "Waffle"}) == {"SITENAME": "Waffle"}
    assert rows(app) == {"SITENAME": serialize("Waffle")}


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), ([1], [True]), ("1", 1)])
def test_an_equal_value_of_another_type_is_a_change(
    app: Flask, state: _WaffleState, old: Any, new: Any
) -> None:
    state.update_db({"MAX_FILESIZE": old})
    assert state.update_db({"MAX_FILESIZE": new}) == {"MAX_FILESIZE": new}
    assert repr(app.config["MAX_FILESIZE"]) == repr(new)


def test_a_save_that_finds_the_value_there_already_brings_memory_up_to_it(
    app: Flask, state: _WaffleState
) -> None:
    put(app, "SITENAME", serialize("New"))
    assert state.update_db({"SITENAME": "New"}) == {}
    assert app.config["SITENAME"] == "New"


@pytest.mark.parametrize("key", ["NOPE", "SECRET_KEY", "WAFFLE_CAN"])
def test_undeclared_keys_are_skipped_with_one_line(
    app: Flask, state: _WaffleState, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        assert state.update_db({"SITENAME": name, key: "x"}) == {"SITENAME": name}
    assert app.config.get(key) != "x"
    assert sum(repr(key) in r.getMessage() for r in caplog.records) == 1


def test_of_very_many_undeclared_keys_only_some_are_logged(
    state: _WaffleState, caplog: pytest.LogCaptureFixture
) -> None:
    state.update_db({f"FIELD_{number}": 1 for number in range(3000)})
    assert 0 < len(caplog.records) <= 1000


def test_a_save_stands_though_it_cannot_be_read_again(
    app: Flask,
    state: _WaffleState,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = state.configstore
    swap = store.swap

    def lose(changes: Any) -> bool:
        state.update_conf()  # what the save has seen is not the last that was read
        done = swap(changes)
        for name in ("read", "read_fresh"):
            monkeypatch.setattr(store, name, away)
        return done

    monkeypatch.setattr(store, "swap", lose)
    assert state.update_db({"SITENAME": "A"}) == {"SITENAME": "A"}
    assert app.config["SITENAME"] == "A"
    assert "reading them again failed: the database is away" in caplog.text


def test_the_value_that_a_caller_hands_over_is_not_kept(app: Flask, state: _WaffleState) -> None:
    hours = {"mon": [8, 12]}
    state.update_db({"HOURS": hours})
    hours["mon"].append(20)
    assert app.config["HOURS"] == {"mon": [8, 12]}


@pytest.mark.parametrize("bad", [lambda: 0, threading.Lock(), Flask])
def test_a_value_that_cannot_be_stored_changes_nothing(
    app: Flask, state: _WaffleState, bad: Any
) -> None:
    state.update_db({"SITENAME": "Before"})
    with pytest.raises(InvalidValue) as caught:
        state.update_db({"SITENAME": "After", "HOURS": bad})
    assert set(caught.value.errors) == {"HOURS"}
    assert app.config["SITENAME"] == "Before"
    assert rows(app) == {"SITENAME": serialize("Before")}


class Point:
    x = 1


def test_an_object_that_could_not_be_read_back_names_class_and_remedy(
    make_app: MakeApp, orm: str
) -> None:
    state = state_of(make_app(CONFS, orm))
    with pytest.raises(InvalidValue, match=r"WAFFLE_CLASSES = \[Point\]"):
        state.update_db({"HOURS": Point()})
    state = state_of(make_app(CONFS, orm, WAFFLE_CLASSES=[Point]))
    state.update_db({"HOURS": Point()})
    assert isinstance(state.parse_conf()["HOURS"], Point)


class Place:
    def __init__(self, at: Any) -> None:
        self.at = at


def test_a_default_allows_its_own_class_and_not_those_of_its_attributes(
    make_app: MakeApp, orm: str
) -> None:
    confs = {"PLACE": {"default": Place(None)}, "HELD": {"default": Place(Point())}}
    state = state_of(make_app(confs, orm, WAFFLE_STORE_DEFAULTS=False))
    state.update_db({"PLACE": Place(1)})
    with pytest.raises(InvalidValue, match=r"WAFFLE_CLASSES = \[Point\]"):
        state.update_db({"PLACE": Place(Point())})


def test_a_table_dropped_between_reading_and_writing_changes_nothing(
    app: Flask, state: _WaffleState
) -> None:
    state.update_db({"SITENAME": "Before"})
    swap = state.configstore.swap

    def drop(changes: Any) -> bool:
        with app.app_context():
            model = app.waffle_model  # type: ignore[attr-defined]
            if hasattr(model, "drop_table"):
                model.drop_table()
            else:
                app.waffle_db.drop_all()  # type: ignore[attr-defined]
        return swap(changes)

    state.configstore.swap = drop  # type: ignore[method-assign]
    with pytest.raises(StoreError, match="create the tables"):
        state.update_db({"SITENAME": "After", "MAX_FILESIZE": 1})
    assert (app.config["SITENAME"], app.config["MAX_FILESIZE"]) == ("Before", 1000)


def test_a_constraint_that_refuses_one_value_keeps_all(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    db, state = app.waffle_db, state_of(app)  # type: ignore[attr-defined]
    with app.app_context():
        db.session.execute(
            sa.text(
                "CREATE TRIGGER short BEFORE INSERT ON confs WHEN length(NEW.value) > 100 "
                "BEGIN SELECT RAISE(ABORT, 'too long'); END"
            )
        )
        db.session.commit()
    with pytest.raises(StoreError):
        state.update_db({"SITENAME": "x" * 500, "MAX_FILESIZE": 1})
    assert rows(app) == {}
    assert app.config["MAX_FILESIZE"] == 1000


def test_a_saved_secret_is_not_in_the_log(
    state: _WaffleState, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "waffleconf_admin")
    state.update_db({"TOKEN": "hunter2", "SITENAME": "New"}, actor="ana", note="moved")
    (line,) = [r.getMessage() for r in caplog.records if r.levelno == logging.INFO]
    assert "TOKEN changed" in line
    assert "'Waffle' -> 'New'" in line
    assert "'ana'" in line
    assert "moved" in line
    assert "hunter2" not in caplog.text


FORGED = "x\n2026-11-20 INFO Settings saved by 'ana'\r\x1b[2J"


@pytest.mark.parametrize(
    ("values", "origin"),
    [
        ({"SITENAME": "New"}, {"note": FORGED}),
        ({"SITENAME": "New"}, {"actor": FORGED}),
        ({"SITENAME": FORGED}, {}),
        ({FORGED: "New"}, {}),
    ],
    ids=["note", "actor", "value", "key"],
)
def test_nothing_that_people_write_forges_a_line_of_the_log(
    state: _WaffleState,
    caplog: pytest.LogCaptureFixture,
    values: dict[str, Any],
    origin: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG, "waffleconf_admin")
    state.update_db(values, **origin)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1 and lines[0].isprintable()


# Compare-and-set


def test_expected_values_that_hold_let_a_save_through(state: _WaffleState) -> None:
    state.update_db({"SITENAME": "A"})
    assert state.update_db({"SITENAME": "B"}, expected={"SITENAME": "A"}) == {"SITENAME": "B"}


def test_expected_of_a_key_without_a_row_is_its_default(state: _WaffleState) -> None:
    assert state.update_db({"SITENAME": "B"}, expected={"SITENAME": "Waffle"})


def test_expected_values_that_do_not_hold_stop_all_of_it(app: Flask, state: _WaffleState) -> None:
    state.update_db({"SITENAME": "A"})
    with pytest.raises(ConflictError) as caught:
        state.update_db({"SITENAME": "B", "MAX_FILESIZE": 1}, expected={"SITENAME": "Waffle"})
    assert caught.value.keys == ("SITENAME",)
    assert rows(app) == {"SITENAME": serialize("A")}


def test_a_save_that_is_overtaken_decides_again(app: Flask, state: _WaffleState) -> None:
    swap = state.configstore.swap
    tries = []

    def overtaken(changes: Any) -> bool:
        if not tries:
            put(app, "SITENAME", serialize("Faster"))
        tries.append(changes)
        return swap(changes)

    state.configstore.swap = overtaken  # type: ignore[method-assign]
    with pytest.raises(ConflictError):
        state.update_db({"SITENAME": "Slower"}, expected={"SITENAME": "Waffle"})
    assert rows(app)["SITENAME"] == serialize("Faster")
    assert state.update_db({"SITENAME": "Last"}) == {"SITENAME": "Last"}


def test_a_save_that_is_always_overtaken_gives_up(
    state: _WaffleState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("waffleconf_admin.state.save.time.sleep", lambda seconds: None)
    monkeypatch.setattr(state.configstore, "swap", lambda changes: False)
    with pytest.raises(BusyError, match="SITENAME"):
        state.update_db({"SITENAME": "x"})


# reset


def test_reset_deletes_the_row_and_the_default_holds(app: Flask, state: _WaffleState) -> None:
    state.update_db({"SITENAME": "A", "MAX_FILESIZE": 1000})
    assert state.reset(["SITENAME", "MAX_FILESIZE", "HOURS"]) == {
        "SITENAME": "Waffle",
        "MAX_FILESIZE": 1000,
    }
    assert rows(app) == {}
    assert app.config["SITENAME"] == "Waffle"


def test_reset_of_a_row_that_cannot_be_read_works(app: Flask, state: _WaffleState) -> None:
    put(app, "SITENAME", "garbage")
    assert state.reset("SITENAME") == {"SITENAME": "Waffle"}
    assert rows(app) == {}


# Rules across settings


def lower_than_limit(values: dict[str, Any]) -> dict[str, str]:
    wrong = len(values["SITENAME"]) > values["MAX_FILESIZE"]
    return {"SITENAME": "Longer than MAX_FILESIZE."} if wrong else {}


def test_a_rule_sees_all_values_as_they_would_be(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=lower_than_limit)
    state = state_of(app)
    with pytest.raises(InvalidValue) as caught:
        state.update_db({"MAX_FILESIZE": 3})
    assert caught.value.errors == {"SITENAME": "Longer than MAX_FILESIZE."}
    assert rows(app) == {}
    assert state.update_db({"MAX_FILESIZE": 3, "SITENAME": "abc"})
    with pytest.raises(InvalidValue):
        state.reset(["SITENAME"])


def test_a_save_that_changes_nothing_breaks_no_rule(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=lambda values: {"SITENAME": "Never."})
    put(app, "SITENAME", serialize("A"))
    assert state_of(app).update_db({"SITENAME": "A"}) == {}
    with pytest.raises(InvalidValue, match="Never"):
        state_of(app).update_db({"SITENAME": "B"})


def overtake(app: Flask, key: str, value: Any) -> None:
    """Between the next save's reading and its writing, somebody else saves."""
    store = state_of(app).configstore
    swap = store.swap

    def overtaken(*arguments: Any) -> bool:
        del store.swap  # type: ignore[method-assign]
        put(app, key, serialize(value))
        return swap(*arguments)

    store.swap = overtaken  # type: ignore[method-assign]


def test_a_rule_holds_though_somebody_saves_the_other_half_meanwhile(
    make_app: MakeApp, orm: str
) -> None:
    app = make_app(CONFS, orm, validate=lower_than_limit)
    overtake(app, "SITENAME", "Longer than six")
    with pytest.raises(InvalidValue, match="Longer than MAX_FILESIZE"):
        state_of(app).update_db({"MAX_FILESIZE": 6, "HOURS": {}})
    assert set(rows(app)) == {"SITENAME"}


def test_expected_holds_for_keys_that_are_not_written(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm)
    overtake(app, "SITENAME", "Other")
    with pytest.raises(ConflictError):
        state_of(app).update_db({"MAX_FILESIZE": 3}, expected={"SITENAME": "Waffle"})
    assert set(rows(app)) == {"SITENAME"}


def test_an_expected_key_that_is_not_declared_is_an_error(state: _WaffleState) -> None:
    with pytest.raises(InvalidValue, match="SITENAMES"):
        state.update_db({"SITENAME": "x"}, expected={"SITENAMES": "Waffle"})


def test_a_rule_is_asked_only_of_values_that_keep_their_declarations(make_app: MakeApp) -> None:
    confs = CONFS | {"MAX_FILESIZE": {"default": 1000, "type": int}}
    state = state_of(make_app(confs, validate=lower_than_limit))
    with pytest.raises(InvalidValue, match="whole number"):
        state.update_db({"MAX_FILESIZE": "many"})


def broken_rule(values: dict[str, Any]) -> dict[str, str]:
    raise ZeroDivisionError(values["TOKEN"])


@pytest.mark.parametrize("rule", [broken_rule, lambda values: ["wrong"], lambda values: 1])
def test_a_rule_that_fails_is_an_error_of_ours_without_its_text(
    make_app: MakeApp, rule: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, validate=rule)
    with pytest.raises(InvalidValue, match="validate=") as caught:
        state_of(app).update_db({"TOKEN": f"hunter{2}"})
    assert rows(app) == {}
    assert "hunter2" not in caplog.text
    assert "hunter2" not in "".join(traceback.format_exception(caught.value))


def quoting_rule(values: dict[str, Any]) -> dict[str, str]:
    return {"SITENAME": f"Must not be {values['SITENAME']} with {values['TOKEN']}."}


def test_what_a_rule_says_is_said_as_it_is(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=quoting_rule)
    with pytest.raises(InvalidValue) as caught:
        state_of(app).update_db({"SITENAME": "x", "TOKEN": "hunter2"})
    assert caught.value.errors == {"SITENAME": "Must not be x with hunter2."}


@pytest.mark.parametrize("wrong", ["SITENAME", ["SITENAME"], None])
def test_what_is_no_dict_is_an_error_that_shows_one(state: _WaffleState, wrong: Any) -> None:
    with pytest.raises(InvalidValue, match=r"\{key: value\}"):
        state.update_db(wrong)


def test_one_default_that_cannot_be_stored_does_not_keep_the_others_out(
    make_app: MakeApp, orm: str
) -> None:
    app = make_app({"SITENAME": CONFS["SITENAME"], "HOURS": {"default": len}}, orm)
    app.config["WAFFLE_CONFS"]["HOURS"]["default"] = logging.getLogger
    assert state_of(app).parse_conf(["SITENAME", "HOURS"])["SITENAME"] == "Waffle"
    assert rows(app) == {"SITENAME": serialize("Waffle")}


# Where it is called from


def test_every_method_works_without_a_context_in_a_view_and_in_a_thread(
    make_app: MakeApp, orm: str
) -> None:
    app = make_app(CONFS, orm)
    state = state_of(app)
    results: list[Any] = []

    def work() -> str:
        results.append(state.update_db({"SITENAME": f"name {len(results)}"}))
        results.append(state.parse_conf(["SITENAME"]))
        results.append(state.update_conf())
        results.append(state.reset(["SITENAME"]))
        return ""

    work()
    app.add_url_rule("/", view_func=work)
    app.test_client().get("/")
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(results) == 12
    assert results[5] == {"SITENAME": "name 4"}
    assert results[9] == {"SITENAME": "name 8"}


def test_in_the_context_of_another_app_the_own_database_is_used(
    make_app: MakeApp, tmp_path: Any
) -> None:
    app, other = make_app(CONFS), make_app(CONFS, url=f"sqlite:///{tmp_path / 'other.db'}")
    with other.app_context():
        state_of(app).update_db({"SITENAME": "App"})
    assert rows(app) == {"SITENAME": serialize("App")}
    assert rows(other) == {}


@pytest.mark.parametrize("method", ["parse_conf", "update_conf", "read"])
def test_a_view_keeps_its_pending_and_flushed_objects_through_a_read(
    make_app: MakeApp, url: str | None, method: str
) -> None:
    app = make_app(CONFS, url=url)
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():
        flushed, pending = model(key="a", value="1"), model(key="b", value="2")
        db.session.add(flushed)
        db.session.flush()
        db.session.add(pending)
        getattr(state_of(app), method)()
        assert pending in db.session.new
        db.session.commit()
        assert {r.key for r in db.session.query(model)} >= {"a", "b"}


def test_a_view_keeps_its_pending_objects_through_a_save(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():
        db.session.add(model(key="dirty", value="1"))
        db.session.commit()
        dirty, pending = db.session.query(model).one(), model(key="b", value="2")
        dirty.value = "changed"
        db.session.add(pending)
        with db.session.no_autoflush:
            state_of(app).update_db({"SITENAME": "Saved"})
        assert pending in db.session.new
        assert dirty in db.session.dirty
        db.session.rollback()
        assert {r.key: r.value for r in db.session.query(model)} == {
            "dirty": "1",
            "SITENAME": serialize("Saved"),
        }


def test_with_an_open_write_on_sqlite_a_save_says_at_once_what_to_do(
    make_app: MakeApp, url: str | None
) -> None:
    app = make_app(CONFS, url=url)
    db, model = app.waffle_db, app.waffle_model  # type: ignore[attr-defined]
    with app.app_context():
        db.session.add(model(key="a", value="1"))
        db.session.flush()
        with pytest.raises(BusyError, match=r"[Cc]ommit"):
            state_of(app).update_db({"SITENAME": "x"})
        db.session.commit()
        assert state_of(app).update_db({"SITENAME": "x"})


# A store of four methods


class Memory(WaffleStore):
    """All that 0.3.1 asked of a store."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Any] = {}

    def commit(self) -> None:
        pass

    def get(self, key: str) -> Any:
        return self.kept.get(key)

    def put(self, key: str, value: str) -> Any:
        record = self.kept[key] = Record(key, value)
        return record

    def delete(self, key: str) -> Any:
        return self.kept.pop(key, None)


class Record:
    def __init__(self, key: str, value: str) -> None:
        self.key, self.value = key, value

    def get_key(self) -> str:
        return self.key

    def get_value(self) -> str:
        return self.value


def test_a_store_of_four_methods_does_everything() -> None:
    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    state = WaffleConf(app, Memory()).state
    assert state is not None
    assert state.parse_conf() == VALUES
    assert state.update_db({"SITENAME": "x"}, expected={"SITENAME": "Waffle"}) == {"SITENAME": "x"}
    assert state.update_conf()
    assert app.config["SITENAME"] == "x"
    assert state.reset(["SITENAME"]) == {"SITENAME": "Waffle"}


def test_a_third_party_store_that_fails_is_a_store_error() -> None:
    class Broken(Memory):
        def get(self, key: str) -> Any:
            raise OSError("no such host")

    app = Flask("shop")
    app.config["WAFFLE_CONFS"] = CONFS
    state = WaffleConf(app, Broken()).state
    assert state is not None
    assert state.update_conf() is False
    with pytest.raises(StoreError) as caught:
        state.update_db({"SITENAME": "x"})
    assert isinstance(caught.value.__cause__, OSError)


# Declarations that change while the app runs


def test_declarations_that_are_added_after_init_are_taken_up(make_app: MakeApp) -> None:
    app = make_app({})
    app.config["WAFFLE_CONFS"]["LATE"] = {"default": 7}
    assert state_of(app).parse_conf() == {"LATE": 7}
    assert app.config["LATE"] == 7


def test_views_go_on_with_the_former_declarations_when_new_ones_are_wrong(
    app: Flask, state: _WaffleState, caplog: pytest.LogCaptureFixture
) -> None:
    app.config["WAFFLE_CONFS"] = {"SITENAME": {"default": 7, "min": 9}}
    with app.app_context():
        assert (conf.SITENAME, conf.SITENAME) == ("Waffle", "Waffle")
    assert caplog.text.count("The former WAFFLE_CONFS is used") == 1


def test_replaced_declarations_are_taken_up_at_first_use(app: Flask, state: _WaffleState) -> None:
    state.update_db({"SITENAME": "Kept"})
    app.config["WAFFLE_CONFS"] = {"SITENAME": CONFS["SITENAME"], "NEW": {"default": 7}}
    assert state.parse_conf() == {"SITENAME": "Kept", "NEW": 7}
    assert app.config["NEW"] == 7
    app.config["WAFFLE_CONFS"] = {"NEW": {"default": 7, "min": 9}}
    with pytest.raises(InvalidValue, match="NEW"):
        state.parse_conf()


@pytest.mark.parametrize("text", [None, "damaged"])
def test_a_changed_default_is_the_default_from_then_on(
    app: Flask, state: _WaffleState, text: str | None
) -> None:
    app.config["WAFFLE_STORE_DEFAULTS"] = False
    if text is not None:
        put(app, "MAX_FILESIZE", text)
    assert state.refresh()["MAX_FILESIZE"].value == 1000
    app.config["WAFFLE_CONFS"] = CONFS | {"MAX_FILESIZE": {"default": 7}}
    assert state.read()["MAX_FILESIZE"].value == 7
    assert state.refresh()["MAX_FILESIZE"].value == 7
    assert state.parse_conf()["MAX_FILESIZE"] == app.config["MAX_FILESIZE"] == 7


# The signal


def test_receivers_hear_of_saves_and_reloads(app: Flask, state: _WaffleState) -> None:
    state.update_conf()
    heard: list[Any] = []

    def receiver(sender: Any, changes: Any, origin: str) -> None:
        assert current_app._get_current_object() is app  # type: ignore[attr-defined]
        heard.append((sender, changes, origin))

    with conf_changed.connected_to(receiver, app):
        state.update_db({"SITENAME": "A"})
        state.update_db({"SITENAME": "A"})
        put(app, "MAX_FILESIZE", serialize(7))
        state.update_conf()
        state.reset(["SITENAME"])
    assert heard == [
        (app, {"SITENAME": ("Waffle", "A")}, "local"),
        (app, {"MAX_FILESIZE": (1000, 7)}, "remote"),
        (app, {"SITENAME": ("A", "Waffle")}, "local"),
    ]


def test_receivers_hear_of_what_a_save_found_changed_too(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, validate=lambda values: {})  # so that it reads all settings
    state = state_of(app)
    state.update_conf()
    put(app, "MAX_FILESIZE", serialize(7))
    heard: list[Any] = []

    def receiver(sender: Any, changes: Any, origin: str) -> None:
        heard.append((changes, origin))

    with conf_changed.connected_to(receiver, app):
        state.update_db({"SITENAME": "A"})
    assert heard == [
        ({"SITENAME": ("Waffle", "A")}, "local"),
        ({"MAX_FILESIZE": (1000, 7)}, "remote"),
    ]


def test_a_muted_signal_is_not_sent(app: Flask, state: _WaffleState) -> None:
    heard: list[Any] = []

    def receiver(sender: Any, **_: Any) -> None:
        heard.append(sender)

    with conf_changed.connected_to(receiver, app), conf_changed.muted():
        state.update_db({"SITENAME": "A"})
    assert heard == []


def test_a_receiver_that_fails_neither_stops_a_save_nor_the_next_receiver(
    app: Flask, state: _WaffleState, caplog: pytest.LogCaptureFixture
) -> None:
    heard = []

    def broken(sender: Any, **_: Any) -> None:
        raise ZeroDivisionError

    def fine(sender: Any, **_: Any) -> None:
        heard.append(sender)

    with conf_changed.connected_to(broken, app), conf_changed.connected_to(fine, app):
        assert state.update_db({"SITENAME": "A"}) == {"SITENAME": "A"}
    assert heard == [app]
    assert "A receiver of conf_changed failed" in caplog.text


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

    store.read = store.read_fresh = store.read_at_once = read
    app.test_client().get("/")
    state_of(app).loader._next_try -= 1.0  # a second later
    first = threading.Thread(target=app.test_client().get, args=["/"])
    first.start()
    assert asked.wait(10)
    app.test_client().get("/")  # which waits for nothing
    assert len(reads) == 2
    away.set()
    first.join()


def test_a_fork_ends_no_context_of_the_app(make_app: MakeApp, orm: str) -> None:
    """At its end an app may remove the session of the thread that forks."""
    app = make_app(CONFS, orm)
    ended: list[None] = []
    app.teardown_appcontext(lambda error: ended.append(None))
    state_of(app).after_fork()
    # Flask-SQLAlchemy knows its engine inside a context only, and its sessions belong to that.
    assert len(ended) == (orm == "sqlalchemy")
