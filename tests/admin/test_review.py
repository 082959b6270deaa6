"""Review, conflicts and resets: what people are shown before a value is written."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, session
from flask_wtf import CSRFProtect
from pages import row, sent, state_of, stored
from werkzeug.datastructures import MultiDict
from wtforms import SelectMultipleField

from waffleconf_admin import StoreError, WaffleAdmin
from waffleconf_admin.admin.diff import Comparer
from waffleconf_admin.fields import IntegerField
from waffleconf_admin.forms.submission import Names

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "OPEN": {"desc": "Shop is open", "default": True},
    "ABOUT": {"desc": "About us", "default": "one\ntwo\nthree", "multiline": True},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18], "tue": [9, 12], "wed": [9, 18]}},
    "TAX": {"desc": "Tax", "default": 21, "confirm": True, "min": 0},
    "TOKEN": {"desc": "Token", "default": "", "secret": True},
    "DSN": {"desc": "DSN", "default": "", "secret": True, "confirm": True},
    "LEGACY": {"desc": "Legacy", "default": "x", "readonly": True},
}

MakeApp = Callable[..., Flask]
URL = "/admin/config"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    return app


@pytest.fixture
def client(app: Flask) -> Any:
    return app.test_client()


def typed(client: Any, **changes: str) -> dict[str, str]:
    return sent(client.get(URL).text, **changes)


def test_review_shows_old_and_new_and_saves_nothing(app: Flask, client: Any) -> None:
    form = typed(client, SITENAME="Crêperie", OPEN="")
    page = client.post(URL, data=form | {"waffle.do": "review"})
    assert page.status_code == 200
    assert "2 changes, not saved yet" in page.text
    shown = re.findall(r"<dd>(.*?)</dd>", page.text)
    assert shown == ["Waffle", "Crêperie", "On", "Off"]
    assert stored(app)["SITENAME"] == "Waffle"


def test_what_was_reviewed_is_saved_with_its_note(
    app: Flask, client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    page = client.post(URL, data=typed(client, SITENAME="Crêperie") | {"waffle.do": "review"})
    again = sent(page.text) | {"waffle.do": "confirm", "waffle.note": "new sign"}
    with caplog.at_level(logging.INFO):
        assert client.post(URL, data=again).status_code == 303
    assert stored(app)["SITENAME"] == "Crêperie"
    assert "new sign" in caplog.text and "ana" in caplog.text


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("ABOUT", "one\ntwo and a half\nthree"),
        ("HOURS", '{"mon": [9, 18], "tue": [9, 13], "wed": [9, 18]}'),
    ],
)
def test_texts_of_several_lines_are_compared_line_by_line(client: Any, key: str, text: str) -> None:
    page = client.post(URL, data=typed(client, **{key: text}) | {"waffle.do": "review"}).text
    diff = page.partition('class="wf-diff"')[2]
    old, new = (re.findall(rf'<div class="wf-{kind}">(.*?)</div>', diff) for kind in ("old", "new"))
    assert len(old) == len(new) == 1
    assert ("two" in old[0]) == (key == "ABOUT") and ("12" in old[0]) == (key == "HOURS")
    assert ("half" in new[0]) == (key == "ABOUT") and ("13" in new[0]) == (key == "HOURS")


def test_differences_leave_out_what_is_far_from_any() -> None:
    before = [f"line {number}" for number in range(100)]
    after = ["first", *before[1:50], "middle", *before[51:]]
    lines = Comparer().lines("\n".join(before), "\n".join(after))
    assert [line for kind, line in lines if kind in ("old", "new")] == [
        "line 0", "first", "line 50", "middle",
    ]  # fmt: skip
    assert len(lines) < 15 and ("gap", "…") in lines


def test_two_small_differences_far_apart_are_found() -> None:
    before = [f"line {number}" for number in range(1200)]
    after = ["first", *before[1:-1], "last"]
    assert len(Comparer().lines("\n".join(before), "\n".join(after))) == 9


def test_texts_of_many_equal_lines_are_shown_whole() -> None:
    old, new = ("\n\n".join(f"{word} {n}" for n in range(300)) for word in ("old", "new"))
    assert Comparer().lines(old, new) == []


def test_comparisons_of_one_page_share_their_bound() -> None:
    old, new = ("\n\n".join(f"{word} {n}" for n in range(99)) for word in ("old", "new"))
    comparer = Comparer()
    compared = [bool(comparer.lines(old, new)) for _ in range(50)]
    assert compared[0] and not compared[-1]


def test_words_are_compared_without_the_blanks_between_them() -> None:
    old, new = (" ".join(f"{word}{n}" for n in range(900)) for word in ("old", "new"))
    assert Comparer().words(old, new) == [("old", old), ("new", new)]
    assert Comparer().words(f"a b {old} c", f"a b {new} c") == [
        ("same", "a b "), ("old", f"{old} "), ("new", f"{new} "), ("same", "c"),
    ]  # fmt: skip


def test_huge_texts_are_not_compared(make_app: MakeApp) -> None:
    app = make_app({"BIG": {"default": "a\n" * 60_000, "multiline": True}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data={"BIG": "b\n" * 60_000, "waffle.do": "review"}).text
    assert "wf-diff" not in page and len(page) < 200_000


@pytest.mark.parametrize("do", ["", "save", "review", "reset TAX", "nonsense"])
def test_what_has_to_be_confirmed_always_passes_through_review(
    app: Flask, client: Any, do: str
) -> None:
    state_of(app).update_db({"TAX": 7})
    page = client.post(URL, data=typed(client, TAX="19", SITENAME="X") | {"waffle.do": do})
    assert page.status_code == 200 and "looked at twice" in page.text
    assert (stored(app)["TAX"], stored(app)["SITENAME"]) == (7, "Waffle")
    again = sent(page.text) | {"waffle.do": "confirm"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["TAX"] == (21 if do.startswith("reset") else 19)


def test_other_settings_are_saved_without_review(app: Flask, client: Any) -> None:
    assert client.post(URL, data=typed(client, SITENAME="X")).status_code == 303


def test_mistakes_are_told_before_a_review(app: Flask, client: Any) -> None:
    page = client.post(URL, data=typed(client, TAX="-1") | {"waffle.do": "review"})
    assert page.status_code == 422 and "wf-errors" in row(page.text, "TAX")


def test_back_to_editing_keeps_what_was_typed(app: Flask, client: Any) -> None:
    page = client.post(URL, data=typed(client, SITENAME="Mine", TAX="5") | {"waffle.do": "review"})
    page = client.post(URL, data=sent(page.text) | {"waffle.do": "edit"})
    assert page.status_code == 200
    assert 'value="Mine"' in row(page.text, "SITENAME")
    assert "Not saved yet" in row(page.text, "TAX") and "Not saved yet" not in row(
        page.text, "OPEN"
    )
    assert stored(app)["SITENAME"] == "Waffle"
    assert client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"}).status_code == 303
    assert (stored(app)["SITENAME"], stored(app)["TAX"]) == ("Mine", 5)


def test_a_secret_in_a_review_is_typed_again(app: Flask, client: Any) -> None:
    page = client.post(URL, data=typed(client, TOKEN="s3cr3t") | {"waffle.do": "review"})
    assert page.status_code == 200 and "s3cr3t" not in page.text
    control = re.search(r'<input[^>]*name="TOKEN"[^>]*>', page.text)
    assert control and " required" in control[0]
    again = sent(page.text) | {"waffle.do": "confirm", "TOKEN": "s3cr3t"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["TOKEN"] == "s3cr3t"


def test_a_secret_is_cleared_through_a_review(app: Flask, client: Any) -> None:
    state_of(app).update_db({"TOKEN": "s3cr3t"})
    form: Any = MultiDict(typed(client, SITENAME="Mine") | {"waffle.do": "review"})
    form.setlist("TOKEN", ["", "clear"])
    page = client.post(URL, data=form).text
    assert "2 changes, not saved yet" in page and stored(app)["TOKEN"] == "s3cr3t"
    again: Any = MultiDict(sent(page) | {"waffle.do": "confirm"})
    again.setlist("TOKEN", re.findall(r'name="TOKEN" value="([^"]*)"', page))
    assert client.post(URL, data=again).status_code == 303
    assert (stored(app)["TOKEN"], stored(app)["SITENAME"]) == ("", "Mine")


def test_somebody_faster_than_the_review_is_a_conflict(app: Flask, client: Any) -> None:
    page = client.post(URL, data=typed(client, SITENAME="Mine") | {"waffle.do": "review"})
    state_of(app).update_db({"SITENAME": "Theirs"})
    page = client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"})
    assert page.status_code == 422 and "Theirs" in row(page.text, "SITENAME")
    assert stored(app)["SITENAME"] == "Theirs"


def test_without_a_token_a_review_unticks_nothing(make_app: MakeApp) -> None:
    app = make_app({"NAME": {"default": "a"}, "OPEN": {"default": True}}, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data=sent(client.get(URL).text, NAME="b") | {"waffle.do": "review"})
    assert client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"}).status_code == 303
    assert stored(app) == {"NAME": "b", "OPEN": True}


# Nothing that was typed is lost


def refuse(app: Flask, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let the database fail in one of the methods of the state."""

    def fail(*args: Any, **options: Any) -> Any:
        raise StoreError("away")

    monkeypatch.setattr(state_of(app), name, fail)


