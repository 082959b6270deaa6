"""Saving and resetting: all of it or nothing, in the database and in memory."""

from __future__ import annotations

import logging
import threading
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from states import CONFS, VALUES, MakeApp, away, commits, kinds, put, rows, state_of, statements

from waffleconf_admin import (
    InvalidValue,
    StoreError,
)
from waffleconf_admin.codec import serialize
from waffleconf_admin.state.state import State


def test_a_save_is_in_the_database_in_app_config_and_returned(app: Flask, state: State) -> None:
    assert state.update_db({"SITENAME": "New", "MAX_FILESIZE": 5}) == {
        "SITENAME": "New",
        "MAX_FILESIZE": 5,
    }
    assert (app.config["SITENAME"], app.config["MAX_FILESIZE"]) == ("New", 5)
    assert rows(app) == {"SITENAME": serialize("New"), "MAX_FILESIZE": serialize(5)}


def test_a_save_takes_three_statements_and_one_commit(app: Flask, state: State) -> None:
    state.parse_conf(["SITENAME", "HOURS"])
    state.update_conf()
    with statements(app) as seen:
        state.update_db({"SITENAME": "a", "HOURS": {}, "MAX_FILESIZE": 2, "TOKEN": "t"})
    assert sorted(kinds(seen)) == ["INSERT", "SELECT", "UPDATE"]
    assert commits(seen) <= 1


def test_a_save_of_what_is_there_is_one_select_and_no_write(app: Flask, state: State) -> None:
    state.parse_conf()
    state.update_conf()
    with statements(app) as seen:
        assert state.update_db(dict(VALUES)) == {}
    assert kinds(seen) == ["SELECT"]
    assert commits(seen) == 0


def test_a_save_of_rows_that_are_there_in_other_values_reads_nothing(
    app: Flask, state: State
) -> None:
    state.parse_conf()
    state.update_conf()
    with statements(app) as seen:
        assert state.update_db({"SITENAME": "New", "HOURS": {}}).keys() == {"SITENAME", "HOURS"}
    assert kinds(seen) == ["UPDATE"]
    assert rows(app)["HOURS"] == serialize({})


def test_a_save_of_a_row_that_somebody_else_has_changed_reads_it(app: Flask, state: State) -> None:
    state.parse_conf()
    state.update_conf()
    events: list[Any] = []
    state.extension.on_change()(lambda event: events.append(event.changes))  # type: ignore[attr-defined]
    put(app, "SITENAME", serialize("Theirs"))
    with statements(app) as seen:
        assert state.update_db({"SITENAME": "Ours"}) == {"SITENAME": "Ours"}
    assert kinds(seen) == ["UPDATE", "SELECT", "UPDATE"]
    assert events == [{"SITENAME": ("Theirs", "Ours")}]
    put(app, "SITENAME", serialize("Theirs"))
    assert state.update_db({"SITENAME": "Theirs"}) == {}
    assert app.config["SITENAME"] == "Theirs"


def test_of_several_settings_one_that_somebody_else_has_changed_is_written_too(
    app: Flask, state: State
) -> None:
    state.parse_conf()
    state.update_conf()
    put(app, "SITENAME", serialize("Theirs"))
    wanted = {"MAX_FILESIZE": 1, "SITENAME": app.config["SITENAME"]}
    assert state.update_db(wanted) == wanted


def test_a_list_that_a_view_has_changed_in_place_does_not_decide_a_save(
    app: Flask, state: State
) -> None:
    state.parse_conf()
    state.update_conf()
    stored = dict(app.config["HOURS"])
    app.config["HOURS"]["mo"] = "never"
    assert state.update_db({"HOURS": stored}) == {}
    assert rows(app)["HOURS"] == serialize(stored)


def test_nor_beside_another_if_somebody_else_has_changed_it(app: Flask, state: State) -> None:
    state.parse_conf()
    state.update_conf()
    stored = dict(app.config["HOURS"])
    app.config["HOURS"]["mo"] = "never"
    put(app, "HOURS", serialize({"mo": "theirs"}))
    wanted = {"HOURS": stored, "SITENAME": "New"}
    assert state.update_db(wanted) == wanted
    assert rows(app)["HOURS"] == serialize(stored)


