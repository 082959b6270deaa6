"""A planted secret is looked for in everything that the package produces."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable
from datetime import date
from enum import Enum
from fractions import Fraction
from ipaddress import ip_address
from typing import Any

import pytest
from flask import Flask, session
from flask.sessions import SecureCookieSessionInterface
from submissions import sent
from werkzeug.datastructures import MultiDict

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.codec import serialize
from waffleconf_admin.exceptions import InvalidValue, WaffleError
from waffleconf_admin.forms.merge_token import MergeSigner
from waffleconf_admin.state.form import parse_text

PAGE = "/admin/config"
#: Never in source code as one word, so that a file that has it got it from a setting.
PLANTED = "-".join(["Tr0ub4dor", "planted", "&3"])
OLD, NEW, LATER = (f"{word}{PLANTED}{word}" for word in ("old", "new", "later"))
PEM = f"-----BEGIN KEY-----\n{PLANTED}\n" + "ab" * 5000 + "\n-----END KEY-----\n"


class Theme(Enum):
    LIGHT = "light"


def fails(form: Any, field: Any) -> None:
    raise LookupError(f"no {field.data}")


def tells(form: Any, field: Any) -> None:
    raise ValueError(f"{field.data!r} is not allowed, nor is {str(field.data)[4:15]}")


def rules(values: dict[str, Any]) -> dict[str, str]:
    if values["MODE"] == "tell":
        return {"TOKEN": "not this one"}
    if values["MODE"] == "fail":
        raise KeyError(values["TOKEN"])
    return {}


CONFS: dict[str, dict[str, Any]] = {
    "TOKEN": {"desc": "Token", "default": OLD, "secret": True},
    "CHECKED": {"default": OLD, "secret": True, "validators": [tells]},
    "BROKEN": {"default": OLD, "secret": True, "validators": [fails]},
    "SHORT": {"default": OLD, "secret": True, "max": 100},
    "LINES": {"default": OLD, "secret": True, "multiline": True},
    "JSON": {"default": {OLD: OLD}, "secret": True},
    "LIST": {"default": [OLD], "secret": True, "choices": [OLD, NEW]},
    "CHOICE": {"default": OLD, "secret": True, "choices": [OLD, NEW]},
    "BYTES": {"default": OLD.encode(), "secret": True},
    "URL": {"default": f"https://{OLD}.org", "secret": True, "type": "url"},
    "FIXED": {"default": OLD, "secret": True, "readonly": True},
    "OBJECT": {"default": (OLD, (OLD,)), "secret": True},
    "MODE": {"default": "fine"},
    "SIZE": {"default": 1, "type": int},
}
#: Secrets of other types, whose readers quote what they refuse.
TYPED: dict[str, dict[str, Any]] = {
    "THEME": {"default": Theme.LIGHT, "secret": True},
    "ADDRESS": {"default": ip_address("192.0.2.1"), "secret": True},
    "SHARE": {"default": Fraction(1, 2), "secret": True},
    "DAY": {"default": date(2026, 1, 31), "secret": True},
}


class Seen:
    """All that came out, where the planted secret is looked for."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, str]] = []

    def add(self, what: str, *parts: Any) -> None:
        self.parts += [(what, str(part)) for part in parts]

    def exception(self, what: str, error: Exception) -> None:
        self.add(what, error, repr(error), error.args, vars(error))
        self.add(what, "".join(traceback.format_exception(error)))

    def response(self, what: str, answer: Any) -> Any:
        self.add(what, answer.status, answer.headers, answer.text)
        return answer

    def tells(self) -> list[str]:
        # In JSON, HTML, cookies and base64 it is written in other ways.
        ways = {PLANTED, PLANTED.replace("&", "&amp;"), PLANTED.replace("&", "%26"), PLANTED[:15]}
        ways |= {serialize(word)[16:36] for word in (OLD, NEW, LATER)}
        return [f"{what}: {way}" for what, part in self.parts for way in ways if way in part]


