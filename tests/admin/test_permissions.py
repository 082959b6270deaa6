"""Who may see and change settings on the page, and the headers of the responses."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, Response, abort, redirect
from pages import row, sent
from werkzeug.local import LocalProxy

from waffleconf_admin import WaffleAdmin, anyone

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "BANNER": {"desc": "Banner", "default": "Hello"},
}

MakeApp = Callable[..., Flask]


async def truthy(action: str, setting: Any) -> Any:
    return 1


def go(make_app: MakeApp, can: Any = None, **config: Any) -> Any:
    """A client of an app in production whose page asks `can`."""
    app = make_app(CONFS, **{"TESTING": False, **config})
    app.register_blueprint(WaffleAdmin(can=can))
    return app.test_client()


@pytest.mark.parametrize("config", [{"TESTING": True}, {"DEBUG": True}])
def test_without_can_the_page_answers_in_debug_and_tests(make_app: MakeApp, config: Any) -> None:
    client = go(make_app, **config)
    assert client.get("/admin/config").status_code == 200
    assert client.post("/admin/config", data={"SITENAME": "New"}).status_code == 303


def test_without_can_the_page_refuses_with_the_line_to_paste(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    client = go(make_app)
    for method in (client.get, client.post, client.get):
        response = method("/admin/config")
        assert response.status_code == 403
        assert "WAFFLE_CAN" in response.text
    assert caplog.text.count("WAFFLE_CAN") == 1


def test_the_line_to_paste_works(make_app: MakeApp) -> None:
    from flask import session

    from waffleconf_admin.permissions import REMEDY

    client = go(make_app)
    assert client.get("/admin/config").status_code == 403
    exec(REMEDY, {"app": client.application, "session": session})
    assert client.get("/admin/config").status_code == 403
    with client.session_transaction() as cookie:
        cookie["is_admin"] = True
    assert client.get("/admin/config").status_code == 200


@pytest.mark.parametrize(
    "can",
    [
        lambda action, setting: None,
        lambda action, setting: 1,
        lambda action, setting: "yes",
        lambda action, setting: redirect("/login"),
        lambda action, setting: Response("welcome"),
        truthy,
    ],
)
def test_only_true_itself_allows(make_app: MakeApp, can: Any) -> None:
    client = go(make_app, can, DEBUG=True)
    response = client.get("/admin/config")
    assert response.status_code == 403
    assert "SITENAME" not in response.text and "WAFFLE_CAN" not in response.text
    assert client.post("/admin/config", data={"SITENAME": "New"}).status_code == 403
    assert client.application.extensions["waffleconf"].read()["SITENAME"].value == "Waffle"


def test_waffle_can_decides_for_a_page_without_can(make_app: MakeApp) -> None:
    assert go(make_app, WAFFLE_CAN=anyone).get("/admin/config").status_code == 200
    never = go(make_app, lambda action, setting: False, WAFFLE_CAN=anyone)
    assert never.get("/admin/config").status_code == 403


def test_can_may_redirect_to_a_login(make_app: MakeApp) -> None:
    response = go(make_app, lambda action, setting: abort(redirect("/login"))).get("/admin/config")
    assert (response.status_code, response.location) == (302, "/login")


def test_permissions_are_asked_for_each_setting(make_app: MakeApp) -> None:
    allowed = {("view", "SITENAME"), ("edit", "SITENAME"), ("edit", "BANNER")}
    client = go(make_app, lambda action, setting: (action, setting.key) in allowed)
    page = client.get("/admin/config").text
    assert "SITENAME" in page and "BANNER" not in page
    client.post("/admin/config", data={"SITENAME": "New", "BANNER": "New"})
    records = client.application.extensions["waffleconf"].read()
    assert [record.value for record in records.values()] == ["New", "Hello"]


def test_permissions_are_asked_for_once_a_request(make_app: MakeApp) -> None:
    asked: list[tuple[str, str]] = []

    def can(action: str, setting: Any) -> bool:
        asked.append((action, setting.key))
        return action == "view"

    client = go(make_app, can)
    for respond in (client.get, client.post):
        asked.clear()
        respond("/admin/config")
        assert ("edit", "SITENAME") in asked
        assert len(asked) == len(set(asked))


def test_a_setting_that_may_not_be_edited_is_text(make_app: MakeApp) -> None:
    def can(action: str, setting: Any) -> bool:
        return action == "view" or setting.key == "SITENAME"

    client = go(make_app, can)
    page = client.get("/admin/config").text
    assert "Hello" in page and 'name="BANNER"' not in page
    client.post("/admin/config", data={"BANNER": "New"})
    assert client.application.extensions["waffleconf"].read()["BANNER"].value == "Hello"


@pytest.mark.parametrize("can", [anyone, None], ids=["page", "refusal"])
def test_headers_keep_the_page_private(make_app: MakeApp, can: Any) -> None:
    headers = go(make_app, can).get("/admin/config").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    nothing = dict.fromkeys(["default-src", "base-uri", "frame-ancestors"], "'none'")
    kinds = ["script", "style", "img", "connect"]
    own = dict.fromkeys([*(f"{kind}-src" for kind in kinds), "form-action"], "'self'")
    assert policy == nothing | own


def test_files_may_be_cached(make_app: MakeApp) -> None:
    with go(make_app, anyone).get("/admin/config/assets/base.css") as response:
        assert response.status_code == 200
        assert "no-store" not in response.headers["Cache-Control"]


def test_the_app_may_replace_a_header(make_app: MakeApp) -> None:
    client = go(make_app, anyone)

    @client.application.after_request
    def own(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = "default-src 'self'"
        return response

    headers = client.get("/admin/config").headers
    assert headers.getlist("Content-Security-Policy") == ["default-src 'self'"]


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        ({"name": anyone}, "can=…"),
        ({"can": "yes"}, "write a function"),
        ({"actor": "ana"}, "write a function"),
        ({"groups": "Storefront"}, r"\['Storefront'\]"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_an_argument_that_cannot_be_used_says_what_to_write(wrong: Any, remedy: str) -> None:
    with pytest.raises(TypeError, match=remedy):
        WaffleAdmin(**wrong)


@pytest.mark.parametrize("way", ["redirect", "unauthorized", "refused"])
def test_a_user_who_is_logged_out_while_typing_loses_nothing(make_app: MakeApp, way: str) -> None:
    logged_in = {"": True}

    def can(action: str, setting: Any) -> bool:
        if not logged_in[""] and way != "refused":
            abort(redirect("/login?next=/") if way == "redirect" else 401)
        return logged_in[""]

    app = make_app({**CONFS, "TOKEN": {"default": "", "secret": True}}, TESTING=False)
    app.register_blueprint(WaffleAdmin(can=can))
    client = app.test_client()
    typed = {"SITENAME": "<Typed>", "TOKEN": "s3cr3t", "waffle.note": "why", "waffle.do": "review"}
    logged_in[""] = False
    page = client.post("/admin/config", data=typed)
    assert page.status_code == 403 and "s3cr3t" not in page.text and "<Typed>" not in page.text
    assert ('href="/login?next=/"' in page.text) == (way == "redirect")
    fields = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    form = {name: html.unescape(value) for name, value in fields}
    assert form == {
        "SITENAME": "<Typed>",
        "waffle.note": "why",
        "waffle.do": "review",
        "waffle.secret": "TOKEN",
    }
    logged_in[""] = True
    page = client.post("/admin/config", data=form)
    assert page.status_code == 422 and "enter it again" in row(page.text, "TOKEN")
    form = sent(page.text, TOKEN="s3cr3t") | {"waffle.do": "review"}
    assert "2 changes, not saved yet" in client.post("/admin/config", data=form).text


def test_other_errors_of_a_submission_are_not_changed(make_app: MakeApp) -> None:
    client = go(make_app, lambda action, setting: abort(418))
    assert client.post("/admin/config", data={"SITENAME": "New"}).status_code == 418


@pytest.mark.parametrize(
    ("returned", "logged"), [(1, 1), ("yes", 1), (Response("no"), 1), (0, 0), (None, 0), (True, 0)]
)
def test_what_is_true_but_not_true_itself_is_logged_once(
    make_app: MakeApp, returned: Any, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = go(make_app, lambda action, setting: returned)
    for _ in range(2):
        client.get("/admin/config")
    assert caplog.text.count("only True allows") == logged
    assert not logged or f"of type {type(returned).__name__} for 'view' of SITENAME" in caplog.text


class Nameless:
    pass


class Named:
    def __str__(self) -> str:
        return "ana"


@pytest.mark.parametrize(
    ("returned", "actor", "logged"),
    [
        ("ana", "ana", 0),
        (7, "7", 0),
        (None, "", 0),
        (Named(), "ana", 0),
        (LocalProxy(Named), "ana", 0),
        (Nameless(), "<", 1),
        (LocalProxy(Nameless), "<", 1),
    ],
)
def test_an_actor_without_a_name_is_logged_once(
    make_app: MakeApp, returned: Any, actor: str, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=anyone, actor=lambda: returned))
    client = app.test_client()
    for name in ("New", "Newer"):
        assert client.post("/admin/config", data={"SITENAME": name}).status_code == 303
    (newest, _) = app.waffle.state.history.list()  # type: ignore[attr-defined]
    assert newest.actor[:1] == actor[:1] if logged else newest.actor == actor
    assert caplog.text.count("has no __str__") == logged


@pytest.mark.parametrize("debug", [True, False])
@pytest.mark.parametrize("edits", [True, False])
def test_a_missing_table_is_named_to_who_can_create_it(
    make_app: MakeApp, debug: bool, edits: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS, create=False, TESTING=False, DEBUG=debug)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: action == "view" or edits))
    page = app.test_client().get("/admin/config")
    assert page.status_code == 503
    assert ("db.create_all()" in page.text) is (debug or edits)
    (record,) = [r for r in caplog.records if "settings can't be read" in r.getMessage()]
    assert record.exc_info is None
