"""Settings with former names: which rows count, what a save writes, and who answers for them."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from flask import Flask, render_template_string
from pages import URL, sent, stored, typed
from states import MakeApp, away, kinds, state_of, statements

from waffleconf_admin import (
    ConflictError,
    InvalidValue,
    PeeweeWaffleStore,
    Settings,
    WaffleAdmin,
    anyone,
    build_form,
    conf,
    setting,
)
from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.state.state import State
from waffleconf_admin.state.task import RESET, Origin
from waffleconf_admin.store import HistoryQuery, HistoryRow
from waffleconf_admin.store.history_rows import DEPLOY
from waffleconf_admin.testing import override_conf

#: What three releases of an app declare.
FIRST: dict[str, Any] = {"HELP_MAIL": {"default": "a@example.org"}, "SIZE": {"default": 1}}
SECOND: dict[str, Any] = {
    "SUPPORT_MAIL": {"default": "a@example.org", "was": "HELP_MAIL"},
    "SIZE": {"default": 1},
}
THIRD: dict[str, Any] = {
    "SUPPORT_EMAIL": {"default": "a@example.org", "was": ["SUPPORT_MAIL", "HELP_MAIL"]},
    "SIZE": {"default": 1},
}
MAILS = ("SUPPORT_EMAIL", "SUPPORT_MAIL", "HELP_MAIL")
OPS = Origin("ops", None, "cli")

Release = Callable[..., State]


@pytest.fixture(params=[("sqlalchemy", False), ("peewee", True)], ids=["sqlalchemy", "history"])
def stored_by(request: pytest.FixtureRequest) -> tuple[str, bool]:
    """The ORM, and whether it keeps a history."""
    return request.param  # type: ignore[no-any-return]


ONLY_HISTORY = pytest.mark.parametrize("stored_by", [("peewee", True)], ids=[""])


@pytest.fixture
def release(make_app: MakeApp, stored_by: tuple[str, bool]) -> Release:
    """Makes the state of a release; all have one database."""
    orm, history = stored_by

    def make(confs: dict[str, Any], **config: Any) -> State:
        config = {"WAFFLE_STORE_DEFAULTS": False, "WAFFLE_SERIALIZER": "json", **config}
        state = state_of(make_app(confs, orm, history=history, **config))
        state.update_conf()
        return state

    return make


def rows(state: State) -> dict[str, Any]:
    return {key: deserialize(text) for key, text in state._repository.read_all().items()}


def put(state: State, **values: object) -> None:
    """Write rows past the extension."""
    with state.app.app_context():
        for key, value in values.items():
            state.configstore.put(key, serialize(value, format="json"))
        state.configstore.commit()


def served(*states: State) -> list[Any]:
    """The address that each of the releases serves, after a reload."""
    for state in states:
        state.update_conf()
    return [state.app.config[next(iter(state.settings))] for state in states]


# Reading


def test_the_row_of_any_name_is_the_row_of_the_setting(release: Release) -> None:
    state = release(THIRD)
    for name in reversed(MAILS):
        put(state, **{name: f"{name}@example.org"})
        assert served(state) == [f"{name}@example.org"]
        assert state.parse_conf(["SUPPORT_EMAIL"]) == {"SUPPORT_EMAIL": f"{name}@example.org"}
        assert state.read()["SUPPORT_EMAIL"].layer == "database"


def test_no_default_is_stored_over_the_row_of_a_former_name(release: Release) -> None:
    state = release(THIRD, WAFFLE_STORE_DEFAULTS=True)
    put(state, HELP_MAIL="b@example.org")
    assert state.parse_conf()["SUPPORT_EMAIL"] == "b@example.org"
    assert rows(state) == {"HELP_MAIL": "b@example.org", "SIZE": 1}


def test_where_rows_differ_from_the_start_the_newest_name_counts(
    release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    put(release({}), SUPPORT_EMAIL="new", SUPPORT_MAIL="old", HELP_MAIL="oldest")
    state = release(THIRD)
    for _ in range(2):
        assert served(state) == ["new"]
    (line,) = [r.getMessage() for r in caplog.records if "different values" in r.getMessage()]
    assert line.endswith("that of SUPPORT_EMAIL counts.") and "SUPPORT_MAIL" in line
    assert rows(state)["SUPPORT_MAIL"] == "old"


# Saving


def test_the_first_save_writes_all_names_and_a_reset_deletes_all(release: Release) -> None:
    state = release(THIRD)
    state.update_db({"SUPPORT_EMAIL": "b@example.org"})
    assert rows(state) == dict.fromkeys(MAILS, "b@example.org")
    assert served(release(FIRST), release(SECOND)) == ["b@example.org"] * 2
    state.reset("SUPPORT_EMAIL")
    assert rows(state) == {}


def test_both_rows_are_written_or_none(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    state = release(SECOND)
    swaps: list[Any] = []
    swap = state.configstore.swap
    state.update_db({"SIZE": 7})  # the first of a process asks what the columns are like
    monkeypatch.setattr(state.configstore, "swap", lambda *a: swaps.append(a[0]) or swap(*a))
    with statements(state.app) as seen:
        state.update_db({"SUPPORT_MAIL": "b@example.org"})
    (written,) = swaps
    assert [*written] == ["SUPPORT_MAIL", "HELP_MAIL"]
    assert kinds(seen).count("SELECT") == 2


def test_a_setting_without_former_names_costs_a_save_no_more(release: Release) -> None:
    state = release(SECOND)
    state.update_db({"SIZE": 6})  # the first of a process asks what the columns are like
    with statements(state.app) as seen:
        state.update_db({"SIZE": 7})
    assert kinds(seen).count("SELECT") == 0
    assert rows(state) == {"SIZE": 7}


def test_a_value_that_an_older_release_has_saved_is_expected(release: Release) -> None:
    old, new = release(FIRST), release(THIRD)
    old.update_db({"HELP_MAIL": "b@example.org"})
    with pytest.raises(ConflictError):
        new.update_db({"SUPPORT_EMAIL": "x"}, expected={"SUPPORT_EMAIL": "a@example.org"})
    new.update_db({"SUPPORT_EMAIL": "c@example.org"}, expected={"SUPPORT_EMAIL": "b@example.org"})
    assert served(old, new) == ["c@example.org"] * 2


@pytest.mark.parametrize("step", ["_repository", "configstore"])  # before it reads the rows, after
def test_a_save_is_decided_anew_if_an_old_worker_was_faster(release: Release, step: str) -> None:
    old, new = release(FIRST), release(SECOND)
    old.update_db({"HELP_MAIL": "b@example.org"})
    store = cast("Any", getattr(new, step))
    swap = store.swap

    def overtaken(*arguments: Any) -> bool:
        store.swap = swap
        old.update_db({"HELP_MAIL": "c@example.org"})
        return bool(swap(*arguments))

    store.swap = overtaken
    with pytest.raises(ConflictError):
        new.update_db({"SUPPORT_MAIL": "x"}, expected={"SUPPORT_MAIL": "b@example.org"})
    assert rows(new) == {"HELP_MAIL": "c@example.org"}


def test_a_row_of_an_old_name_that_comes_back_meanwhile_is_written_too(release: Release) -> None:
    old, new = release(FIRST), release(SECOND)
    new.update_db({"SUPPORT_MAIL": "b@example.org"})
    old.update_db({"HELP_MAIL": RESET})
    store = cast("Any", new.configstore)
    swap = store.swap

    def overtaken(*arguments: Any) -> bool:
        del store.swap
        old.update_db({"HELP_MAIL": "c@example.org"})
        return bool(swap(*arguments))

    store.swap = overtaken
    new.update_db({"SUPPORT_MAIL": "d@example.org"})
    assert rows(new) == dict.fromkeys(["SUPPORT_MAIL", "HELP_MAIL"], "d@example.org")


def test_a_save_of_another_setting_leaves_the_rows_as_they_are(release: Release) -> None:
    state = release(THIRD)
    put(state, HELP_MAIL="b@example.org")
    state.update_db({"SIZE": 2}, expected={"SUPPORT_EMAIL": "b@example.org"})
    assert rows(state) == {"HELP_MAIL": "b@example.org", "SIZE": 2}


# Old workers beside new ones


@pytest.mark.parametrize("oldest", [FIRST, SECOND], ids=["first", "second"])
def test_releases_follow_each_other(release: Release, oldest: dict[str, Any]) -> None:
    states = old, new = release(oldest), release(THIRD)
    (old_key, *_), (new_key, *_) = oldest, THIRD
    old.update_db({old_key: "by old"})
    assert served(*states) == ["by old"] * 2
    for number in range(2):
        new.update_db({new_key: f"by new {number}"})
        assert served(*states) == [f"by new {number}"] * 2
        old.update_db({old_key: f"by old {number}"})
        assert served(*states) == [f"by old {number}"] * 2
        assert rows(new)[new_key] == f"by old {number}"  # who starts now has it too
    assert served(release(THIRD)) == ["by old 1"]


def test_a_new_worker_that_starts_later_asks_the_history(
    release: Release, stored_by: tuple[str, bool], caplog: pytest.LogCaptureFixture
) -> None:
    old, history = release(FIRST), stored_by[1]
    release(SECOND).update_db({"SUPPORT_MAIL": "by new"})
    old.update_db({"HELP_MAIL": "by old"})
    expected = "by old" if history else "by new"
    assert served(release(SECOND)) == [expected]
    assert ("different values" in caplog.text) is not history


@ONLY_HISTORY
def test_the_history_tells_of_a_secret_too_which_row_counts(release: Release) -> None:
    secret = {"default": "", "secret": True}
    old = release({"HELP_TOKEN": secret})
    new = {"SUPPORT_TOKEN": {**secret, "was": "HELP_TOKEN"}}
    release(new).update_db({"SUPPORT_TOKEN": "by new"})
    old.update_db({"HELP_TOKEN": "by old"})
    assert served(release(new)) == ["by old"]


@ONLY_HISTORY
def test_a_default_that_a_deployment_has_noted_is_no_change(release: Release) -> None:
    old, new = release(FIRST), release(SECOND)
    new.update_db({"SUPPORT_MAIL": "by new"})
    old.update_db({"HELP_MAIL": "by old"})
    text = serialize("by new", format="json")
    noted = HistoryRow("1", "SUPPORT_MAIL", None, text, "", datetime.now(UTC), "", DEPLOY)
    new.configstore.note_history([noted])
    assert served(release(SECOND)) == ["by old"]


@ONLY_HISTORY
def test_the_history_is_asked_where_saves_are_written(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, asked = PeeweeWaffleStore.read_history, list[HistoryQuery]()

    def note(store: PeeweeWaffleStore, query: HistoryQuery) -> list[HistoryRow]:
        asked.append(query)
        return read(store, query)

    put(release(SECOND), SUPPORT_MAIL="b@example.org", HELP_MAIL="c@example.org")
    monkeypatch.setattr(PeeweeWaffleStore, "read_history", note)
    release(SECOND)
    assert {query.fresh for query in asked} == {True}


@ONLY_HISTORY
def test_a_history_that_can_not_be_read_hinders_no_load(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(release(SECOND), SUPPORT_MAIL="b@example.org", HELP_MAIL="c@example.org")
    monkeypatch.setattr(PeeweeWaffleStore, "read_history", away)
    assert served(release(SECOND)) == ["b@example.org"]


@pytest.mark.parametrize("stored_by", [("sqlalchemy", False)], ids=[""])
def test_what_rows_had_in_common_is_that_of_the_names_of_today(
    release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    state = release(SECOND)
    state.update_db({"SUPPORT_MAIL": "b@example.org"})
    put(state, OLDEST_MAIL="c@example.org")
    names = {"default": "a@example.org", "was": ["HELP_MAIL", "OLDEST_MAIL"]}
    state.app.config["WAFFLE_CONFS"] = {"SUPPORT_MAIL": names}
    assert served(state) == ["b@example.org"]
    assert "different values" in caplog.text


@pytest.mark.parametrize("stored_by", [("sqlalchemy", False)], ids=[""])
def test_a_new_row_that_somebody_has_written_by_hand_counts_without_a_word(
    release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    state = release(SECOND)
    state.update_db({"SUPPORT_MAIL": "b@example.org"})
    put(state, SUPPORT_MAIL="c@example.org")
    assert served(state) == ["c@example.org"] and "different values" not in caplog.text


def test_a_row_that_an_old_worker_adds_after_the_end_of_its_name_does_not_count(
    release: Release,
) -> None:
    state = release(SECOND)
    state.update_db({"SUPPORT_MAIL": "b@example.org"})
    state.undeclared.delete(["HELP_MAIL"], OPS)
    release(FIRST, WAFFLE_STORE_DEFAULTS=True).parse_conf()
    assert served(state, release(SECOND)) == ["b@example.org"] * 2


@ONLY_HISTORY
def test_what_an_older_release_writes_without_a_history_counts(release: Release) -> None:
    state = release(THIRD)
    state.update_db({"SUPPORT_EMAIL": "b@example.org"})
    put(state, HELP_MAIL="c@example.org")
    assert served(state) == ["c@example.org"]


@ONLY_HISTORY
@pytest.mark.parametrize(
    ("resets", "counting"),
    [(["HELP_MAIL"], "a@example.org"), (["HELP_MAIL", "SUPPORT_MAIL"], "b@example.org")],
    ids=["first", "both"],
)
def test_what_older_releases_have_reset_tells_which_row_counts(
    release: Release, resets: list[str], counting: str
) -> None:
    """The second release gives its row what the first one saved. A default is stored there later,
    if it has reset that too, with the same text.
    """
    first, second, third = release(FIRST), release(SECOND), release(THIRD)
    third.update_db({"SUPPORT_EMAIL": "b@example.org"})
    first.update_db({"HELP_MAIL": "a@example.org"})
    assert served(second) == ["a@example.org"]
    for state, key in zip([first, second], resets, strict=False):
        state.reset([key])
    release(SECOND, WAFFLE_STORE_DEFAULTS=True).parse_conf()
    assert rows(third) == {"SUPPORT_EMAIL": "b@example.org", "SUPPORT_MAIL": "a@example.org"} | (
        {"SIZE": 1} | ({} if len(resets) == 1 else {"HELP_MAIL": "a@example.org"})
    )
    assert served(release(THIRD)) == [counting]


@ONLY_HISTORY
def test_a_text_that_a_row_has_by_itself_is_no_later_change(
    release: Release,
) -> None:
    """The first release saves what the third one had saved, resets it, and nobody has followed."""
    first, second, third = release(FIRST), release(SECOND), release(THIRD)
    third.update_db({"SUPPORT_EMAIL": "b@example.org"})
    second.update_db({"SUPPORT_MAIL": "c@example.org"})
    first.update_db({"HELP_MAIL": "b@example.org"})
    first.reset(["HELP_MAIL"])
    assert served(release(THIRD)) == ["c@example.org"]


@ONLY_HISTORY
def test_a_row_between_two_that_are_alike_gets_their_value(release: Release) -> None:
    first, second, third = release(FIRST), release(SECOND), release(THIRD)
    third.update_db({"SUPPORT_EMAIL": "b@example.org"})
    second.update_db({"SUPPORT_MAIL": "c@example.org"})
    first.update_db({"HELP_MAIL": "b@example.org"})
    assert served(release(THIRD)) == ["b@example.org"]
    assert rows(third) == dict.fromkeys(MAILS, "b@example.org")


def test_a_value_that_comes_back_is_the_last_one_too(release: Release) -> None:
    states = first, second, third = release(FIRST), release(SECOND), release(THIRD)
    third.update_db({"SUPPORT_EMAIL": "b@example.org"})
    second.update_db({"SUPPORT_MAIL": "c@example.org"})
    first.update_db({"HELP_MAIL": "b@example.org"})
    for _ in range(2):
        assert served(*reversed(states)) == ["b@example.org"] * 3
    assert rows(third) == dict.fromkeys(MAILS, "b@example.org")


def test_rows_of_the_same_value_in_two_formats_are_made_alike(release: Release) -> None:
    """They are compared as texts: as long as these differ, each load would ask the history."""
    old, new = release(FIRST), release(SECOND, WAFFLE_SERIALIZER="pickle")
    new.update_db({"SUPPORT_MAIL": "b@example.org"})
    for mail in ("c@example.org", "b@example.org"):
        old.update_db({"HELP_MAIL": mail})
    assert served(new) == ["b@example.org"]
    assert set(new._repository.read_all().values()) == {'"b@example.org"'}


def test_a_stored_default_is_no_change_though_the_history_has_one_of_its_name(
    release: Release,
) -> None:
    release(FIRST).update_db({"HELP_MAIL": "b@example.org"})
    state = release(SECOND)
    state.undeclared.delete(["HELP_MAIL"], OPS)
    release(FIRST, WAFFLE_STORE_DEFAULTS=True).parse_conf()
    assert served(release(SECOND), state) == ["b@example.org"] * 2


@ONLY_HISTORY
def test_what_an_old_worker_has_saved_hinders_no_new_declarations(release: Release) -> None:
    old, state = release(FIRST), release(SECOND)
    state.update_db({"SUPPORT_MAIL": "by new"})
    old.update_db({"HELP_MAIL": "by old"})
    assert state.parse_conf()["SUPPORT_MAIL"] == "by old"
    state.app.config["WAFFLE_CONFS"] = FIRST
    assert state.update_conf() and state.app.config["HELP_MAIL"] == "by old"


def test_a_database_that_can_be_read_only_hinders_no_load(
    release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = release(FIRST), release(SECOND)
    new.update_db({"SUPPORT_MAIL": "by new"})
    old.update_db({"HELP_MAIL": "by old"})
    with monkeypatch.context() as patch:
        patch.setattr(new.configstore, "swap", away)
        assert served(new) == ["by old"]
    assert served(new) == ["by old"] and rows(new)["SUPPORT_MAIL"] == "by old"


# The end of a former name


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "not saved"])
def test_a_pruned_name_is_written_no_more_and_its_value_stays(
    release: Release, saved: bool
) -> None:
    state = release(THIRD)
    put(state, HELP_MAIL="b@example.org")
    if saved:
        state.update_db({"SUPPORT_EMAIL": "b@example.org", "SIZE": 2})
    assert state.undeclared.delete(["HELP_MAIL", "SUPPORT_MAIL"], OPS)[0] == "HELP_MAIL"
    assert served(state, release(THIRD)) == ["b@example.org"] * 2
    state.update_db({"SUPPORT_EMAIL": "c@example.org"})
    assert rows(state).keys() - {"SIZE"} == {"SUPPORT_EMAIL"}
    assert served(release(THIRD)) == ["c@example.org"]


def test_the_command_lists_former_names_apart_and_retired_ones_as_such(
    release: Release,
) -> None:
    state = release(SECOND, WAFFLE_RETIRED=["BANNER"])
    put(state, HELP_MAIL="b@example.org", BANNER="", OTHER="")

    def run(*arguments: str) -> Any:
        return state.app.test_cli_runner().invoke(args=["waffle", *arguments])

    listed = run("prune")
    assert listed.stdout == "BANNER\nOTHER\n"
    assert "HELP_MAIL is a former name of SUPPORT_MAIL" in listed.stderr
    checked = run("check").stdout
    assert "BANNER  it is retired; to delete it" in checked and "OTHER   to delete it" in checked
    assert "HELP_MAIL" not in checked
    assert run("prune", "HELP_MAIL", "BANNER").exit_code == 0
    assert rows(state) == {"OTHER": "", "SUPPORT_MAIL": "b@example.org"}


# The history


@ONLY_HISTORY
def test_the_history_of_a_setting_goes_on_and_its_changes_can_be_undone(release: Release) -> None:
    old, new = release(FIRST), release(THIRD)
    save = old.update_db({"HELP_MAIL": "b@example.org"}, actor="ana")
    old.update_db({"HELP_MAIL": "c@example.org"}, actor="ben")
    new.update_db({"SUPPORT_EMAIL": "d@example.org"}, actor="cem")
    assert new.history
    for key in ("SUPPORT_EMAIL", "HELP_MAIL", ["SUPPORT_MAIL"], None):
        found = new.history.list(key)
        assert [(c.key, c.new) for c in found] == [
            ("SUPPORT_EMAIL", f"{name}@example.org") for name in "dcb"
        ]
    assert new.history.latest(["SUPPORT_EMAIL"])["SUPPORT_EMAIL"].actor == "cem"
    assert new.history.actors(["SUPPORT_EMAIL"]) == ["ana", "ben", "cem"]
    seen = new.history.list()[0].id
    new.history.undo(save.change_set or "", seen=seen)
    assert served(old, new) == ["a@example.org"] * 2
    new.history.undo(new.history.list()[0].change_set)
    assert served(old, new) == ["d@example.org"] * 2


@ONLY_HISTORY
def test_a_format_conversion_writes_all_names_and_their_history(release: Release) -> None:
    put(old := release(FIRST, WAFFLE_SERIALIZER="pickle"))
    old.update_db({"HELP_MAIL": "b@example.org"})
    state = release(SECOND)
    done = state.format_conversion("json").run()
    assert not done.left and len(done.rows) == 1
    assert state._repository.read_all()["HELP_MAIL"] == '"b@example.org"'
    assert served(old, state) == ["b@example.org"] * 2
    assert not state.format_conversion("json").plan().swaps


# Who answers for a former name


def test_code_that_has_the_former_name_gets_the_value_with_one_line_in_the_log(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(SECOND, HELP_MAIL="of the app's own file")
    app.extensions["waffleconf"].update_db({"SUPPORT_MAIL": "b@example.org"})
    for _ in range(2):
        assert app.config["HELP_MAIL"] == app.config.get("HELP_MAIL") == "b@example.org"
        with app.test_request_context():
            assert conf.HELP_MAIL == conf["HELP_MAIL"] == "b@example.org"
            assert render_template_string("{{ config.HELP_MAIL }}") == "b@example.org"
    assert "HELP_MAIL" in app.config and "HELP_MAIL" not in dict(app.config)
    (line,) = [r.getMessage() for r in caplog.records if "is called" in r.getMessage()]
    assert line.startswith("HELP_MAIL is called SUPPORT_MAIL now;") and __file__ in line


def test_other_keys_are_as_they_were(make_app: MakeApp) -> None:
    app, other = make_app(SECOND), make_app(FIRST)
    assert app.config.get("NOTHING") is None and app.config.get("NOTHING", 7) == 7
    assert "NOTHING" not in app.config
    with pytest.raises(KeyError, match="NOTHING"):
        app.config["NOTHING"]
    with app.app_context(), pytest.raises(AttributeError, match="NOTHING is not declared"):
        _ = conf.NOTHING
    assert isinstance(app.config, Flask.config_class)
    assert type(other.config) is Flask.config_class


def test_a_copy_of_the_configuration_is_of_its_class(make_app: MakeApp) -> None:
    app = make_app(SECOND)
    copied = copy.copy(app.config)
    assert type(copied) is Flask.config_class and copied.root_path == app.config.root_path
    assert copied == dict(app.config) and copied.from_mapping(HELP_MAIL="x")
    assert "HELP_MAIL" in copied and "HELP_MAIL" not in dict(app.config)


def test_what_is_saved_under_a_former_name_is_saved(
    release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    state = release(SECOND)
    assert state.update_db({"HELP_MAIL": "b@example.org"}) == {"SUPPORT_MAIL": "b@example.org"}
    assert "the former name was saved in" in caplog.text
    state.update_db({"SUPPORT_MAIL": "c@example.org", "HELP_MAIL": "x"})
    with pytest.raises(ConflictError):
        state.update_db({"HELP_MAIL": "x"}, expected={"HELP_MAIL": "b@example.org"})
    assert served(state) == ["c@example.org"]


def renamed_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The lines of the log about the use of a former name."""
    return [r.getMessage() for r in caplog.records if "is called" in r.getMessage()]


