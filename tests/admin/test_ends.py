"""Saves of the page that go back: the choice beside Save, what the page says, and its buttons."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask_babel import Babel
from pages import (
    HISTORY,
    HISTORY_CONFS,
    URL,
    MakeApp,
    change_can,
    row,
    sent,
    state_of,
    stored,
    undo,
)

from waffleconf_admin import WaffleAdmin


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app with a history and CSRF protection; ana saves on its page."""
    app = make_app(HISTORY_CONFS, history=True, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    return app


def save(client: Any, **typed: str) -> Any:
    return client.post(URL, data=sent(client.get(URL).text, **typed))


def press(client: Any, action: str, change_set: str) -> Any:
    form = sent(client.get(URL).text)
    token = {name: form[name] for name in form if "token" in name}
    return client.post(URL, data=token | {"waffle.do": f"{action} {change_set}"})


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


CHOSEN = {"waffle.until": "at", "waffle.until_at": "2030-12-25T22:45", "waffle.note": "Fair"}


def chosen(page: str) -> dict[str, str]:
    """The end and the reason that a page has for the next save."""
    return {name: text for name, text in sent(page).items() if name in CHOSEN and text}


@pytest.mark.parametrize(
    ("typed", "left"),
    [({}, {}), ({"SITENAME": "Mine"}, CHOSEN), ({"TOKEN": "x"}, CHOSEN)],
)
def test_the_end_and_the_reason_go_with_the_last_change(
    client: Any, typed: dict[str, str], left: dict[str, str]
) -> None:
    page = save(client, SIZE="30", **typed, **CHOSEN, **{"waffle.do": "discard SIZE"}).text
    assert sent(page)["SIZE"] == "20" and chosen(page) == left


def test_the_end_and_the_reason_come_back_with_what_was_discarded(client: Any) -> None:
    page = save(client, SIZE="30", **CHOSEN, **{"waffle.do": "discard"}).text
    assert chosen(page) == {}
    form = page.partition('wf-messages"')[2].partition("</form>")[0]
    assert chosen(client.post(URL, data=sent(form) | {"waffle.do": "edit"}).text) == CHOSEN


def test_a_save_for_ten_minutes_is_shown_and_can_be_kept(client: Any, app: Flask) -> None:
    assert save(client, SIZE="30", **{"waffle.until": "10"}).status_code == 303
    (end,) = state_of(app).ends.open
    assert timedelta(minutes=9) < end.at - datetime.now(UTC) <= timedelta(minutes=10)
    when = r"in 10 minutes \([^)]*\d\d:\d\d UTC\)\."
    page = client.get(URL).text  # one message says all of it
    assert re.search(rf"Page size: 20 → 30 [^→]*Goes back {when} Keep Go back now", text_of(page))
    assert text_of(page).count("oes back ") == 2  # in its row, too
    assert f'name="undo" value="{end.change_set}"' not in page
    page = text_of(client.get(URL).text)
    assert re.search(rf"Page size: 30, goes back to 20 {when} Keep Go back now", page)
    history = client.get(HISTORY).text
    assert re.search(r"goes back: [^K]*Keep Go back now", text_of(history))
    assert press(client, "keep-save", end.change_set).status_code == 303
    page = client.get(URL).text
    assert "Page size is kept." in page and "Goes back " not in page
    assert re.search(r"until [^;]*; kept by ana: \d\d:\d\d", text_of(client.get(HISTORY).text))
    assert stored(app)["SIZE"] == 30


def test_a_save_can_go_back_now(client: Any, app: Flask) -> None:
    save(client, SIZE="30", **{"waffle.until": "60"})
    (end,) = state_of(app).ends.open
    assert press(client, "go-back", end.change_set).status_code == 303
    assert "Page size has its old value again." in client.get(URL).text
    assert stored(app)["SIZE"] == 20
    assert re.search(r"went back: \d\d:\d\d", text_of(client.get(HISTORY).text))
    answer = press(client, "go-back", end.change_set)
    assert answer.status_code == 409 and "no end any more" in answer.text


@pytest.mark.parametrize(
    ("action", "size", "message"),
    [("keep-save", 30, "is kept."), ("go-back", 20, "has its old value again.")],
)
def test_the_buttons_of_an_end_keep_what_is_typed(
    client: Any, app: Flask, action: str, size: int, message: str
) -> None:
    save(client, SIZE="30", **{"waffle.until": "60"})
    (end,) = state_of(app).ends.open
    button = {"waffle.do": f"{action} {end.change_set}"}
    answer = save(client, SITENAME="Sale", **{"waffle.note": "soon"}, **button)
    assert answer.status_code == 200 and message in answer.text
    form = sent(answer.text)
    assert (form["SITENAME"], form["SIZE"], form["waffle.note"]) == ("Sale", str(size), "soon")
    assert "Not saved yet" in row(answer.text, "SITENAME")
    assert "Not saved yet" not in row(answer.text, "SIZE")
    assert stored(app)["SIZE"] == size and stored(app)["SITENAME"] != "Sale"
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)["SITENAME"] == "Sale" and stored(app)["SIZE"] == size


