"""The plan of an import, and what others save meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from wtforms import ValidationError

from waffleconf_admin import ConflictError, InvalidValue, conf_changed
from waffleconf_admin.files import ALL, import_values, make_plan
from waffleconf_admin.files.plan import ATTEMPTS
from waffleconf_admin.state.task import Origin

DEPLOY = Origin("deploy", None, "import")
CONFS: dict[str, Any] = {"A": {"default": 1}, "B": {"default": 1}}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)


@pytest.fixture
def other(make_app: Callable[..., Flask], app: Flask) -> Any:
    """The state of another process."""
    return make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False).extensions["waffleconf"]


def before_each_save(state: Any, monkeypatch: pytest.MonkeyPatch, do: Callable[[], object]) -> None:
    """Let something happen between the plan and the save."""
    save = state._saver.save

    def overtaken(*args: object) -> object:
        do()
        return save(*args)

    monkeypatch.setattr(state._saver, "save", overtaken)


def test_who_saves_between_plan_and_save_is_not_overwritten(
    app: Flask, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = app.extensions["waffleconf"]
    values = iter([7])

    def person() -> None:
        for value in values:
            other.update_db({"A": value}, source="page", actor="ana")

    before_each_save(state, monkeypatch, person)
    plan = import_values(state, {"A": 2, "B": 2}, DEPLOY)
    assert [(step.key, step.action) for step in plan.steps] == [("A", "leave"), ("B", "set")]
    assert {key: record.value for key, record in state.read().items()} == {"A": 7, "B": 2}


def test_an_import_that_is_always_overtaken_changes_nothing(
    app: Flask, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, numbers = app.extensions["waffleconf"], iter(range(100, 200))
    before_each_save(state, monkeypatch, lambda: other.update_db({"A": next(numbers)}))
    with pytest.raises(ConflictError) as caught:
        import_values(state, {"A": 2, "B": 2}, DEPLOY)
    assert caught.value.keys == ("A",)
    assert next(numbers) == 100 + ATTEMPTS
    assert state.read()["B"].value == 1


def test_an_import_is_announced_as_any_save(app: Flask) -> None:
    received = []

    def receive(sender: Flask, **data: Any) -> None:
        received.append((data["changes"], data["origin"]))

    conf_changed.connect(receive, app)
    import_values(app.extensions["waffleconf"], {"A": 2, "B": 1}, DEPLOY)
    assert received == [({"A": (1, 2)}, "local")]


def test_a_plan_reads_and_writes_nothing_else(app: Flask) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"A": 5, "B": 6}, source="api", actor="ana")
    plan = make_plan(state, {"A": 2}, prune=True, take_over=ALL)
    assert [(step.key, step.action, step.old, step.new) for step in plan.steps] == [
        ("A", "set", 5, 2),
        ("B", "reset", 6, 1),
    ]
    assert not plan.drifted and all(step.drift for step in plan.steps)
    assert state.read()["A"].value == 5
    assert len(state.history.list()) == 2


def test_a_text_that_a_validator_cleans_is_imported_once(make_app: Callable[..., Flask]) -> None:
    def strip(_form: Any, field: Any) -> None:
        field.data = field.data.strip()

    confs = {key: {"default": "", "validators": [strip]} for key in ("A", "B")}
    state = make_app(confs, history=True).extensions["waffleconf"]
    state.update_db({"B": "b"}, source="page", actor="ana")
    actions = []
    for _ in range(2):
        plan = import_values(state, {"A": " a ", "B": " b "}, DEPLOY)
        actions.append([(step.key, step.action, step.new) for step in plan.steps])
    assert actions == [
        [("A", "set", "a"), ("B", "same", "b")],
        [("A", "same", "a"), ("B", "same", "b")],
    ]
    assert len(state.history.list(source="import")) == 1


def test_a_plan_counts_what_was_saved(make_app: Callable[..., Flask]) -> None:
    def decrease(_form: Any, field: Any) -> None:
        field.data = max(field.data - 1, 0)  # it never leaves a value alone

    confs = {key: {"default": 0, "validators": [decrease]} for key in ("A", "B")}
    state = make_app(confs, WAFFLE_STORE_DEFAULTS=True).extensions["waffleconf"]
    state.parse_conf()
    plan = import_values(state, {"A": 8, "B": 4}, DEPLOY)
    assert [(step.key, step.action) for step in plan.steps] == [("A", "set"), ("B", "same")]
    assert [step.new for step in plan.changes] == [4] == [state.parse_conf()["A"]]


def test_what_a_validator_refuses_is_refused_by_the_import(make_app: Callable[..., Flask]) -> None:
    def refuse(_form: Any, field: Any) -> None:
        field.data = ""
        raise ValidationError("never")

    state = make_app({"A": {"default": "", "validators": [refuse]}}).extensions["waffleconf"]
    with pytest.raises(InvalidValue, match="never"):
        import_values(state, {"A": "a"}, DEPLOY)
