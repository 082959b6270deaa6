"""Undo: from the history, and right after a save."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel
from flask_wtf import CSRFProtect
from pages import (
    EDITED_CONFS,
    HISTORY,
    HISTORY_CONFS,
    URL,
    MakeApp,
    buttons,
    state_of,
    stored,
    typed,
    undo,
    words,
)

from waffleconf_admin import StoreError, WaffleAdmin


def test_undo_this_save(history_app: Flask) -> None:
    client = history_app.test_client()
    state_of(history_app).update_db({"SITENAME": "Bar", "SIZE": 5})
    (button,) = buttons(client.get(HISTORY).text)
    response = undo(client, button)
    assert (response.status_code, response.location) == (303, HISTORY)
    assert (stored(history_app)["SITENAME"], stored(history_app)["SIZE"]) == ("Waffle", 20)
    page = client.get(HISTORY).text
    assert "Site name has its old value again." in words(page)
    assert words(page).count("undone by ana") == 2
    newest = state_of(history_app).history.list(limit=1)[0]
    assert (newest.actor, newest.source) == ("ana", "undo")
    # Both can be undone once more: the newest save only.
    assert buttons(page) == [newest.change_set]


@pytest.mark.parametrize(
    ("later", "now", "offered"),
    [
        ({}, {}, True),
        ({"SIZE": 6}, {}, False),  # one of two: undoing it would be a conflict
        ({"SIZE": 6, "SITENAME": "Baz"}, {}, False),
        ({"TOKEN": "0ther"}, {}, True),  # left out in any case, like all of these
        ({"REGION": "asia"}, {}, True),
        ({"SIZE": 6}, {"SIZE": None}, True),
        ({"SIZE": 6}, {"SIZE": {"default": 5, "max": 9}}, True),
        ({"SIZE": 6}, {"SIZE": {"default": "many"}}, True),
        ({"SIZE": 6}, {"SITENAME": {"default": 1}}, False),
        ({}, {"SIZE": {"default": "many"}, "SITENAME": None}, False),
    ],
)
def test_undo_of_a_save_is_offered_exactly_where_it_works(
    history_app: Flask, later: dict[str, Any], now: dict[str, Any], offered: bool
) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    state.update_db({"SIZE": 30})
    with client:
        saved = client.post(URL, data={"SITENAME": "Bar", "SIZE": "50", "TOKEN": "s3cr3t"})
        assert saved.status_code == 303
    (change_set,) = {change.change_set for change in state.history.list(source="page")}
    if "REGION" in later:  # belongs to the same save, though nobody may undo it on the page
        change_set = state.update_db({"SITENAME": "Bär", "REGION": "us"}).change_set
    if later:
        state.update_db(later)
    confs = {**HISTORY_CONFS, **now}
    history_app.config["WAFFLE_CONFS"] = {
        key: conf for key, conf in confs.items() if conf is not None
    }
    assert (change_set in buttons(client.get(HISTORY).text)) == offered
    if "REGION" not in later:
        assert (change_set in buttons(client.get(URL).text)) == offered
    assert (undo(client, change_set).status_code == 303) == offered


def test_a_save_that_was_partly_changed_again_says_so(history_app: Flask) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    state.update_db({"SITENAME": "Bar", "SIZE": 50})
    assert "changed again since" not in words(client.get(HISTORY).text)
    state.update_db({"SIZE": 6})
    page = client.get(HISTORY).text
    older = words('id="wf-main"' + page.rpartition("<article")[2])
    assert "After 50 changed again since" in older and "After Bar changed" not in older
    assert "so it can’t be undone as a whole" in older
    state.update_db({"SITENAME": "Baz"})  # of the save itself nothing is left to undo
    assert "changed again since" not in words(client.get(HISTORY).text)


def test_the_history_of_a_setting_restores_one_value(history_app: Flask) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    state.update_db({"SIZE": 5, "SITENAME": "Bar"})
    state.update_db({"SIZE": 6})
    state.update_db({"SIZE": 7})
    page = client.get(f"{HISTORY}?key=SIZE").text
    assert len(buttons(page)) == 3
    response = undo(client, buttons(page)[1], key="SIZE")
    assert (response.status_code, response.location) == (303, f"{HISTORY}?key=SIZE")
    assert (stored(history_app)["SIZE"], stored(history_app)["SITENAME"]) == (5, "Bar")
    offered = buttons(client.get(f"{HISTORY}?key=SIZE").text)
    assert len(offered) == 3  # of four changes: what it has now is not offered
    undo(client, offered[-1])
    # The default, from before the first change; not what else that save changed.
    assert (stored(history_app)["SIZE"], stored(history_app)["SITENAME"]) == (20, "Bar")


@pytest.mark.parametrize(
    ("now", "offered"),
    [
        ({}, [6, 5, 20]),
        ({"max": 5, "default": 1}, [5, 1]),
        ({"choices": [6, 7, 20]}, [6, 20]),
        ({"default": "many"}, ["many"]),
        ({"secret": True}, []),
        ({"readonly": True}, []),
    ],
    ids=["as before", "limit", "choice", "kind", "secret", "read-only"],
)
def test_an_old_value_is_offered_exactly_where_it_can_be_restored(
    history_app: Flask, now: dict[str, Any], offered: list[Any]
) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    for size in (5, 6, 7):
        state.update_db({"SIZE": size})
    history_app.config["WAFFLE_CONFS"] = {**HISTORY_CONFS, "SIZE": {"default": 20, **now}}
    found = buttons(client.get(f"{HISTORY}?key=SIZE").text)
    assert len(found) == len(offered)
    for button, value in zip(found, offered, strict=True):
        last = state.history.list(limit=1)[0].id
        assert undo(client, re.sub(r" \d+ ", f" {last} ", button)).status_code == 303
        assert stored(history_app)["SIZE"] == value


def test_validators_check_an_old_value_when_it_is_restored(
    make_app: MakeApp,
) -> None:
    asked: list[Any] = []

    def ask(form: Any, field: Any) -> None:
        asked.append(field.data)
        if field.data == 5:
            raise ValueError("The server says no.")

    app = make_app({"SIZE": {"desc": "Page size", "default": 20}}, history=True)
    app.register_blueprint(WaffleAdmin())
    state, client = state_of(app), app.test_client()
    for size in (5, 6, 7):
        state.update_db({"SIZE": size})
    app.config["WAFFLE_CONFS"] = {"SIZE": {"default": 20, "validators": [ask]}}
    found = buttons(client.get(f"{HISTORY}?key=SIZE").text)
    client.get(HISTORY)
    assert (len(found), asked) == (3, [])
    response = undo(client, found[1], key="SIZE")
    assert response.status_code == 422 and "The server says no." in words(response.text)
    assert asked == [5] and stored(app)["SIZE"] == 7
    client.post(URL, data={"SIZE": "8"})
    asked.clear()
    assert 'name="undo"' in client.get(URL).text and asked == []


def test_a_function_of_choices_is_not_called_for_each_old_value(make_app: MakeApp) -> None:
    asked: list[None] = []

    def choices() -> list[int]:
        asked.append(None)
        return [*range(30)]

    app = make_app({"SIZE": {"default": 20, "choices": choices}}, history=True)
    app.register_blueprint(WaffleAdmin())
    state, client = state_of(app), app.test_client()
    counts = []
    for sizes in ((5, 6), range(7, 17)):
        for size in sizes:
            state.update_db({"SIZE": size})
        asked.clear()
        assert client.get(f"{HISTORY}?key=SIZE").status_code == 200
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_button_older_than_another_change_is_a_conflict(history_app: Flask) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    state.update_db({"SIZE": 5})
    whole = buttons(client.get(HISTORY).text)[0]
    one = buttons(client.get(f"{HISTORY}?key=SIZE").text)[0]
    state.update_db({"SIZE": 6})
    for button in (whole, one):
        response = undo(client, button)
        assert response.status_code == 409
        assert "Page size was changed again since" in words(response.text)
    assert stored(history_app)["SIZE"] == 6


def test_a_number_too_large_for_databases_is_ignored(history_app: Flask) -> None:
    state = state_of(history_app)
    saved = state.update_db({"SIZE": 5})
    state.update_db({"SIZE": 6})
    # As without the number: nothing may have followed.
    assert (
        undo(history_app.test_client(), f"{saved.change_set} {'1' * 5000} SIZE").status_code == 409
    )
    assert stored(history_app)["SIZE"] == 6


def test_an_undo_keeps_the_filter(history_app: Flask) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    saved = state.update_db({"SIZE": 5}, actor="ben", source="api")
    page = client.get(f"{HISTORY}?key=SIZE&actor=ben&source=api").text
    form = page.partition('id="wf-undo"')[2].partition("</form>")[0]
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w+)"', form))
    sent.pop("csrf_token", None)
    assert sent == {"key": "SIZE", "actor": "ben", "source": "api"}
    state.update_db({"SIZE": 6})
    failed = undo(client, saved.change_set, **sent)
    assert failed.status_code == 409 and '<input name="actor" value="ben"' in failed.text
    assert 'name="key" value="SIZE"' in failed.text and 'value="api" selected' in failed.text
    done = undo(client, f"{saved.change_set} {state.history.list()[0].id} SIZE", **sent)
    assert done.location == f"{HISTORY}?key=SIZE&actor=ben&source=api"


def test_an_undo_says_what_it_leaves_out(history_app: Flask) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    state.update_db({"SITENAME": "Bar", "SIZE": 50, "TOKEN": "x", "REGION": "us"})
    saved = state.history.undo(state.history.list()[0].change_set)
    history_app.config["WAFFLE_CONFS"] = {
        **HISTORY_CONFS,
        "SIZE": {"desc": "Page size", "default": 5, "max": 9},
    }
    undo(client, saved.change_set)
    said = words(client.get(HISTORY).text)
    assert "Site name has its old value again." in said
    assert re.search("Page size: .*At most 9", said)
    assert "Region: You may not change it." in said
    assert undo(client, saved.change_set).status_code == 303  # what can be undone is
    assert "Region: You may not change it." in words(client.get(HISTORY).text)


def test_rules_across_settings_refuse_an_undo(make_app: MakeApp) -> None:
    def validate(new: Any) -> Any:
        return {"SITENAME": "Name it first."} if new["SITENAME"] == "Waffle" else {}

    app = make_app(
        {**HISTORY_CONFS, "SITENAME": {"default": "Waffle"}}, history=True, validate=validate
    )
    app.register_blueprint(WaffleAdmin())
    saved = state_of(app).update_db({"SITENAME": "Bar"})
    response = undo(app.test_client(), saved.change_set)
    assert response.status_code == 422 and "Name it first." in words(response.text)


def test_an_undo_reveals_nothing_of_settings_that_the_user_may_not_see(make_app: MakeApp) -> None:
    def validate(new: Any) -> Any:
        problems = {"SITENAME": "SITENAME is 42", "REGION": "REGION is 43", "SIZE": "Too small."}
        return problems if new["SIZE"] == 20 else {}

    app = make_app(HISTORY_CONFS, history=True, validate=validate)
    app.register_blueprint(WaffleAdmin(groups=["Shop"]))
    saved = state_of(app).update_db({"SIZE": 5})
    response = undo(app.test_client(), saved.change_set)
    said = words(response.text)
    assert response.status_code == 422 and "Page size: Too small." in said
    assert said.count("A rule about a setting that is not on this page") == 1
    assert not re.search("SITENAME|REGION|Site name|Region|is 4", response.text)


@pytest.mark.parametrize("text", ["", "Save", "%"])
def test_the_message_of_a_rule_is_not_translated(make_app: MakeApp, text: str) -> None:
    """Not even where our catalogue has the same words; of none it has its own header."""
    app = make_app(
        HISTORY_CONFS, history=True, validate=lambda new: {"SIZE": text} if new["SIZE"] else {}
    )
    Babel(app, locale_selector=lambda: "es")
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"SIZE": 0})
    saved = state_of(app).history.list()[0]
    response = undo(app.test_client(), saved.change_set)
    assert response.status_code == 422
    assert f"<li>Page size: {text}</li>" in response.text


def test_an_unknown_save_is_refused(history_app: Flask) -> None:
    for value in ("", "0" * 32, "x y z", f"{'0' * 32} 5 SIZE", "\0"):
        assert undo(history_app.test_client(), value).status_code in (403, 422)


def test_a_save_needs_the_csrf_token(make_app: MakeApp) -> None:
    app = make_app(HISTORY_CONFS, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    saved, client = state_of(app).update_db({"SIZE": 5}), app.test_client()
    response = undo(client, saved.change_set)
    assert response.status_code == 422 and "open for a long time" in words(response.text)
    assert stored(app)["SIZE"] == 5
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', client.get(HISTORY).text)
    assert token
    assert undo(client, saved.change_set, csrf_token=token[1]).status_code == 303
    assert stored(app)["SIZE"] == 20


def test_under_an_app_wide_csrf_protection_an_undo_works_and_an_old_token_is_explained(
    make_app: MakeApp,
) -> None:
    app = make_app(HISTORY_CONFS, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    CSRFProtect(app)
    saved, client = state_of(app).update_db({"SIZE": 5}), app.test_client()
    page = client.get(HISTORY).text
    response = undo(client, saved.change_set, csrf_token="old")
    assert response.status_code == 422 and "security token" in words(response.text)
    assert saved.change_set in " ".join(buttons(response.text)) and stored(app)["SIZE"] == 5
    token = re.search(r'name="csrf_token"[^>]*value="([^"]*)"', page)
    assert token
    assert undo(client, saved.change_set, csrf_token=token[1]).status_code == 303
    assert stored(app)["SIZE"] == 20


def test_undo_from_the_settings_page_goes_back_there(history_app: Flask) -> None:
    client, address = history_app.test_client(), f"{URL}?group=Shop&q=size"
    with client:
        client.post(address, data={"SIZE": "5"})
    page = client.get(address).text
    action = re.search(rf'action="({HISTORY}/undo[^"]*)"', page)
    assert action
    form = {"undo": buttons(page)[0], "back": "index"}
    response = client.post(html.unescape(action[1]), data=form)
    assert response.location == address and stored(history_app)["SIZE"] == 20


@pytest.mark.parametrize("way", ["save", "one value"])
def test_a_second_click_on_undo_succeeds(history_app: Flask, way: str) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 5, "TOKEN": "t"})
    last = state.history.latest(["SITENAME"])["SITENAME"].id
    value = saved.change_set if way == "save" else f"{saved.change_set} {last} SITENAME"
    for _click in range(2):
        response = undo(client, value)
        assert response.status_code == 303
        assert "Site name has its old value again." in client.get(HISTORY).text
    assert len(state.history.list("SITENAME")) == 2


@pytest.mark.parametrize("later", [{"SITENAME": "Later"}, {"SIZE": 7}])
def test_a_change_after_an_undo_stops_a_second_undo(
    history_app: Flask, later: dict[str, Any]
) -> None:
    client, state = history_app.test_client(), state_of(history_app)
    saved = state.update_db({"SITENAME": "Bar", "SIZE": 5})
    undo(client, saved.change_set)
    state.update_db(later)
    assert undo(client, saved.change_set).status_code == 409
    assert later.items() <= stored(history_app).items()


@pytest.mark.parametrize(
    ("forbidden", "key", "offered"),
    [("", "SITENAME", True), ("history", "SITENAME", False), ("", "TOKEN", False)],
)
def test_undo_is_offered_to_who_may_undo(
    make_app: MakeApp, forbidden: str, key: str, offered: bool
) -> None:
    app = make_app(EDITED_CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: action != forbidden))
    client = app.test_client()
    assert client.post(URL, data=typed(client, **{key: "new"})).status_code == 303
    assert ('name="undo"' in client.get(URL).text) == offered


def test_undo_is_offered_once(history_app: Flask) -> None:
    client = history_app.test_client()
    assert client.post(URL, data={"SITENAME": "Bar"}).status_code == 303
    assert ['name="undo"' in client.get(URL).text for _ in range(2)] == [True, False]


def test_undo_is_not_offered_after_another_change(make_app: MakeApp) -> None:
    app = make_app(EDITED_CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    assert client.post(URL, data=typed(client, SITENAME="Mine")).status_code == 303
    state_of(app).update_db({"SITENAME": "Theirs"})
    page = client.get(URL).text
    assert "“Mine”" in page and 'name="undo"' not in page


def test_the_page_works_while_the_history_cannot_be_read(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(EDITED_CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    assert client.post(URL, data=typed(client, SITENAME="Mine")).status_code == 303

    def away(query: Any) -> Any:
        raise StoreError("away")

    monkeypatch.setattr(state_of(app).configstore, "read_history", away)
    page = client.get(URL)
    assert page.status_code == 200 and 'name="undo"' not in page.text


@pytest.mark.parametrize(
    ("later", "by", "tags"),
    [
        ([{"SIZE": 5}], "ana", ["undone by ana"]),
        ([{"SIZE": 5}], None, ["undone"]),
        ([{"SIZE": 5}, {"SIZE": 20}, {"SIZE": 5}], "ana", ["undone by ana"]),
        ([{"TOKEN": "s3cr3t"}, {"SITENAME": "Bar"}], "ana", ["undone by ana"]),
    ],
    ids=["by somebody", "by nobody named", "the last of equal ones", "beside a secret"],
)
def test_a_change_that_was_undone_says_so(
    history_app: Flask, later: list[dict[str, Any]], by: str | None, tags: list[str]
) -> None:
    state = state_of(history_app)
    saves = [state.update_db(values) for values in later]
    state.history.undo(saves[-1].change_set, actor=by)
    for text in ("Later", None):  # whatever follows
        page = history_app.test_client().get(HISTORY).text
        assert re.findall(r'"wf-tag">(undone[^<]*)<', page) == tags
        state.update_db({"SITENAME": text, "SIZE": 7} if text else {})