def saved_note(caplog: pytest.LogCaptureFixture) -> bool:
    return "new & “old” sign" in caplog.text


@pytest.fixture
def reviewed(client: Any) -> dict[str, str]:
    """What is sent from a page that reviews a name and a tax, with a note."""
    form = typed(client, SITENAME="Mine", TAX="5") | {"waffle.do": "review"}
    note = {"waffle.note": "new & “old” sign"}
    return sent(client.post(URL, data=form).text) | note


@pytest.mark.parametrize("trouble", ["save", "refresh", "conflict", "mistake", "csrf", "back"])
def test_the_note_of_a_review_is_kept_until_it_is_saved(
    app: Flask,
    client: Any,
    reviewed: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    caplog.set_level(logging.INFO)
    form = reviewed | {"waffle.do": "edit" if trouble == "back" else "confirm"}
    if trouble == "conflict":
        state_of(app).update_db({"SITENAME": "Theirs"})
    form |= {"mistake": {"TAX": "-1"}, "csrf": {"csrf_token": "x"}}.get(trouble, {})
    with monkeypatch.context() as patch:
        if trouble in ("save", "refresh"):
            refuse(app, patch, trouble)
        page = client.post(URL, data=form)
    assert page.status_code == {"save": 503, "refresh": 503, "back": 200}.get(trouble, 422)
    assert not saved_note(caplog)
    again = sent(page.text)
    assert (again["SITENAME"], again["waffle.note"]) == ("Mine", "new & “old” sign")
    page = client.post(URL, data=again | {"TAX": "5", "waffle.do": "review"})
    assert page.status_code == 200 and page.text.count('name="waffle.note"') == 1
    confirmed = client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"})
    assert confirmed.status_code == 303 and saved_note(caplog)
    assert (stored(app)["SITENAME"], stored(app)["TAX"]) == ("Mine", 5)


def test_a_page_has_no_note_before_there_is_one(client: Any) -> None:
    assert "waffle.note" not in client.get(URL).text
    assert "waffle.note" not in client.post(URL, data=typed(client, TAX="-1")).text


@pytest.mark.parametrize("do", ["", "review", "confirm", "edit", "reset HOURS"])
def test_trying_again_does_what_was_asked_for(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    state_of(app).update_db({"HOURS": {}})
    form = typed(client, SITENAME="Mine") | {"waffle.do": do}
    with monkeypatch.context() as patch:
        refuse(app, patch, "refresh")
        page = client.post(URL, data=form)
    assert page.status_code == 503 and sent(page.text)["SITENAME"] == "Mine"
    answer = client.post(URL, data=sent(page.text))
    assert answer.status_code == (303 if do in ("", "confirm") else 200)
    assert (stored(app)["SITENAME"] == "Mine") == (do in ("", "confirm"))
    assert (state_of(app).read()["HOURS"].text is None) == do.startswith("reset")
    assert do in ("", "confirm") or "Mine" in answer.text


def test_a_choice_in_a_conflict_outlives_an_outage(
    app: Flask, client: Any, conflict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        refuse(app, patch, "refresh")
        form = sent(conflict) | {"waffle.theirs.SITENAME": "theirs"}
        page = client.post(URL, data=form).text
    assert client.post(URL, data=sent(page)).status_code == 303
    assert (stored(app)["SITENAME"], stored(app)["OPEN"]) == ("Theirs", False)


# Conflicts


@pytest.fixture
def conflict(app: Flask, client: Any) -> str:
    """The page after somebody else was faster with the name."""
    form = typed(client, SITENAME="Mine", OPEN="")
    state_of(app).update_db({"SITENAME": "Theirs"})
    return str(client.post(URL, data=form).text)


def test_a_conflict_shows_both_and_keeps_all_else(app: Flask, conflict: str) -> None:
    both = row(conflict, "SITENAME")
    assert "Keep theirs" in both and "Use mine" in both
    assert "Theirs" in both and 'value="Mine"' in both
    assert "Not saved yet" in row(conflict, "OPEN")
    assert stored(app)["OPEN"] is True


@pytest.mark.parametrize(("choice", "name"), [("theirs", "Theirs"), ("", "Mine")])
def test_either_side_of_a_conflict_can_be_chosen(
    app: Flask, client: Any, conflict: str, choice: str, name: str
) -> None:
    form = sent(conflict) | {"waffle.theirs.SITENAME": choice}
    assert client.post(URL, data=form).status_code == 303
    assert (stored(app)["SITENAME"], stored(app)["OPEN"]) == (name, False)


def test_a_conflict_about_a_secret_shows_none(app: Flask, client: Any) -> None:
    form = typed(client, TOKEN="mine-s3cr3t")
    state_of(app).update_db({"TOKEN": "their-s3cr3t"})
    page = client.post(URL, data=form).text
    assert "another value" in row(page, "TOKEN") and "s3cr3t" not in page


# Reset


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


def test_a_secret_that_is_typed_beside_its_reset_is_what_is_reviewed(
    app: Flask, client: Any
) -> None:
    state_of(app).update_db({"DSN": "s3cr3t"})
    page = client.post(URL, data=typed(client, DSN="n3w") | {"waffle.do": "reset DSN"}).text
    assert "It will have its default again" not in page
    again = sent(page) | {"waffle.do": "confirm", "DSN": "n3w"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["DSN"] == "n3w"


def test_reset_of_a_secret_is_forgotten_by_going_back(app: Flask, client: Any) -> None:
    state_of(app).update_db({"DSN": "s3cr3t"})
    page = client.post(URL, data=typed(client) | {"waffle.do": "reset DSN"}).text
    back = client.post(URL, data=sent(page) | {"waffle.do": "edit"}).text
    assert "wf-unsaved" not in row(back, "DSN")
    assert client.post(URL, data=sent(back)).status_code == 303
    assert stored(app)["DSN"] == "s3cr3t"


@pytest.mark.parametrize("key", ["csrf_token", "waffle_token"])
def test_settings_named_like_tokens_are_reset_and_given_up(make_app: MakeApp, key: str) -> None:
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


def test_a_setting_named_almost_like_a_secret_is_saved_from_a_review(make_app: MakeApp) -> None:
    app = make_app({"API": {"default": "", "secret": True}, "API_": {"default": "a"}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, API_="new") | {"waffle.do": "review"}
    again = sent(client.post(URL, data=form).text) | {"waffle.do": "confirm"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["API_"] == "new"


@pytest.mark.parametrize(
    ("forbidden", "key", "offered"),
    [("", "SITENAME", True), ("history", "SITENAME", False), ("", "TOKEN", False)],
)
def test_undo_is_offered_to_who_may_undo(
    make_app: MakeApp, forbidden: str, key: str, offered: bool
) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: action != forbidden))
    client = app.test_client()
    assert client.post(URL, data=typed(client, **{key: "new"})).status_code == 303
    assert ('name="undo"' in client.get(URL).text) == offered


def test_undo_is_not_offered_once_somebody_else_was_faster(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    assert client.post(URL, data=typed(client, SITENAME="Mine")).status_code == 303
    state_of(app).update_db({"SITENAME": "Theirs"})
    page = client.get(URL).text
    assert "“Mine”" in page and 'name="undo"' not in page


def test_a_history_that_cannot_be_read_does_not_take_the_page_down(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    assert client.post(URL, data=typed(client, SITENAME="Mine")).status_code == 303

    def away(query: Any) -> Any:
        raise StoreError("away")

    monkeypatch.setattr(state_of(app).configstore, "read_history", away)
    page = client.get(URL)
    assert page.status_code == 200 and 'name="undo"' not in page.text


def test_an_address_that_is_no_text_does_not_break_a_save(app: Flask, client: Any) -> None:
    form = typed(client, SITENAME="New")
    answer = client.post(URL, data=form, environ_overrides={"QUERY_STRING": "q=\xff"})
    assert answer.status_code == 303 and stored(app)["SITENAME"] == "New"


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
        # Not in a control that shows minutes, another zone, or no moment at all.
        (time(8, 30, 15), time(9), None),
        (
            datetime(2026, 1, 31, tzinfo=ZoneInfo("Asia/Tokyo")),
            datetime(2026, 1, 1, tzinfo=UTC),
            None,
        ),
        (time(8, 30), time(9, 0, 0, 1), None),
    ],
)
def test_the_reset_button_knows_a_moment_that_the_control_can_show(
    make_app: MakeApp, default: Any, stored: Any, shown: str | None
) -> None:
    app = make_app({"AT": {"default": default}}, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"AT": stored})
    page = app.test_client().get(URL).text
    found = re.search(r'value="reset AT" formnovalidate(?: data-default="([^"]*)")?>', page)
    assert found and found[1] == shown


@pytest.mark.parametrize(
    "key", ["waffle.x", "waffle.do", "setting.waffle.x", "setting.x", "waffle_token"]
)
def test_a_setting_may_have_any_name(make_app: MakeApp, key: str) -> None:
    confs = {key: {"default": "old"}, "waffle.x": {"default": "old"}, "x": {"default": "old"}}
    app = make_app(confs, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    name = Names()
    with app.app_context():
        change = {name(key): "new"}
    page = client.post(URL, data=typed(client, **change) | {"waffle.do": "review"}).text
    assert client.post(URL, data=sent(page) | {"waffle.do": "confirm"}).status_code == 303
    assert stored(app) == dict.fromkeys(confs, "old") | {key: "new"}


class Hex(IntegerField):
    def show(self, value: Any) -> str:
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


@pytest.mark.parametrize("guess", ["s3cr3t", "wr0ng"])
def test_who_guesses_a_secret_is_told_what_everybody_is_told(make_app: MakeApp, guess: str) -> None:
    app = make_app(CONFS, history=True, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="database")
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"TOKEN": "s3cr3t", "DSN": "s3cr3t"})
    client = app.test_client()
    with client:
        assert client.post(URL, data=typed(client, TOKEN=guess)).status_code == 303
        assert set(session) == {"_flashes"}
        told = [text for _, text in session["_flashes"]]
    assert told[0] == "Token saved." and "other processes" in told[1] and len(told) == 2


def test_a_reset_says_nothing_of_secrets_that_were_typed_beside_it(app: Flask, client: Any) -> None:
    state_of(app).update_db({"SITENAME": "Crêperie"})
    page = client.post(
        URL, data=typed(client, TOKEN="typed") | {"waffle.do": "reset SITENAME"}
    ).text
    assert "Site name saved" in page and "Token saved" not in page
    assert stored(app)["TOKEN"] == ""


def test_a_page_that_cannot_know_does_not_say_that_nothing_was_saved(
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


# What was typed, and can't be saved any more


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"SITENAME": {"desc": "Site name", "default": "Waffle", "readonly": True}}, "Site name"),
        ({}, "A setting that you changed is not here any more"),
    ],
    ids=["read-only now", "gone"],
)
def test_what_was_typed_in_vain_is_told(
    app: Flask, client: Any, changed: dict[str, Any], told: str
) -> None:
    form = typed(client, SITENAME="Crêperie", TAX="21", ABOUT="new")
    others = {key: declared for key, declared in CONFS.items() if key != "SITENAME"}
    app.config["WAFFLE_CONFS"] = others | changed
    page = client.post(URL, data=form)
    assert page.status_code == 422 and told in html.unescape(page.text)
    assert client.post(URL, data=sent(page.text)).status_code == 303  # and not twice
    assert stored(app)["ABOUT"] == "new"


