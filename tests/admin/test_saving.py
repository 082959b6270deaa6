"""Saving from the settings page, and what it says when something is wrong."""

from __future__ import annotations

import html
import random
import re
from http.cookies import SimpleCookie
from typing import Any

import pytest
from flask import Flask, session
from flask_wtf import CSRFProtect
from pages import CONFS, EDITED_CONFS, URL, MakeApp, row, sent, state_of, stored, typed
from states import put

from waffleconf_admin import BusyError, InvalidValue, StoreError, WaffleAdmin
from waffleconf_admin.codec import serialize


def test_a_save_answers_303_and_the_next_page_lists_what_was_saved(orm_app: Flask) -> None:
    client = orm_app.test_client()
    form = sent(client.get(URL).text, SITENAME="Crêperie", PAGE_SIZE="50")
    response = client.post(URL, data=form)
    assert response.status_code == 303
    assert orm_app.config["SITENAME"] == "Crêperie" and orm_app.config["PAGE_SIZE"] == 50
    page = client.get(URL).text
    assert "Site name: “Waffle” → “Crêperie”" in page and "<title>Saved – " in page
    assert "Page size: 20 → 50" in page
    after = client.get(URL).text
    assert "“Crêperie”" not in after and "Saved" not in after


@pytest.mark.parametrize(
    ("changes", "status", "reads"),
    [
        ({}, 303, []),
        ({"SITENAME": "New"}, 303, [["SITENAME"]] * 2),  # the save reads too
        ({"SITENAME": "New", "SIZE": "5"}, 303, [["SITENAME", "SIZE"]] * 2),
        ({"SIZE": "x"}, 422, [["SIZE"], ["SITENAME", "SIZE", "TAX"]]),
    ],
)
def test_a_submission_reads_what_was_changed_and_all_only_to_show_the_page(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    status: int,
    reads: list[list[str]],
) -> None:
    app = make_app({"SITENAME": {"default": "a"}, "SIZE": {"default": 1}, "TAX": {"default": 2}})
    app.register_blueprint(WaffleAdmin())
    client, store, read = app.test_client(), state_of(app).configstore, []
    form, real = typed(client, **changes), store.read_fresh
    monkeypatch.setattr(store, "read_fresh", lambda keys: read.append([*keys]) or real(keys))
    assert client.post(URL, data=form).status_code == status
    assert read == reads


def test_functions_of_the_app_that_are_asked_find_what_others_have_saved(
    make_app: MakeApp,
) -> None:
    def at_least(_form: Any, field: Any) -> None:
        if field.data < app.config["MIN"]:
            raise ValueError("Less than MIN.")

    app = make_app({"MIN": {"default": 1}, "MAX": {"default": 9, "validators": [at_least]}})
    app.register_blueprint(WaffleAdmin())
    form = typed(app.test_client(), MAX="7")
    put(app, "MIN", serialize(8))  # by another process
    page = app.test_client().post(URL, data=form)
    assert page.status_code == 422 and "Less than MIN." in row(page.text, "MAX")


