"""Forms that other sites send: the page is no weaker than a view of the app's own."""

from __future__ import annotations

import html
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from flask_wtf.csrf import CSRFProtect, generate_csrf
from pages import sent, state_of, stored
from states import away

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {"SITENAME": {"default": "Waffle"}, "SIZE": {"default": 20}}
URL, UNDO = "/admin/config", "/admin/config/history/undo"
HTTP, HTTPS = "http://shop.example.org", "https://shop.example.org"
SISTER = "https://blog.example.org"


def guarded(make_app: MakeApp, protect: bool = True, can: Any = None, **config: Any) -> Flask:
    """An app with a page, under an app-wide CSRFProtect or not, and a view of its own."""
    app = make_app(CONFS, history=True, **{"WTF_CSRF_ENABLED": True, **config})
    if protect:
        CSRFProtect(app)
    app.register_blueprint(WaffleAdmin(can=can))
    app.add_url_rule("/mine", "mine", lambda: "taken", methods=["POST"])
    app.add_url_rule("/token", "token", generate_csrf)
    return app


def no_less_strict(app: Flask, url: str, data: dict[str, str], headers: dict[str, str]) -> None:
    """Send a form to a view of the app's own and to the page: both take it, or neither does."""
    client = app.test_client()
    token = client.get("/token", base_url=url).text
    data = {name: value.replace("TOKEN", token) for name, value in data.items()}
    headers = {name: value.replace("TOKEN", token) for name, value in headers.items()}
    view = client.post("/mine", data=data, headers=headers, base_url=url)
    page = client.post(URL, data={**data, "SITENAME": "New"}, headers=headers, base_url=url)
    taken = view.status_code == 200
    assert (page.status_code == 303) == taken == (stored(app)["SITENAME"] == "New")
    saved = state_of(app).update_db({"SITENAME": "Before"})
    back = {**data, "undo": saved.change_set or ""}
    undone = client.post(UNDO, data=back, headers=headers, base_url=url)
    assert (undone.status_code == 303) == taken == (stored(app)["SITENAME"] != "Before")


TOKEN = {"csrf_token": "TOKEN"}


@pytest.mark.parametrize(
    ("config", "url", "data", "headers"),
    [
        ({}, HTTP, TOKEN, {}),
        ({}, HTTP, {}, {}),
        ({}, HTTP, {"csrf_token": ""}, {}),
        ({}, HTTP, {"csrf_token": "bad"}, {}),
        ({}, HTTP, {"csrf_token": "TOKENx"}, {}),
        ({}, HTTP, {"form-csrf_token": "TOKEN"}, {}),
        ({}, HTTP, {"form-csrf_token": "bad"}, {}),
        ({}, HTTP, {}, {"X-CSRFToken": "TOKEN"}),
        ({}, HTTP, {}, {"X-CSRF-Token": "TOKEN"}),
        ({}, HTTP, {}, {"X-CSRFToken": "bad"}),
        ({"WTF_CSRF_HEADERS": ["X-Mine"]}, HTTP, {}, {"X-Mine": "TOKEN"}),
        ({"WTF_CSRF_HEADERS": ["X-Mine"]}, HTTP, {}, {"X-CSRFToken": "TOKEN"}),
        ({"WTF_CSRF_FIELD_NAME": "mine"}, HTTP, {"mine": "TOKEN"}, {}),
        ({"WTF_CSRF_FIELD_NAME": "mine"}, HTTP, TOKEN, {}),
        ({"WTF_CSRF_TIME_LIMIT": -1}, HTTP, TOKEN, {}),
        ({"WTF_CSRF_TIME_LIMIT": None}, HTTP, TOKEN, {}),
        ({"WTF_CSRF_SECRET_KEY": "other"}, HTTP, TOKEN, {}),
        ({}, HTTPS, TOKEN, {}),
        ({}, HTTPS, TOKEN, {"Referer": f"{HTTPS}/admin/config"}),
        ({}, HTTPS, TOKEN, {"Referer": f"{HTTPS}:443/admin/config"}),
        ({}, HTTPS, TOKEN, {"Referer": f"{HTTPS}:8443/admin/config"}),
        ({}, HTTPS, TOKEN, {"Referer": f"{HTTP}/admin/config"}),
        ({}, HTTPS, TOKEN, {"Referer": SISTER}),
        ({}, HTTPS, TOKEN, {"Referer": "https://shop.example.org.evil.example/"}),
        ({}, HTTPS, {}, {"Referer": HTTPS}),
        ({}, HTTPS, {}, {"Referer": HTTPS, "X-CSRFToken": "TOKEN"}),
        ({"WTF_CSRF_SSL_STRICT": False}, HTTPS, TOKEN, {}),
        ({"WTF_CSRF_SSL_STRICT": False}, HTTPS, TOKEN, {"Referer": SISTER}),
        ({"WTF_CSRF_METHODS": ["POST"]}, HTTP, {}, {}),
        ({"WTF_CSRF_ENABLED": False}, HTTPS, {}, {"Referer": SISTER}),
    ],
)
def test_the_page_accepts_what_a_view_of_the_app_accepts(
    make_app: MakeApp, config: Any, url: str, data: Any, headers: Any
) -> None:
    no_less_strict(guarded(make_app, **config), url, data, headers)