def heading(page: str) -> str:
    """The heading of what is wrong."""
    return text_of(page.partition("wf-summary")[2].partition("</h2>")[0]).partition(">")[2].strip()


@pytest.mark.parametrize(
    ("action", "message"),
    [("keep-save", "Page size is kept."), ("go-back", "Page size has its old value again.")],
)
def test_what_is_done_is_not_contradicted_by_what_is_typed(
    client: Any, app: Flask, action: str, message: str
) -> None:
    save(client, SIZE="30", **{"waffle.until": "60"})
    (end,) = state_of(app).ends.open
    answer = save(client, TOKEN="s3cr3t", **{"waffle.do": f"{action} {end.change_set}"})
    assert message in answer.text and "s3cr3t" not in answer.text
    assert heading(answer.text) == "Not saved yet"
    assert "Nothing was" not in answer.text
    # It stands above this page only.
    answer = save(client, TOKEN="s3cr3t", SIZE="many")
    assert heading(answer.text) == "Nothing was saved yet" and message not in answer.text


def test_the_buttons_of_an_end_show_what_is_wrong_with_what_is_typed(
    client: Any, app: Flask
) -> None:
    save(client, SIZE="30", **{"waffle.until": "60"})
    (end,) = state_of(app).ends.open
    button = {"waffle.do": f"go-back {end.change_set}"}
    answer = save(client, SIZE="31", TOKEN="s3cr3t", **button)
    assert answer.status_code == 422 and stored(app)["SIZE"] == 20
    assert "Page size has its old value again." in answer.text
    assert heading(answer.text) == "Not saved yet" and "s3cr3t" not in answer.text
    assert "wf-versus" in row(answer.text, "SIZE")  # 20 now, 31 typed: nobody has decided
    answer = save(client, SITENAME="Sale", **button)
    assert answer.status_code == 409 and "no end any more" in answer.text
    assert sent(answer.text)["SITENAME"] == "Sale" and "Nothing was changed" in answer.text


def test_enter_saves_though_the_buttons_of_an_end_are_in_its_form(client: Any, app: Flask) -> None:
    save(client, SIZE="30", **{"waffle.until": "60"})
    message, _tag, form = client.get(URL).text.partition('<form id="wf-form"')
    assert "wf-enter" in re.findall(r"<button[^>]*>", form)[0]
    buttons = re.findall(r'<button[^>]* form="wf-form"[^>]*>', message)
    assert "wf-enter" in buttons[0] and "keep-save " in buttons[1] and len(buttons) == 3
    buttons = re.findall(r"<button[^>]*>", client.get(URL).text.partition("data-waffle")[2])
    assert "wf-enter" in buttons[0] and "keep-save " in buttons[1]


