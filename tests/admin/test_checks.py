"""Checks: the values of a group are tested before they are saved."""

from __future__ import annotations

import logging
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

import pytest
from documentation import block
from flask import Flask, current_app, g, request
from pages import URL, MakeApp, sent, state_of, stored, words

from waffleconf_admin import InvalidValue, WaffleAdmin
from waffleconf_admin.admin import check_runner

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "HOST": {"desc": "Host", "default": "localhost", "group": "Mail"},
    "PORT": {"desc": "Port", "default": 25, "min": 1, "group": "Mail"},
    "OPTIONS": {"desc": "Options", "default": {"tls": [1]}, "group": "Mail"},
    "PASSWORD": {"desc": "Password", "default": "", "secret": True, "group": "Mail"},
    "KEY": {"desc": "Key", "default": "", "secret": True, "group": "Mail"},
}

#: The values of the last test.
Seen = list[dict[str, Any]]


def page_of(app: Flask, check: Any, **options: Any) -> Any:
    app.register_blueprint(WaffleAdmin(checks={"Mail": check}, **options))
    return app.test_client()


@pytest.fixture
def seen() -> Seen:
    return []


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app(CONFS, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)


@pytest.fixture
def client(app: Flask, seen: Seen) -> Any:
    def check(values: dict[str, Any]) -> str:
        seen.append(values)
        return f"A mail is on its way by {values['HOST']}"

    return page_of(app, check)


def try_values(client: Any, **changes: str) -> Any:
    """The response to a click on the button, after somebody typed `changes`."""
    page = client.get(URL).text
    return client.post(URL, data=sent(page, **changes) | {"waffle.do": "test Mail"})


def answer(response: Any) -> str:
    """What the page says beside the button."""
    beside = response.text.partition('class="wf-check"')[2].partition("</p>")[0]
    return words(f'id="wf-main"{beside}').removeprefix(">").strip()


def test_a_check_gets_the_values_as_a_save_would_leave_them(
    client: Any, app: Flask, seen: Seen
) -> None:
    state_of(app).update_db({"PORT": 587})
    response = try_values(client, HOST="mail.example.org", SITENAME="Typed")
    assert response.status_code == 200
    assert answer(response) == "A mail is on its way by mail.example.org"
    blank = {"PASSWORD": "", "KEY": ""}
    assert seen == [{"HOST": "mail.example.org", "PORT": 587, "OPTIONS": {"tls": [1]}, **blank}]
    # Nothing is saved, and nothing of what was typed is lost.
    assert stored(app)["HOST"] == "localhost"
    again = sent(response.text)
    assert (again["HOST"], again["SITENAME"]) == ("mail.example.org", "Typed")
    assert client.post(URL, data=again).status_code == 303
    assert (stored(app)["HOST"], stored(app)["SITENAME"]) == ("mail.example.org", "Typed")


def test_a_check_can_not_change_the_values_that_are_served(app: Flask) -> None:
    client = page_of(app, lambda values: values["OPTIONS"]["tls"].clear())
    assert answer(try_values(client)) == "The test has passed."
    assert app.config["OPTIONS"] == {"tls": [1]}


@pytest.mark.parametrize(
    ("stored_secrets", "changes", "named"),
    [
        ({}, {}, None),
        ({}, {"HOST": "evil.example"}, None),
        ({"PASSWORD": "s3cr3t"}, {}, None),
        ({"PASSWORD": "s3cr3t"}, {"SITENAME": "Other"}, None),
        ({"PASSWORD": "s3cr3t"}, {"PASSWORD": "wr1tten"}, None),
        ({"PASSWORD": "s3cr3t"}, {"HOST": "evil.example", "PASSWORD": "wr1tten"}, None),
        ({"PASSWORD": "s3cr3t"}, {"HOST": "evil.example"}, "Password"),
        ({"PASSWORD": "s3cr3t", "KEY": "k3y"}, {"PASSWORD": "wr1tten"}, "Key"),
        ({"PASSWORD": "s3cr3t"}, {"HOST": "evil.example", "waffle.reset": "PASSWORD"}, None),
    ],
)
def test_a_stored_secret_is_used_only_while_nothing_else_is_changed(
    app: Flask,
    client: Any,
    seen: Seen,
    stored_secrets: dict[str, str],
    changes: dict[str, str],
    named: str | None,
) -> None:
    state_of(app).update_db(stored_secrets)
    response = try_values(client, **changes)
    if named:
        assert response.status_code == 422 and seen == []
        assert f"enter “{named}” again" in answer(response)
    else:
        expected = {**dict.fromkeys(("PASSWORD", "KEY"), ""), **stored_secrets}
        typed = {k: v for k, v in changes.items() if k in expected}
        reset = {changes["waffle.reset"]: ""} if "waffle.reset" in changes else {}
        assert {key: seen[0][key] for key in expected} == expected | typed | reset
    assert "s3cr3t" not in response.text and "wr1tten" not in response.text


