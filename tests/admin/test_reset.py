"""Reset: a setting gets its default again, from the page."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import submissions
from flask import Flask
from pages import (
    URL,
    MakeApp,
    row,
    sent,
    state_of,
    stored,
    typed,
)
from werkzeug.datastructures import MultiDict
from wtforms import SelectMultipleField

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.fields import IntegerField


def press(client: Any, action: str, **changes: str) -> Any:
    """Type changes and press a button."""
    return client.post(URL, data=typed(client, **changes) | {"waffle.do": action})


def save(client: Any, page: Any, **changes: str) -> Any:
    """Save what a page shows, through its review if it has one."""
    form: Any = MultiDict(submissions.sent(page.text))
    for name, text in changes.items():
        form[name] = text
    answer = client.post(URL, data=form)
    if answer.status_code == 200:
        again: Any = MultiDict(submissions.sent(answer.text))
        again.setlist("waffle.do", ["confirm"])
        answer = client.post(URL, data=again)
    return answer


SHORT_OR_LONG = {
    "SITENAME": "x",
    "ABOUT": "y",
    "OPEN": False,
    "HOURS": {},
    "TAX": 7,
    "TOKEN": "s3cr3t",
    "DSN": "s3cr3t",
}


@pytest.mark.parametrize("key", SHORT_OR_LONG)
def test_a_reset_waits_until_it_is_saved_and_then_deletes_the_row(
    app: Flask, client: Any, key: str
) -> None:
    state_of(app).update_db(SHORT_OR_LONG)
    page = press(client, f"reset {key}")
    assert page.status_code == 200 and "Reset, not saved yet" in row(page.text, key)
    assert "enter it again" not in page.text
    assert stored(app).items() >= SHORT_OR_LONG.items()
    assert save(client, page).status_code == 303
    records = state_of(app).read()
    assert [k for k in SHORT_OR_LONG if records[k].text is None] == [key]


def test_a_default_of_any_length_waits_too(make_app: MakeApp) -> None:
    default = "Long text\n" * 5000
    app = make_app({"TERMS": {"default": default, "multiline": True}})
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"TERMS": "x"})
    client = app.test_client()
    page = press(client, "reset TERMS")
    assert html.escape(default) in row(page.text, "TERMS") and stored(app)["TERMS"] == "x"
    assert save(client, page).status_code == 303
    assert stored(app)["TERMS"] == default


def test_a_reset_loses_nothing_that_is_typed_elsewhere(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie"})
    page = press(client, "reset SITENAME", ABOUT="typed", OPEN="", TOKEN="s3cr3t")
    assert "typed" in row(page.text, "ABOUT") and "a secret is not shown" in row(page.text, "TOKEN")
    assert "s3cr3t" not in page.text
    assert save(client, page).status_code == 422  # the secret is still to be typed
    assert save(client, page, TOKEN="s3cr3t").status_code == 303
    now = stored(app)
    assert (now["SITENAME"], now["ABOUT"], now["OPEN"]) == ("Waffle", "typed", False)
    assert "“Crêperie” → “Waffle”" in client.get(URL).text


@pytest.mark.parametrize(
    ("key", "text", "now"), [("SITENAME", "Mine", "Mine"), ("TOKEN", "n3w", "n3w")]
)
def test_what_is_typed_after_a_reset_is_saved_in_its_place(
    app: Flask, client: Any, key: str, text: str, now: str
) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie", "TOKEN": "s3cr3t"})
    assert save(client, press(client, f"reset {key}"), **{key: text}).status_code == 303
    assert stored(app)[key] == now


def test_a_group_is_reset_at_once(app: Flask, client: Any) -> None:
    state_of(app).update_db(SHORT_OR_LONG)
    page = client.get(URL).text
    assert "Reset 7 modified" in page
    waiting = press(client, "reset-group General")
    assert waiting.text.count("Reset, not saved yet") == 7
    assert stored(app).items() >= SHORT_OR_LONG.items()
    assert save(client, waiting).status_code == 303
    assert all(record.text is None for record in state_of(app).read().values())
    assert "modified" not in client.get(URL).text.partition("wf-head")[2].partition("</div>")[0]


def test_a_group_is_reset_but_for_what_has_its_default(make_app: MakeApp) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}, "SIZE": {"default": 20}})
    app.register_blueprint(WaffleAdmin())
    client, state = app.test_client(), state_of(app)
    state.parse_conf()  # which stores the defaults
    state.update_db({"SITENAME": "Crêperie"})
    waiting = press(client, "reset-group General")
    assert waiting.text.count("Reset, not saved yet") == 1
    assert save(client, waiting).status_code == 303
    records = state.read()
    assert (records["SITENAME"].text, records["SIZE"].value) == (None, 20)
    assert records["SIZE"].text is not None


@pytest.mark.parametrize("key", ["SITENAME", "TOKEN"])
def test_a_reset_can_be_discarded(app: Flask, client: Any, key: str) -> None:
    state_of(app).update_db(SHORT_OR_LONG)
    form = sent(press(client, f"reset {key}", ABOUT="mine").text)
    page = client.post(URL, data=form | {"waffle.do": f"discard {key}"})
    assert "wf-unsaved" not in row(page.text, key) and "mine" in row(page.text, "ABOUT")
    assert save(client, page).status_code == 303
    assert (stored(app)[key], stored(app)["ABOUT"]) == (SHORT_OR_LONG[key], "mine")


@pytest.mark.parametrize("key", ["SITENAME", "TOKEN"])
def test_a_reset_of_what_somebody_else_has_changed_is_a_conflict(
    app: Flask, client: Any, key: str
) -> None:
    state_of(app).update_db(SHORT_OR_LONG)
    form = typed(client) | {"waffle.do": f"reset {key}"}
    state_of(app).update_db({key: "theirs"})
    page = client.post(URL, data=form)
    assert page.status_code == 422 and "Keep what is saved" in row(page.text, key)
    assert stored(app)[key] == "theirs"
    decided = sent(page.text) | {f"waffle.theirs.{key}": "mine"}
    assert client.post(URL, data=decided).status_code == 303
    assert state_of(app).read()[key].text is None


def test_going_back_from_a_review_keeps_a_reset(app: Flask, client: Any) -> None:
    state_of(app).update_db({"DSN": "s3cr3t"})
    review = client.post(URL, data=sent(press(client, "reset DSN").text))
    assert "It will have its default again" in review.text
    back = client.post(URL, data=sent(review.text) | {"waffle.do": "edit"})
    assert "Reset, not saved yet" in row(back.text, "DSN")
    assert save(client, back).status_code == 303
    assert stored(app)["DSN"] == ""


@pytest.mark.parametrize("key", ["csrf_token", "waffle_token"])
def test_settings_named_like_tokens_can_be_reset_and_decided_for_theirs(
    make_app: MakeApp, key: str
) -> None:
    app = make_app({key: {"default": "a"}}, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    state_of(app).update_db({key: "b"})
    form = sent(client.get(URL).text)
    page = client.post(URL, data=form | {"waffle.do": f"reset {key}"})
    assert save(client, page).status_code == 303
    assert stored(app)[key] == "a"
    form = sent(client.get(URL).text) | {f"setting.{key}": "mine"}
    state_of(app).update_db({key: "theirs"})
    form = sent(client.post(URL, data=form).text) | {f"waffle.theirs.{key}": "theirs"}
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)[key] == "theirs"


@pytest.mark.parametrize("key", ["LEGACY", "NOTHING"])
def test_reset_of_what_may_not_be_edited_does_nothing(app: Flask, client: Any, key: str) -> None:
    state_of(app).update_db({"LEGACY": "y"})
    client.post(URL, data=typed(client) | {"waffle.reset": key})
    client.post(URL, data=typed(client) | {"waffle.do": f"reset {key}"})
    assert stored(app)["LEGACY"] == "y"


def test_reset_needs_the_csrf_token(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie"})
    page = client.post(URL, data={"waffle.do": "reset SITENAME"})
    assert page.status_code == 422 and stored(app)["SITENAME"] == "Crêperie"


def test_a_reset_by_the_script_is_saved_as_one(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie", "ABOUT": "x"})
    form = typed(client, SITENAME="Waffle", ABOUT="y")
    client.post(URL, data=form | {"waffle.reset": "SITENAME"})
    records = state_of(app).read()
    assert records["SITENAME"].text is None and records["ABOUT"].value == "y"


def test_the_reset_button_knows_the_default(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "x", "OPEN": False, "HOURS": {}, "TOKEN": "x"})
    page = client.get(URL).text
    found = re.findall(r'value="reset (\w+)"[^>]*?(?: data-default="([^"]*)")?>', page)
    defaults = {key: html.unescape(text) for key, text in found}
    assert (defaults["SITENAME"], defaults["OPEN"], defaults["TOKEN"]) == ("Waffle", "true", "")
    assert defaults["HOURS"].startswith("{")


@pytest.mark.parametrize(
    ("default", "stored", "shown"),
    [
        (date(2026, 1, 31), date(2025, 1, 1), "2026-01-31"),
        (time(8, 30), time(9), "08:30"),
        (datetime(2026, 1, 31, 8, 30), datetime(2026, 1, 1), "2026-01-31T08:30"),
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), "2026-01-31T00:00"),
        # Not in a control that shows minutes, another zone, or microseconds.
        (time(8, 30, 15), time(9), None),
        (
            datetime(2026, 1, 31, tzinfo=ZoneInfo("Asia/Tokyo")),
            datetime(2026, 1, 1, tzinfo=UTC),
            None,
        ),
        (time(8, 30), time(9, 0, 0, 1), None),
    ],
)
def test_the_reset_button_knows_a_time_that_the_control_can_show(
    make_app: MakeApp, default: Any, stored: Any, shown: str | None
) -> None:
    app = make_app({"AT": {"default": default}}, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"AT": stored})
    page = app.test_client().get(URL).text
    found = re.search(r'value="reset AT" formnovalidate(?: data-default="([^"]*)")?>', page)
    assert found and found[1] == shown


class Hex(IntegerField):
    def format(self, value: Any) -> str:
        return f"0x{value:x}"

    def parse(self, text: str) -> Any:
        return int(text, 16)


class Days(SelectMultipleField):
    def __init__(self, **options: Any) -> None:
        super().__init__(choices=["mon", "tue", "wed"], **options)


@pytest.mark.parametrize("confirm", [False, True])
@pytest.mark.parametrize(
    ("default", "stored_value", "own"),
    [
        (18, 7, {}),
        (18, 7, {int: Hex}),
        (["mon", "wed"], ["tue"], {list: Days}),
        ([], ["tue"], {list: Days}),
    ],
)
def test_a_reset_goes_by_the_field_of_its_own_page(
    make_app: MakeApp, default: Any, stored_value: Any, own: Any, confirm: bool
) -> None:
    app = make_app({"M": {"default": default, "confirm": confirm}}, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(fields=own))
    app.register_blueprint(WaffleAdmin("other", url_prefix="/other", fields={int: Hex}))
    state_of(app).update_db({"M": stored_value})
    client = app.test_client()
    assert save(client, press(client, "reset M")).status_code == 303
    assert state_of(app).read()["M"].text is None


def test_a_value_without_a_control_can_be_reset(make_app: MakeApp) -> None:
    app = make_app({"OPEN": {"default": True}}, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    state_of(app).update_db({"OPEN": "stray"})
    page = client.get(URL).text
    assert "It can only be changed in code" in page
    assert "Reset it, or save another value from code." in page
    answer = client.post(URL, data=sent(page) | {"waffle.do": "reset OPEN"})
    assert stored(app)["OPEN"] == "stray" and save(client, answer).status_code == 303
    assert stored(app)["OPEN"] is True