def exempt_blueprint(app: Flask) -> None:
    app.extensions["csrf"].exempt(app.blueprints["waffleconf_admin"])


def exempt_views(app: Flask) -> None:
    for name in ("index", "undo"):
        app.extensions["csrf"].exempt(app.view_functions[f"waffleconf_admin.{name}"])


def check_by_hand(app: Flask) -> None:
    app.config["WTF_CSRF_CHECK_DEFAULT"] = False


@pytest.mark.parametrize("exempt", [exempt_blueprint, exempt_views, check_by_hand])
@pytest.mark.parametrize("headers", [{}, {"Referer": SISTER}])
@pytest.mark.parametrize("token", ["", "bad", "TOKEN"])
def test_the_page_checks_its_token_though_it_is_exempt(
    make_app: MakeApp, exempt: Callable[[Flask], None], token: str, headers: dict[str, str]
) -> None:
    app = guarded(make_app)
    exempt(app)
    client, url = app.test_client(), HTTPS if headers else HTTP
    token = token.replace("TOKEN", client.get("/token", base_url=url).text)
    data = {"csrf_token": token, "SITENAME": "New"}
    taken = client.post(URL, data=data, headers=headers, base_url=url).status_code == 303
    assert taken == (len(token) > 3 and not headers) == (stored(app)["SITENAME"] == "New")


def test_the_token_is_checked_though_the_app_checks_other_methods(make_app: MakeApp) -> None:
    app = guarded(make_app, WTF_CSRF_METHODS=["PUT"])
    client = app.test_client()
    assert client.post("/mine").status_code == 200
    assert client.post(URL, data={"SITENAME": "New"}).status_code == 422
    token = client.get("/token").text
    assert client.post(URL, data={"SITENAME": "New", "csrf_token": token}).status_code == 303


def test_an_extension_named_csrf_may_be_something_else(make_app: MakeApp) -> None:
    app = guarded(make_app, protect=False)
    app.extensions["csrf"] = object()
    client = app.test_client()
    assert client.post(URL, data=sent(client.get(URL).text, SITENAME="New")).status_code == 303


# Nothing of it is filled in

#: What browsers say of a form that a page of another site sends.
ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site", "Origin": SISTER, "Referer": f"{SISTER}/post"},
    {"Sec-Fetch-Site": "same-site", "Origin": HTTPS},
    {"Origin": SISTER},
    {"Origin": "null"},
    {"Origin": f"{HTTPS}:8443"},
    {"Origin": HTTP},
    {"Origin": "https://["},
    {"Referer": f"{SISTER}/post"},
    {"Origin": SISTER, "Referer": HTTPS},
]
#: Of one that a page of ours sends; the last says nothing.
HERE = [
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
    {"Sec-Fetch-Site": "some-day", "Origin": HTTPS},
    {"Origin": HTTPS},
    {"Origin": HTTPS.replace("shop", "SHOP")},
    {"Referer": f"{HTTPS}/admin/config"},
    {},
]
TYPED = {"SITENAME": "typed", "waffle.note": "typed", "waffle.reset": "SIZE"}


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("headers", ELSEWHERE)
def test_the_page_does_not_show_what_another_site_has_sent(
    make_app: MakeApp, headers: dict[str, str], protect: bool
) -> None:
    app = guarded(make_app, protect)
    client = app.test_client()
    client.get(URL, base_url=HTTPS)
    page = client.post(URL, data=TYPED, headers=headers, base_url=HTTPS)
    assert page.status_code == 400
    assert "typed" not in page.text and 'name="waffle.reset"' not in page.text
    assert "not sent by a page of this site" in html.unescape(page.text)
    assert sent(page.text)["SITENAME"] == "Waffle" == stored(app)["SITENAME"]
    here = {"Sec-Fetch-Site": "same-origin", "Referer": HTTPS}
    again = client.post(URL, data=sent(page.text, SITENAME="Mine"), headers=here, base_url=HTTPS)
    assert again.status_code == 303  # it is a page like any other


@pytest.mark.parametrize("protect", [True, False])
@pytest.mark.parametrize("headers", HERE)
def test_the_page_shows_again_what_it_has_sent_itself(
    make_app: MakeApp, headers: dict[str, str], protect: bool
) -> None:
    client = guarded(make_app, protect).test_client()
    client.get(URL, base_url=HTTPS)
    page = client.post(URL, data=TYPED, headers=headers, base_url=HTTPS)
    assert page.status_code == 422
    assert (sent(page.text)["SITENAME"], sent(page.text)["waffle.note"]) == ("typed", "typed")


@pytest.mark.parametrize("site", ["same-site", "cross-site"])
def test_a_form_from_another_site_is_refused_with_a_valid_token_too(
    make_app: MakeApp, site: str
) -> None:
    app = guarded(make_app, protect=False)
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="typed")
    page = client.post(URL, data=form, headers={"Sec-Fetch-Site": site})
    assert page.status_code == 400 and stored(app)["SITENAME"] == "Waffle"


