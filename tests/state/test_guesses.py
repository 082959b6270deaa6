"""Nobody learns a secret by guessing it: a right guess gets the answer of a wrong one."""

from __future__ import annotations

import html
import logging
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, has_request_context, session
from pages import sent, state_of

from waffleconf_admin import (
    ConflictError,
    InvalidValue,
    WaffleAdmin,
    WaffleError,
    build_form,
    conf_changed,
)
from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.forms.merge_token import MergeSigner
from waffleconf_admin.settings.equality import same

URL = "/admin/config"
STORED, DEFAULT, WRONG = "hunter2", "factory", "hunter3"
CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle"},
    "TOKEN": {"desc": "Token", "default": DEFAULT, "secret": True},
    "DSN": {"default": DEFAULT, "secret": True, "confirm": True},
    "PIN": {"default": 1, "secret": True},
}

MakeApp = Callable[..., Flask]


def refuses(values: dict[str, Any]) -> dict[str, str]:
    return {"TOKEN": "Not today."} if has_request_context() else {}


def fails(values: dict[str, Any]) -> dict[str, str]:
    return 1 / 0 if has_request_context() else {}  # type: ignore[return-value]


@contextmanager
def writable(path: Path) -> Iterator[None]:
    yield


@contextmanager
def read_only(path: Path) -> Iterator[None]:
    with sqlite3.connect(path) as connection:
        for verb in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(
                f"CREATE TRIGGER no_{verb} BEFORE {verb} ON confs "
                "BEGIN SELECT RAISE(ABORT, 'read-only'); END"
            )
    connection.close()
    yield


@contextmanager
def held(path: Path) -> Iterator[None]:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield
    connection.close()