@pytest.fixture
def seen(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Any:
    caplog.set_level(0)
    found = Seen()
    yield found
    found.add("log", caplog.text, *(vars(record) for record in caplog.records))
    found.add("output", *capfd.readouterr())
    assert found.tells() == []
    assert sum(len(part) for _, part in found.parts) > 1000


@pytest.fixture
def app(make_app: Callable[..., Flask], orm: str) -> Flask:
    app = make_app(CONFS, orm=orm, validate=rules)
    app.register_blueprint(WaffleAdmin())
    return app


def secrets(value: Any) -> dict[str, str]:
    return {key: value for key, declared in CONFS.items() if declared.get("secret")}


def test_it_is_not_in_a_page_and_its_answers(app: Flask, seen: Seen) -> None:
    client = app.test_client()
    page = MultiDict(sent(seen.response("page", client.get(PAGE)).text))
    digests = MergeSigner("test").load(page["waffle_token"])
    seen.add("token", page["waffle_token"], digests)
    assert digests
    for name, more in {
        "mistake": {"SIZE": "many", **secrets(NEW)},
        "rules": {"MODE": "tell", "TOKEN": NEW},
        "rules that fail": {"MODE": "fail", "TOKEN": NEW},
        "wrong JSON": {
            "JSON": f'{{"{NEW}": 1, "{NEW}": 2}}',
            "LIST": f"{NEW}x",
            "CHOICE": NEW + "x",
        },
        "wrong bytes": {"BYTES": NEW, "URL": NEW},
        "too long": {"SHORT": NEW * 9},
        "both": {"TOKEN": NEW},
        "broken token": {"waffle_token": "x", "TOKEN": NEW},
        "NUL": {"TOKEN": NEW + "\0"},
    }.items():
        data = page.copy()
        for key, value in more.items():
            data.setlist(key, [value, "clear"] if name == "both" else [value])
        assert seen.response(name, client.post(PAGE, data=data)).status_code == 422, name
    for key, value in {"TOKEN": NEW, "LINES": PEM, "JSON": f'{{"a": "{NEW}"}}'}.items():
        data = MultiDict(sent(client.get(PAGE).text))
        data[key] = value
        assert seen.response(key, client.post(PAGE, data=data)).status_code == 303, key
        seen.response("after", client.get(PAGE))  # with the flashed message
    stored = app.extensions["waffleconf"].parse_conf()
    assert (stored["TOKEN"], stored["LINES"], stored["JSON"]) == (NEW, PEM, {"a": NEW})


def test_it_is_not_in_the_session(app: Flask, seen: Seen) -> None:
    with app.test_client() as client:
        data = MultiDict(sent(client.get(PAGE).text))
        data["TOKEN"] = NEW
        cookie = client.post(PAGE, data=data).headers["Set-Cookie"].split("=")[1].split(";")[0]
        signer = SecureCookieSessionInterface().get_signing_serializer(app)
        seen.add("cookie", cookie, signer and signer.loads(cookie), dict(session), "Token" * 300)


def test_it_is_not_in_a_conflict(app: Flask, seen: Seen) -> None:
    client = app.test_client()
    data = MultiDict(sent(client.get(PAGE).text))
    app.extensions["waffleconf"].update_db({"TOKEN": LATER}, actor="ana")
    data["TOKEN"] = NEW
    answer = seen.response("conflict", client.post(PAGE, data=data))
    assert answer.status_code == 422
    assert "changed since you opened the page" in answer.text


def test_it_is_not_on_the_command_line(app: Flask, seen: Seen) -> None:
    runner = app.test_cli_runner()
    for key in secrets(None):
        result = runner.invoke(args=["waffle", "get", key])
        seen.add("get", result.output, repr(result.exception))
        result = runner.invoke(args=["waffle", "set", key, "-"], input=NEW + "\n")
        seen.add("set", result.output, repr(result.exception))
        seen.add("reset", runner.invoke(args=["waffle", "reset", key]).output)
    seen.add("list", runner.invoke(args=["waffle", "list"]).output * 3)


REFUSE_ALL = {"CHECKED", "BROKEN", "URL"}


@pytest.mark.parametrize(
    ("value", "refusing"),
    [
        (NEW, REFUSE_ALL | {"LIST"}),
        ([NEW], REFUSE_ALL | {"CHOICE", "SHORT"}),
        ("\0" + NEW, REFUSE_ALL | {"LIST", "CHOICE"}),
        (5, REFUSE_ALL | {"LIST", "CHOICE", "SHORT"}),
        (None, REFUSE_ALL | {"LIST", "CHOICE", "SHORT"}),
        (object(), secrets(None).keys()),
    ],
    ids=["text", "list", "nul", "int", "none", "object"],
)
def test_it_is_not_in_an_exception(app: Flask, seen: Seen, value: Any, refusing: set[str]) -> None:
    state = app.extensions["waffleconf"]
    refused = set()
    for key in secrets(None):
        with pytest.raises(WaffleError) as caught:
            state.update_db({key: value}, expected={key: LATER})
        seen.exception(key, caught.value)
        try:
            state.update_db({key: value})
        except WaffleError as error:
            seen.exception(key, error)
            refused.add(key)
    assert refused == refusing


def test_it_is_not_in_the_error_about_a_text(make_app: Callable[..., Flask], seen: Seen) -> None:
    state = make_app(CONFS | TYPED).extensions["waffleconf"]
    for key, text in [
        ("CHOICE", NEW + "x"),
        ("LIST", f'["{NEW}x"]'),
        ("JSON", f'{{"a": {NEW}}}'),
        ("JSON", f'{{"{NEW}": 1, "{NEW}": 2}}'),
        ("BYTES", NEW),
        *((key, NEW) for key in TYPED),
    ]:
        with pytest.raises(InvalidValue) as caught:
            parse_text(state, key, text)
        seen.exception(key, caught.value)


def test_it_is_not_in_a_repr(app: Flask, seen: Seen) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"TOKEN": NEW})
    seen.add("state", repr(state), repr(state.settings), repr(state.read()))
    with app.test_request_context(PAGE, method="POST", data={"TOKEN": LATER, "SIZE": "x"}):
        from waffleconf_admin import build_form, conf

        form = build_form(state)
        form.validate()
        seen.add("form", repr(form), form.errors, repr(conf), list(form), form.form_errors)
        for field in form:
            if field.setting.secret:
                seen.add("field", repr(field), field, field.value_text, field.text, field._value())
                seen.add("record", repr(field.record), field.default_text, field.reason)
                seen.add("no data", "" if field.setting.key == "TOKEN" else field.data)