def test_a_form_without_a_token_is_merged_with_one_reading(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(
        {"SITENAME": {"default": "a"}, "OPEN": {"default": True}, "SIZE": {"default": 1}}
    )
    app.register_blueprint(WaffleAdmin())
    store, read = state_of(app).configstore, []
    real = store.read_fresh
    monkeypatch.setattr(store, "read_fresh", lambda keys: read.append([*keys]) or real(keys))
    assert app.test_client().post(URL, data={"SITENAME": "x"}).status_code == 303
    assert read == [["SITENAME", "OPEN", "SIZE"], ["SITENAME"]]  # and the save


@pytest.mark.parametrize("first", [{"SIZE": "x"}, {"SIZE": "3"}], ids=["mistake", "conflict"])
def test_a_secret_that_was_typed_before_an_error_is_not_lost_without_a_word(
    make_app: MakeApp, first: dict[str, str]
) -> None:
    app = make_app({"TOKEN": {"default": "", "secret": True}, "SIZE": {"default": 1}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = typed(client, TOKEN="hunter2", **first)
    state_of(app).update_db({"SIZE": 2})
    page = client.post(URL, data=form)
    for _ in range(2):
        assert page.status_code == 422
        again = sent(page.text, SIZE="5") | {"waffle.theirs.SIZE": "mine"}
        page = client.post(URL, data=again)
        assert "a secret is not shown" in row(page.text, "TOKEN")
    dropped = client.post(URL, data=again | {"waffle.do": "discard TOKEN"})
    assert "waffle.secret" not in sent(dropped.text)
    assert client.post(URL, data=again | {"TOKEN": "hunter3"}).status_code == 303
    assert (stored(app)["SIZE"], app.config["TOKEN"]) == (5, "hunter3")


def test_the_second_of_two_clicks_keeps_the_message_of_the_first(app: Flask) -> None:
    client = app.test_client()
    form = typed(client, SITENAME="New")
    for _ in range(2):
        assert client.post(URL, data=form).status_code == 303
    page = client.get(URL).text
    assert "Site name: “Waffle” → “New”" in page and "Nothing to save" not in page


def test_a_page_that_is_shown_again_has_what_another_process_has_saved(orm_app: Flask) -> None:
    client = orm_app.test_client()
    form = typed(client, PAGE_SIZE="none")
    put(orm_app, "SITENAME", serialize("Theirs"))
    page = client.post(URL, data=form)
    assert page.status_code == 422 and 'value="Theirs"' in row(page.text, "SITENAME")
    assert orm_app.config["SITENAME"] == "Theirs"  # what the page shows is served


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (" hunter3", "Token saved, with a blank at its beginning or end."),
        ("hunter3\t", "Token saved, with a blank at its beginning or end."),
        ("hunter 3", "Token saved."),
    ],
)
def test_a_secret_with_outer_blanks_is_saved_with_them_and_the_message_says_so(
    make_app: MakeApp, typed: str, message: str
) -> None:
    app = make_app({"TOKEN": {"default": "", "secret": True}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, TOKEN=typed)
    page = client.post(URL, data=form, follow_redirects=True).text
    assert f"<li>{message}</li>" in page
    assert (app.config["TOKEN"], typed.strip() in page) == (typed, False)


def test_the_message_about_a_secret_is_about_the_saved_value(make_app: MakeApp) -> None:
    def strip(_form: Any, field: Any) -> None:
        field.data = field.data.strip()

    app = make_app({"TOKEN": {"default": "", "secret": True, "validators": [strip]}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, TOKEN=" hunter3")
    assert "<li>Token saved.</li>" in client.post(URL, data=form, follow_redirects=True).text
    assert app.config["TOKEN"] == "hunter3"


@pytest.mark.parametrize(
    ("conf", "value", "words"),
    [
        ({"default": ""}, "a b", "empty → “a b”"),
        ({"default": "a b"}, "", "“a b” → empty"),
        ({"default": 1}, 2, "1 → 2"),
        ({"default": "a", "choices": ["a", "b"]}, "b", "a → b"),
        ({"default": [1]}, "[2]", "[1] → [2]"),
    ],
)
def test_messages_quote_texts_only(
    make_app: MakeApp, conf: dict[str, Any], value: Any, words: str
) -> None:
    app = make_app({"KEY": conf})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, KEY=str(value))
    page = client.post(URL, data=form, follow_redirects=True).text
    assert f"Key: {words}" in page


@pytest.mark.parametrize("first", ["!", "一", "🌀"])
def test_messages_of_a_big_save_fit_into_a_cookie(make_app: MakeApp, first: str) -> None:
    letters = [chr(ord(first) + i) for i in range(90)]
    text = "".join(random.Random(1).choices(letters, k=9000))  # nothing that could be compressed
    many = {f"K{i}": {"desc": text[i * 50 : i * 50 + 500], "default": ""} for i in range(50)}
    app = make_app(many)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    response = client.post(URL, data=dict.fromkeys(many, text))
    cookie = SimpleCookie(response.headers["Set-Cookie"])["session"]
    assert len(cookie.value) < 2048
    assert "45 more saved" in client.get(URL).text


def test_an_unticked_box_is_saved_though_browsers_leave_it_out(orm_app: Flask) -> None:
    client = orm_app.test_client()
    form = sent(client.get(URL).text)
    assert form["OPEN"] not in ("", "no")
    assert client.post(URL, data=form | {"OPEN": ""}).status_code == 303
    assert stored(orm_app)["OPEN"] is False


def test_a_form_without_changes_saves_nothing(orm_app: Flask) -> None:
    client = orm_app.test_client()
    form = sent(client.get(URL).text)
    response = client.post(URL, data=form, follow_redirects=True)
    assert "no setting was changed" in response.text
    assert not [key for key, record in state_of(orm_app).read().items() if record.text is not None]


@pytest.mark.parametrize(
    ("key", "text"),
    [("PAGE_SIZE", "0"), ("PAGE_SIZE", "many"), ("THEME", "pink"), ("HOURS", '{"mon": [9,}')],
)
def test_a_mistake_answers_422_with_everything_typed(orm_app: Flask, key: str, text: str) -> None:
    client = orm_app.test_client()
    form = sent(client.get(URL).text, SITENAME="Crêperie") | {key: text}
    response = client.post(URL, data=form)
    page = html.unescape(response.text)
    assert response.status_code == 422
    assert stored(orm_app)["SITENAME"] == "Waffle"
    assert 'value="Crêperie"' in page
    assert f'href="#waffle-{key}' in page.partition('role="alert"')[2]
    control = re.search(r'<[^>]*aria-invalid="true"[^>]*>', row(page, key))
    assert control and f"waffle-{key}-errors" in control[0]
    assert f'id="waffle-{key}-errors"' in row(page, key)
    # The only field that is wrong has the focus, but radio buttons, which are several controls.
    focused = re.findall(r"<[^>]* autofocus[^>]*>", page)
    assert len(focused) == 1 and (control[0] == focused[0]) == (key != "THEME")
    if key != "THEME":
        assert text in row(page, key)


def test_a_rule_across_settings_is_shown_at_its_field(make_app: MakeApp) -> None:
    app = make_app(CONFS, validate=lambda values: {"PAGE_SIZE": "too many for the dark theme"})
    app.register_blueprint(WaffleAdmin())
    response = app.test_client().post(URL, data={"PAGE_SIZE": "99"})
    assert response.status_code == 422
    assert "too many for the dark theme" in row(response.text, "PAGE_SIZE")
    assert 'value="99"' in row(response.text, "PAGE_SIZE")


def test_a_rule_without_a_field_is_shown_on_top(
    orm_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: Any, **options: Any) -> Any:
        raise InvalidValue("not on a Sunday")

    monkeypatch.setattr(state_of(orm_app), "save", refuse)
    response = orm_app.test_client().post(URL, data={"SITENAME": "New"})
    assert response.status_code == 422
    assert "not on a Sunday" in response.text.partition('role="alert"')[2].partition("</ul>")[0]


@pytest.mark.parametrize("error", [StoreError("driver text"), BusyError("driver text")])
def test_a_failed_save_answers_503_with_everything_typed(
    orm_app: Flask,
    error: StoreError,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*args: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(state_of(orm_app), "save", fail)
    typed = {"SITENAME": "Crêperie", "TOKEN": "s3cr3t-typed"}
    response = orm_app.test_client().post(URL, data=typed)
    assert response.status_code == 503
    assert 'value="Crêperie"' in response.text
    assert "enter it again" in row(response.text, "TOKEN") and "s3cr3t" not in response.text
    assert "try again" in response.text.partition('role="alert"')[2]
    assert "driver text" not in response.text and "driver text" in caplog.text


def test_an_unreachable_database_answers_503_and_keeps_what_was_typed(
    make_app: MakeApp, orm: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, orm=orm, create=False)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    response = client.get(URL)
    assert response.status_code == 503
    assert "no such table" in caplog.text
    typed = {"SITENAME": "Crêperie <1>", "TOKEN": "s3cr3t", "waffle_token": "token"}
    response = client.post(URL, data=typed)
    assert response.status_code == 503
    assert sent(response.text) == {
        "SITENAME": "Crêperie <1>",
        "waffle_token": "token",
        "waffle.secret": "TOKEN",
    }


def test_a_save_needs_the_csrf_token(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    response = client.post(URL, data={"SITENAME": "New"})
    assert (
        response.status_code == 422
        and "open for a long time" in response.text.partition('role="alert"')[2]
    )
    assert stored(app)["SITENAME"] == "Waffle"
    form = sent(client.get(URL).text, SITENAME="New")
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)["SITENAME"] == "New"


def test_csrf_without_a_secret_key_is_an_error_that_names_it(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        app.test_client().get(URL)


def test_an_app_without_a_secret_key_saves(make_app: MakeApp) -> None:
    app = make_app(CONFS, SECRET_KEY=None)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="New")
    assert client.post(URL, data=form).status_code == 303
    assert client.get(URL).status_code == 200
    assert stored(app)["SITENAME"] == "New"


def test_a_very_long_text_does_not_stop_the_rest_from_being_saved(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    CSRFProtect(app)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"SITENAME": "漢\n" * 60_000})
    client = app.test_client()
    form = sent(client.get(URL).text, PAGE_SIZE="21")
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)["PAGE_SIZE"] == 21


def test_an_address_that_is_not_utf8_does_not_break_a_save(app: Flask, client: Any) -> None:
    form = typed(client, SITENAME="New")
    answer = client.post(URL, data=form, environ_overrides={"QUERY_STRING": "q=\xff"})
    assert answer.status_code == 303 and stored(app)["SITENAME"] == "New"


@pytest.mark.parametrize("guess", ["s3cr3t", "wr0ng"])
def test_the_response_never_reveals_whether_a_guessed_secret_was_right(
    make_app: MakeApp, guess: str
) -> None:
    app = make_app(EDITED_CONFS, history=True, WAFFLE_MULTIPROC=True, WAFFLE_WATCHTYPE="database")
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"TOKEN": "s3cr3t", "DSN": "s3cr3t"})
    client = app.test_client()
    with client:
        assert client.post(URL, data=typed(client, TOKEN=guess)).status_code == 303
        assert set(session) == {"waffle_saved"}
        saved, *lines = session["waffle_saved"]
    assert saved and lines[0] == "Token saved." and len(lines) == 2


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"SITENAME": {"desc": "Site name", "default": "Waffle", "readonly": True}}, "Site name"),
        ({}, "A setting that you changed is not here any more"),
    ],
    ids=["read-only now", "gone"],
)
def test_a_change_of_a_locked_or_removed_setting_is_reported(
    app: Flask, client: Any, changed: dict[str, Any], message: str
) -> None:
    form = typed(client, SITENAME="Crêperie", TAX="21", ABOUT="new")
    others = {key: declared for key, declared in EDITED_CONFS.items() if key != "SITENAME"}
    app.config["WAFFLE_CONFS"] = others | changed
    page = client.post(URL, data=form)
    assert page.status_code == 422 and message in html.unescape(page.text)
    assert client.post(URL, data=sent(page.text)).status_code == 303  # and not twice
    assert stored(app)["ABOUT"] == "new"