def test_a_value_that_somebody_else_has_saved_is_expected(app: Flask, state: State) -> None:
    state.parse_conf()
    state.update_conf()
    put(app, "SITENAME", serialize("Theirs"))
    assert state.update_db({"SITENAME": "Ours"}, expected={"SITENAME": "Theirs"})


def test_rules_across_settings_get_all_values_as_the_database_has_them(make_app: MakeApp) -> None:
    given: list[dict[str, Any]] = []
    app = make_app(CONFS, validate=lambda values: given.append(values))
    state = state_of(app)
    state.parse_conf()
    put(app, "MAX_FILESIZE", serialize(7))
    state.update_db({"SITENAME": "New"})
    assert given[-1] == {**VALUES, "SITENAME": "New", "MAX_FILESIZE": 7}


def test_a_key_without_a_row_is_written_even_if_it_equals_the_default(
    app: Flask, state: State
) -> None:
    assert state.update_db({"SITENAME": "Waffle"}) == {"SITENAME": "Waffle"}
    assert rows(app) == {"SITENAME": serialize("Waffle")}


@pytest.mark.parametrize(("old", "new"), [(1, True), (1, 1.0), ([1], [True]), ("1", 1)])
def test_an_equal_value_of_another_type_is_a_change(
    app: Flask, state: State, old: Any, new: Any
) -> None:
    state.update_db({"MAX_FILESIZE": old})
    assert state.update_db({"MAX_FILESIZE": new}) == {"MAX_FILESIZE": new}
    assert repr(app.config["MAX_FILESIZE"]) == repr(new)


def test_a_save_that_finds_the_value_there_already_brings_memory_up_to_it(
    app: Flask, state: State
) -> None:
    put(app, "SITENAME", serialize("New"))
    assert state.update_db({"SITENAME": "New"}) == {}
    assert app.config["SITENAME"] == "New"


def test_what_a_reload_brings_after_a_save_has_read_stays_in_memory(
    app: Flask, state: State
) -> None:
    state.parse_conf()
    store = state.configstore
    read = store.read_fresh

    def read_and_be_overtaken(*arguments: Any) -> Any:
        del store.read_fresh  # type: ignore[method-assign]
        found = read(*arguments)
        put(app, "MAX_FILESIZE", serialize(5))
        state.update_conf()
        return found

    store.read_fresh = read_and_be_overtaken  # type: ignore[method-assign]
    assert state.update_db({"SITENAME": "New", "MAX_FILESIZE": 1000}) == {"SITENAME": "New"}
    assert (app.config["SITENAME"], app.config["MAX_FILESIZE"]) == ("New", 5)


def test_a_value_that_is_not_allowed_but_there_already_blocks_no_save(make_app: MakeApp) -> None:
    app = make_app({**CONFS, "MAX_FILESIZE": {"default": 5, "min": 1}})
    state = state_of(app)
    state.update_db({"MAX_FILESIZE": 6, "SITENAME": "Old"})
    put(app, "MAX_FILESIZE", serialize(0))  # memory does not know it
    with pytest.raises(InvalidValue, match="At least 1"):
        state.update_db({"MAX_FILESIZE": -1, "SITENAME": "New"})
    assert state.update_db({"MAX_FILESIZE": 0, "SITENAME": "New"}) == {"SITENAME": "New"}
    assert rows(app)["SITENAME"] == serialize("New")


