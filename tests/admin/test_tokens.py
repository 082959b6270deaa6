"""Tokens that can't be read: the page says what to do, and the log what to set right."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSession, SessionInterface
from pages import row, sent, state_of, stored

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.forms import tokens

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "SIZE": {"default": 20},
    "OPEN": {"default": True},
    "TOKEN": {"default": "", "secret": True},
}
URL, UNDO = "/admin/config", "/admin/config/history/undo"


def worker(make_app: MakeApp, can: Any = None, **config: Any) -> Flask:
    """One process of a site; all that a test makes share the database."""
    app = make_app(CONFS, history=True, **{"WTF_CSRF_ENABLED": True, **config})
    app.register_blueprint(WaffleAdmin(can=can))
    return app


def follow(before: Any, after: Any) -> None:
    """Let a client have the cookie of another, as a browser has that asks another worker."""
    after.set_cookie("session", before.get_cookie("session").value)


def summary(page: Any) -> list[str]:
    """What the page says on top."""
    top = page.text.partition('role="alert"')[2].partition("</div>")[0]
    return [html.unescape(text) for text in re.findall(r"<li>(.*?)</li>", top, re.S)]


def warnings_in(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the log says of forms that were not accepted."""
    records = [r for r in caplog.records if r.name == tokens.__name__]
    return [record.getMessage() for record in records]