def test_the_default_of_a_secret_is_not_used_while_something_else_is_changed(
    make_app: MakeApp, seen: Seen
) -> None:
    confs = {**CONFS, "PASSWORD": {**CONFS["PASSWORD"], "default": "s3cr3t"}}
    client = page_of(make_app(confs, WTF_CSRF_ENABLED=True), seen.append)
    for changes in ({}, {"waffle.reset": "PASSWORD"}):
        response = try_values(client, HOST="evil.example", **changes)
        assert "enter “Password” again" in answer(response) and seen == []


def test_a_typed_secret_has_to_be_typed_again_and_the_page_says_so(client: Any) -> None:
    response = try_values(client, PASSWORD="typed")
    assert answer(response).startswith("A mail is on its way")
    assert "a secret is not shown: enter it again" in words(response.text)


def test_values_that_break_a_rule_are_not_tested(client: Any, seen: Seen) -> None:
    response = try_values(client, PORT="0")
    assert (response.status_code, seen) == (422, [])
    assert answer(response) == "Nothing was tested: correct “Port” first."
    assert sent(response.text)["PORT"] == "0"


def test_a_mistake_in_another_group_does_not_matter(make_app: MakeApp, seen: Seen) -> None:
    confs = {**CONFS, "SIZE": {"default": 1, "max": 5}}
    client = page_of(make_app(confs), seen.append)
    assert answer(try_values(client, SIZE="9")) == "The test has passed." and len(seen) == 1


def test_a_conflict_is_solved_first(app: Flask, client: Any, seen: Seen) -> None:
    form = sent(client.get(URL).text, HOST="mine") | {"waffle.do": "test Mail"}
    state_of(app).update_db({"HOST": "theirs"})
    response = client.post(URL, data=form)
    assert answer(response) == "Nothing was tested: correct “Host” first." and seen == []


def test_a_form_without_a_valid_token_is_not_tested(client: Any, seen: Seen) -> None:
    form = sent(client.get(URL).text) | {"waffle.do": "test Mail", "csrf_token": "x"}
    response = client.post(URL, data=form)
    assert (response.status_code, seen) == (422, [])
    assert answer(response) == "" and "Nothing was saved yet" in words(response.text)
    other_site = {"Sec-Fetch-Site": "cross-site"}
    assert client.post(URL, data=form, headers=other_site).status_code == 400 and seen == []


@pytest.mark.parametrize("refused", [("edit", "PORT"), ("view", "KEY"), ("edit", "PASSWORD")])
def test_a_test_needs_the_permission_to_edit_every_value(
    app: Flask, seen: Seen, refused: tuple[str, str]
) -> None:
    client = page_of(app, seen.append, can=lambda action, s: (action, s.key) != refused)
    response = try_values(client)
    assert "Test these values" not in response.text and seen == []


def test_a_group_without_a_check_is_not_tested(client: Any, seen: Seen) -> None:
    page = client.get(URL).text
    assert page.count("Test these values") == 1
    response = client.post(URL, data=sent(page) | {"waffle.do": "test General"})
    assert (response.status_code, seen) == (422, [])


class Quoting(Exception):
    def __init__(self, values: Mapping[str, object]) -> None:
        super().__init__(f"the password {values['PASSWORD']} is wrong")


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (lambda values: InvalidValue("The server refuses the password."), "The server refuses"),
        (lambda values: InvalidValue({"PORT": "Nobody answers."}), "PORT: Nobody answers."),
        (Quoting, "The test has failed: Quoting"),
        (lambda values: SystemExit(str(values)), "The test has failed: SystemExit"),
    ],
    ids=["InvalidValue", "of a key", "another", "an exit"],
)
def test_of_an_exception_only_the_type_is_shown_unless_it_is_an_invalid_value(
    app: Flask, caplog: pytest.LogCaptureFixture, raised: Any, said: str
) -> None:
    def check(values: Mapping[str, object]) -> str:
        raise raised(values)

    with caplog.at_level(logging.DEBUG):
        response = try_values(page_of(app, check), PASSWORD="s3cr3t")
    assert said in answer(response)
    assert "s3cr3t" not in response.text + caplog.text
    assert ("failed" in caplog.text) == ("failed" in said)


async def asynchronous(values: Mapping[str, object]) -> str:
    return f"Awaited {values['HOST']}"


def late(values: Mapping[str, object]) -> Any:
    return asynchronous(values)


@pytest.mark.parametrize(
    ("check", "said"),
    [
        (asynchronous, "Awaited localhost"),
        (late, "The test has failed: NotAwaited"),
        (lambda values: "x" * 1000, "x" * 299 + "…"),
        (lambda values: "<b>", "<b>"),
    ],
    ids=["async", "not awaited", "long", "HTML"],
)
def test_what_a_check_answers(app: Flask, check: Any, said: str) -> None:
    assert answer(try_values(page_of(app, check))) == said


