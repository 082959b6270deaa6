"""Requests that other sites may have sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect, generate_csrf
from pages import state_of, stored

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]

API = "/admin/config/api"
HTTP, HTTPS = "http://shop.example.org", "https://shop.example.org"
SISTER = "https://blog.example.org"


def guarded(make_app: MakeApp, protect: bool = True, **config: Any) -> Flask:
    """An app with an API, under an app-wide CSRFProtect or not, and a view of its own."""
    confs = {"SITENAME": {"default": "Waffle"}}
    app = make_app(confs, history=True, **{"WTF_CSRF_ENABLED": True, **config})
    if protect:
        CSRFProtect(app)
    app.register_blueprint(WaffleAdmin(api=True))
    app.add_url_rule("/mine", "mine", lambda: "taken", methods=["PATCH"])
    app.add_url_rule("/token", "token", generate_csrf)
    return app


TOKEN = {"X-CSRFToken": "TOKEN"}
BEARER = {"Authorization": "Bearer b4f"}
NO_COOKIE = {"Cookie": None}


def headers_of(app: Flask, client: Any, headers: dict[str, Any], url: str) -> dict[str, str]:
    """The headers with the session's token in place of TOKEN, and its cookie unless it is None."""
    token = client.get("/token", base_url=url).text
    found = {name: str(text).replace("TOKEN", token) for name, text in headers.items()}
    if headers.get("Cookie", "") is None:
        del found["Cookie"]
        client.delete_cookie("session", domain="shop.example.org")
    return found


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize(
    ("url", "headers", "accepted"),
    [
        (HTTP, TOKEN, True),
        (HTTP, {"X-CSRF-Token": "TOKEN"}, True),
        (HTTP, {}, False),
        (HTTP, {"X-CSRFToken": "bad"}, False),
        (HTTP, TOKEN | NO_COOKIE, False),
        (HTTP, NO_COOKIE, False),
        # No browser sends such a request for another site.
        (HTTP, BEARER | NO_COOKIE, True),
        (HTTP, {"Authorization": "bearer b4f"} | NO_COOKIE, True),
        (HTTPS, BEARER | NO_COOKIE, True),
        (HTTP, BEARER, False),
        (HTTP, BEARER | {"Cookie": "other=1"}, False),
        (HTTP, BEARER | TOKEN, True),
        # A browser may send these by itself.
        (HTTP, {"Authorization": "Basic YTpi"} | NO_COOKIE, False),
        (HTTP, {"Authorization": "Bearer"} | NO_COOKIE, False),
        (HTTP, {"Authorization": "Bearer "} | NO_COOKIE, False),
        (HTTP, {"Authorization": "Digest realm=x"} | NO_COOKIE, False),
        (HTTP, {"Authorization": "Negotiate YTpi"} | NO_COOKIE, False),
        # A page of another site, whatever else is right.
        (HTTPS, TOKEN | {"Referer": HTTPS, "Sec-Fetch-Site": "same-site"}, False),
        (HTTPS, TOKEN | {"Referer": HTTPS, "Sec-Fetch-Site": "cross-site"}, False),
        (HTTPS, BEARER | NO_COOKIE | {"Sec-Fetch-Site": "same-site"}, False),
        (HTTPS, BEARER | NO_COOKIE | {"Sec-Fetch-Site": "cross-site"}, False),
        (HTTPS, TOKEN | {"Referer": HTTPS, "Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_a_change_needs_a_token_unless_no_browser_could_send_it(
    make_app: MakeApp, url: str, headers: dict[str, Any], accepted: bool, protect: bool
) -> None:
    app = guarded(make_app, protect)
    client = app.test_client()
    sent = {"headers": headers_of(app, client, headers, url), "base_url": url}
    answer = client.patch(f"{API}/settings/SITENAME", json={"value": "New"}, **sent)
    assert answer.status_code == (200 if accepted else 403), answer.text
    assert (stored(app)["SITENAME"] == "New") is accepted
    for path, change in (("settings", client.patch), ("history/undo", client.post)):
        assert (change(f"{API}/{path}", json={}, **sent).status_code == 403) is not accepted
    assert client.delete(f"{API}/settings/SITENAME", **sent).status_code == answer.status_code


@pytest.mark.parametrize(
    ("config", "url", "headers"),
    [
        ({}, HTTPS, TOKEN),
        ({}, HTTPS, TOKEN | {"Referer": HTTPS}),
        ({}, HTTPS, TOKEN | {"Referer": SISTER}),
        ({"WTF_CSRF_SSL_STRICT": False}, HTTPS, TOKEN),
        ({"WTF_CSRF_HEADERS": ["X-Mine"]}, HTTP, {"X-Mine": "TOKEN"}),
        ({"WTF_CSRF_HEADERS": ["X-Mine"]}, HTTP, TOKEN),
        ({"WTF_CSRF_TIME_LIMIT": -1}, HTTP, TOKEN),
        ({"WTF_CSRF_SECRET_KEY": "other"}, HTTP, TOKEN),
        ({"WTF_CSRF_ENABLED": False}, HTTPS, {}),
    ],
)
def test_the_api_accepts_what_a_view_of_the_app_accepts(
    make_app: MakeApp, config: Any, url: str, headers: Any
) -> None:
    app = guarded(make_app, **config)
    client = app.test_client()
    sent = {"headers": headers_of(app, client, headers, url), "base_url": url}
    view = client.patch("/mine", json={}, **sent)
    answer = client.patch(f"{API}/settings/SITENAME", json={"value": "New"}, **sent)
    accepted = view.status_code == 200
    assert (answer.status_code == 200) == accepted == (stored(app)["SITENAME"] == "New")


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize(("headers", "accepted"), [({"X-Mine": "TOKEN"}, True), (TOKEN, False)])
def test_the_app_names_the_header_of_the_token(
    make_app: MakeApp, headers: dict[str, Any], accepted: bool, protect: bool
) -> None:
    app = guarded(make_app, protect, WTF_CSRF_HEADERS=["X-Mine"])
    client = app.test_client()
    sent = headers_of(app, client, headers, HTTP)
    answer = client.patch(
        f"{API}/settings/SITENAME", json={"value": "New"}, headers=sent, base_url=HTTP
    )
    assert answer.status_code == (200 if accepted else 403)


def test_the_token_is_checked_though_the_app_checks_nothing(make_app: MakeApp) -> None:
    app = guarded(make_app, WTF_CSRF_CHECK_DEFAULT=False, WTF_CSRF_METHODS=[])
    client = app.test_client()
    assert client.patch("/mine").status_code == 200
    answer = client.patch(f"{API}/settings", json={"settings": {"SITENAME": "New"}})
    assert answer.status_code == 403 and "X-CSRFToken" in answer.json["detail"]


def test_a_token_in_a_form_is_not_enough(make_app: MakeApp) -> None:
    app = guarded(make_app)
    client = app.test_client()
    form = {"csrf_token": client.get("/token").text}
    for method, path in (("DELETE", "settings/SITENAME"), ("POST", "history/undo")):
        assert client.open(f"{API}/{path}", method=method, data=form).status_code == 415


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
@pytest.mark.parametrize("path", ["settings", "settings/SITENAME", "history", "openapi.json"])
def test_a_page_of_another_site_reads_nothing(make_app: MakeApp, path: str, site: str) -> None:
    app = guarded(make_app)
    answer = app.test_client().get(f"{API}/{path}", headers={"Sec-Fetch-Site": site})
    assert answer.status_code == 403 and "SITENAME" not in answer.text


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
def test_reading_needs_no_token(make_app: MakeApp, headers: dict[str, str]) -> None:
    app = guarded(make_app)
    assert app.test_client().get(f"{API}/settings", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["PATCH", "POST", "DELETE"])
@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "application/jsonp",
        "application/json-seq",
    ],
)
def test_only_json_is_accepted(client: Any, app: Flask, method: str, content_type: str) -> None:
    path = {"POST": "/history/undo", "PATCH": "/settings", "DELETE": "/settings/SITENAME"}[method]
    body = b'{"settings": {"SITENAME": "New"}}'
    answer = client.open(API + path, method=method, data=body, content_type=content_type)
    if method == "DELETE" and not content_type:
        return  # it needs no body
    assert answer.status_code == 415 and state_of(app).history.list() == []
    assert answer.headers.get("Accept-Patch") == ("application/json" if method == "PATCH" else None)
