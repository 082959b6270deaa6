"""Saves with an end: their settings go back at a time, once, unless somebody keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from documentation import block
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from states import away, kinds, overtake, rows, state_of, statements

from waffleconf_admin import (
    AlchemyWaffleStore,
    BusyError,
    ConflictError,
    InvalidValue,
    StoreError,
    WaffleChangeMixin,
    WaffleConf,
)
from waffleconf_admin.state.ends import LATER
from waffleconf_admin.sync.resync import RETRY

CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "SIZE": {"default": 20, "min": 1, "max": 100},
    "HOURS": {"default": {"mon": [9, 18]}},
    "TOKEN": {"default": "", "secret": True},
}

#: Of columns for short texts.
NAMES = ("change_set", "key", "actor", "source")

MakeApp = Callable[..., Flask]


@pytest.fixture(params=["file", "memory", "postgres", "mariadb"])
def url(request: pytest.FixtureRequest) -> str | None:
    if request.param in ("postgres", "mariadb"):
        return str(request.getfixturevalue("server_url")(request.param))
    return {"file": None, "memory": ":memory:"}[request.param]


@pytest.fixture
def state(make_app: MakeApp, orm: str, url: str | None) -> Any:
    """The state of an app with a history, on each database."""
    return state_of(make_app(CONFS, orm=orm, url=url, history=True))


@pytest.fixture
def simple(make_app: MakeApp) -> Any:
    """The state of an app with a history, on SQLite."""
    return state_of(make_app(CONFS, history=True))


def soon(minutes: float = 10) -> datetime:
    return datetime.now(UTC) + timedelta(minutes=minutes)


def forward(state: Any, minutes: float = 11) -> bool:
    """Let the clock of the database be ahead, and load."""
    state.configstore.clock = lambda: time.time() + 60 * minutes
    done: bool = state.update_conf()
    return done


def served(state: Any) -> tuple[Any, ...]:
    """What is in memory and in the database."""
    values = state.app.config["SITENAME"], state.app.config["SIZE"]
    assert {key: r.value for key, r in state.read(["SITENAME", "SIZE"]).items()} == dict(
        zip(("SITENAME", "SIZE"), values, strict=True)
    )
    return values


def outcomes(state: Any) -> list[tuple[Any, ...]]:
    """The rows that have an end, the oldest first: setting, what has become of it, by whom."""
    changes = reversed(state.history.list())
    return [(c.key, c.outcome, c.remark) for c in changes if c.ends_at is not None]


def redeclared(state: Any, **changed: Any) -> None:
    """Replaces declarations, as a new version of the app does; None takes one out."""
    confs = {**CONFS, **changed}
    state.app.config["WAFFLE_CONFS"] = {key: c for key, c in confs.items() if c is not None}


def test_a_save_goes_back_at_its_end_as_one_change_set(state: Any) -> None:
    state.update_db({"SIZE": 30}, actor="bob")
    end = soon()
    saved = state.update_db({"SITENAME": "Sale", "SIZE": 40}, until=end, actor="ana")
    (pending,) = state.ends.open
    assert (pending.change_set, pending.actor) == (saved.change_set, "ana")
    assert abs(pending.at - end) < timedelta(seconds=2)  # MariaDB rounds to seconds
    assert {key: (c.old, c.new) for key, c in pending.changes.items()} == {
        "SITENAME": (None, "Sale"),
        "SIZE": (30, 40),
    }
    assert forward(state, 9) and served(state) == ("Sale", 40)
    assert forward(state) and served(state) == ("Waffle", 30)
    assert (state.ends.open, state.ends.deadline) == ((), None)
    assert sorted(outcomes(state)) == [("SITENAME", "back", "ana"), ("SIZE", "back", "ana")]
    first, second, *_ = state.history.list()
    assert (first.source, first.actor, first.change_set) == ("end", "ana", second.change_set)
    assert len(state.history.list()) == 5
    assert forward(state) and len(state.history.list()) == 5  # nothing is done twice


def test_a_reset_goes_back_too(simple: Any) -> None:
    simple.update_db({"SIZE": 30})
    simple.reset(["SIZE"], until=soon())
    assert served(simple)[1] == 20
    assert forward(simple) and served(simple)[1] == 30


def test_a_later_save_with_an_end_goes_back_to_what_the_earlier_one_would_have(state: Any) -> None:
    state.update_db({"SIZE": 30, "SITENAME": "Sale"}, until=soon(10))
    later = state.update_db({"SIZE": 40}, until=soon(20))
    assert [(end.change_set == later.change_set, list(end.changes)) for end in state.ends.open] == [
        (False, ["SITENAME"]),
        (True, ["SIZE"]),
    ]
    assert forward(state, 11) and served(state) == ("Waffle", 40)
    assert forward(state, 21) and served(state) == ("Waffle", 20)
    assert sorted(outcomes(state)) == [
        ("SITENAME", "back", ""),
        ("SIZE", "back", ""),
        ("SIZE", "back", ""),
    ]


def test_a_later_save_may_end_earlier(simple: Any) -> None:
    simple.update_db({"SIZE": 30}, until=soon(20))
    simple.update_db({"SIZE": 40}, until=soon(10))
    assert forward(simple, 11) and served(simple)[1] == 20
    assert forward(simple, 21) and len(simple.history.list()) == 3


@pytest.mark.parametrize(
    ("default", "former", "timed"),
    [(10, 2.5, 3), ("Waffle", None, "Sale"), (False, "auto", True), ([], {"a": 1}, ["b"])],
)
def test_where_the_present_value_could_not_come_back_no_end_is_taken(
    make_app: MakeApp, default: Any, former: Any, timed: Any
) -> None:
    """Of another type than the default: the end would refuse it, and the timed value would stay."""
    state: Any = state_of(make_app({"ANY": {"default": default}}, history=True))
    state.update_db({"ANY": former})
    with pytest.raises(InvalidValue, match="another type than the default"):
        state.update_db({"ANY": timed}, until=soon())
    assert state.app.config["ANY"] == former
    state.update_db({"ANY": timed})
    assert state.app.config["ANY"] == timed


def test_with_a_type_that_has_both_the_former_value_comes_back(make_app: MakeApp) -> None:
    state: Any = state_of(make_app({"ANY": {"default": 10.0}}, history=True))
    state.update_db({"ANY": 2})
    state.update_db({"ANY": 3.5}, until=soon())
    assert forward(state) and state.app.config["ANY"] == 2


def test_what_others_changed_meanwhile_stays_and_the_rest_goes_back(simple: Any) -> None:
    simple.update_db({"SIZE": 30, "SITENAME": "Sale"}, until=soon(), actor="ana")
    simple.update_db({"SIZE": 50})
    assert forward(simple) and served(simple) == ("Waffle", 50)
    assert sorted(outcomes(simple)) == [("SITENAME", "back", "ana"), ("SIZE", "changed", "")]


def test_a_change_there_and_back_is_one_of_somebody_else_all_the_same(simple: Any) -> None:
    simple.update_db({"SIZE": 30}, until=soon())
    simple.update_db({"SIZE": 50})
    simple.update_db({"SIZE": 30})
    assert forward(simple) and served(simple)[1] == 30
    assert outcomes(simple) == [("SIZE", "changed", "")]


def test_an_end_after_a_change_that_stays_goes_back_to_that(simple: Any) -> None:
    simple.update_db({"SIZE": 30}, until=soon(10))
    simple.update_db({"SIZE": 50})
    simple.update_db({"SIZE": 30})
    simple.update_db({"SIZE": 60}, until=soon(20))
    assert forward(simple, 11) and served(simple)[1] == 60
    assert forward(simple, 21) and served(simple)[1] == 30


def test_an_end_after_a_change_during_its_save_goes_back_to_that(
    simple: Any, make_app: MakeApp
) -> None:
    simple.update_db({"SIZE": 30}, until=soon(10))
    other: Any = state_of(make_app(CONFS, history=True))
    swap = simple.configstore.swap

    def overtaken(*arguments: Any) -> Any:
        simple.configstore.swap = swap
        other.update_db({"SIZE": 50})
        return swap(*arguments)

    simple.configstore.swap = overtaken
    simple.update_db({"SIZE": 60}, until=soon(20))
    assert forward(simple, 21) and served(simple)[1] == 50


def test_what_is_saved_while_a_save_goes_back_stays(simple: Any) -> None:
    simple.update_db({"SIZE": 30}, until=soon())
    overtake(simple.app, "SIZE", 50)
    assert forward(simple) and served(simple)[1] == 50


def test_a_row_written_past_this_package_stays(simple: Any) -> None:
    simple.update_db({"SIZE": 30, "SITENAME": "Sale"}, until=soon())
    with simple.app.app_context():
        simple.configstore.put("SIZE", simple._repository.codec.encode({"SIZE": 70})["SIZE"][0])
        simple.configstore.commit()
    assert forward(simple) and served(simple) == ("Waffle", 70)


def test_two_ends_at_once_are_two_changes(simple: Any) -> None:
    end = soon()
    simple.update_db({"SIZE": 30}, until=end)
    simple.update_db({"SITENAME": "Sale"}, until=end)
    assert forward(simple) and served(simple) == ("Waffle", 20)
    assert len({c.change_set for c in simple.history.list() if c.source == "end"}) == 2


# What can't have an end


@pytest.mark.parametrize(
    ("values", "until", "message"),
    [
        ({"SIZE": 30}, datetime(2999, 1, 1), "astimezone"),
        ({"SIZE": 30}, datetime.now(UTC) - timedelta(seconds=1), "That time is past"),
        ({"SIZE": 30}, datetime.now(UTC) + timedelta(days=370), "366 days"),
        ({"SIZE": 30, "TOKEN": "s3cr3t"}, datetime.now(UTC) + timedelta(days=1), "TOKEN: A secret"),
    ],
)
def test_an_end_that_can_not_come_is_refused(
    simple: Any, values: dict[str, Any], until: datetime, message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        simple.update_db(values, until=until)
    assert served(simple)[1] == 20 and simple.history.list() == []


def test_without_a_history_an_end_is_refused(make_app: MakeApp) -> None:
    state = state_of(make_app(CONFS))
    with pytest.raises(InvalidValue, match="history"):
        state.update_db({"SIZE": 30}, until=soon())
    with statements(state.app) as seen:
        state.update_conf()
    assert kinds(seen) == ["SELECT"]


def test_a_load_reads_the_ends_with_a_second_statement(simple: Any) -> None:
    with statements(simple.app) as seen:
        simple.update_conf()
    assert kinds(seen) == ["SELECT", "SELECT"]
    assert "ended_at" not in seen[0] and "ended_at" in seen[-1]


# Keep, and go back now


def test_a_save_that_is_kept_stays(state: Any) -> None:
    saved = state.update_db({"SIZE": 30}, until=soon(), actor="ana")
    assert list(state.ends.keep(saved.change_set, actor="bob").changes) == ["SIZE"]
    assert (state.ends.open, outcomes(state)) == ((), [("SIZE", "kept", "bob")])
    state.update_db({"SITENAME": "Sale"}, until=soon())
    assert state.history.prune(0) == 1  # an open end is never pruned
    assert forward(state) and served(state) == ("Waffle", 30)
    state.configstore.clock = time.time
    assert state.history.prune(0) == 2
    with pytest.raises(InvalidValue, match="no end any more"):
        state.ends.keep(saved.change_set)


def test_a_save_can_go_back_before_its_end(simple: Any) -> None:
    simple.update_db({"SIZE": 30}, until=soon(20))
    saved = simple.update_db({"SIZE": 40}, until=soon())
    assert simple.ends.go_back(saved.change_set, actor="bob") == {"SIZE": 20}
    assert served(simple)[1] == 20 and simple.history.list()[0].source == "undo"
    assert (simple.ends.open, simple.ends.deadline) == ((), None)
    assert outcomes(simple) == [("SIZE", "back", "bob")] * 2


@pytest.mark.parametrize("settle", ["keep", "go_back"])
def test_other_processes_are_told_when_an_end_is_settled(
    simple: Any, monkeypatch: pytest.MonkeyPatch, settle: str
) -> None:
    saved, told = simple.update_db({"SIZE": 30}, until=soon()), list[tuple[()]]()
    monkeypatch.setattr(simple.synchronizer, "notify", lambda *args: told.append(args))
    getattr(simple.ends, settle)(saved.change_set)
    assert told == [()]


def test_an_end_is_settled_by_one(state: Any) -> None:
    """Whoever has read it before it was settled writes nothing."""
    saved = state.update_db({"SIZE": 30}, until=soon())
    (stale,) = state.ends.read()
    state.ends.keep(saved.change_set)
    state.ends.read = lambda: (stale,)
    for late in (state.ends.keep, state.ends.go_back):
        with pytest.raises(ConflictError):
            late(saved.change_set)
    assert served(state)[1] == 30 and len(state.history.list()) == 1


# What a rule refuses


def test_what_a_rule_refuses_stays_as_a_whole_and_is_not_tried_again(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    asked = []

    def rule(values: dict[str, Any]) -> dict[str, str]:
        asked.append(values)
        return {"SIZE": "Too small for a sale."} if values["SIZE"] < limit else {}

    limit = 0
    state: Any = state_of(make_app(CONFS, history=True, validate=rule))
    saved = state.update_db({"SIZE": 30, "SITENAME": "Sale"}, until=soon())
    limit = 25
    assert forward(state) and served(state) == ("Sale", 30)
    assert "SITENAME, SIZE should have gone back" in caplog.text
    assert caplog.text.count("Too small for a sale.") == 1
    assert state.health().refused == ("SITENAME", "SIZE")
    assert "SITENAME, SIZE" in state.health().trouble
    (end,) = state.ends.open
    assert end.refused == "SIZE: Too small for a sale."
    count = len(asked)
    assert forward(state) and len(asked) == count and state.ends.deadline is None
    with pytest.raises(InvalidValue, match="Too small"):
        state.ends.go_back(saved.change_set)
    state.ends.keep(saved.change_set, actor="ana")
    assert state.health().refused == ()
    assert {outcome for _, outcome, _ in outcomes(state)} == {"kept"}


def test_of_several_processes_one_says_that_an_end_was_refused(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    """The other has read the end before, and asks the rules at the same time."""
    limit = 0
    busy: list[Any] = []

    def rule(values: dict[str, Any]) -> dict[str, str]:
        if values["SIZE"] >= limit:
            return {}
        if busy:
            assert forward(busy.pop())
        return {"SIZE": "Too small.", "TOKEN": "hunter2 is too short."}

    first, second = (
        state_of(make_app(CONFS, history=True, validate=rule)) for process in ("first", "second")
    )
    first.update_db({"SIZE": 30}, until=soon())
    limit = 25
    busy.append(second)
    assert forward(first)
    assert caplog.text.count("should have gone back") == 1
    for state in (first, second):
        (end,) = state.ends.read()
        assert end.refused == "SIZE: Too small.; TOKEN: it is refused"
    assert "hunter2" not in caplog.text


def test_a_later_save_after_a_refusal_has_its_own_end(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    def rule(values: dict[str, Any]) -> dict[str, str]:
        return {"SIZE": "Too small."} if values["SIZE"] < limit else {}

    limit = 0
    state: Any = state_of(make_app(CONFS, history=True, validate=rule))
    state.update_db({"SIZE": 30}, until=soon())
    limit = 25
    assert forward(state, 11)
    later = state.update_db({"SIZE": 40}, until=soon(20))
    assert forward(state, 21) and forward(state, 22)
    assert caplog.text.count("Too small.") == 2
    assert [(end.change_set, end.refused) for end in state.ends.open] == [
        (later.change_set, "SIZE: Too small.")
    ]
    limit = 0
    assert state.ends.go_back(later.change_set) == {"SIZE": 20}


@pytest.mark.parametrize(
    ("declaration", "why"),
    [
        (None, "no longer a setting"),
        ({"default": "m"}, "of another type"),
        ({"default": 50, "min": 45}, "no longer allowed"),
        ({"default": 20, "secret": True}, "secret"),
    ],
    ids=["gone", "of another type", "with other limits", "secret"],
)
def test_a_declaration_that_has_changed_may_refuse(
    simple: Any, declaration: Any, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    simple.update_db({"SIZE": 40})
    simple.update_db({"SIZE": 50, "SITENAME": "Sale"}, until=soon())
    redeclared(simple, SIZE=declaration)
    simple.app.config["WAFFLE_RETIRED"] = ["SIZE"] if declaration is None else []
    assert forward(simple) and simple.app.config["SITENAME"] == "Sale"
    assert why in caplog.text and why in simple.ends.open[0].refused
    assert len(simple.history.list()) == 3


def test_an_end_is_left_to_processes_that_declare_all_of_its_settings(make_app: MakeApp) -> None:
    """Another release may lack one of them, and another app on the same table all."""
    whole: Any = state_of(make_app(CONFS, history=True))
    part: Any = state_of(make_app({"SITENAME": CONFS["SITENAME"]}, history=True))
    other: Any = state_of(make_app({"POSTS": {"default": 1}}, history=True))
    saved = whole.update_db({"SIZE": 50, "SITENAME": "Sale"}, until=soon())
    for state in (part, other):
        assert forward(state) and state.ends.open == () and state.ends.deadline is None
        assert [end.change_set for end in state.ends.read()] == [saved.change_set]
    assert forward(whole) and served(whole) == ("Waffle", 20)
    assert forward(part) and part.app.config["SITENAME"] == "Waffle"


def test_a_declaration_that_has_changed_may_fit_all_the_same(simple: Any) -> None:
    simple.update_db({"SIZE": 40})
    simple.update_db({"SIZE": 50}, until=soon())
    redeclared(simple, SIZE={"default": "m", "type": str}, SITENAME={"default": "Other"})
    redeclared(simple, SIZE={"default": 1.5})
    assert forward(simple) and simple.app.config["SIZE"] == 40.0


def test_a_changed_setting_needs_no_decision_any_more(make_app: MakeApp) -> None:
    state: Any = state_of(make_app(CONFS, history=True))
    state.update_db({"SIZE": 40}, until=soon())
    redeclared(state, SIZE={"default": 45, "min": 30, "secret": True})
    assert forward(state) and state.health().refused == ("SIZE",)
    redeclared(state)
    state.update_db({"SIZE": 50})
    assert forward(state) and state.health().refused == ()


# When


def test_the_next_request_carries_out_what_is_due(simple: Any) -> None:
    simple.app.add_url_rule("/", view_func=lambda: str(simple.app.config["SIZE"]))
    client = simple.app.test_client()
    simple.update_db({"SIZE": 30}, until=datetime.now(UTC) + timedelta(seconds=0.3))
    assert client.get("/").text == "30"
    while time.monotonic() < simple.ends.deadline:
        time.sleep(0.02)
    assert client.get("/").text == "20"
    with statements(simple.app) as seen:
        assert client.get("/").text == "20"
        assert not seen


def test_one_of_the_requests_sees_to_an_end_that_has_come(simple: Any) -> None:
    simple.ends.deadline = time.monotonic()
    assert [simple.ends.is_due() for request in range(3)] == [True, False, False]


def test_a_value_that_broke_the_app_heals_before_it_is_served(
    make_app: MakeApp, tmp_path: Path
) -> None:
    state: Any = state_of(make_app(CONFS, history=True))
    state.update_db({"SIZE": 66}, until=soon())
    app = make_app(CONFS, history=True)
    state_of(app).configstore.clock = lambda: time.time() + 660  # type: ignore[method-assign]
    seen = []
    app.before_request(lambda: seen.append(app.config["SIZE"]))
    app.add_url_rule("/", view_func=lambda: str(app.config["SIZE"]))
    assert app.test_client().get("/").text == "20" and seen == [20]


def test_ends_that_can_not_be_read_keep_no_settings_from_being_loaded(
    simple: Any, caplog: pytest.LogCaptureFixture
) -> None:
    simple.update_db({"SIZE": 30}, until=soon())
    simple.configstore.read_ends = lambda promptly: away()
    simple.update_db({"SITENAME": "Bar"})
    assert simple.update_conf() and simple.update_conf()
    assert caplog.text.count("be carried out: the database is away") == 1
    del simple.configstore.read_ends
    assert forward(simple) and rows(simple.app).keys() == {"SITENAME"}


def test_code_of_the_app_that_fails_keeps_no_settings_from_being_loaded(
    simple: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(promptly: bool) -> Any:
        raise LookupError("its own error")

    simple.configstore.read_ends = fail
    assert simple.update_conf() and simple.update_conf()
    assert caplog.text.count("Settings could not go back") == 1
    assert "LookupError: its own error" in caplog.text


def never(*_: Any) -> Any:
    raise ConflictError(["SIZE"])


@pytest.mark.parametrize(
    ("until", "error", "pause"),
    [
        pytest.param(False, StoreError("away"), LATER, id="none is known"),
        pytest.param(False, BusyError("locked"), RETRY, id="locked for a moment"),
        pytest.param(True, StoreError("away"), RETRY, id="one is known"),
        pytest.param(True, LookupError("of the app"), RETRY, id="code of the app"),
    ],
)
def test_ends_that_can_not_be_read_are_read_again_soon_where_there_may_be_one(
    simple: Any, monkeypatch: pytest.MonkeyPatch, until: bool, error: Exception, pause: float
) -> None:
    def fail(promptly: bool) -> Any:
        raise error

    simple.update_db({"SIZE": 30}, until=soon() if until else None)
    pauses = list[float]()
    monkeypatch.setattr(simple.ends, "_read_in", pauses.append)
    simple.configstore.read_ends = fail
    simple.update_conf()
    assert pauses == [pause]


def test_an_end_that_others_get_in_the_way_of_is_tried_again_in_a_second(
    simple: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    simple.update_db({"SIZE": 30}, until=soon())
    pauses = list[float]()
    monkeypatch.setattr(simple.ends, "_read_in", pauses.append)
    monkeypatch.setattr(simple.ends._open_ends, "go_back", never)
    assert forward(simple) and pauses == [RETRY]


def test_the_code_of_the_page_runs(simple: Any, capsys: pytest.CaptureFixture[str]) -> None:
    with simple.app.app_context():
        block("docs/ends.md", "from datetime import").run()
    assert "{'SITENAME': None}" in capsys.readouterr().out
    assert outcomes(simple) == [("SITENAME", "kept", "ana")]


# Models and tables without the columns


def test_a_model_without_the_columns_refuses_an_end_and_nothing_else(tmp_path: Path) -> None:
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{tmp_path}/test.db"
    app.config["WAFFLE_CONFS"] = CONFS
    db = app.waffle_db = SQLAlchemy(app)  # type: ignore[attr-defined]

    class Change(db.Model, WaffleChangeMixin):  # type: ignore[name-defined, misc]
        id = db.Column(db.Integer, primary_key=True)
        at = db.Column(db.DateTime)
        change_set, key, actor, source = (db.Column(name, db.String(255)) for name in NAMES)
        old, new, note = (db.Column(name, db.Text) for name in ("old", "new", "note"))

    WaffleConf(app, AlchemyWaffleStore(db, AlchemyWaffleStore.make_models(db)[0], history=Change))
    with app.app_context():
        db.create_all()
    state: Any = state_of(app)
    with pytest.raises(InvalidValue, match="ends_at, ended_at, outcome and remark"):
        state.update_db({"SIZE": 30}, until=soon())
    saved = state.update_db({"SIZE": 30})
    with statements(app) as seen:
        assert state.update_conf()
    assert kinds(seen) == ["SELECT"]
    assert state.history.undo(saved.change_set) == {"SIZE": 20}
    assert state.history.prune(0) == 2
    with app.app_context():
        db.engine.dispose()


def test_a_context_in_which_the_history_may_be_made_logs_nothing(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    make_app(CONFS)
    state: Any = state_of(app := make_app(CONFS, create=False, history=True))
    with app.app_context():
        assert "carried out" not in caplog.text
    state.update_conf()
    assert "could not be carried out: A table" in caplog.text


def test_a_table_without_the_columns_keeps_no_settings_from_being_loaded(
    simple: Any, caplog: pytest.LogCaptureFixture
) -> None:
    simple.update_db({"SIZE": 30})
    with simple.app.app_context():
        session = simple.app.waffle_db.session
        session.execute(sa.text("DROP INDEX ix_conf_changes_ended_at_ends_at"))
        for column in ("ends_at", "ended_at", "outcome", "remark"):
            session.execute(sa.text(f"ALTER TABLE conf_changes DROP COLUMN {column}"))
        session.commit()
    simple.update_db({"SITENAME": "Sale"})
    assert simple.update_conf() and served(simple) == ("Sale", 30)
    assert "lacks a column of the model: run your migration" in caplog.text
    with simple.app.app_context():
        for statement in block("docs/ends.md", "ALTER TABLE").code.splitlines():
            session.execute(sa.text(statement))
        session.commit()
    simple.update_db({"SIZE": 40}, until=soon())
    assert forward(simple) and served(simple) == ("Sale", 30)