def test_a_save_may_name_a_former_name_in_what_it_expects(release: Release) -> None:
    state = release(SECOND)
    state.update_db({"HELP_MAIL": "b@example.org"}, expected={"HELP_MAIL": "a@example.org"})
    state.update_db({"HELP_MAIL": "c@example.org"}, expected={"HELP_MAIL": "b@example.org"})
    assert served(state) == ["c@example.org"]
    assert state.reset("HELP_MAIL", expected={"HELP_MAIL": "c@example.org"})


def test_what_is_asked_for_by_a_former_name_is_returned_under_it(
    release: Release, caplog: pytest.LogCaptureFixture
) -> None:
    state = release(SECOND)
    for keys in (["HELP_MAIL"], "HELP_MAIL"):
        assert state.parse_conf(keys) == {"HELP_MAIL": "a@example.org"}
        assert state.read(keys)["HELP_MAIL"].value == "a@example.org"
    assert state.parse_conf(["HELP_MAIL", "SIZE", "SUPPORT_MAIL"]).keys() == {
        "HELP_MAIL",
        "SIZE",
        "SUPPORT_MAIL",
    }
    assert len(renamed_lines(caplog)) == 1


def test_the_dict_of_all_values_answers_for_a_former_name(release: Release) -> None:
    values = release(SECOND).parse_conf()
    assert values["HELP_MAIL"] == values.get("HELP_MAIL") == "a@example.org"
    assert "HELP_MAIL" in values and values.get("NOTHING") is None and "NOTHING" not in values
    assert values == {"SUPPORT_MAIL": "a@example.org", "SIZE": 1}
    assert type(pickle.loads(pickle.dumps(values))) is dict  # a cache may store it
    assert type(release(FIRST).parse_conf()) is dict


