"""Saves of the API that go back: until, the list of them, keep and go back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from pages import API_CONFS, change_can, state_of, stored

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]

API = "/admin/config/api"


def until(minutes: float = 10) -> str:
    return (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat()


def patch(client: Any, **sent: Any) -> Any:
    return client.patch(f"{API}/settings", json=sent)


@pytest.mark.parametrize("action", ["keep", "go-back"])
def test_a_change_with_an_end_is_listed_until_it_is_settled(
    client: Any, app: Flask, action: str
) -> None:
    end = until()
    saved = patch(client, settings={"PAGE_SIZE": 30}, until=end).json
    (listed,) = client.get(f"{API}/ends").json["ends"]
    (change,) = listed.pop("changes")
    assert listed == {
        "change_set": saved["change_set"],
        "ends_at": end,
        "actor": "ana",
        "refused": False,
        "why": "",
    }
    assert (change["key"], change["old"], change["new"]) == ("PAGE_SIZE", None, 30)
    answer = client.post(f"{API}/ends/{action}", json={"change_set": saved["change_set"]})
    assert answer.status_code == 200, answer.json
    assert answer.json.get("kept", answer.json.get("written")) == ["PAGE_SIZE"]
    assert client.get(f"{API}/ends").json == {"ends": []}
    assert stored(app)["PAGE_SIZE"] == (30 if action == "keep" else 20)
    change = client.get(f"{API}/history").json["changes"][-1]
    assert change["outcome"] == {"keep": "kept", "go-back": "back"}[action]
    again = client.post(f"{API}/ends/{action}", json={"change_set": saved["change_set"]})
    assert again.status_code == 404


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ({"until": "2026-11-28T09:30:00"}, '"until" must be a time with a time zone'),
        ({"until": 5}, '"until" must be'),
        ({"until": until(-1)}, "That time is past"),
    ],
)
def test_an_end_that_can_not_be_is_a_problem(client: Any, sent: Any, detail: str) -> None:
    answer = patch(client, settings={"PAGE_SIZE": 30}, **sent)
    assert answer.status_code == 422 and detail in answer.json["detail"]


def test_a_secret_can_not_have_an_end(client: Any) -> None:
    answer = client.patch(f"{API}/settings/TOKEN", json={"value": "s3cr3t", "until": until()})
    assert answer.status_code == 422 and "can’t go back" in answer.json["errors"]["TOKEN"]


def test_only_who_may_change_all_of_a_save_settles_it(client: Any, app: Flask) -> None:
    sent = {"settings": {"PAGE_SIZE": 30, "SITENAME": "Sale"}, "until": until()}
    body = {"change_set": patch(client, **sent).json["change_set"]}
    change_can(app, lambda action, s: action == "view" or s.key == "PAGE_SIZE")
    (end,) = client.get(f"{API}/ends").json["ends"]
    assert [change["key"] for change in end["changes"]] == ["PAGE_SIZE"]
    assert client.post(f"{API}/ends/keep", json=body).status_code == 403
    change_can(app, lambda action, s: s.key == "THEME")
    assert client.post(f"{API}/ends/keep", json=body).status_code == 404
    change_can(app, lambda action, s: action == "view")
    assert client.get(f"{API}/ends").status_code == 403
    assert len(state_of(app).ends.read()) == 1


def test_who_may_see_a_setting_reads_why_it_could_not_go_back(client: Any, app: Flask) -> None:
    patch(client, settings={"PAGE_SIZE": 40})
    patch(client, settings={"PAGE_SIZE": 50}, until=until())
    app.config["WAFFLE_CONFS"] = API_CONFS | {"PAGE_SIZE": {"default": 50, "min": 45}}
    state_of(app).configstore.clock = lambda: time.time() + 660
    state_of(app).refresh()
    (end,) = client.get(f"{API}/ends").json["ends"]
    assert end["refused"] and "PAGE_SIZE: " in end["why"] and "At least 45." in end["why"]


def test_a_refusal_says_nothing_of_settings_that_may_not_be_seen(make_app: MakeApp) -> None:
    limit = 0

    def rule(values: dict[str, Any]) -> dict[str, str]:
        return {"SITENAME": "Too long for Sale."} if values["PAGE_SIZE"] < limit else {}

    app = make_app(API_CONFS, history=True, validate=rule)
    app.register_blueprint(WaffleAdmin(can=lambda action, s: s.key == "PAGE_SIZE", api=True))
    client = app.test_client()
    patch(client, settings={"PAGE_SIZE": 30}, until=until())
    limit = 25
    state_of(app).configstore.clock = lambda: time.time() + 660
    state_of(app).refresh()
    (end,) = client.get(f"{API}/ends").json["ends"]
    assert end["refused"] and "not on this page" in end["why"]
    assert "SITENAME" not in end["why"] and "Sale" not in end["why"]