@pytest.mark.parametrize("key", ["SITENAME", "TOKEN", "OPEN"])
def test_removing_an_untouched_setting_does_not_stop_a_save(
    app: Flask, client: Any, key: str
) -> None:
    form: dict[str, Any] = typed(client, ABOUT="new")
    form["OPEN"] = ["", "on"]  # as a browser sends a ticked box
    app.config["WAFFLE_CONFS"] = {name: conf for name, conf in EDITED_CONFS.items() if name != key}
    assert client.post(URL, data=form).status_code == 303
    assert stored(app)["ABOUT"] == "new"


def test_a_removed_choice_is_not_saved_as_another_one(make_app: MakeApp) -> None:
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


def test_an_old_page_is_answered_calmly(make_app: MakeApp) -> None:
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="Mine")
    app.config["WTF_CSRF_TIME_LIMIT"] = -1
    page = client.post(URL, data=form)
    app.config["WTF_CSRF_TIME_LIMIT"] = 3600
    assert page.status_code == 422 and "CSRF" not in page.text and "wf-bad" not in page.text
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert stored(app)["SITENAME"] == "Mine"


def test_errors_are_listed_in_the_order_of_the_page(orm_app: Flask) -> None:
    page = orm_app.test_client().post(URL, data={"PAGE_SIZE": "x", "HOURS": "[", "SITENAME": "\0"})
    summary = page.text.partition('role="alert"')[2].partition("</div>")[0]
    keys = re.findall(r'href="#waffle-(\w+)"', summary)
    rows = re.findall(r'<div class="wf-row[^"]*" id="(\w+)"', page.text)
    assert len(keys) > 1 and keys == [key for key in rows if key in keys]


