"""Review: what people are shown before a value is written."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from flask import Flask, current_app
from pages import (
    URL,
    MakeApp,
    row,
    sent,
    state_of,
    stored,
    typed,
)
from states import away
from werkzeug.datastructures import MultiDict

from waffleconf_admin import WaffleAdmin


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


def test_of_huge_texts_the_first_difference_is_shown(make_app: MakeApp) -> None:
    app = make_app({"BIG": {"default": "a\n" * 60_000, "multiline": True}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data={"BIG": "b\n" * 60_000, "waffle.do": "review"}).text
    assert "First differs at line 1 of 60001" in page and len(page) < 200_000


@pytest.mark.parametrize(
    ("entry", "length"),
    [({"default": ""}, 2500), ({"default": "", "multiline": True}, 33_000)],
    ids=["a line", "a long text on one line"],
)
def test_one_changed_character_of_a_long_line_is_shown(
    make_app: MakeApp, entry: dict[str, Any], length: int
) -> None:
    app = make_app({"TEXT": entry})
    app.register_blueprint(WaffleAdmin())
    same = "word " * (length // 5)
    state_of(app).update_db({"TEXT": f"{same}old {same}"})
    client = app.test_client()
    form = typed(client, TEXT=f"{same}new {same}") | {"waffle.do": "review"}
    page = client.post(URL, data=form).text
    assert "<del>old </del><ins>new </ins>" in page
    # In a conflict too.
    state_of(app).update_db({"TEXT": f"{same}their {same}"})
    page = client.post(URL, data=form | {"waffle.do": ""}).text
    assert "<del>their </del><ins>new </ins>" in page


@pytest.mark.parametrize("do", ["", "save", "review", "nonsense"])
def test_a_setting_with_confirm_is_always_reviewed(app: Flask, client: Any, do: str) -> None:
    state_of(app).update_db({"TAX": 7})
    page = client.post(URL, data=typed(client, TAX="19", SITENAME="X") | {"waffle.do": do})
    assert page.status_code == 200 and "shown once more" in page.text
    assert (stored(app)["TAX"], stored(app)["SITENAME"]) == (7, "Waffle")
    again = sent(page.text) | {"waffle.do": "confirm"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["TAX"] == 19


def failing(old: object, new: object) -> str:
    raise LookupError(new)


@pytest.mark.parametrize(
    ("confirm", "text"),
    [
        ("<b>Mind the tax office</b>", "&lt;b&gt;Mind the tax office&lt;/b&gt;"),
        (lambda old, new: f"{current_app.name}: {old} to {new}", "shop: 21 to 19"),
        (lambda old, new: "", None),
        (failing, "What this change means can’t be said at the moment (LookupError)."),
    ],
    ids=["text", "function", "blank", "failing"],
)
def test_a_review_says_what_a_change_means(make_app: MakeApp, confirm: Any, text: str) -> None:
    app = make_app({"TAX": {"default": 21, "confirm": confirm}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data=sent(client.get(URL).text, TAX="19")).text
    assert re.findall(r'class="wf-consequence">(.*?)</p>', page) == [text] * bool(text)
    assert client.post(URL, data=sent(page) | {"waffle.do": "confirm"}).status_code == 303


def test_other_settings_are_saved_without_review(app: Flask, client: Any) -> None:
    assert client.post(URL, data=typed(client, SITENAME="X")).status_code == 303


def test_mistakes_are_shown_instead_of_a_review(app: Flask, client: Any) -> None:
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
    form = typed(client, TOKEN="s3cr3t", SITENAME="New") | {"waffle.do": "review"}
    page = client.post(URL, data=form)
    assert page.status_code == 200 and "s3cr3t" not in page.text
    control = re.search(r'<input[^>]*name="TOKEN"[^>]*>', page.text)
    assert control and " required" in control[0]
    again = sent(page.text) | {"waffle.do": "confirm"}
    assert client.post(URL, data=again).status_code == 422  # it is forgotten
    assert stored(app)["SITENAME"] == "Waffle"
    assert client.post(URL, data=again | {"TOKEN": "s3cr3t"}).status_code == 303
    assert (stored(app)["TOKEN"], stored(app)["SITENAME"]) == ("s3cr3t", "New")


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


def test_without_a_token_a_review_unticks_nothing(make_app: MakeApp) -> None:
    app = make_app({"NAME": {"default": "a"}, "OPEN": {"default": True}}, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data=sent(client.get(URL).text, NAME="b") | {"waffle.do": "review"})
    assert client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"}).status_code == 303
    assert stored(app) == {"NAME": "b", "OPEN": True}


NOTE = {"waffle.note": "new & “old” sign"}


def saved_note(caplog: pytest.LogCaptureFixture) -> bool:
    return "new & “old” sign" in caplog.text


@pytest.fixture
def reviewed(client: Any) -> dict[str, str]:
    """What is sent from a page that reviews a name and a tax, with a note."""
    form = typed(client, SITENAME="Mine", TAX="5") | {"waffle.do": "review"}
    return sent(client.post(URL, data=form).text) | NOTE


@pytest.mark.parametrize("trouble", ["save", "read", "conflict", "mistake", "csrf", "back"])
def test_the_note_of_a_review_stays_until_it_is_saved(
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
        if trouble == "save":
            patch.setattr(state_of(app), "save", away)
        elif trouble == "read":
            patch.setattr(state_of(app).configstore, "read_fresh", away)
        page = client.post(URL, data=form)
    assert page.status_code == {"save": 503, "read": 503, "back": 200}.get(trouble, 422)
    assert not saved_note(caplog)
    again = sent(page.text)
    assert (again["SITENAME"], again["waffle.note"]) == ("Mine", "new & “old” sign")
    decided = {"waffle.theirs.SITENAME": "mine"} if trouble == "conflict" else {}
    page = client.post(URL, data=again | decided | {"TAX": "5", "waffle.do": "review"})
    assert page.status_code == 200 and page.text.count('name="waffle.note"') == 1
    confirmed = client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"})
    assert confirmed.status_code == 303 and saved_note(caplog)
    assert (stored(app)["SITENAME"], stored(app)["TAX"]) == ("Mine", 5)


def test_a_reason_can_be_given_where_one_saves(
    client: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    assert client.post(URL, data=typed(client, SITENAME="New") | NOTE).status_code == 303
    assert saved_note(caplog)


@pytest.mark.parametrize("do", ["", "review", "confirm", "edit", "reset HOURS"])
def test_trying_again_does_what_was_asked_for(
    app: Flask, client: Any, monkeypatch: pytest.MonkeyPatch, do: str
) -> None:
    state_of(app).update_db({"HOURS": {}})
    form = typed(client, SITENAME="Mine") | {"waffle.do": do}
    with monkeypatch.context() as patch:
        patch.setattr(state_of(app).configstore, "read_fresh", away)
        page = client.post(URL, data=form)
    assert page.status_code == 503 and sent(page.text)["SITENAME"] == "Mine"
    answer = client.post(URL, data=sent(page.text))
    assert answer.status_code == (303 if do in ("", "confirm") else 200)
    assert (stored(app)["SITENAME"] == "Mine") == (do in ("", "confirm"))
    assert ("Reset, not saved yet" in answer.text) == do.startswith("reset")
    assert do in ("", "confirm") or "Mine" in answer.text


def test_a_setting_named_almost_like_a_secret_is_saved_from_a_review(make_app: MakeApp) -> None:
    app = make_app({"API": {"default": "", "secret": True}, "API_": {"default": "a"}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, API_="new") | {"waffle.do": "review"}
    again = sent(client.post(URL, data=form).text) | {"waffle.do": "confirm"}
    assert client.post(URL, data=again).status_code == 303
    assert stored(app)["API_"] == "new"