def test_a_key_per_worker_is_named_and_is_no_conflict(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    workers = [worker(make_app, SECRET_KEY=f"s3cr3t {n}") for n in range(2)]
    clients = [app.test_client() for app in workers]
    page = clients[0].get(URL)
    for turn in range(4):
        here, there = clients[turn % 2], clients[1 - turn % 2]
        follow(here, there)
        page = there.post(URL, data=sent(page.text, SITENAME="Crêperie", OPEN=""))
        assert page.status_code == 422
        assert "Somebody else" not in page.text
        (message,) = summary(page)
        assert "can't be read" in message and "contact the people who run this site" in message
        form = sent(page.text)
        assert form["SITENAME"] == "Crêperie" and form["OPEN"] == ""
        assert "Not saved yet" in row(page.text, "SITENAME")
        assert "Not saved yet" not in row(page.text, "SIZE")
    assert len(warnings_in(caplog)) == 2  # one for each worker
    assert all("SECRET_KEY" in line and "s3cr3t" not in line for line in warnings_in(caplog))
    assert stored(workers[0])["SITENAME"] == "Waffle"


def test_where_the_key_is_shared_saving_again_works(make_app: MakeApp) -> None:
    """A deployment has changed the key while the page was open."""
    old, new = worker(make_app, SECRET_KEY="old"), worker(make_app, SECRET_KEY="new")
    client = new.test_client()
    form = sent(old.test_client().get(URL).text, SITENAME="Mine", TOKEN="s3cr3t")
    state_of(old).update_db({"SIZE": 30})
    page = client.post(URL, data=form)
    assert page.status_code == 422 and "s3cr3t" not in page.text
    # What the page had is not known, so what it has sent may be what was typed: it says so.
    assert "Not saved yet" in row(page.text, "SIZE") and "30" in row(page.text, "SIZE")
    assert client.post(URL, data=sent(page.text, SIZE="30", TOKEN="s3cr3t")).status_code == 303
    now = stored(new)
    assert (now["SITENAME"], now["SIZE"], now["TOKEN"]) == ("Mine", 30, "s3cr3t")


def test_with_the_old_key_as_a_fallback_only_the_csrf_token_is_too_old(make_app: MakeApp) -> None:
    old = worker(make_app, SECRET_KEY="old")
    new = worker(make_app, SECRET_KEY="new", SECRET_KEY_FALLBACKS=["old"])
    form = sent(old.test_client().get(URL).text, SITENAME="Mine")
    state_of(old).update_db({"SIZE": 30})
    client = new.test_client()
    page = client.post(URL, data=form)
    assert page.status_code == 422 and sent(page.text)["SIZE"] == "30"
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert (stored(new)["SITENAME"], stored(new)["SIZE"]) == ("Mine", 30)


def no_cookie(app: Flask) -> Any:
    return app.test_client(use_cookies=False)


def damaged_cookie(app: Flask) -> Any:
    client = app.test_client(use_cookies=False)
    client.environ_base["HTTP_COOKIE"] = "session=of.another.app; other=1"
    return client


class Forgetful(SessionInterface):
    """Sessions on the server, which each process has for itself."""

    def open_session(self, app: Flask, request: Any) -> SecureCookieSession:
        return SecureCookieSession()

    def save_session(self, app: Flask, session: Any, response: Any) -> None:
        response.set_cookie("session", "an id")


def forgotten_session(app: Flask) -> Any:
    app.session_interface = Forgetful()
    return app.test_client()


def emptied_session(app: Flask) -> Any:
    client = app.test_client()
    app.before_request(lambda: session.clear())
    return client


CASES: list[Any] = [
    # How the form gets lost, what the page says of it, and the log: "" for nothing.
    (no_cookie, {"SESSION_COOKIE_SECURE": True}, "no session cookie", "SESSION_COOKIE_SECURE"),
    (no_cookie, {"SESSION_COOKIE_DOMAIN": "example.org"}, "Allow cookies", "example.org"),
    (no_cookie, {"SESSION_COOKIE_PATH": "/shop"}, "Allow cookies", "SESSION_COOKIE_PATH (/shop)"),
    (no_cookie, {"SESSION_COOKIE_NAME": "mine"}, "Allow cookies", "'mine'"),
    (damaged_cookie, {}, "can't be read", "SESSION_COOKIE_NAME"),
    (forgotten_session, {}, "open for a long time", "in its own memory"),
    (emptied_session, {}, "open for a long time", ""),
]


@pytest.mark.parametrize(("lose", "config", "message", "line"), CASES)
def test_a_session_that_is_lost_each_time_is_explained(
    make_app: MakeApp,
    caplog: pytest.LogCaptureFixture,
    lose: Callable[[Flask], Any],
    config: dict[str, Any],
    message: str,
    line: str,
) -> None:
    app = worker(make_app, **config)
    client = lose(app)
    page = client.get(URL)
    saved = state_of(app).update_db({"SIZE": 30})
    for _ in range(3):
        page = client.post(URL, data=sent(page.text, SITENAME="Mine"))
        assert page.status_code == 422 and sent(page.text)["SITENAME"] == "Mine"
        (said,) = summary(page)
        assert message in said and "people who run this site" in said and "CSRF" not in said
    undone = client.post(UNDO, data=sent(page.text) | {"undo": saved.change_set})
    assert undone.status_code == 422 and message in summary(undone)[0]
    assert len(warnings_in(caplog)) == bool(line) and line in "".join(warnings_in(caplog))


CHANGES: list[Any] = [
    # What changes while a page is open, what is said of it, and the log.
    ({"WTF_CSRF_TIME_LIMIT": -1}, "open for a long time", ""),
    ({"WTF_CSRF_SECRET_KEY": "another"}, "can't be read", "WTF_CSRF_SECRET_KEY"),
    ({"WTF_CSRF_FIELD_NAME": "another"}, "open for a long time", "WTF_CSRF_FIELD_NAME"),
]


@pytest.mark.parametrize(("config", "message", "line"), CHANGES)
def test_a_changed_token_is_explained_and_saving_again_works(
    make_app: MakeApp,
    caplog: pytest.LogCaptureFixture,
    config: dict[str, Any],
    message: str,
    line: str,
) -> None:
    app = worker(make_app)
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="Mine")
    app.config.update(config)
    page = client.post(URL, data=form)
    assert page.status_code == 422 and message in summary(page)[0]
    assert len(warnings_in(caplog)) == bool(line) and line in "".join(warnings_in(caplog))
    app.config["WTF_CSRF_TIME_LIMIT"] = 3600
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert stored(app)["SITENAME"] == "Mine"