def test_a_damaged_row_is_told_without_its_content(app: Flask, seen: Seen) -> None:
    state = app.extensions["waffleconf"]
    state.update_db({"TOKEN": NEW})
    damaged = serialize(NEW)[:-8]
    with app.app_context():
        state.configstore.swap({"TOKEN": (serialize(NEW), damaged)})
    seen.response("page", app.test_client().get(PAGE))
    seen.add("list", app.test_cli_runner().invoke(args=["waffle", "list"]).output)


@pytest.mark.parametrize(
    "secret",
    [PEM, "x" * 2**20, f" {PLANTED} ", "ünï🍩", "-", "clear"],
    ids=["lines", "long", "spaces", "characters", "dash", "word"],
)
def test_any_secret_is_kept_as_it_is_and_looks_like_any_other(app: Flask, secret: str) -> None:
    client, state = app.test_client(), app.extensions["waffleconf"]
    state.update_db({"LINES": NEW})
    page = client.get(PAGE).text
    data = MultiDict(sent(page))
    data["LINES"] = secret.replace("\n", "\r\n")
    assert client.post(PAGE, data=data).status_code == 303
    assert state.parse_conf()["LINES"] == secret
    client.get(PAGE)  # has the message
    assert without_tokens(client.get(PAGE).text) == without_tokens(page)


def without_tokens(page: str) -> str:
    return re.sub(r'<input[^>]*name="(waffle_token|csrf_token)"[^>]*>', "", page)


def test_a_page_with_secrets_is_in_no_cache(app: Flask) -> None:
    headers = app.test_client().get(PAGE).headers
    assert headers["Cache-Control"] == "no-store"