def test_a_date_and_time_are_of_the_readers_time_zone(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS, history=True, BABEL_DEFAULT_TIMEZONE="America/New_York")
    Babel(app)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    day = (datetime.now(UTC) + timedelta(days=30)).replace(tzinfo=None)
    typed = day.strftime("%Y-%m-%dT23:59")
    save(client, SIZE="30", **{"waffle.until": "at", "waffle.until_at": typed})
    (end,) = state_of(app).ends.open
    assert end.at.strftime("%H:%M") in ("03:59", "04:59")
    page = client.get(URL).text
    assert day.strftime("%B %-d, %Y, 23:59 America/New_York).") in page


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"waffle.until": "at", "waffle.until_at": ""}, "Choose a date and time"),
        ({"waffle.until": "at", "waffle.until_at": "x"}, "Choose a date and time"),
        ({"waffle.until": "7"}, "Choose a date and time"),
        ({"waffle.until": "at", "waffle.until_at": "2020-01-01T10:00"}, "That time is past."),
        ({"waffle.until": "at", "waffle.until_at": "9999-12-31T23:59"}, "At most 366 days"),
        ({"waffle.until": "10", "TOKEN": "s3cr3t"}, "A secret can’t go back"),
    ],
)
def test_an_end_that_can_not_be_keeps_what_was_typed(
    client: Any, app: Flask, typed: dict[str, str], message: str
) -> None:
    answer = save(client, SIZE="30", **typed)
    assert answer.status_code == 422 and message in answer.text
    form = sent(answer.text)
    assert form["SIZE"] == "30" and form.get("waffle.until_at") == typed.get("waffle.until_at", "")
    assert stored(app)["SIZE"] == 20 and "s3cr3t" not in answer.text


def test_an_empty_date_and_time_is_marked_and_has_the_focus(client: Any) -> None:
    page = save(client, SIZE="30", **{"waffle.until": "at", "waffle.until_at": ""}).text
    [control] = re.findall(r'<input[^>]*name="waffle.until_at"[^>]*>', page)
    assert 'aria-invalid="true" autofocus' in control and page.count(" autofocus") == 1
    page = save(client, SIZE="300").text
    assert 'aria-invalid="true" autofocus' not in page.partition('id="wf-bar"')[2]


def test_the_history_says_once_when_a_setting_goes_back(client: Any, app: Flask) -> None:
    for size, minutes in ((30, 10), (40, 60)):
        until = datetime.now(UTC) + timedelta(minutes=minutes)
        state_of(app).update_db({"SIZE": size}, until=until)
    page = text_of(client.get(HISTORY).text)
    assert len(re.findall(r" goes back: ", page)) == 1
    assert len(re.findall(r" until [^;]*; changed again before", page)) == 1


@pytest.mark.parametrize("outcome", ["dropped", "kept", "of the save itself"])
def test_an_undo_says_that_it_brings_back_no_end(client: Any, app: Flask, outcome: str) -> None:
    state, until = state_of(app), datetime.now(UTC) + timedelta(minutes=10)
    state.update_db({"SITENAME": "Old"})
    saved = state.update_db({"SIZE": 30}, until=until)
    if outcome == "kept":
        state.ends.keep(saved.change_set)
    if outcome != "of the save itself":
        saved = state.update_db({"SIZE": 40, "SITENAME": "New"})
    undo(client, saved.change_set, **sent(client.get(HISTORY).text))
    page = client.get(HISTORY).text
    said = page.partition("Page size has its old value again.</li>")[2]
    warning = '<li class="wf-alert">It no longer goes back by itself at '
    assert said.startswith(warning) is (outcome == "dropped")
    assert page.count("no longer goes back by itself at ") == (outcome == "dropped")