@pytest.mark.parametrize("name", ["waffle_token", "csrf_token"])
@pytest.mark.parametrize("left", [0.0, 0.5, 0.99])
def test_a_truncated_token_loses_nothing(make_app: MakeApp, name: str, left: float) -> None:
    app = worker(make_app)
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="Mine")
    page = client.post(URL, data=form | {name: form[name][: int(len(form[name]) * left)]})
    assert page.status_code == 422
    (said,) = summary(page)
    assert ("can't be read" in said) == (name == "waffle_token" or left > 0)
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert stored(app)["SITENAME"] == "Mine"


def test_the_log_names_the_missing_hidden_tag(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    worker(make_app).test_client().post(URL, data={"SITENAME": "Mine"})
    assert "{{ form.hidden_tag() }}" in warnings_in(caplog)[0]


def test_the_log_has_one_line_a_minute_at_most(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    client = no_cookie(worker(make_app))
    page = client.get(URL)
    lines = []
    for now in (1000.0, 1001.0, 1059.9, 1060.0, 1060.1, 1200.0):  # noqa: B007
        client.post(URL, data=sent(page.text))
        lines.append(len(warnings_in(caplog)))
    assert lines == [1, 1, 1, 2, 2, 3]


@pytest.mark.parametrize("lose", [no_cookie, damaged_cookie])
def test_a_user_who_is_logged_out_by_it_gets_the_explanation_too(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, lose: Callable[[Flask], Any]
) -> None:
    page = worker(make_app).test_client().get(URL)
    app = worker(make_app, can=lambda action, setting: session.get("user") == "ana")
    response = lose(app).post(URL, data=sent(page.text, SITENAME="Mine"))
    assert response.status_code == 403 and sent(response.text)["SITENAME"] == "Mine"
    assert "people who run this site" in response.text
    assert len(warnings_in(caplog)) == 1


def test_a_request_without_tokens_fills_no_log(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = worker(make_app, can=lambda action, setting: False)
    for data in ({}, {"SITENAME": "x"}, {"csrf_token": "x"}):
        assert no_cookie(app).post(URL, data=data).status_code == 403
    assert warnings_in(caplog) == []


def test_the_log_has_no_key_no_cookie_and_no_path(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    app = worker(make_app, SECRET_KEY="k3y")
    client = damaged_cookie(app)
    page = client.get(URL)
    client.post(URL, data=sent(page.text))
    origin = {"Referer": "https://ana:pa55@evil.example/secret?token=1"}
    client.post(URL, data=sent(page.text), headers=origin)
    text = "".join(warnings_in(caplog))
    assert len(warnings_in(caplog)) == 2 and "evil.example" in text
    for part in ("k3y", "of.another", "pa55", "secret?", "token=1"):
        assert part not in text


@pytest.mark.parametrize(
    ("refusal", "renewed"),
    [
        ("The CSRF token has expired.", True),
        ("The CSRF token is invalid.", True),
        ("The CSRF token is missing.", False),
        ("The referrer header is missing.", False),
        (tokens.FOREIGN, False),
        ("", False),
    ],
)
def test_a_new_token_is_sent_where_it_may_help(
    make_app: MakeApp, refusal: str, renewed: bool
) -> None:
    with worker(make_app).test_request_context():
        assert tokens.can_be_renewed(refusal) is renewed


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        ("The CSRF token has expired.", tokens.UNREADABLE),
        ("The referrer header is missing.", tokens.NO_REFERRER),
        ("The CSRF session token is missing.", tokens.NO_COOKIE),
    ],
)
def test_an_unreadable_page_is_not_blamed_for_what_the_browser_leaves_out(
    make_app: MakeApp, refusal: str, message: str
) -> None:
    with worker(make_app).test_request_context():
        assert tokens.explain(refusal, unreadable=True) == message