@pytest.fixture
def answer(
    make_app: MakeApp, orm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[Callable[..., Any]]:
    """All that comes of one submission: of the page, the session, the database and the log."""
    caplog.set_level(logging.INFO, "waffleconf_admin")
    receivers: list[Any] = []

    def answer(
        guess: str,
        database: Any = writable,
        stored: str | None = STORED,
        meanwhile: dict[str, Any] | None = None,
        **options: Any,
    ) -> Any:
        form = options.pop("form", {"TOKEN": guess})
        path = tmp_path / f"{len(receivers)}.db"
        query = "?timeout=0.01"
        app = make_app(
            CONFS, orm, f"sqlite:///{path}{query}", WAFFLE_STORE_DEFAULTS=False, **options
        )
        app.register_blueprint(WaffleAdmin())
        state, received = state_of(app), []
        receivers.append(lambda app, changes, origin, **_: received.append([*changes, origin]))
        conf_changed.connect(receivers[-1], app)
        state.update_db({} if stored is None else {"TOKEN": stored, "DSN": stored})
        with ExitStack() as stack, app.test_client() as client:
            data = sent(client.get(URL).text) | form
            state.update_db(meanwhile or {})
            received.clear()
            caplog.clear()
            stack.enter_context(database(path))
            response = client.post(URL, data=data)
            flashed = list(session.get("_flashes", ())), sorted(session)
            lines = [record.getMessage().replace(str(path), "") for record in caplog.records]
            page = client.get(URL)
        read = state.read()["TOKEN"]
        history = state.history and [
            (change.key, change.old, change.new, change.source) for change in state.history.list()
        ]
        return (
            *(bare(response.text), response.status, response.location),
            *(flashed, lines, received, history, bare(page.text), read.text is None),
        )

    yield answer
    for receiver in receivers:
        conf_changed.disconnect(receiver)


def bare(page: str) -> str:
    """A page without its tokens."""
    return re.sub(r'(name="(?:csrf|waffle)_token" value=")[^"]*', r"\1", page)


SITUATIONS: dict[str, dict[str, Any]] = {
    "nothing in the way": {},
    "a history": {"history": True},
    "a rule that refuses": {"validate": refuses},
    "a rule that fails": {"validate": fails},
    "a read-only database": {"database": read_only},
    "a held database": {"database": held},
    "a conflict": {"meanwhile": {"TOKEN": "theirs"}},
    "a conflict with a history": {"meanwhile": {"TOKEN": "theirs"}, "history": True},
    "no row": {"stored": None},
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_right_guess_gets_the_answer_of_a_wrong_one(
    answer: Callable[..., Any], situation: dict[str, Any]
) -> None:
    right = [STORED, DEFAULT, "theirs"]
    answers = [answer(guess, **situation) for guess in (*right, WRONG)]
    for found in answers[:-1]:
        assert found == answers[-1]


@pytest.mark.parametrize("action", ["reset TOKEN", "review", "edit", ""])
def test_nor_does_it_beside_a_reset_or_a_review(answer: Callable[..., Any], action: str) -> None:
    answers = [
        answer(guess, form={"TOKEN": guess, "waffle.do": action, "waffle.reset": "TOKEN"})
        for guess in (STORED, DEFAULT, WRONG)
    ]
    assert answers[0] == answers[1] == answers[2]


@pytest.fixture
def app(make_app: MakeApp, orm: str) -> Flask:
    app = make_app(CONFS, orm, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin())
    return app


@pytest.mark.parametrize("source", ["page", "api"])
def test_what_people_send_is_written_whatever_it_equals(app: Flask, source: str) -> None:
    state = state_of(app)
    texts = []
    for _ in range(3):
        assert state.update_db({"TOKEN": STORED}, source=source) == {"TOKEN": STORED}
        texts.append(state.read()["TOKEN"].text)
    assert len({*texts}) == 3
    assert len(state.history.list("TOKEN")) == 3


@pytest.mark.parametrize("source", ["code", "cli", "import"])
def test_elsewhere_an_equal_secret_is_skipped(app: Flask, source: str) -> None:
    state = state_of(app)
    assert state.update_db({"TOKEN": STORED}, source=source) == {"TOKEN": STORED}
    assert state.update_db({"TOKEN": STORED}, source=source) == {}
    assert len(state.history.list("TOKEN")) == 1


def test_an_equal_plain_setting_is_skipped_whoever_sends_it(app: Flask) -> None:
    state = state_of(app)
    assert state.update_db({"SITENAME": "x"}, source="page") == {"SITENAME": "x"}
    assert state.update_db({"SITENAME": "x"}, source="page") == {}


@pytest.mark.parametrize("guess", [STORED, WRONG])
def test_an_old_page_does_not_tell_whether_a_secret_is_what_it_was(app: Flask, guess: str) -> None:
    """Whoever overwrites a secret could otherwise ask a page from before whether it is back."""
    client, state = app.test_client(), state_of(app)
    state.update_db({"TOKEN": STORED})
    old = sent(client.get(URL).text)
    token = MergeSigner("test").load(old["waffle_token"])
    assert client.post(URL, data={"TOKEN": guess}).status_code == 303
    new = MergeSigner("test").load(sent(client.get(URL).text)["waffle_token"])
    assert token and new and token.digests["TOKEN"] != new.digests["TOKEN"]
    answer = client.post(URL, data=old | {"TOKEN": "another"})
    assert answer.status_code == 422 and "changed since you opened the page" in answer.text


@pytest.mark.parametrize("guess", [STORED, WRONG])
def test_nor_does_a_save_that_is_overtaken(app: Flask, guess: str) -> None:
    state = state_of(app)
    state.update_db({"TOKEN": STORED})
    with app.test_request_context(method="POST", data={"TOKEN": "another"}):
        form = build_form(state)
        assert form.validate()
        state.update_db({"TOKEN": guess}, source="page")
        with pytest.raises(ConflictError):
            state.update_db(form.changes, expected=form.expected, source="page")


@pytest.mark.parametrize("guess", [DEFAULT, WRONG])
@pytest.mark.parametrize("query", ["", "?modified=1"])
def test_a_page_does_not_tell_whether_a_secret_is_its_default(
    app: Flask, guess: str, query: str
) -> None:
    client = app.test_client()
    assert "1</a>" not in changed(client.get(URL).text)
    client.post(URL, data={"TOKEN": guess})
    page = client.get(URL + query).text
    assert "Modified 1" in changed(page)
    client.post(URL, data={"waffle.reset": "TOKEN"})
    assert "Modified 0" in changed(client.get(URL).text)


def changed(page: str) -> str:
    found = re.search(r'data-only="modified".*?</a>', page)
    assert found
    return found[0]


def test_a_default_that_was_stored_is_no_change(make_app: MakeApp, orm: str) -> None:
    app = make_app(CONFS, orm, WAFFLE_STORE_DEFAULTS=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    old = sent(client.get(URL).text)
    state_of(app).parse_conf()
    assert "Modified 0" in changed(client.get(URL).text)
    assert client.post(URL, data=old | {"TOKEN": "new"}).status_code == 303  # and no conflict


@pytest.mark.parametrize("query", ["q=hunter2", "q=hunter", f"q={DEFAULT}", "q=%3Csecret"])
def test_the_search_does_not_look_into_secrets(app: Flask, query: str) -> None:
    state_of(app).update_db({"TOKEN": STORED})
    assert "No setting found" in app.test_client().get(f"{URL}?{query}").text


@pytest.mark.parametrize("value", ["", "one", "one\ntwo", "x" * 5000])
def test_a_page_tells_of_a_secret_only_whether_there_is_one(app: Flask, value: str) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"TOKEN": "other"})
    other = bare(client.get(URL).text)
    state.update_db({"TOKEN": value})
    page = bare(client.get(URL).text)
    assert (page == other) is (value != "")


# Rules, validators and messages


def test_a_message_of_a_rule_is_shown_whatever_is_in_it(make_app: MakeApp) -> None:
    """A filter of messages would be asked what is in a secret, six characters at a time."""

    def rule(values: dict[str, Any]) -> dict[str, str]:
        return {"SITENAME": f"{values['SITENAME']} is too long."}

    app = make_app(CONFS, validate=rule)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    for text in ("hunter2", "hunter3", "unter2"):
        page = client.post(URL, data={"SITENAME": text, "TOKEN": "hunter2"})
        assert f"{text} is too long." in html.unescape(page.text)
        with pytest.raises(InvalidValue, match=f"{text} is too long"):
            state_of(app).update_db({"SITENAME": text, "TOKEN": "hunter2"})


TYPED = "needle-4711"
UNREADABLE: list[tuple[dict[str, Any], str]] = [
    ({"default": 1}, TYPED),
    ({"default": 1.5}, TYPED),
    ({"default": True}, TYPED),
    ({"default": {}}, f'{{"{TYPED}": 1, "{TYPED}": 2}}'),
    ({"default": []}, f'["{TYPED}"'),
    ({"default": []}, f"[{TYPED}]"),
    ({"default": {1}}, f'["{TYPED}", "{TYPED}"]'),
    ({"default": ""}, TYPED + "\0"),
    ({"default": b""}, TYPED + "!"),
    ({"default": "a", "choices": ["a", "b"]}, TYPED),
    ({"default": ["a"], "choices": ["a", "b"]}, TYPED),
    ({"default": "", "type": "url"}, TYPED),
    ({"default": "", "type": "email"}, TYPED),
    ({"default": "", "type": "color"}, TYPED),
    ({"default": "", "type": "timezone"}, TYPED),
    ({"default": 1, "type": "filesize"}, TYPED),
]


@pytest.mark.parametrize(("declared", "text"), UNREADABLE)
def test_what_is_said_of_a_secret_never_quotes_what_was_typed(
    make_app: MakeApp, declared: dict[str, Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app({"KEY": declared | {"secret": True}})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    page = client.post(URL, data=sent(client.get(URL).text) | {"KEY": text})
    result = app.test_cli_runner().invoke(args=["waffle", "set", "KEY", "--stdin"], input=text)
    assert (page.status_code, result.exit_code) == (422, 1)
    assert "needle" not in page.text + result.output + caplog.text
    assert result.exception and "KEY: " in result.output


# The text of its own


@pytest.mark.parametrize("value", ["x", "", None, {"a": [1, (2,)]}, b"x", 5])
def test_a_unique_text_is_read_as_any_other(value: Any) -> None:
    texts = {serialize(value, unique=True) for _ in range(10)} | {serialize(value)}
    assert len(texts) == 11
    assert all(same(deserialize(text), value) for text in texts)


def test_a_wrong_expectation_about_a_secret_says_no_more_than_its_name(app: Flask) -> None:
    state = state_of(app)
    state.update_db({"TOKEN": STORED})
    with pytest.raises(WaffleError) as caught:
        state.update_db({"TOKEN": "x"}, expected={"TOKEN": WRONG})
    assert str(caught.value) == "changed by somebody else meanwhile: TOKEN"