def test_rules_across_settings_may_read_and_name_a_former_name(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    def validate(values: dict[str, Any]) -> dict[str, str]:
        assert "HELP_MAIL" not in [*values]
        return {"HELP_MAIL": "Write no x."} if "x" in values["HELP_MAIL"].split("@")[0] else {}

    state = state_of(make_app(SECOND, validate=validate))
    state.update_db({"SIZE": 2})
    with pytest.raises(InvalidValue) as refused:
        state.update_db({"SUPPORT_MAIL": "x@example.org"})
    assert refused.value.errors == {"SUPPORT_MAIL": "Write no x."}
    (line,) = renamed_lines(caplog)
    assert __file__ in line


def test_a_handler_of_a_former_name_is_called(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[Any] = []
    app = make_app(SECOND)
    state = state_of(app)
    waffle: Any = state.extension

    @waffle.on_change("HELP_MAIL")  # type: ignore[untyped-decorator]
    def reload_mailer(event: Any) -> None:
        seen.append(event.changes)

    state.update_db({"SIZE": 2})
    state.update_db({"SUPPORT_MAIL": "b@example.org"})
    assert seen == [{"SUPPORT_MAIL": ("a@example.org", "b@example.org")}]
    (line,) = renamed_lines(caplog)
    assert "reload_mailer" in line
    with pytest.raises(InvalidValue, match="there is no setting HELP_MAI:"):
        waffle.on_change("HELP_MAI")(reload_mailer)


def test_a_form_and_an_override_take_a_former_name(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(SECOND)
    with app.test_request_context():
        form = build_form(state_of(app), keys="HELP_MAIL")
        assert [field.setting.key for field in form] == ["SUPPORT_MAIL"]
        assert form["HELP_MAIL"] is form["SUPPORT_MAIL"] and "HELP_MAIL" in form
        assert render_template_string("{{ form.HELP_MAIL.data }}", form=form) == "a@example.org"
        with pytest.raises(KeyError):
            form["HELP_MAI"]
    with override_conf(app=app, HELP_MAIL="b@example.org"):
        assert app.config["SUPPORT_MAIL"] == "b@example.org"
    assert app.config["SUPPORT_MAIL"] == "a@example.org"
    (line,) = renamed_lines(caplog)
    assert __file__ in line


def test_what_an_app_assigns_under_a_former_name_is_dropped_with_a_warning(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(SECOND)
    app.config["HELP_MAIL"] = "zzz"
    for _ in range(2):
        state_of(app).update_conf()
        assert app.config["HELP_MAIL"] == "a@example.org"
    (line,) = [r.getMessage() for r in caplog.records if "is dropped" in r.getMessage()]
    assert "HELP_MAIL is dropped: it is a former name of SUPPORT_MAIL" in line


def test_a_class_of_settings_says_what_a_former_name_is_called_now(make_app: MakeApp) -> None:
    class Shop(Settings):
        SUPPORT_MAIL: str = setting("a@example.org", was="HELP_MAIL")

        @property
        def broken(self) -> str:
            raise AttributeError("its own error")

    with make_app(Shop).app_context():
        for name, message in {
            "HELP_MAIL": r"HELP_MAIL is called SUPPORT_MAIL now: write Shop\.now\(\)\.SUPPORT_MAIL",
            "HELP": "no attribute 'HELP'",
            "broken": "its own error",
        }.items():
            with pytest.raises(AttributeError, match=message):
                getattr(Shop.now(), name)


# Pages of another release


MAIL, TOKEN, COUNT = "a@example.org", "s3cr3t", 3
OLD_PAGE: dict[str, Any] = {
    "HELP_MAIL": {"default": MAIL},
    "HELP_TOKEN": {"default": TOKEN, "secret": True},
    "HELP_COUNT": {"default": COUNT, "confirm": True},
}
NEW_PAGE: dict[str, Any] = {
    key.replace("HELP", "SUPPORT"): {**entry, "was": key} for key, entry in OLD_PAGE.items()
}


@pytest.fixture
def page(make_app: MakeApp) -> Flask:
    """An app with a page, as an older release."""
    app = make_app(OLD_PAGE, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    return app


@pytest.mark.parametrize("key", [*OLD_PAGE])
def test_a_page_of_an_older_release_can_be_sent(page: Flask, key: str) -> None:
    client, typed_text = page.test_client(), "71"
    form = typed(client, **{key: typed_text})
    page.config["WAFFLE_CONFS"] = NEW_PAGE
    answer = client.post(URL, data=form)
    if key == "HELP_COUNT":  # it is reviewed first
        assert answer.status_code == 200
        form = sent(answer.text, **{"waffle.do": "confirm"})
        answer = client.post(URL, data=form)
    assert answer.status_code == 303
    assert {k: str(v) for k, v in stored(page).items()} == {
        "SUPPORT_MAIL": MAIL,
        "SUPPORT_TOKEN": TOKEN,
        "SUPPORT_COUNT": str(COUNT),
        key.replace("HELP", "SUPPORT"): typed_text,
    }


def test_what_the_page_of_an_older_release_asks_for_beside_values_is_done(page: Flask) -> None:
    client, state = page.test_client(), state_of(page)
    state.update_db({"HELP_MAIL": "b@example.org"})
    form = typed(client, **{"waffle.reset": "HELP_MAIL"})
    page.config["WAFFLE_CONFS"] = NEW_PAGE
    assert client.post(URL, data=form).status_code == 303
    assert stored(page)["SUPPORT_MAIL"] == MAIL and not state._repository.read_all()


def test_a_change_of_others_conflicts_with_a_page_of_an_older_release(page: Flask) -> None:
    client = page.test_client()
    form = typed(client, HELP_MAIL="mine@example.org", HELP_TOKEN="typed-secret")
    page.config["WAFFLE_CONFS"] = NEW_PAGE
    state_of(page).update_db({"SUPPORT_MAIL": "theirs@example.org"})
    answer = client.post(URL, data=form)
    assert answer.status_code == 422 and "typed-secret" not in answer.text
    assert "mine@example.org" in answer.text and "theirs@example.org" in answer.text
    again = sent(answer.text, **{"waffle.theirs.SUPPORT_MAIL": "mine", "SUPPORT_TOKEN": "x"})
    assert client.post(URL, data=again).status_code == 303
    assert stored(page)["SUPPORT_MAIL"] == "mine@example.org"


def test_the_present_name_counts_where_a_form_has_both(page: Flask) -> None:
    client = page.test_client()
    page.config["WAFFLE_CONFS"] = NEW_PAGE
    form = typed(client, SUPPORT_MAIL="mine@example.org")
    for both in ({"HELP_MAIL": "old@example.org", **form}, {**form, "HELP_MAIL": "o@example.org"}):
        assert client.post(URL, data=both).status_code == 303
        assert stored(page)["SUPPORT_MAIL"] == "mine@example.org"


def test_a_page_from_before_two_settings_became_one_can_be_sent(page: Flask) -> None:
    client = page.test_client()
    page.config["WAFFLE_CONFS"] = OLD_PAGE | {"SUPPORT_MAIL": {"default": "b@example.org"}}
    form = typed(client, SUPPORT_MAIL="mine@example.org")
    page.config["WAFFLE_CONFS"] = {"SUPPORT_MAIL": {"default": "b@example.org", "was": "HELP_MAIL"}}
    assert client.post(URL, data=form).status_code == 303
    assert stored(page)["SUPPORT_MAIL"] == "mine@example.org"


def test_a_secret_of_an_older_release_is_no_text_where_it_may_not_be_seen_now(page: Flask) -> None:
    client = page.test_client()
    form = typed(client, HELP_TOKEN="typed-secret")
    page.config.update(WAFFLE_CONFS=NEW_PAGE, WAFFLE_CAN=lambda action, s: not s.secret)
    answer = client.post(URL, data=form)
    assert answer.status_code == 422 and "not here any more" in answer.text
    assert "typed-secret" not in answer.text


def test_an_older_release_shows_what_was_typed_on_a_page_of_a_newer_one_but_no_secret(
    page: Flask,
) -> None:
    client = page.test_client()
    page.config["WAFFLE_CONFS"] = NEW_PAGE
    form = typed(client, SUPPORT_MAIL="<b>typed</b>", SUPPORT_TOKEN="typed-secret")
    page.config["WAFFLE_CONFS"] = OLD_PAGE
    answer = client.post(URL, data=form)
    assert answer.status_code == 422 and "typed-secret" not in answer.text
    assert "was not saved. SUPPORT_MAIL: &lt;b&gt;typed&lt;/b&gt;" in answer.text


def test_commands_and_files_take_a_former_name_and_say_so(make_app: MakeApp, tmp_path: Any) -> None:
    app = make_app(SECOND)
    path = tmp_path / "settings.json"
    path.write_text(json.dumps({"waffleconf": 1, "settings": {"HELP_MAIL": "c@example.org"}}))
    for command, value in {
        ("set", "HELP_MAIL", "b@example.org"): "b@example.org",
        ("get", "HELP_MAIL"): "b@example.org",
        ("explain", "HELP_MAIL"): "was HELP_MAIL",
        ("import", str(path), "--apply", "--take-over", "HELP_MAIL"): "c@example.org",
        ("reset", "HELP_MAIL"): "a@example.org",
    }.items():
        done = app.test_cli_runner().invoke(args=["waffle", *command])
        assert done.exit_code == 0 and value in done.stdout, done.output
        assert "HELP_MAIL is called SUPPORT_MAIL now." in done.stderr


def test_the_api_takes_a_former_name(make_app: MakeApp) -> None:
    app = make_app(SECOND)
    app.register_blueprint(WaffleAdmin(can=anyone, api=True))
    client, url = app.test_client(), "/admin/config/api/settings"
    body = {"settings": {"HELP_MAIL": "b@example.org"}}
    assert client.patch(url, json=body).json["written"] == ["SUPPORT_MAIL"]
    assert client.get(f"{url}/HELP_MAIL").json["key"] == "SUPPORT_MAIL"
    one = client.patch(f"{url}/HELP_MAIL", json={"value": "c@example.org"})
    assert one.json["settings"]["SUPPORT_MAIL"]["value"] == "c@example.org"
    assert client.patch(url, json={"reset": ["HELP_MAIL"]}).json["written"] == ["SUPPORT_MAIL"]
    assert client.get(f"{url}/NOTHING").status_code == 404


@pytest.mark.parametrize(
    ("variables", "value"),
    [
        ({"HELP_MAIL": "b@example.org"}, "b@example.org"),
        ({"HELP_MAIL": "b@example.org", "SUPPORT_MAIL": "c@example.org"}, "c@example.org"),
    ],
)
def test_a_variable_of_a_former_name_holds_the_setting_unless_there_is_a_new_one(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    variables: dict[str, str],
    value: str,
) -> None:
    for name, text in variables.items():
        monkeypatch.setenv(f"SHOP_{name}", text)
    app = make_app(SECOND, WAFFLE_ENV_PREFIX="SHOP_")
    assert app.config["SUPPORT_MAIL"] == value
    warned = "SHOP_HELP_MAIL is called SHOP_SUPPORT_MAIL now" in caplog.text
    assert warned is (len(variables) == 1)


# Mistakes


@pytest.mark.parametrize(
    ("confs", "retired", "message"),
    [
        ({"A": {"default": 1, "was": "X"}, "B": {"default": 1, "was": "X"}}, (), "B: was: X is a"),
        ({"A": {"default": 1, "was": "B"}, "B": {"default": 1}}, (), "A: was: B is declared"),
        ({"A": {"default": 1, "was": "A"}}, (), "A: was: A is declared"),
        ({"A": {"default": 1, "was": ["X", 7]}}, (), "A: was: write the former name"),
        ({"A": {"default": 1, "was": ""}}, (), "A: was: write the former name"),
        ({"A": {"default": 1}}, ["A"], "A: it is retired: .* take this one out of WAFFLE_RETIRED"),
        ({"A": {"default": 1, "was": "X"}}, ["X"], "A: was: X is retired"),
        (
            {"A": {"default": 1, "was": "X"}, "B": {"default": 1, "needs": "X"}},
            (),
            "B: needs: X is called A now: write A",
        ),
    ],
)
def test_a_name_that_is_taken_is_an_error_at_the_start(
    make_app: MakeApp, confs: dict[str, Any], retired: Any, message: str
) -> None:
    with pytest.raises(InvalidValue, match=message):
        make_app(confs, WAFFLE_RETIRED=retired)


def test_retired_keys_are_a_list_of_texts(make_app: MakeApp) -> None:
    with pytest.raises(ValueError, match="WAFFLE_RETIRED is 'OLD': write a list"):
        make_app({}, WAFFLE_RETIRED="OLD")


# Rows that nobody declares


def test_they_are_named_once_in_the_log_by_the_select_of_the_first_load(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    state = state_of(make_app({}, "peewee"))
    put(state, OTHER=1, GONE=2, HELP_MAIL="b@example.org", SIZE=1)
    app = make_app(SECOND, "peewee", WAFFLE_RETIRED=["GONE"])
    with statements(app) as seen:
        for _ in range(2):
            with app.app_context():
                assert app.config["SUPPORT_MAIL"] == "b@example.org"
    assert kinds(seen) == ["SELECT"]
    state_of(app).update_conf()
    lines = {r.levelname: r.getMessage() for r in caplog.records if "undeclared" in r.name}
    assert "these stored settings: OTHER. Another app or another release" in lines["WARNING"]
    assert "retired settings: GONE." in lines["INFO"]
    assert caplog.text.count("OTHER.") == caplog.text.count("GONE.") == 1


def test_of_many_such_rows_the_log_names_a_few(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    put(state_of(make_app({})), **{f"KEY_{number:02}": 1 for number in range(25)})
    make_app({"A": {"default": 1}}).extensions["waffleconf"].update_conf()
    assert "KEY_19 and 5 more" in caplog.text and "KEY_20" not in caplog.text


@ONLY_HISTORY
def test_an_end_under_a_former_name_goes_back(release: Release) -> None:
    old = release(FIRST)
    old.update_db({"HELP_MAIL": "kept@example.org"})
    old.update_db({"HELP_MAIL": "sale@example.org"}, until=datetime.now(UTC) + timedelta(minutes=1))
    new = release(SECOND)
    assert served(old, new) == ["sale@example.org"] * 2
    new.configstore.clock = lambda: time.time() + 120  # type: ignore[method-assign]
    assert served(new, old) == ["kept@example.org"] * 2
    assert new.ends.open == ()
