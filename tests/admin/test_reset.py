"""Reset: a setting gets its default again, from the page."""

from __future__ import annotations

import html
import re
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
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
from wtforms import SelectMultipleField

from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.fields import IntegerField


def test_reset_deletes_what_is_stored(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie", "OPEN": False})
    form = typed(client) | {"waffle.do": "reset SITENAME"}
    assert client.post(URL, data=form).status_code == 303
    records = state_of(app).read()
    assert records["SITENAME"].text is None and records["OPEN"].value is False
    assert "“Crêperie” → “Waffle”" in client.get(URL).text


def test_reset_saves_nothing_else_and_loses_nothing(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie"})
    form = typed(client, ABOUT="typed", OPEN="") | {"waffle.do": "reset SITENAME"}
    page = client.post(URL, data=form)
    assert page.status_code == 200
    assert stored(app)["SITENAME"] == "Waffle" and stored(app)["OPEN"] is True
    assert "typed" in row(page.text, "ABOUT") and "is not saved yet" in page.text
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert (stored(app)["ABOUT"], stored(app)["OPEN"]) == ("typed", False)


def test_reset_of_what_somebody_else_has_changed_is_a_conflict(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie"})
    form = typed(client) | {"waffle.do": "reset SITENAME"}
    state_of(app).update_db({"SITENAME": "Theirs"})
    page = client.post(URL, data=form)
    assert page.status_code == 422 and "Theirs" in row(page.text, "SITENAME")
    assert stored(app)["SITENAME"] == "Theirs"


def test_reset_of_a_secret(app: Flask, client: Any) -> None:
    state_of(app).update_db({"TOKEN": "s3cr3t"})
    form = typed(client) | {"waffle.do": "reset TOKEN"}
    assert client.post(URL, data=form).status_code == 303
    assert state_of(app).read()["TOKEN"].text is None


def test_reset_of_a_secret_that_somebody_else_has_changed_is_a_conflict(
    app: Flask, client: Any
) -> None:
    state_of(app).update_db({"TOKEN": "s3cr3t"})
    form = typed(client) | {"waffle.do": "reset TOKEN"}
    state_of(app).update_db({"TOKEN": "theirs"})
    assert client.post(URL, data=form).status_code == 422
    assert stored(app)["TOKEN"] == "theirs"


def test_reset_of_a_secret_passes_through_its_review(app: Flask, client: Any) -> None:
    state_of(app).update_db({"DSN": "s3cr3t"})
    page = client.post(URL, data=typed(client) | {"waffle.do": "reset DSN"})
    assert page.status_code == 200 and "It will have its default again" in page.text
    assert "write the new value again" not in page.text and stored(app)["DSN"] == "s3cr3t"
    assert client.post(URL, data=sent(page.text) | {"waffle.do": "edit"}).status_code == 200
    assert client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"}).status_code == 303
    assert state_of(app).read()["DSN"].text is None


def test_a_typed_secret_wins_over_its_reset(app: Flask, client: Any) -> None:
    state_of(app).update_db({"DSN": "s3cr3t"})
    page = client.post(URL, data=typed(client, DSN="n3w") | {"waffle.do": "reset DSN"}).text
    assert "It will have its default again" not in page
    again = sent(page) | {"waffle.do": "confirm", "DSN": "n3w"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["DSN"] == "n3w"


def test_going_back_from_a_review_drops_the_reset_of_a_secret(app: Flask, client: Any) -> None:
    state_of(app).update_db({"DSN": "s3cr3t"})
    page = client.post(URL, data=typed(client) | {"waffle.do": "reset DSN"}).text
    back = client.post(URL, data=sent(page) | {"waffle.do": "edit"}).text
    assert "wf-unsaved" not in row(back, "DSN")
    assert client.post(URL, data=sent(back)).status_code == 303
    assert stored(app)["DSN"] == "s3cr3t"


@pytest.mark.parametrize("key", ["csrf_token", "waffle_token"])
def test_settings_named_like_tokens_can_be_reset_and_decided_for_theirs(
    make_app: MakeApp, key: str
) -> None:
    app = make_app({key: {"default": "a"}}, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    state_of(app).update_db({key: "b"})
    form = sent(client.get(URL).text)
    assert client.post(URL, data=form | {"waffle.do": f"reset {key}"}).status_code == 303
    assert stored(app)[key] == "a"
    form = sent(client.get(URL).text) | {f"setting.{key}": "mine"}
    state_of(app).update_db({key: "theirs"})
    form = sent(client.post(URL, data=form).text) | {f"waffle.theirs.{key}": "theirs"}
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)[key] == "theirs"


@pytest.mark.parametrize("key", ["LEGACY", "NOTHING"])
def test_reset_of_what_may_not_be_edited_does_nothing(app: Flask, client: Any, key: str) -> None:
    state_of(app).update_db({"LEGACY": "y"})
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
    form = sent(client.get(URL).text) | {"waffle.do": "reset M"}
    answer = client.post(URL, data=form)
    if confirm:
        again: dict[str, Any] = {}
        for name, value in re.findall(
            r'<input type="hidden" name="(.*?)" value="(.*?)">', answer.text
        ):
            again.setdefault(name, []).append(html.unescape(value))
        answer = client.post(URL, data=again | {"waffle.do": "confirm"})
    assert answer.status_code == 303
    assert state_of(app).read()["M"].text is None


def test_a_reset_does_not_save_a_secret_typed_beside_it(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie"})
    page = client.post(
        URL, data=typed(client, TOKEN="typed") | {"waffle.do": "reset SITENAME"}
    ).text
    assert "Site name saved" in page and "Token saved" not in page
    assert stored(app)["TOKEN"] == ""


def test_a_page_that_fails_after_a_save_does_not_claim_that_nothing_was_saved(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, times = state_of(app), []
    state.update_db({"SITENAME": "Crêperie"})
    form = typed(client, ABOUT="typed") | {"waffle.do": "reset SITENAME"}
    refresh = state.refresh

    def goes_away() -> Any:
        times.append(1)
        if len(times) > 1:
            raise StoreError("away")
        return refresh()

    monkeypatch.setattr(state, "refresh", goes_away)
    page = client.post(URL, data=form)
    assert page.status_code == 503 and stored(app)["SITENAME"] == "Waffle"
    assert "What you typed is kept here" in page.text and "Nothing was saved" not in page.text


def test_a_value_without_a_control_can_be_reset(make_app: MakeApp) -> None:
    app = make_app({"OPEN": {"default": True}}, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    state_of(app).update_db({"OPEN": "stray"})
    page = client.get(URL).text
    assert "It is changed from code" in page
    answer = client.post(URL, data=sent(page) | {"waffle.do": "reset OPEN"})
    assert answer.status_code == 303 and stored(app)["OPEN"] is True
