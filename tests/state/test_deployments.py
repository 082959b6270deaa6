"""Deployments: which defaults the history notes, which have moved, and what ignores the entries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from states import MakeApp, state_of

from waffleconf_admin import ChangeEvent, InvalidValue, WaffleConf
from waffleconf_admin.files.plan import find_drift
from waffleconf_admin.state.as_of import read_as_of
from waffleconf_admin.state.deployments import Deployments
from waffleconf_admin.state.history import History
from waffleconf_admin.state.state import State

CONFS: dict[str, Any] = {
    "SIZE": {"default": 100},
    "SITENAME": {"default": "Waffle"},
    "TOKEN": {"default": "hunter2", "secret": True},
}
Release = Callable[..., State]


@pytest.fixture
def release(make_app: MakeApp, orm: str) -> Release:
    """Makes the app of a release, with other defaults or further settings."""

    def release(**defaults: Any) -> State:
        changed = {k: {**CONFS.get(k, {}), "default": value} for k, value in defaults.items()}
        config = {"history": True, "WAFFLE_STORE_DEFAULTS": False}
        return state_of(make_app(CONFS | changed, orm, **config))

    return release


def deployments(state: State) -> Deployments:
    assert state.deployments
    return state.deployments


def history(state: State) -> History:
    assert state.history
    return state.history


def entries(state: State) -> list[tuple[Any, ...]]:
    return [(c.key, c.old, c.new, c.note, c.actor) for c in history(state).list(source="deploy")]


def moved(state: State) -> dict[str, tuple[Any, Any]]:
    return {key: (e.old, e.new) for key, e in deployments(state).find_moved().items()}


def test_the_first_deployment_notes_all_defaults_but_those_of_secrets(release: Release) -> None:
    state = release()
    noted = deployments(state).note("v1", "ops")
    assert noted == ({}, ["SIZE", "SITENAME"], {})
    assert entries(state) == [
        ("SITENAME", None, "Waffle", "v1", "ops"),
        ("SIZE", None, 100, "v1", "ops"),
    ]
    assert moved(state) == {} and state.read()["SIZE"].text is None


def test_a_later_deployment_notes_what_has_moved_and_what_is_new(release: Release) -> None:
    deployments(release()).note("v1", None)
    state = release(SIZE=80, COLOR="red")
    assert deployments(state).note("v2", "ops") == ({"SIZE": (100, 80)}, ["COLOR"], {})
    assert entries(state)[:2] == [
        ("COLOR", None, "red", "v2", "ops"),
        ("SIZE", 100, 80, "v2", "ops"),
    ]
    assert moved(state) == {"SIZE": (100, 80)}
    assert deployments(state).note("v2", "ops") == ({}, [], {})
    assert len(entries(state)) == 4


def test_a_default_may_move_back(release: Release) -> None:
    for size in (100, 80, 100):
        deployments(release(SIZE=size)).note(None, None)
    assert moved(release()) == {"SIZE": (80, 100)}


def test_a_format_or_a_type_that_loses_nothing_is_no_move(make_app: MakeApp) -> None:
    for default, serializer in ((100, "pickle"), (100, "json")):
        confs = {"SIZE": {"default": default, "min": 1}}
        config = {"history": True, "WAFFLE_SERIALIZER": serializer}
        noted = deployments(state_of(make_app(confs, **config))).note(None, None)
        assert not noted.moved
    confs = {"SIZE": {"default": "100", "max": 5}}
    assert not deployments(state_of(make_app(confs, history=True))).note(None, None).moved


def test_a_default_that_no_text_can_hold_is_left_out(make_app: MakeApp) -> None:
    confs = {"SIZE": {"default": 1}, "ODD": {"default": object()}}
    noted = deployments(state_of(make_app(confs, history=True))).note(None, None)
    assert noted.added == ["SIZE"] and [*noted.left] == ["ODD"]


# Until when it is marked


@pytest.fixture
def moved_state(release: Release) -> State:
    deployments(release()).note("v1", None)
    state = release(SIZE=80)
    deployments(state).note("v2", None)
    assert moved(state)
    return state


def accept(state: State) -> None:
    deployments(state).accept("SIZE", "ana")


def keep(state: State) -> None:
    state.update_db({"SIZE": 100}, source="page")


def save_and_reset(state: State) -> None:
    state.update_db({"SIZE": 3})
    state.reset(["SIZE"])


@pytest.mark.parametrize("do", [accept, keep, save_and_reset])
def test_who_accepts_or_saves_it_has_decided(moved_state: State, do: Any) -> None:
    do(moved_state)
    assert moved(moved_state) == {}


def test_accepting_is_an_entry_and_changes_nothing(moved_state: State) -> None:
    deployments(moved_state).accept("SITENAME", "ana")  # it has not moved
    accept(moved_state), accept(moved_state)
    assert entries(moved_state)[0] == ("SIZE", 80, 80, "new default accepted", "ana")
    assert len(entries(moved_state)) == 4
    assert deployments(moved_state).note(None, None).moved == {}


def test_an_old_worker_marks_nothing(moved_state: State, release: Release) -> None:
    """For it the default is still the former one."""
    assert moved(release(SIZE=100)) == {}


def test_nothing_is_known_of_a_setting_that_became_a_secret(
    moved_state: State, make_app: MakeApp, orm: str
) -> None:
    secret = {"SIZE": {"default": 80, "secret": True}}
    assert moved(state_of(make_app(CONFS | secret, orm, history=True))) == {}


# What the entries are not: changes of values


def test_the_last_change_is_still_that_of_a_person(release: Release) -> None:
    state = release()
    saved = state.update_db({"SIZE": 5}, source="page", actor="ana")
    deployments(release(SIZE=80)).note(None, None)
    latest = history(state).latest(["SIZE", "SITENAME"])
    assert {key: change.actor for key, change in latest.items()} == {"SIZE": "ana"}
    drift = find_drift(state.settings["SIZE"], state.read()["SIZE"], latest["SIZE"])
    assert drift and drift.actor == "ana"
    assert history(state).undo(saved.change_set) == {"SIZE": 100}


def test_a_deployment_can_not_be_undone(moved_state: State) -> None:
    (entry,) = [c for c in history(moved_state).list("SIZE") if c.old == 100]
    with pytest.raises(InvalidValue, match="a deployment changes no value"):
        history(moved_state).undo(entry.change_set)
    assert history(moved_state).obstacle(entry, ask=False)


def test_the_past_knows_no_deployments(release: Release) -> None:
    state = release()
    state.update_db({"SIZE": 5})
    before = datetime.now(UTC)
    deployments(state).note("v1", None)
    deployments(release(SIZE=80)).note("v2", None)
    found = read_as_of(history(state), state.settings, state.read(), before)
    assert found.begins is None
    size, name = found.values["SIZE"], found.values["SITENAME"]
    assert (size.value, size.changed, name.value, name.changed) == (5, False, "Waffle", False)


def test_pruning_leaves_the_last_entry_of_each_setting(moved_state: State) -> None:
    moved_state.update_db({"SITENAME": "A"})
    assert history(moved_state).prune(0) == 2
    left = [("SIZE", 100, 80, "v2", ""), ("SITENAME", None, "Waffle", "v1", "")]
    assert entries(moved_state) == left
    assert history(moved_state).prune(0) == 0
    later = datetime.now(UTC) + timedelta(days=1)
    # The history does not claim to reach back to where only deployments are left.
    moved, settings = history(moved_state), moved_state.settings
    assert read_as_of(moved, settings, moved_state.read(), later).begins


@pytest.mark.parametrize(
    ("orm", "server"), [("sqlalchemy", "mariadb"), ("peewee", "mariadb"), ("peewee", "postgres")]
)
def test_other_databases_keep_the_entries_apart_too(
    make_app: MakeApp, server_url: Callable[[str], str], orm: str, server: str
) -> None:
    url, config = server_url(server), {"history": True, "WAFFLE_STORE_DEFAULTS": False}
    for size in (100, 80):
        app = make_app(CONFS | {"SIZE": {"default": size}}, orm, url, size == 100, **config)
        deployments(state_of(app)).note(None, None)
    state = state_of(app)
    assert moved(state) == {"SIZE": (100, 80)}
    state.update_db({"SITENAME": "A"})
    assert [*history(state).latest(["SIZE", "SITENAME"])] == ["SITENAME"]
    assert history(state).prune(0) == 2 and len(entries(state)) == 2


def test_an_event_names_who_has_saved_and_not_who_has_deployed(
    moved_state: State, release: Release
) -> None:
    other, events = release(SIZE=80), list[ChangeEvent]()
    other.update_conf()
    assert isinstance(other.extension, WaffleConf)
    other.extension.on_change("SIZE")(events.append)
    moved_state.update_db({"SIZE": 5}, actor="ana")
    deployments(release(SIZE=70)).note(None, "ops")
    other.update_conf()
    assert [(event.actor, event.source) for event in events] == [("ana", "code")]


def test_no_save_can_pass_for_a_deployment(moved_state: State) -> None:
    with pytest.raises(ValueError, match="source='deploy' is that of flask waffle deployed"):
        moved_state.update_db({"SIZE": 1}, source="deploy")


def test_without_a_history_nothing_is_noted(make_app: MakeApp) -> None:
    app: Flask = make_app(CONFS)
    assert state_of(app).deployments is None
