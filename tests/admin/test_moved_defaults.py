"""Moved defaults on the pages: the mark, both of its buttons, and the history."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from pages import HISTORY, URL, MakeApp, sent, state_of, words

from waffleconf_admin import StoreError, WaffleAdmin

#: By key: the former and the new default.
MOVED: dict[str, tuple[Any, Any]] = {
    "SIZE": (100, 80),
    "NAME": ("Waffle", "Crêperie <b>"),
    "ABOUT": ("", "x"),
    "OPEN": (True, False),
    "THEME": ("light", "dark"),
    "DAYS": (["Mon"], ["Tue"]),
    "HOURS": ({"mon": [9, 18]}, {}),
    "TIMEOUT": (timedelta(minutes=5), timedelta(hours=1)),
}
ATTRIBUTES: dict[str, dict[str, Any]] = {
    "THEME": {"choices": ["light", "dark"]},
    "DAYS": {"choices": ["Mon", "Tue", "Wed"]},
    "FIXED": {"readonly": True},
    "TOKEN": {"secret": True},
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app whose second release was just deployed."""
    pairs = MOVED | {"FIXED": (1, 2), "TOKEN": ("hunter2", "hunter3"), "STAYS": (1, 1)}
    pairs["SAVED"] = (1, 2)
    for release in (0, 1):
        confs = {
            key: {"default": pair[release], **ATTRIBUTES.get(key, {})}
            for key, pair in pairs.items()
        }
        app = make_app(confs, history=True, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
        state = state_of(app)
        assert state.deployments
        state.deployments.note(f"v{release}", "ops")
        state.update_db({"SAVED": 7})
    app.register_blueprint(
        WaffleAdmin(
            can=lambda action, setting: action != "edit" or app.config.get("MAY_EDIT", True),
            actor=lambda: "ana",
            api=True,
        )
    )
    return app


def marked(page: str) -> list[str]:
    """The keys that have the button which keeps the former default."""
    return re.findall(r'value="keep (\w+)"', page)


def test_a_moved_default_is_marked_where_it_matters(app: Flask) -> None:
    state_of(app).update_db({"SIZE": 5})
    page = app.test_client().get(URL).text
    assert marked(page) == [key for key in MOVED if key != "SIZE"]
    assert ">Keep “Waffle”<" in page
    assert "Default was 5 min, is 1 h" in html.unescape(page)
    assert "is “Crêperie &lt;b&gt;”" in page
    assert 'Default was <span class="wf-empty">empty</span>, is “x”' in page
    assert "hunter" not in page


def test_who_may_not_edit_sees_no_mark(app: Flask) -> None:
    app.config["MAY_EDIT"] = False
    assert marked(app.test_client().get(URL).text) == []


@pytest.mark.parametrize("key", MOVED)
def test_keep_is_pending_and_saved_as_any_change(app: Flask, key: str) -> None:
    client, state = app.test_client(), state_of(app)
    typed = sent(client.get(URL).text) | {"STAYS": "7"}
    answer = client.post(URL, data=typed | {"waffle.do": f"keep {key}"})
    assert answer.status_code == 200 and state.read()[key].text is None
    assert key not in marked(answer.text) and f'value="discard {key}"' in answer.text
    assert client.post(URL, data=sent(answer.text)).status_code == 303
    assert state.read()[key].value == MOVED[key][0] and state.read()["STAYS"].value == 7
    assert state.history
    change = state.history.latest([key])[key]
    assert (change.source, change.actor, change.old_text) == ("page", "ana", None)


def test_ok_takes_the_mark_away_and_keeps_what_was_typed(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    typed = sent(client.get(URL).text) | {"STAYS": "7"}
    answer = client.post(URL, data=typed | {"waffle.do": "accept SIZE"})
    assert answer.status_code == 200 and 'value="7"' in answer.text
    assert ": the new default is accepted." in answer.text
    assert marked(answer.text) == [key for key in MOVED if key != "SIZE"]
    assert state.read()["SIZE"].text is None and state.history
    assert [(c.actor, c.old, c.new) for c in state.history.list("SIZE", limit=1)] == [
        ("ana", 80, 80)
    ]


def test_if_the_database_fails_ok_keeps_the_mark_and_what_was_typed(
    app: Flask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any) -> Any:
        raise StoreError("away")

    client = app.test_client()
    typed = sent(client.get(URL).text) | {"STAYS": "7"}
    monkeypatch.setattr(state_of(app).configstore, "note_history", fail)
    answer = client.post(URL, data=typed | {"waffle.do": "accept SIZE"})
    assert answer.status_code == 503 and 'value="7"' in answer.text
    assert "try again soon" in answer.text and "SIZE" in marked(answer.text)
    assert caplog.messages == ["the settings can't be saved"]


@pytest.mark.parametrize(
    ("change", "status"), [({"csrf_token": "x"}, 422), ({"csrf_token": None}, 422)]
)
def test_without_a_token_nothing_is_accepted(app: Flask, change: Any, status: int) -> None:
    client = app.test_client()
    typed = {k: v for k, v in (sent(client.get(URL).text) | change).items() if v is not None}
    answer = client.post(URL, data=typed | {"waffle.do": "accept SIZE"})
    assert answer.status_code == status and "SIZE" in marked(answer.text)


@pytest.mark.parametrize("button", ["keep", "accept"])
@pytest.mark.parametrize("key", ["STAYS", "SAVED", "FIXED", "TOKEN", "NOTHING"])
def test_the_buttons_do_nothing_to_other_settings(app: Flask, button: str, key: str) -> None:
    client, state = app.test_client(), state_of(app)
    assert state.history
    before = len(state.history.list())
    typed = sent(client.get(URL).text)
    answer = client.post(URL, data=typed | {"waffle.do": f"{button} {key}"})
    assert answer.status_code == 200 and "wf-pending" not in answer.text.split("<template")[0]
    assert "is accepted" not in answer.text
    assert len(state.history.list()) == before


def test_the_history_has_the_entries_and_no_undo_of_them(app: Flask) -> None:
    client = app.test_client()
    for address, shown in [
        (f"{HISTORY}?source=deploy", "100 (default) → 80 (default)"),
        (f"{HISTORY}?key=SIZE", "not noted → 100 (default)"),
    ]:
        page = client.get(address).text
        assert shown in words(page).replace("Before ", "").replace("After ", "")
        assert "Deployment" in page and "v1" in page
        assert "Undo this save" not in page and "Put the old value back" not in page


def test_the_api_has_the_entries_and_can_not_undo_them(app: Flask) -> None:
    client = app.test_client()
    (entry,) = client.get(f"{URL}/api/history?key=SIZE&limit=1").json["changes"]
    assert [entry[name] for name in ("source", "note", "old", "new")] == ["deploy", "v1", 100, 80]
    state = state_of(app)
    assert state.history
    assert all(state.history.obstacle(change) for change in state.history.of(entry["change_set"]))