def test_a_review_asks_for_the_end_too(client: Any, app: Flask) -> None:
    answer = save(client, SIZE="30", **{"waffle.until": "10", "waffle.do": "review"})
    form = sent(answer.text)
    assert form["waffle.until"] == "10"
    client.post(URL, data=form | {"waffle.do": "confirm"})
    assert len(state_of(app).ends.open) == 1


def test_without_a_history_no_end_is_offered(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS)
    app.register_blueprint(WaffleAdmin())
    assert "waffle.until" not in app.test_client().get(URL).text


def test_who_may_not_change_all_of_a_save_sees_no_buttons_and_does_nothing(
    client: Any, app: Flask
) -> None:
    save(client, SIZE="30", SITENAME="Sale", **{"waffle.until": "10"})
    (end,) = state_of(app).ends.open
    change_can(app, lambda action, s: action in ("view", "history") or s.key == "SIZE")
    for _ in range(2):  # in the message of the save, and afterwards in the list of ends
        page = client.get(URL).text
        assert "oes back " in page and "Go back now" not in page
    assert "Go back now" not in client.get(HISTORY).text
    for action in ("keep-save", "go-back"):
        answer = press(client, action, end.change_set)
        assert answer.status_code == 403 and "not change all settings" in answer.text
    # Another setting of the save, and old values, are not for everybody.
    change_can(app, lambda action, s: action == "view" and s.key == "SIZE")
    page = text_of(client.get(URL).text)
    assert "Goes back " in page and "goes back to" not in page and "Sale" not in page
    change_can(app, lambda action, s: s.key == "HOURS")
    page = client.get(URL).text
    assert "oes back " not in page and "wf-note wf-end" not in page


def test_a_token_is_needed(client: Any, app: Flask) -> None:
    save(client, SIZE="30", **{"waffle.until": "10"})
    (end,) = state_of(app).ends.open
    answer = client.post(URL, data={"waffle.do": f"keep-save {end.change_set}"})
    assert answer.status_code in (400, 422) and len(state_of(app).ends.read()) == 1


def test_who_may_see_a_setting_reads_why_it_could_not_go_back(client: Any, app: Flask) -> None:
    state = state_of(app)
    old, new = {"SIZE": 40, "SITENAME": "Long ago"}, {"SIZE": 50, "SITENAME": "New"}
    state.update_db(old)
    state.update_db(new, until=datetime.now(UTC) + timedelta(minutes=10))
    (end,) = state.ends.open
    stricter = {"SIZE": {"default": 50, "min": 45}, "SITENAME": {"default": "New", "max": 5}}
    state.app.config["WAFFLE_CONFS"] = HISTORY_CONFS | stricter
    answer = press(client, "go-back", end.change_set)
    summary = text_of(answer.text.partition("wf-summary")[2].partition("</ul>")[0])
    assert answer.status_code == 422 and "At least 45." in summary
    assert "Nothing was changed" in summary and "Nothing was saved yet" not in answer.text
    state.configstore.clock = lambda: time.time() + 660
    size, name = "no longer allowed: At least 45.", "no longer allowed: At most 5 characters."
    for visible in (["SIZE", "SITENAME"], ["SIZE"], ["SITENAME"]):
        change_can(app, lambda action, s, keys=tuple(visible): s.key in (*keys, "HOURS"))  # type: ignore[misc]
        page = text_of(client.get(URL).text)
        assert "Should have gone back " in page
        assert (size in page) is ("SIZE" in visible)
        assert ("A rule about a setting that is not" in page) is (len(visible) == 1)
        assert name not in page or "SITENAME" in visible