@pytest.mark.parametrize("key", ["SITENAME", "TOKEN", "OPEN"])
def test_what_nobody_touched_may_go(app: Flask, client: Any, key: str) -> None:
    form = typed(client, ABOUT="new")
    app.config["WAFFLE_CONFS"] = {name: conf for name, conf in CONFS.items() if name != key}
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)["ABOUT"] == "new"


def test_a_choice_that_is_gone_is_not_another_one(make_app: MakeApp) -> None:
    letters = list("abcdefg")
    app = make_app({"LETTER": {"default": "a", "choices": letters}}, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = typed(client, LETTER="c")
    app.config["WAFFLE_CONFS"] = {"LETTER": {"default": "a", "choices": list("defghia")}}
    for _ in range(2):
        page = client.post(URL, data=form)
        assert page.status_code == 422
        assert "c (no longer a choice)" in row(page.text, "LETTER")
        form = sent(page.text)
    assert stored(app)["LETTER"] == "a"


def test_a_value_without_a_control_can_be_reset(make_app: MakeApp) -> None:
    app = make_app({"OPEN": {"default": True}}, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    state_of(app).update_db({"OPEN": "stray"})
    page = client.get(URL).text
    assert "It is changed from code" in page
    answer = client.post(URL, data=sent(page) | {"waffle.do": "reset OPEN"})
    assert answer.status_code == 303 and stored(app)["OPEN"] is True


# Tokens


def test_under_an_app_wide_csrf_protection_an_old_token_loses_nothing(app: Flask) -> None:
    CSRFProtect(app)

    @app.post("/other")
    def other() -> str:
        return "done"

    client = app.test_client()
    page = client.post(URL, data=typed(client, SITENAME="Crêperie") | {"csrf_token": "old"})
    assert page.status_code == 422 and "Crêperie" in row(page.text, "SITENAME")
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert client.post("/other").status_code == 400  # that is protected as ever