def test_the_script_learns_where_to_go_on(app: Flask, client: Any) -> None:
    form = typed(client, SITENAME="New", ABOUT="new") | {"waffle.row": "ABOUT"}
    answer = client.post(URL, data=form, headers={"X-Waffle-Fetch": "1"})
    assert (answer.status_code, answer.headers["Location"]) == (204, f"{URL}#ABOUT")
    assert "“Waffle” → “New”" in client.get(URL).text


def test_what_was_discarded_can_be_brought_back(app: Flask, client: Any) -> None:
    page = client.post(URL, data=typed(client, SITENAME="Mine") | {"waffle.do": "discard"}).text
    assert 'value="Waffle"' in row(page, "SITENAME")
    form = page.partition('wf-messages"')[2].partition("</form>")[0]
    back = client.post(URL, data=sent(form) | {"waffle.do": "edit"})
    assert 'value="Mine"' in row(back.text, "SITENAME") and stored(app)["SITENAME"] == "Waffle"


def test_a_secret_typed_before_going_back_to_editing_is_asked_for_again(client: Any) -> None:
    form = typed(client, TOKEN="s3cr3t") | {"waffle.do": "review"}
    review = client.post(URL, data=form).text
    page = client.post(URL, data=sent(review) | {"waffle.do": "edit"}).text
    assert "enter it again" in row(page, "TOKEN") and "s3cr3t" not in page


@pytest.mark.parametrize(("typed_note", "kept"), [("  spring sale\n", "spring sale"), (" ", "")])
def test_a_reason_is_kept_without_blanks_around_it(
    make_app: MakeApp, typed_note: str, kept: str
) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}}, history=True)
    app.register_blueprint(WaffleAdmin())
    data = {"SITENAME": "Bakery", "waffle.note": typed_note}
    assert app.test_client().post(URL, data=data).status_code == 303
    (change,) = state_of(app).history.list()
    assert (change.note or "") == kept