def test_behind_a_proxy_that_hides_the_host_a_valid_token_is_enough(make_app: MakeApp) -> None:
    app = guarded(make_app, protect=False)
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="New")
    page = client.post(URL, data=form, headers={"Origin": "http://outside.example.org"})
    assert page.status_code == 303 and stored(app)["SITENAME"] == "New"


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_the_forbidden_page_does_not_keep_what_another_site_has_sent(
    make_app: MakeApp, headers: dict[str, str]
) -> None:
    app = guarded(make_app, can=lambda action, setting: False)
    page = app.test_client().post(URL, data=TYPED, headers=headers, base_url=HTTPS)
    assert page.status_code == 403 and "typed" not in page.text and "<form" not in page.text


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_the_unavailable_page_does_not_keep_what_another_site_has_sent(
    make_app: MakeApp, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    app = guarded(make_app)

    monkeypatch.setattr(state_of(app).configstore, "read_fresh", away)
    page = app.test_client().post(URL, data=TYPED, headers=headers, base_url=HTTPS)
    assert page.status_code == 503 and "typed" not in page.text and "<form" not in page.text


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_the_history_does_not_take_a_filter_from_another_site(
    make_app: MakeApp, headers: dict[str, str]
) -> None:
    app = guarded(make_app)
    saved = state_of(app).update_db({"SITENAME": "New"})
    data = {"undo": saved.change_set or "", "actor": "typed"}
    page = app.test_client().post(UNDO, data=data, headers=headers, base_url=HTTPS)
    assert page.status_code == 400 and "typed" not in page.text
    assert stored(app)["SITENAME"] == "New"


# Of what is sent from here nothing is lost


def test_under_an_app_wide_protection_an_old_token_loses_nothing(make_app: MakeApp) -> None:
    app = guarded(make_app)
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="typed")
    app.config["WTF_CSRF_TIME_LIMIT"] = -1
    assert client.post("/mine", data=form).status_code == 400
    page = client.post(URL, data=form)
    app.config["WTF_CSRF_TIME_LIMIT"] = 3600
    assert page.status_code == 422 and sent(page.text)["SITENAME"] == "typed"
    assert client.post(URL, data=sent(page.text)).status_code == 303
    assert stored(app)["SITENAME"] == "typed"


def test_without_a_referer_on_https_nothing_is_lost_either(make_app: MakeApp) -> None:
    app = guarded(make_app)
    client, here = app.test_client(), {"Sec-Fetch-Site": "same-origin"}
    form = sent(client.get(URL, base_url=HTTPS).text, SITENAME="typed")
    page = client.post(URL, data=form, headers=here, base_url=HTTPS)
    assert page.status_code == 422 and "Referer" in page.text
    assert sent(page.text)["SITENAME"] == "typed"


SCRIPT = {"X-Waffle-Fetch": "1"}


@pytest.mark.parametrize(
    ("protect", "visits", "change"),
    [
        (True, 1, {}),  # logged in anew
        (False, 1, {}),
        (True, 0, {}),  # without a cookie, as after a restart of the browser
        (True, 1, {"csrf_token": "of another SECRET_KEY"}),
    ],
)
def test_the_script_gets_a_new_token_and_all_else_is_checked_with_it(
    make_app: MakeApp, protect: bool, visits: int, change: dict[str, str]
) -> None:
    app = guarded(make_app, protect)
    form = sent(app.test_client().get(URL).text, SITENAME="New") | change
    client = app.test_client()
    for _ in range(visits):
        client.get(URL)
    answer = client.post(URL, data=form, headers=SCRIPT)
    assert answer.status_code == 409 and answer.text == "" and stored(app)["SITENAME"] == "Waffle"
    form |= dict(parse_qsl(answer.headers["X-Waffle-Token"]))
    state_of(app).update_db({"SITENAME": "Theirs"})
    conflict = client.post(URL, data=form, headers=SCRIPT)
    assert conflict.status_code == 422 and "Use mine" in conflict.text
    state_of(app).update_db({"SITENAME": "Waffle"})
    assert client.post(URL, data=form, headers=SCRIPT).status_code == 204
    assert stored(app)["SITENAME"] == "New"


@pytest.mark.parametrize(
    ("headers", "change", "status"),
    [
        (SCRIPT | {"Sec-Fetch-Site": "cross-site"}, {}, 400),
        (SCRIPT | {"Sec-Fetch-Site": "same-site"}, {}, 400),
        (SCRIPT | {"Origin": SISTER}, {}, 400),
        (SCRIPT, {"csrf_token": ""}, 422),
        ({}, {}, 422),
    ],
)
def test_nobody_else_gets_a_new_token_in_a_header(
    make_app: MakeApp, headers: Any, change: Any, status: int
) -> None:
    app = guarded(make_app)
    form = sent(app.test_client().get(URL).text, SITENAME="New") | change
    client = app.test_client()
    client.get(URL)
    answer = client.post(URL, data=form, headers=headers)
    assert answer.status_code == status and "X-Waffle-Token" not in answer.headers
    assert stored(app)["SITENAME"] == "Waffle"
