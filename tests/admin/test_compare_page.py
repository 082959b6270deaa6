"""The comparison of two times on the page, and the way back to the first of them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from pages import HISTORY_CONFS, MakeApp, change_can, sent, state_of, stored, words
from states import overtake

from waffleconf_admin import InvalidValue, StoreError, WaffleAdmin

URL = "/admin/config/history/compare"
CONFS = HISTORY_CONFS | {
    "TAX": {"desc": "Tax", "default": 21, "confirm": "All prices change."},
    "TEXT": {"desc": "About us", "default": "", "multiline": True},
}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True, actor=lambda: "ana"))
    return app


@pytest.fixture
def times(app: Flask) -> list[datetime]:
    """Two times, with saves before, between and after them."""
    state, found = state_of(app), []
    state.update_db({"SITENAME": "First", "TEXT": "one\ntwo", "TOKEN": "s3cr3t"})
    found.append(datetime.now(UTC))
    state.update_db({"SITENAME": "Second", "TEXT": "one\n2", "TAX": 9, "TOKEN": "n3w"})
    found.append(datetime.now(UTC))
    state.update_db({"SIZE": 50, "REGION": "us"})
    state.update_db({"TAX": 10})
    return found


def address(since: datetime, until: datetime | None = None) -> str:
    end = f"&until={quote(until.isoformat())}" if until else ""
    return f"{URL}?since={quote(since.isoformat())}{end}"


def boxes(page: str) -> dict[str, str]:
    """What each box sends that is ticked, by key."""
    values = re.findall(r'name="waffle.take" value="([^"]*)" checked', page)
    return {value.partition(" ")[2]: value for value in values}


def post(client: Any, url: str, page: str, take: Any, **changes: str) -> Any:
    return client.post(url, data=sent(page, **changes) | {"waffle.take": list(take)})


def test_what_differs_from_now_is_listed(app: Flask, times: list[datetime]) -> None:
    page = app.test_client().get(address(times[0]))
    text = words(page.text)
    assert page.status_code == 200 and "s3cr3t" not in page.text and "n3w" not in page.text
    assert "Site name Before First → After Second" in text
    assert "Tax Before 21 (default) → After 10" in text
    assert "Region Before eu (default) → After us" in text
    assert "Removed: two Added: 2" in text
    assert "Upload token" in text.partition("of secrets no value is kept")[2]
    assert "A default is the one that the code has now" in text
    assert "history begins" not in text
    assert boxes(page.text).keys() == {"SITENAME", "TEXT", "TAX", "SIZE"}  # REGION is read-only


def test_a_short_label_leaves_room_for_the_control_and_a_line_says_what_blank_means(
    app: Flask,
) -> None:
    page = app.test_client().get(URL).text
    assert "<span>To</span>" in page and 'aria-describedby="wf-blank-now"' in page
    assert '<span id="wf-blank-now">A blank “To” means now.' in page


def test_two_times_are_compared_with_each_other(app: Flask, times: list[datetime]) -> None:
    client = app.test_client()
    text = words(client.get(address(*times)).text)
    assert "Tax Before 21 (default) → After 9" in text and "Region" not in text
    state_of(app).update_db({"SITENAME": "First"})
    page = client.get(address(*times)).text
    assert "First → After Second has the first value now" in words(page)
    assert "SITENAME" not in boxes(page)
    same = words(client.get(address(times[1], times[1])).text)
    assert "No setting differs between these times." in same


def test_a_restore_is_reviewed_and_is_one_save_that_can_be_undone(
    app: Flask, times: list[datetime]
) -> None:
    client, url = app.test_client(), address(times[0])
    page = client.get(url).text
    take = [boxes(page)[key] for key in ("SITENAME", "TAX")]
    review = post(client, url, page, take)
    assert review.status_code == 200 and stored(app)["TAX"] == 10
    text = words(review.text)
    assert "Now Second New First" in text and "Now 10 New 21" in text
    assert "All prices change." in text and "About us" not in text
    back = post(client, url, review.text, take, **{"waffle.do": "edit"})
    assert boxes(back.text).keys() == {"SITENAME", "TAX"}
    do = {"waffle.do": "confirm", "waffle.note": "as on Monday"}
    done = post(client, url, review.text, take, **do)
    assert (done.status_code, done.location) == (303, "/admin/config")
    now = stored(app)
    assert (now["SITENAME"], now["TAX"], now["TEXT"], now["SIZE"]) == ("First", 21, "one\n2", 50)
    assert state_of(app).read(["TAX"])["TAX"].text is None  # there was no row
    saves = state_of(app).history.list(limit=2)
    assert len({change.change_set for change in saves}) == 1
    assert {(c.actor, c.source, c.note) for c in saves} == {("ana", "restore", "as on Monday")}
    settings = client.get("/admin/config").text
    assert "Site name: “Second” → “First”" in settings and saves[0].change_set in settings
    again = post(client, url, review.text, take, **do)  # a second click
    assert again.status_code == 303 and "Site name saved." in client.get("/admin/config").text
    assert len(state_of(app).history.list(source="restore")) == 2


def test_what_was_saved_since_the_review_is_not_overwritten(
    app: Flask, times: list[datetime]
) -> None:
    client, url = app.test_client(), address(times[0])
    page = client.get(url).text
    state_of(app).update_db({"SITENAME": "Third"})
    for action in ("", "confirm"):
        found = post(client, url, page, boxes(page).values(), **{"waffle.do": action})
        assert found.status_code == 409
        assert "Site name was saved by somebody else meanwhile" in words(found.text)
        assert boxes(found.text).keys() == {"TEXT", "TAX", "SIZE"}
    assert stored(app)["SITENAME"] == "Third" and stored(app)["TAX"] == 10


def test_who_saves_at_the_same_moment_is_not_overwritten(app: Flask, times: list[datetime]) -> None:
    client, url = app.test_client(), address(times[0])
    page = client.get(url).text
    overtake(app, "TAX", 15)
    take = [boxes(page)["TAX"]]
    assert post(client, url, page, take, **{"waffle.do": "confirm"}).status_code == 409
    assert stored(app)["TAX"] == 15


def test_what_is_no_longer_allowed_is_named_and_nothing_is_saved(
    app: Flask, times: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    state, client, url = state_of(app), app.test_client(), address(times[0])
    page = client.get(url).text
    error = InvalidValue({"SITENAME": "Not on a Monday.", "OTHER": "of others"})
    monkeypatch.setattr(state._saver, "check", lambda *args: (_ for _ in ()).throw(error))
    for action in ("", "confirm"):
        found = post(client, url, page, boxes(page).values(), **{"waffle.do": action})
        assert found.status_code == 422 and "SITENAME: Not on a Monday." in words(found.text)
        assert "of others" not in found.text and boxes(found.text).keys() == boxes(page).keys()
    assert stored(app)["SITENAME"] == "Second"


def test_only_what_one_may_see_is_compared_and_what_one_may_change_restored(
    app: Flask, times: list[datetime]
) -> None:
    client, url = app.test_client(), address(times[0])
    page = client.get(url).text

    def can(action: str, setting: Any) -> bool:
        return setting.key in {"SITENAME", "TAX"} and (action != "edit" or setting.key == "TAX")

    change_can(app, can)
    mine = client.get(url).text
    assert boxes(mine).keys() == {"TAX"} and "Site name" in mine
    assert not any(label in mine for label in ("About us", "Page size", "Upload token"))
    forged = post(client, url, mine, boxes(page).values(), **{"waffle.do": "confirm"})
    assert forged.status_code == 303
    now = stored(app)
    assert (now["TAX"], now["SITENAME"], now["TEXT"]) == (21, "Second", "one\n2")
    change_can(app, lambda action, setting: action != "edit")
    assert "Review what is ticked" not in client.get(url).text
    assert post(client, url, page, boxes(page).values()).status_code == 403
    change_can(app, lambda action, setting: action != "history")
    assert client.get(url).status_code == client.post(url).status_code == 403


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("", "What did the settings look like then?"),
        ("?since=", "What did the settings look like then?"),
        ("?since=yesterday", "Enter a date and a time."),
        ("?since=0001-01-01T00:00", "Enter a date and a time."),
        ("?until=2026-01-01T00:00", "Enter a date and a time."),
        ("?since=2026-01-01&until=x", "Enter a date and a time."),
        ("?since=9998-12-31T23:59", "That time has not come yet."),
        ("?since=2026-01-02&until=2026-01-01", "The first time is after the second one."),
    ],
)
def test_times_that_can_not_be_compared_are_explained(app: Flask, query: str, message: str) -> None:
    page = app.test_client().get(URL + query)
    assert page.status_code == 200 and message in words(page.text)


def test_a_time_before_the_history_begins_says_so(app: Flask, times: list[datetime]) -> None:
    text = words(app.test_client().get(f"{URL}?since=2020-01-01T00:00").text)
    assert "The history begins at" in text and "not known" in text


@pytest.mark.parametrize("action", ["", "confirm"])
def test_the_token_is_checked_and_the_ticks_are_kept(
    app: Flask, times: list[datetime], action: str
) -> None:
    client, url = app.test_client(), address(times[0])
    page = client.get(url).text
    take, data = [boxes(page)["TAX"]], {"csrf_token": "old", "waffle.do": action}
    old = post(client, url, page, take, **data)
    assert old.status_code == 422 and boxes(old.text).keys() == {"TAX"}
    form = sent(page, **data) | {"waffle.take": take}
    foreign = client.post(url, data=form, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 400 and len(boxes(foreign.text)) == 4
    fetched = client.post(url, data=form, headers={"X-Waffle-Fetch": "1"})
    assert fetched.status_code == 409 and "X-Waffle-Token" in fetched.headers
    assert stored(app)["TAX"] == 10
    none = post(client, url, old.text, [])
    assert none.status_code == 422 and "Nothing is ticked" in none.text


def test_without_the_database_the_page_says_so(
    app: Flask, times: list[datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any) -> Any:
        raise StoreError("away")

    monkeypatch.setattr(state_of(app).configstore, "read_history", away)
    assert app.test_client().get(address(times[0])).status_code == 503


def test_if_a_save_fails_what_was_ticked_and_the_reason_are_kept(
    app: Flask,
    times: list[datetime],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any) -> Any:
        raise StoreError("away")

    client, url = app.test_client(), address(times[0])
    page = client.get(url).text
    do = {"waffle.do": "confirm", "waffle.note": "as on Monday"}
    with monkeypatch.context() as patch:
        patch.setattr(state_of(app), "save", fail)
        failed = post(client, url, page, [boxes(page)["TAX"]], **do)
    assert failed.status_code == 503 and "try again soon" in failed.text
    assert caplog.messages == ["the settings can't be saved"]
    assert boxes(failed.text).keys() == {"TAX"}
    assert sent(failed.text)["waffle.note"] == "as on Monday"
