"""Conflicts: somebody else changes what a form changes."""

from __future__ import annotations

import enum
import html
import re
from typing import Any

import pytest
from flask import Flask
from pages import URL, MakeApp, change_can, row, sent, state_of, stored, typed, words
from states import away

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.state.task import Origin


class Season(enum.Enum):
    SPRING, SUMMER, AUTUMN, WINTER = range(4)


def mine(page: str, key: str) -> dict[str, str]:
    """What a browser sends after somebody has decided a conflict for what was typed."""
    return sent(page) | {f"waffle.theirs.{key}": "mine"}


def test_a_conflict_shows_both_values_and_the_second_save_writes(orm_app: Flask) -> None:
    client = orm_app.test_client()
    form = sent(client.get(URL).text, SITENAME="Mine", PAGE_SIZE="30")
    state_of(orm_app).update_db({"SITENAME": "Theirs", "THEME": "dark"})
    response = client.post(URL, data=form)
    assert response.status_code == 422
    assert 'value="Mine"' in row(response.text, "SITENAME")
    assert "Theirs" in row(response.text, "SITENAME")
    assert (stored(orm_app)["SITENAME"], stored(orm_app)["PAGE_SIZE"]) == ("Theirs", 20)
    assert client.post(URL, data=mine(response.text, "SITENAME")).status_code == 303
    assert {"SITENAME": "Mine", "PAGE_SIZE": 30, "THEME": "dark"}.items() <= stored(orm_app).items()