@pytest.mark.parametrize("key", ["NOPE", "SECRET_KEY", "WAFFLE_CAN"])
def test_undeclared_keys_are_skipped_with_one_line(
    app: Flask, state: State, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("a", "b"):
        assert state.update_db({"SITENAME": name, key: "x"}) == {"SITENAME": name}
    assert app.config.get(key) != "x"
    assert sum(repr(key) in r.getMessage() for r in caplog.records) == 1


def test_of_very_many_undeclared_keys_only_some_are_logged(
    state: State, caplog: pytest.LogCaptureFixture
) -> None:
    state.update_db({f"FIELD_{number}": 1 for number in range(3000)})
    assert 0 < len(caplog.records) <= 1000


def test_a_save_stands_though_it_cannot_be_read_again(
    app: Flask,
    state: State,
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


def test_the_value_that_a_caller_hands_over_is_not_kept(app: Flask, state: State) -> None:
    hours = {"mon": [8, 12]}
    state.update_db({"HOURS": hours})
    hours["mon"].append(20)
    assert app.config["HOURS"] == {"mon": [8, 12]}


@pytest.mark.parametrize("bad", [lambda: 0, threading.Lock(), Flask])
def test_a_value_that_cannot_be_stored_changes_nothing(app: Flask, state: State, bad: Any) -> None:
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
    app: Flask, state: State
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


def test_a_saved_secret_is_not_in_the_log(state: State, caplog: pytest.LogCaptureFixture) -> None:
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
    state: State,
    caplog: pytest.LogCaptureFixture,
    values: dict[str, Any],
    origin: dict[str, str],
) -> None:
    caplog.set_level(logging.DEBUG, "waffleconf_admin")
    state.update_db(values, **origin)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1 and lines[0].isprintable()


def test_reset_deletes_the_row_and_the_default_holds(app: Flask, state: State) -> None:
    state.update_db({"SITENAME": "A", "MAX_FILESIZE": 1000})
    assert state.reset(["SITENAME", "MAX_FILESIZE", "HOURS"]) == {
        "SITENAME": "Waffle",
        "MAX_FILESIZE": 1000,
    }
    assert rows(app) == {}
    assert app.config["SITENAME"] == "Waffle"


def test_the_default_that_a_reset_returns_is_the_callers_own(app: Flask, state: State) -> None:
    state.update_db({"HOURS": {}})
    hours: Any = state.reset(["HOURS"])["HOURS"]
    hours["mon"].append(24)
    assert state.settings["HOURS"].default == app.config["HOURS"] == VALUES["HOURS"]


def test_reset_of_a_row_that_cannot_be_read_works(app: Flask, state: State) -> None:
    put(app, "SITENAME", "garbage")
    assert state.reset("SITENAME") == {"SITENAME": "Waffle"}
    assert rows(app) == {}


@pytest.mark.parametrize("wrong", ["SITENAME", ["SITENAME"], None])
def test_what_is_no_dict_is_an_error_that_shows_one(state: State, wrong: Any) -> None:
    with pytest.raises(InvalidValue, match=r"\{key: value\}"):
        state.update_db(wrong)


@pytest.mark.parametrize("source", [None, 5, "", "x" * 33, "\0", "\ud800"])
def test_a_source_that_the_history_cannot_hold_is_named(
    app: Flask, state: State, source: Any
) -> None:
    with pytest.raises(ValueError, match="source= is "):
        state.update_db({"SITENAME": "New"}, source=source)
    with pytest.raises(ValueError, match="source= is "):
        state.reset(["SITENAME"], source=source)
    assert rows(app) == {}


# Validators that change what they check


def clean(_form: Any, field: Any) -> None:
    field.data = field.data.strip().lower()


CLEANED: dict[str, Any] = {"MAIL": {"default": "", "max": 9, "validators": [clean]}}


def test_what_validators_make_of_a_value_is_what_is_saved(make_app: MakeApp) -> None:
    asked: list[Any] = []
    app = make_app(CLEANED, validate=lambda values: asked.append(values["MAIL"]))
    state = state_of(app)
    saved = state.update_db({"MAIL": "  Ana@B.org  "})
    assert saved == {"MAIL": "ana@b.org"} == state.parse_conf()
    assert (app.config["MAIL"], asked) == ("ana@b.org", ["ana@b.org"])
    assert state.update_db({"MAIL": " ANA@b.org"}) == {}
    with pytest.raises(InvalidValue, match="At most 9"):
        state.update_db({"MAIL": "ana@b.org.uk"})


def test_what_validators_make_of_a_value_holds_for_a_save_that_goes_by_memory(
    make_app: MakeApp,
) -> None:
    app = make_app(CLEANED)
    state = state_of(app)
    state.update_db({"MAIL": "a"})
    with statements(app) as seen:
        assert state.update_db({"MAIL": " B "}) == {"MAIL": "b"}
    assert not [each for each in seen if each.startswith("SELECT")]
    assert state.update_db({"MAIL": "B"}) == {}
