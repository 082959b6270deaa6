"""GET of the history, and undo."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pages import change_can, state_of, stored

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]
URL = "/admin/config/api/history"


def undo(client: Any, **sent: Any) -> Any:
    return client.post(f"{URL}/undo", json=sent)


def keys(client: Any, query: str = "") -> list[str]:
    return [change["key"] for change in client.get(f"{URL}?{query}").json["changes"]]


def test_changes_are_listed_the_last_one_first(client: Any, app: Flask) -> None:
    state = state_of(app)
    state.update_db({"TIMEOUT": timedelta(hours=2)}, actor="bo", note="why")
    state.update_db({"TOKEN": "x"}, source="cli")
    secret, change = client.get(URL).json["changes"]
    assert change.pop("at") < secret.pop("at") and change.pop("id") < secret.pop("id")
    assert len(change.pop("change_set")) == len(secret.pop("change_set")) == 32
    assert change == {
        "key": "TIMEOUT",
        "actor": "bo",
        "note": "why",
        "source": "code",
        "secret": False,
        "old": None,
        "old_is_default": True,
        "new": "2 h",
        "new_is_default": False,
    }
    assert secret == {"key": "TOKEN", "actor": "", "note": "", "source": "cli", "secret": True}


def test_a_long_history_has_several_pages(client: Any, app: Flask) -> None:
    for size in range(1, 6):
        state_of(app).update_db({"PAGE_SIZE": size, "SITENAME": str(size)}, actor="bo & co")
    url, found = f"{URL}?limit=3&key=PAGE_SIZE&actor=bo %26 co", []
    while url:
        page = client.get(url).json
        found.append([change["new"] for change in page["changes"]])
        url = page["next"]
    assert found == [[5, 4, 3], [2, 1]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["SITENAME", "PAGE_SIZE"]),
        ("key=SITENAME", ["SITENAME"]),
        ("key=SITENAME&key=PAGE_SIZE", ["SITENAME", "PAGE_SIZE"]),
        ("key=NOPE", []),
        ("key=%00", []),
        ("actor=bo", ["PAGE_SIZE"]),
        ("source=import", ["SITENAME"]),
        ("since=2020-01-01T00:00:00Z", ["SITENAME", "PAGE_SIZE"]),
        ("until=2020-01-01T00:00:00%2B02:00", []),
        ("before=1", []),
        ("limit=1", ["SITENAME"]),
        ("limit=1000", ["SITENAME", "PAGE_SIZE"]),
    ],
)
def test_the_history_is_filtered(client: Any, app: Flask, query: str, expected: list[str]) -> None:
    state_of(app).update_db({"PAGE_SIZE": 30}, actor="bo")
    state_of(app).update_db({"SITENAME": "New"}, actor="ana", source="import")
    assert keys(client, query) == expected


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=many",
        "limit=" + "9" * 5000,
        "limit=٣",
        "before=-1",
        f"before={2**63}",
        "since=yesterday",
        "since=2020-01-01T00:00:00",
        "since=2020-01-01T00:00:00+02:00",
        "until=0001-01-01T00:00:00%2B14:00",
        "until=9999-12-31T23:00:00-14:00",
    ],
)
def test_a_parameter_that_is_none_is_named(client: Any, query: str) -> None:
    answer = client.get(f"{URL}?{query}")
    assert answer.status_code == 422 and answer.json["detail"].startswith(query.split("=")[0])


def test_a_save_is_undone(client: Any, app: Flask) -> None:
    saved = state_of(app).update_db({"PAGE_SIZE": 30, "SITENAME": "New", "TOKEN": "x"})
    answer = undo(client, change_set=saved.change_set, keys=["PAGE_SIZE", "TOKEN"], note="oops")
    assert answer.status_code == 200
    assert answer.json["written"] == ["PAGE_SIZE"]
    assert answer.json["settings"]["PAGE_SIZE"]["value"] == stored(app)["PAGE_SIZE"] == 20
    assert list(answer.json["left_out"]) == ["TOKEN"] and stored(app)["SITENAME"] == "New"
    last = state_of(app).history.list()[0]
    assert (last.source, last.actor, last.note) == ("undo", "ana", "oops")
    assert last.change_set == answer.json["change_set"]


def test_a_save_that_another_has_followed_is_a_conflict(client: Any, app: Flask) -> None:
    state = state_of(app)
    saved = state.update_db({"PAGE_SIZE": 30})
    state.update_db({"PAGE_SIZE": 40})
    answer = undo(client, change_set=saved.change_set)
    assert answer.status_code == 409 and list(answer.json["errors"]) == ["PAGE_SIZE"]
    assert stored(app)["PAGE_SIZE"] == 40
    seen = client.get(URL).json["changes"][0]["id"]
    assert undo(client, change_set=saved.change_set, seen=seen).status_code == 200
    assert stored(app)["PAGE_SIZE"] == 20


def test_what_can_not_be_undone_says_why(client: Any, app: Flask) -> None:
    saved = state_of(app).update_db({"TOKEN": "x"})
    answer = undo(client, change_set=saved.change_set)
    assert answer.status_code == 422 and "secret" in answer.json["errors"]["TOKEN"]
    assert undo(client, change_set="0" * 32).status_code == 404
    nothing = undo(client, change_set=saved.change_set, keys=[])
    assert nothing.status_code == 422 and "list of one text or more" in nothing.json["detail"]
    answer = undo(client, change_set=saved.change_set, keys=["PAGE_SIZE"])
    assert answer.status_code == 422 and list(answer.json["errors"]) == ["PAGE_SIZE"]


def test_the_history_of_what_may_not_be_seen_is_not_there(client: Any, app: Flask) -> None:
    saved = state_of(app).update_db({"PAGE_SIZE": 30, "SITENAME": "New"})
    hidden = state_of(app).update_db({"SITENAME": "Newer"})
    change_can(app, lambda action, setting: (action, setting.key) != ("history", "SITENAME"))
    assert keys(client) == ["PAGE_SIZE"] and keys(client, "key=SITENAME") == []
    assert undo(client, change_set=hidden.change_set).status_code == 404
    answer = undo(client, change_set=saved.change_set)
    assert answer.json["written"] == ["PAGE_SIZE"] and answer.json["left_out"] == {}
    assert stored(app)["SITENAME"] == "Newer"


def test_nobody_undoes_what_they_may_not_edit(client: Any, app: Flask) -> None:
    saved = state_of(app).update_db({"PAGE_SIZE": 30, "SITENAME": "New"})
    change_can(app, lambda action, setting: action != "edit" or setting.key == "SITENAME")
    answer = undo(client, change_set=saved.change_set)
    assert answer.json["written"] == ["SITENAME"]
    assert answer.json["left_out"] == {"PAGE_SIZE": "You may not change it."}
    assert undo(client, change_set=saved.change_set, keys=["PAGE_SIZE"]).status_code == 403
    change_can(app, lambda action, setting: action == "view")
    assert client.get(URL).status_code == undo(client, change_set="x").status_code == 403


def test_without_a_history_there_is_none(make_app: MakeApp) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}})
    app.register_blueprint(WaffleAdmin(api=True))
    client = app.test_client()
    assert client.get(URL).status_code == undo(client, change_set="x").status_code == 404
    assert client.get("/admin/config/api/settings").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "history?kye=SITENAME"),
        ("HEAD", "history?kye=SITENAME"),
        ("GET", "settings?kye=1"),
        ("GET", "settings/SITENAME?kye=1"),
        ("PATCH", "settings?note=x&kye=1"),
        ("DELETE", "settings/SITENAME?note=x&kye=1"),
        ("POST", "history/undo?kye=1"),
        ("GET", "openapi.json?kye=1"),
    ],
)
def test_a_parameter_that_there_is_not_is_named(client: Any, method: str, path: str) -> None:
    url = f"{URL.removesuffix('history')}{path}"
    answer = client.open(url, method=method, json=None if method in ("GET", "HEAD") else {})
    assert answer.status_code == 400
    assert method == "HEAD" or "There is no parameter '" in answer.json["detail"]