def test_a_change_during_the_save_is_a_conflict(
    orm_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, state = orm_app.test_client(), state_of(orm_app)
    form = sent(client.get(URL).text, SITENAME="Mine")
    write = state.save

    def overtaken(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        state.update_db({"SITENAME": "Theirs"})
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    response = client.post(URL, data=form)
    assert response.status_code == 422
    assert 'value="Mine"' in row(response.text, "SITENAME")
    assert "Theirs" in row(response.text, "SITENAME")


def test_the_same_change_during_the_save_is_no_conflict(
    orm_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two identical forms at the same time, in two workers."""
    client, state = orm_app.test_client(), state_of(orm_app)
    form = sent(client.get(URL).text, SITENAME="Mine", PAGE_SIZE="30")
    write = state.save
    theirs = iter([{"SITENAME": "Mine"}, {"PAGE_SIZE": 30}])

    def overtaken(*args: Any, **options: Any) -> Any:
        write(next(theirs, {}), {}, Origin(None, None, "page"))
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    assert client.post(URL, data=form).status_code == 303
    monkeypatch.undo()
    page = client.get(URL).text
    assert ": “Waffle” → “Mine”" in page and ": 20 → 30" in page
    assert (stored(orm_app)["SITENAME"], stored(orm_app)["PAGE_SIZE"]) == ("Mine", 30)


def test_the_same_reset_during_the_save_is_no_conflict(
    orm_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, state = orm_app.test_client(), state_of(orm_app)
    state.update_db({"SITENAME": "Crêperie"})
    form = sent(client.get(URL).text) | {"waffle.do": "reset SITENAME"}
    form = sent(client.post(URL, data=form).text)
    write = state.save

    def overtaken(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        state.reset(["SITENAME"])
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    assert client.post(URL, data=form).status_code == 303
    assert "“Crêperie” → “Waffle”" in client.get(URL).text


@pytest.mark.parametrize(
    ("typed", "theirs", "conflict"),
    [
        (
            {"SITENAME": "Mine", "PAGE_SIZE": "30"},
            {"SITENAME": "Mine", "PAGE_SIZE": 31},
            "PAGE_SIZE",
        ),
        ({"TOKEN": "guess"}, {"TOKEN": "guess"}, "TOKEN"),
        ({"TOKEN": "guess"}, {"TOKEN": "other"}, "TOKEN"),
    ],
)
def test_another_value_or_a_secret_during_the_save_is_a_conflict(
    orm_app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    typed: dict[str, str],
    theirs: dict[str, Any],
    conflict: str,
) -> None:
    client, state = orm_app.test_client(), state_of(orm_app)
    form = sent(client.get(URL).text, **typed)
    write = state.save

    def overtaken(*args: Any, **options: Any) -> Any:
        monkeypatch.undo()
        state.update_db(theirs)
        return write(*args, **options)

    monkeypatch.setattr(state, "save", overtaken)
    response = client.post(URL, data=form)
    assert response.status_code == 422
    found = [key for key in typed if "This was changed since" in row(response.text, key)]
    assert found == [conflict]
    assert theirs.items() <= stored(orm_app).items()


@pytest.fixture
def conflict(app: Flask, client: Any) -> str:
    """The page after somebody else was faster with the name."""
    form = typed(client, SITENAME="Mine", OPEN="")
    state_of(app).update_db({"SITENAME": "Theirs"})
    return str(client.post(URL, data=form).text)


def test_a_conflict_keeps_the_other_changes(app: Flask, conflict: str) -> None:
    both = row(conflict, "SITENAME")
    assert "Keep what is saved" in both and " checked" not in both and "Use mine" in both
    assert "Theirs" in both and 'value="Mine"' in both
    assert "Not saved yet" in row(conflict, "OPEN")
    assert stored(app)["OPEN"] is True


@pytest.mark.parametrize(("choice", "name"), [("theirs", "Theirs"), ("mine", "Mine")])
def test_either_side_of_a_conflict_can_be_chosen(
    app: Flask, client: Any, conflict: str, choice: str, name: str
) -> None:
    form = sent(conflict) | {"waffle.theirs.SITENAME": choice}
    assert client.post(URL, data=form).status_code == 303
    assert (stored(app)["SITENAME"], stored(app)["OPEN"]) == (name, False)


def test_the_stored_value_can_be_chosen_after_a_setting_was_renamed(make_app: MakeApp) -> None:
    app = make_app({"TITLE": {"default": "a", "was": ["NAME"]}, "SIZE": {"default": 1}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = typed(client, TITLE="Mine", SIZE="2")
    # As a page of the release before has sent it.
    form |= {"NAME": form.pop("TITLE"), "waffle.theirs.NAME": "theirs"}
    assert client.post(URL, data=form).status_code == 303
    assert stored(app) == {"TITLE": "a", "SIZE": 2}


def test_a_choice_in_a_conflict_survives_a_failed_save(
    app: Flask, client: Any, conflict: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(state_of(app).configstore, "read_fresh", away)
        form = sent(conflict) | {"waffle.theirs.SITENAME": "theirs"}
        page = client.post(URL, data=form).text
    assert client.post(URL, data=sent(page)).status_code == 303
    assert (stored(app)["SITENAME"], stored(app)["OPEN"]) == ("Theirs", False)


def test_a_conflict_about_a_secret_shows_neither_value(app: Flask, client: Any) -> None:
    form = typed(client, TOKEN="mine-s3cr3t")
    state_of(app).update_db({"TOKEN": "their-s3cr3t"})
    page = client.post(URL, data=form).text
    assert "another value" in row(page, "TOKEN") and "s3cr3t" not in page


def test_a_change_during_the_review_is_a_conflict(app: Flask, client: Any) -> None:
    page = client.post(URL, data=typed(client, SITENAME="Mine") | {"waffle.do": "review"})
    state_of(app).update_db({"SITENAME": "Theirs"})
    page = client.post(URL, data=sent(page.text) | {"waffle.do": "confirm"})
    assert page.status_code == 422 and "Theirs" in row(page.text, "SITENAME")
    assert stored(app)["SITENAME"] == "Theirs"


def test_a_conflict_names_who_made_the_other_change(history_app: Flask) -> None:
    client = history_app.test_client()
    state_of(history_app).update_db({"SITENAME": "Bar"}, actor="eve")
    page = client.get(URL).text
    token = re.search(r'name="waffle_token" value="([^"]*)"', page)
    assert token, page
    # Theirs is the default, so without the conflict the page would not mention ben.
    state_of(history_app).update_db({"SITENAME": "Waffle"}, actor="ben")
    answer = client.post(URL, data={"waffle_token": html.unescape(token[1]), "SITENAME": "Mine"})
    assert "Keep what is saved ben, just now" in words(answer.text)
    change_can(history_app, lambda action, setting: action != "history")
    answer = client.post(URL, data={"waffle_token": html.unescape(token[1]), "SITENAME": "Mine"})
    said = words(answer.text)
    assert "Keep what is saved changed since you opened this page" in said and "ben" not in said


@pytest.mark.parametrize(
    ("actor", "by"), [("ben", "ben, just now"), ("ana", "saved by you in another window, just now")]
)
def test_a_conflict_shows_the_value_before_and_knows_ones_own_other_window(
    history_app: Flask, actor: str, by: str
) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    state.update_db({"SITENAME": "Original"})
    form = sent(client.get(URL).text, SITENAME="Mine")
    state.update_db({"SITENAME": "Between"}, actor="eve")
    state.update_db({"SITENAME": "Theirs"}, actor=actor)
    said = words(client.post(URL, data=form).text)
    assert f"Before Original Keep what is saved {by} Theirs" in said


def test_without_a_history_nobody_is_blamed(app: Flask, client: Any, conflict: str) -> None:
    assert "Keep what is saved changed since you opened this page" in words(conflict)


@pytest.mark.parametrize(
    ("declared", "before", "typed_", "theirs", "shown"),
    [
        ({"default": "Waffle"}, "Waffle", "Mine", "Theirs", "Before Waffle"),
        ({"default": "Waffle"}, "Bakery", "Mine", "Theirs", None),  # any text
        ({"default": "a", "choices": ["a", "b", "c", "d"]}, "b", "c", "d", "Before b"),
        ({"default": Season.SUMMER}, Season.WINTER, "SPRING", Season.AUTUMN, "Before Winter"),
        ({"default": "", "secret": True}, "", "Mine", "Theirs", None),
    ],
)
def test_without_a_history_the_value_before_is_known_if_it_is_one_of_few(
    make_app: MakeApp, declared: Any, before: Any, typed_: str, theirs: Any, shown: str | None
) -> None:
    app = make_app({"KEY": declared})
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"KEY": before})
    form = sent(app.test_client().get(URL).text, KEY=typed_)
    state_of(app).update_db({"KEY": theirs})
    page = app.test_client().post(URL, data=form)
    assert page.status_code == 422 and "Keep what is saved" in page.text
    text = words(page.text)
    assert ("Before" not in text) if shown is None else (shown in text)


@pytest.mark.parametrize("do", ["", "review", "confirm"])
def test_a_conflict_that_nobody_decides_stays_one(
    app: Flask, client: Any, conflict: str, do: str
) -> None:
    assert "Choose the value" in row(conflict, "SITENAME")
    for _again in range(2):
        page = client.post(URL, data=sent(conflict) | {"waffle.do": do})
        assert page.status_code == 422
        said = " ".join(re.sub(r"<[^>]*>", " ", row(page.text, "SITENAME")).split())
        assert "choose “Keep what is saved” or “Use mine”." in said
        assert "Before Waffle Keep what is saved" in said
        conflict = page.text
    assert (stored(app)["SITENAME"], stored(app)["OPEN"]) == ("Theirs", True)


def test_a_conflict_about_a_long_text_shows_what_differs(app: Flask, client: Any) -> None:
    lines = [f"line {number}" for number in range(3000)]
    state_of(app).update_db({"ABOUT": "\n".join(lines)})
    form = typed(client, ABOUT="\n".join([*lines[:1500], "mine", *lines[1501:]]))
    state_of(app).update_db({"ABOUT": "\n".join([*lines[:1500], "theirs", *lines[1501:]])})
    page = client.post(URL, data=form).text.partition('class="wf-diff"')[2]
    shown = re.findall(r'<div class="wf-(?:old|new)">.*?</span>(.*?)</div>', page)
    assert shown == ["theirs", "mine"]
