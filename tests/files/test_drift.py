"""Drift: which settings a file leaves alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from waffleconf_admin.files import make_plan
from waffleconf_admin.files.plan import UNKNOWN

CONFS: dict[str, Any] = {"A": {"default": 1}, "S": {"default": "", "secret": True}}


@pytest.fixture(params=["sqlalchemy", "peewee"])
def state(request: pytest.FixtureRequest, make_app: Callable[..., Flask]) -> Any:
    app = make_app(CONFS, orm=request.param, history=True, WAFFLE_STORE_DEFAULTS=False)
    return app.extensions["waffleconf"]


def action(state: Any, value: object, key: str = "A") -> str:
    (step,) = make_plan(state, {key: value}).steps
    assert (step.drift is not None) is (step.action == "leave")
    return step.action


def put(state: Any, key: str, value: object) -> None:
    """Write a row as something that keeps no history does."""
    repository = state._repository
    with state.app.app_context():
        store = state.configstore
        store.put(key, repository.codec.encode({key: value})[key][0])
        store.commit()


@pytest.mark.parametrize(
    ("source", "drifts"),
    [
        ("page", True),
        ("api", True),
        ("cli", True),
        ("code", False),
        ("import", False),
        ("script", False),
    ],
)
@pytest.mark.parametrize("actor", ["ana", None])
def test_the_source_of_the_last_change_decides(
    state: Any, source: str, actor: str | None, drifts: bool
) -> None:
    state.update_db({"A": 2}, source=source, actor=actor)
    assert action(state, 3) == ("leave" if drifts else "set")
    assert action(state, 2) == "same"


@pytest.mark.parametrize("actor", ["ana", None])
def test_a_change_that_goes_back_is_one_of_who_made_it(state: Any, actor: str | None) -> None:
    state.update_db({"A": 2}, source="page", actor="ana")
    state.update_db({"A": 3}, source="end", actor=actor)
    assert action(state, 4) == ("leave" if actor else "set")


def test_only_the_last_change_counts(state: Any) -> None:
    state.update_db({"A": 2}, source="page", actor="ana")
    state.update_db({"A": 3}, source="import")
    assert action(state, 4) == "set"
    state.update_db({"A": 5}, source="cli")
    assert action(state, 4) == "leave"


@pytest.mark.parametrize(("actor", "found"), [("ana", "leave"), (None, "set"), ("", "set")])
def test_an_undo_by_somebody_named_is_a_persons_change(
    state: Any, actor: str | None, found: str
) -> None:
    state.update_db({"A": 2}, source="import")
    saved = state.update_db({"A": 3}, source="page", actor="ana")
    state.history.undo(saved.change_set, actor=actor)
    assert action(state, 4) == found
    assert action(state, 2) == "same"


def test_a_persons_reset_is_a_change_too(state: Any) -> None:
    state.update_db({"A": 2}, source="import")
    state.reset(["A"], source="page", actor="ana")
    assert action(state, 2) == "leave"
    assert action(state, 1) == "same"


def test_the_plan_names_who_and_when(state: Any) -> None:
    state.update_db({"A": 2}, source="page", actor="ana")
    drift = make_plan(state, {"A": 3}).steps[0].drift
    assert drift == ("ana", state.history.list()[0].at, "page")


# Rows whose history is not known


def test_a_row_without_history_has_drifted(state: Any) -> None:
    put(state, "A", 2)
    assert make_plan(state, {"A": 3}).steps[0].drift == UNKNOWN
    assert action(state, 2) == "same"


def test_a_row_that_was_written_after_its_last_known_change_has_drifted(state: Any) -> None:
    state.update_db({"A": 2}, source="import")
    put(state, "A", 3)
    assert make_plan(state, {"A": 4}).steps[0].drift == UNKNOWN


def test_a_stored_default_without_history_has_not(state: Any) -> None:
    state.app.config["WAFFLE_STORE_DEFAULTS"] = True
    state.parse_conf()
    assert state.read()["A"].text is not None
    assert action(state, 2) == "set"


def test_without_a_row_nothing_has_drifted(state: Any) -> None:
    assert action(state, 2) == "set"


def test_a_row_that_only_changed_its_text_has_not_drifted(state: Any) -> None:
    state.update_db({"A": 2}, source="import")
    text = state.read()["A"].text
    with state.app.app_context():
        state.configstore.put("A", f"{text}\n")  # as a conversion to another format does
        state.configstore.commit()
    assert state.read()["A"].value == 2
    assert action(state, 3) == "set"


def test_pruned_history_leaves_a_drifted_row(state: Any) -> None:
    state.update_db({"A": 2}, source="import")
    assert action(state, 3) == "set"
    assert state.history.prune(0) == 1
    assert action(state, 3) == "leave"


def test_without_any_history_every_stored_value_has_drifted(
    make_app: Callable[..., Flask],
) -> None:
    state = make_app(CONFS, WAFFLE_STORE_DEFAULTS=False).extensions["waffleconf"]
    assert action(state, 2) == "set"
    state.update_db({"A": 2}, source="import")
    assert action(state, 3) == "leave"
    assert action(state, 2) == "same"


def test_of_secrets_the_history_says_who_and_no_value_is_compared(state: Any) -> None:
    state.update_db({"S": "x"}, source="import")
    assert action(state, "y", "S") == "set"
    state.update_db({"S": "x2"}, source="page", actor="ana")
    assert action(state, "y", "S") == "leave"
    assert action(state, "x2", "S") == "same"
