"""The settings as they were at a time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from waffleconf_admin.state import as_of
from waffleconf_admin.state.as_of import AsOf, PastValue, read_as_of

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "SIZE": {"default": 20},
    "TOKEN": {"default": "", "secret": True},
}


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def state(make_app: MakeApp, orm: str) -> Any:
    app = make_app(CONFS, orm=orm, history=True, WAFFLE_STORE_DEFAULTS=False)
    return app.extensions["waffleconf"]


def read(state: Any, at: datetime) -> AsOf:
    return read_as_of(state.history, state.settings, state.read(), at)


def values_at(state: Any, at: datetime) -> dict[str, PastValue]:
    return read(state, at).values


@pytest.mark.parametrize("batch", [1, 1000])
def test_each_time_has_its_values(state: Any, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_of, "BATCH", batch)
    times, values = [], ["A", "B", "B", "C"]
    for value in values:
        state.update_db({"SITENAME": value})
        times.append(now())
    state.reset("SITENAME")
    times.append(now())
    found = [values_at(state, at)["SITENAME"] for at in times]
    assert found == [
        PastValue("A", stored=True, changed=True),
        PastValue("B", stored=True, changed=True),
        PastValue("B", stored=True, changed=True),
        PastValue("C", stored=True, changed=True),
        PastValue("Waffle", stored=False, changed=False),
    ]


def test_a_change_of_that_very_instant_is_included(state: Any) -> None:
    state.update_db({"SITENAME": "A"})
    state.update_db({"SITENAME": "B"})
    last, first = state.history.list()
    assert values_at(state, last.at)["SITENAME"] == PastValue("B", stored=True, changed=False)
    assert values_at(state, first.at)["SITENAME"].value == "A"
    before = values_at(state, first.at - timedelta(microseconds=1))["SITENAME"]
    assert before == PastValue("Waffle", stored=False, changed=True)


def test_of_a_secret_only_that_it_was_changed_is_known(state: Any) -> None:
    state.update_db({"TOKEN": "hunter1"})
    at = now()
    assert values_at(state, at)["TOKEN"].unknown == ""
    state.update_db({"TOKEN": "hunter2"})
    past = values_at(state, at)["TOKEN"]
    assert past.changed and past.value is None and "secret" in past.unknown


def test_what_the_history_no_longer_has_is_said(state: Any) -> None:
    state.update_db({"SITENAME": "A"})
    at = now()
    state.update_db({"SITENAME": "B"})
    state.update_db({"SIZE": 30})
    assert read(state, at).begins is None
    early = read(state, at - timedelta(days=1))
    assert early.begins == state.history.list()[-1].at
    state.history.prune(0, limit=2)  # both changes of SITENAME
    late = read(state, at)
    (left,) = state.history.list()
    assert late.begins == left.at
    assert "history does not say" in late.values["SITENAME"].unknown
    state.history.prune(0)
    assert read(state, at).begins > at


def test_a_row_that_was_written_past_the_history_is_not_known(state: Any) -> None:
    state.update_db({"SITENAME": "A", "SIZE": 30})
    at = now()
    store = state.configstore
    with state.app.app_context():
        texts = dict(store.read(["SITENAME", "SIZE"]))
        assert store.swap({"SITENAME": (texts["SITENAME"], texts["SIZE"])})
    assert "history does not say" in values_at(state, at)["SITENAME"].unknown
    state.update_db({"SITENAME": "C"})  # the history has what was there before
    assert values_at(state, at)["SITENAME"].unknown == ""


def test_stored_defaults_are_known_without_a_history(make_app: MakeApp) -> None:
    state = make_app(CONFS, history=True).extensions["waffleconf"]
    state.parse_conf()
    assert not any(past.unknown or past.changed for past in values_at(state, now()).values())


def test_a_replica_that_lags_behind_hides_no_change(
    state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now()
    state.update_db({"SITENAME": "A"})
    monkeypatch.setattr(state.history, "list", lambda **query: [])
    assert values_at(state, at)["SITENAME"] == PastValue("Waffle", stored=False, changed=True)


def test_what_can_no_longer_be_read_is_not_known(state: Any) -> None:
    state.update_db({"SITENAME": 1 + 2j})
    at = now()
    state.update_db({"SITENAME": "A"})
    repository = state._repository
    (row,) = repository.history.read_latest(["SITENAME"])
    repository.rewrite({}, [row._replace(old="broken")])
    past = values_at(state, at)["SITENAME"]
    assert past.changed and past.unknown


def test_a_time_without_a_zone_is_refused(state: Any) -> None:
    with pytest.raises(ValueError, match="time zone"):
        read(state, datetime(2026, 1, 1))