#: Weeks before the clocks of Berlin and Dublin go back, at 01:00 UTC; they go forward long after.
BEFORE = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.mark.parametrize("make_zone", [str, ZoneInfo], ids=["pytz", "zone"])
@pytest.mark.parametrize(
    ("zone", "typed", "end", "shown"),
    [
        ("Europe/Berlin", "2026-10-25T02:30", "2026-10-25T00:30", "02:30+02:00"),
        ("Europe/Berlin", "2026-10-25T02:30+01:00", "2026-10-25T01:30", "02:30+01:00"),
        ("Europe/Berlin", "2026-10-25T03:30", "2026-10-25T02:30", "03:30"),
        ("Europe/Berlin", "2026-10-24T10:30Z", "2026-10-24T10:30", "12:30"),
        ("Europe/Berlin", "2027-03-28T02:30", None, "the clocks skip"),
        # Summer is its standard time, and winter has the daylight saving, of an hour less.
        ("Europe/Dublin", "2026-10-25T01:30", "2026-10-25T00:30", "01:30+01:00"),
        ("Europe/Dublin", "2026-10-25T01:30+00:00", "2026-10-25T01:30", "01:30+00:00"),
        ("Europe/Dublin", "2027-03-28T01:30", None, "the clocks skip"),
    ],
)
def test_an_end_in_the_hour_that_comes_twice_has_its_offset(
    app: Flask, make_zone: Any, zone: str, typed: str, end: str | None, shown: str
) -> None:
    Babel(app, locale_selector=lambda: "en", timezone_selector=lambda: make_zone(zone))
    client, state = app.test_client(), state_of(app)
    state.configstore.clock = BEFORE.timestamp
    answer = save(client, SIZE="30", **{"waffle.until": "at", "waffle.until_at": typed})
    found = [each.at for each in state.ends.open]
    assert found == ([datetime.fromisoformat(end).replace(tzinfo=UTC)] if end else [])
    page = answer.text if end is None else client.get(URL).text
    assert (f"{shown} {zone}" if end else f"In {zone} {shown} this time") in text_of(page)
    assert end or (answer.status_code, stored(app)["SIZE"]) == (422, 20)
    # It is shown again, and marked.
    assert end or re.search(rf'<input[^>]*value="{typed}"[^>]*aria-invalid', page)


def test_why_an_end_was_refused_is_said_to_each_reader_in_their_language(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    """The load that found it was that of somebody's request, whose language is nobody else's."""
    app = make_app({"SIZE": {"default": 20}}, history=True)
    app.register_blueprint(WaffleAdmin(api=True))
    reader = "de"
    Babel(app, locale_selector=lambda: reader)
    state, client = state_of(app), app.test_client()
    state.update_db({"SIZE": 5})
    state.update_db({"SIZE": 30}, until=datetime.now(UTC) + timedelta(minutes=1))
    app.config["WAFFLE_CONFS"] = {"SIZE": {"default": 20, "min": 10}}
    state.configstore.clock = lambda: time.time() + 90
    with app.test_request_context():
        state.update_conf()
    english, german = "its old value is no longer allowed: At least 10", "Mindestens 10"
    assert english in caplog.text and english in state.ends.open[0].refused
    assert english in app.test_cli_runner().invoke(args=["waffle", "ends"]).stdout
    shown = [client.get(URL).text, client.get(f"{URL}/api/ends").json["ends"][0]["why"]]
    reader = "en"
    shown += [client.get(URL).text, client.get(f"{URL}/api/ends").json["ends"][0]["why"]]
    assert [german in text for text in shown] == [True, True, False, False]
    assert [english in text for text in shown] == [False, False, True, True]


def test_a_reason_that_is_no_longer_found_is_said_as_it_was(make_app: MakeApp) -> None:
    app = make_app({"SIZE": {"default": 20}}, history=True, validate=lambda values: answer)
    app.register_blueprint(WaffleAdmin())
    Babel(app, locale_selector=lambda: "de")
    state, answer = state_of(app), {}
    state.update_db({"SIZE": 30}, until=datetime.now(UTC) + timedelta(minutes=1))
    state.configstore.clock = lambda: time.time() + 90
    answer = {"SIZE": "Not today."}
    state.update_conf()
    assert "SIZE: Not today." in app.test_client().get(URL).text