def test_a_check_runs_in_a_context_of_its_own_with_the_variables_of_the_request(
    app: Flask,
) -> None:
    tenant: ContextVar[str] = ContextVar("tenant")
    closed: list[str] = []
    app.before_request(lambda: tenant.set("shop") and None)
    app.before_request(lambda: setattr(g, "user", "ana"))

    @app.teardown_appcontext
    def close(error: object) -> None:
        closed.append(threading.current_thread().name)

    def check(values: Mapping[str, object]) -> str:
        assert not hasattr(g, "user")
        return f"{current_app.name} {tenant.get()} {request.method}"

    assert answer(try_values(page_of(app, check))) == f"{app.name} shop POST"
    assert "waffleconf-check" in closed


def test_an_error_of_the_teardown_is_no_error_of_the_test(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    @app.teardown_appcontext
    def close(error: object) -> None:
        if threading.current_thread().name == "waffleconf-check":
            raise ValueError("s3cr3t")

    assert answer(try_values(page_of(app, lambda values: "Sent"))) == "Sent"
    assert "ValueError" in caplog.text and "s3cr3t" not in caplog.text


@pytest.fixture
def endless(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A check that ends when this is called; the page waits for a moment only."""
    end = threading.Event()
    monkeypatch.setattr(check_runner, "WAIT", 0.05)
    threads = {thread.name for thread in threading.enumerate()}
    assert "waffleconf-check" not in threads
    app.register_blueprint(WaffleAdmin(checks={"Mail": lambda values: str(end.wait(30))}))

    def stop() -> None:
        end.set()
        for thread in threading.enumerate():
            if thread.name == "waffleconf-check":
                thread.join(10)

    yield stop
    stop()


def test_the_page_does_not_wait_for_ever_and_runs_one_test_at_a_time(
    app: Flask, endless: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app.test_client()
    assert "has not ended" in answer(try_values(client, SITENAME="Typed"))
    assert "Another test is running" in answer(try_values(client))
    endless()
    monkeypatch.setattr(check_runner, "WAIT", 10)
    assert answer(try_values(client)) == "True"


@pytest.mark.parametrize(
    ("checks", "error"),
    [
        ({"Mial": print}, "checks={'Mial': …}: no setting of this page is in that group"),
        ({"Mail": "print"}, "write a dict of functions"),
        ([print], "write a dict of functions"),
    ],
)
def test_a_mistake_in_checks_is_an_error_at_the_start(app: Flask, checks: Any, error: str) -> None:
    with pytest.raises((TypeError, ValueError)) as raised:
        app.register_blueprint(WaffleAdmin(checks=checks))
    assert error in str(raised.value)


@pytest.mark.parametrize("groups", [["Shop"], ["Mail"]])
def test_a_check_of_a_group_that_the_page_does_not_have_is_an_error(
    app: Flask, groups: list[str]
) -> None:
    page = WaffleAdmin(groups=groups, checks={"Mail": print})
    if groups == ["Mail"]:
        app.register_blueprint(page)
    else:
        with pytest.raises(ValueError, match="no setting of this page"):
            app.register_blueprint(page)


def test_settings_without_a_group_are_checked_by_the_name_of_theirs(app: Flask, seen: Seen) -> None:
    app.register_blueprint(WaffleAdmin(checks={"General": seen.append}))
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="Typed") | {"waffle.do": "test General"}
    assert answer(client.post(URL, data=form)) == "The test has passed."
    assert seen == [{"SITENAME": "Typed"}]


class MailServer(socketserver.StreamRequestHandler):
    """Says yes to everything that a client sends."""

    def handle(self) -> None:
        self.wfile.write(b"220 mail\r\n")
        in_data = False
        for line in self.rfile:
            in_data = (in_data or line == b"data\r\n") and line != b".\r\n"
            if not in_data or line == b"data\r\n":
                code = b"354" if in_data else b"221" if line == b"QUIT\r\n" else b"250"
                self.wfile.write(code + b" yes\r\n")


def test_the_example_of_the_documentation_sends_a_mail(make_app: MakeApp) -> None:
    names = block("docs/page.md", "def send_test_mail").run()
    with socketserver.TCPServer(("127.0.0.1", 0), MailServer) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.02])
        thread.start()
        settings = {
            "MAIL_HOST": {"default": "127.0.0.1", "group": "Mail"},
            "MAIL_PORT": {"default": server.server_address[1], "group": "Mail"},
            "MAIL_SENDER": {"default": "shop@example.org", "group": "Mail"},
        }
        app = make_app(settings, WTF_CSRF_ENABLED=True)
        app.register_blueprint(names["page"])
        client = app.test_client()
        try:
            assert answer(try_values(client)) == "A mail is on its way to ana@example.org"
        finally:
            server.shutdown()
            thread.join()
    said = answer(try_values(client))
    assert said == "The mail server does not take it: ConnectionRefusedError"
