"""The page for users who may not see the settings: little is read for them, and little is sent."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, abort, redirect
from pages import sent, stored

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.admin.forbidden import MAX_BYTES

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {
    "A": {"default": 0},
    "SITENAME": {"default": "Waffle"},
    "TAGS": {"default": ["a"], "choices": ["a", "b", "c"]},
    "TOKEN": {"default": "", "secret": True},
}
URL, UNDO = "/admin/config", "/admin/config/history/undo"
FORM = "application/x-www-form-urlencoded"


def refuse(action: str, setting: Any) -> bool:
    return False


def closed(make_app: MakeApp, can: Any = refuse, confs: Any = CONFS, **config: Any) -> Flask:
    app = make_app(confs, **{"TESTING": False, "history": True, "WTF_CSRF_ENABLED": True, **config})
    app.register_blueprint(WaffleAdmin(can=can))
    return app


def inputs(page: Any) -> list[tuple[str, str]]:
    """What the page holds, to be sent again."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page.text)
    return [(html.unescape(name), html.unescape(value)) for name, value in found]


class Body(io.BytesIO):
    """A body that counts what is read of it."""

    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        part = super().read(size)
        self.taken += len(part)
        return part

    def readinto(self, buffer: Any) -> int:
        count = super().readinto(buffer)
        self.taken += count
        return count


def post(client: Any, body: Body, url: str = URL, kind: str = FORM, **environ: Any) -> Any:
    environ = {"CONTENT_LENGTH": str(len(body.getvalue())), **environ}
    return client.post(url, input_stream=body, content_type=kind, environ_overrides=environ)


#: How a body comes in chunks, and how long nobody says.
CHUNKS = [{"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked"}, {"CONTENT_LENGTH": ""}]


@pytest.mark.parametrize(
    ("url", "size", "kind", "environ"),
    [
        (URL, MAX_BYTES + 1, FORM, {}),
        (URL, 4_000_000, FORM, {}),
        (URL, 4_000_000, "multipart/form-data; boundary=x", {}),
        (URL, 1000, "application/json", {}),
        (URL, 1000, "text/plain", {}),
        *((URL, 1000, FORM, {"wsgi.input_terminated": True, **chunks}) for chunks in CHUNKS),
        (UNDO, 1000, FORM, {}),
        (UNDO, 1000, "application/json", {}),
    ],
)
def test_a_body_that_is_not_kept_is_not_read(
    make_app: MakeApp, url: str, size: int, kind: str, environ: dict[str, Any]
) -> None:
    body = Body(b"A=1&" * (size // 4 + 1))
    page = post(closed(make_app).test_client(), body, url, kind, **environ)
    assert (page.status_code, body.taken, inputs(page)) == (403, 0, [])


@pytest.mark.parametrize("url", [URL, UNDO])
def test_nothing_is_read_before_the_permissions_are_known(make_app: MakeApp, url: str) -> None:
    body = Body(b"A=1")
    seen = []

    def can(action: str, setting: Any) -> bool:
        seen.append(body.taken)
        return True

    post(closed(make_app, can).test_client(), body, url)
    assert body.taken == 3 and set(seen[: len(CONFS)]) == {0}


@pytest.mark.parametrize(
    "part",
    [
        b"A=&",
        b"A=1&",
        b'A="""""""""""&',
        b"A=<<<<<<<<<&",
        b"A=%26%26%26%26&",
        b"A=\xff\xff\xff\xff&",
        b"SITENAME=" + b"'" * 1000 + b"&",
        b"TOKEN=&TOKEN=clear&",
        b"TAGS=a&",
        b"waffle.reset=A&",
        b"waffle.note=a&",
        b"csrf_token=&",
        b"nothing=1&",
    ],
)
@pytest.mark.parametrize("size", [10_000, 100_000, MAX_BYTES])
def test_a_response_has_at_most_four_times_the_bytes_of_the_request(
    make_app: MakeApp, part: bytes, size: int
) -> None:
    body = Body(part * (size // len(part)))
    page = post(closed(make_app).test_client(), body)
    assert page.status_code == (400 if b"\xff" in part else 403)  # it is not UTF-8
    assert len(page.data) <= 4 * len(body.getvalue())


def test_a_whole_page_of_ordinary_settings_is_kept(make_app: MakeApp) -> None:
    confs: dict[str, Any] = {f"K{i}": {"default": i} for i in range(500)}
    confs |= {f"ON_{i}": {"default": True} for i in range(500)}
    form = sent(closed(make_app, lambda action, setting: True, confs).test_client().get(URL).text)
    page = closed(make_app, confs=confs).test_client().post(URL, data=form)
    for name in ("q", "by", "waffle.note", "waffle.until", "waffle.until_at"):  # search, blank
        form.pop(name, None)
    assert len(form) > 1000 and dict(inputs(page)) == form


def test_only_inputs_of_the_page_are_kept_and_no_secrets(make_app: MakeApp) -> None:
    data = {
        "SITENAME": "<Mine>",
        "TAGS": ["", "a", "b"],
        "TOKEN": "s3cr3t",
        "NOTHING": "x",
        "waffle.other": "x",
        "waffle.reset": ["A", "NOTHING"],
        "waffle.do": "reset NOTHING",
        "waffle.note": "why",
        "waffle_token": "x",
        "csrf_token": "x",
    }
    page = closed(make_app).test_client().post(URL, data=data)
    assert sorted(inputs(page)) == [
        ("SITENAME", "<Mine>"),
        ("TAGS", ""),
        ("TAGS", "a"),
        ("TAGS", "b"),
        ("csrf_token", "x"),
        ("waffle.note", "why"),
        ("waffle.reset", "A"),
        ("waffle.secret", "TOKEN"),
        ("waffle_token", "x"),
    ]


def test_that_a_secret_was_typed_on_an_earlier_page_is_kept(make_app: MakeApp) -> None:
    data = {"waffle.secret": ["TOKEN", "NOTHING"]}
    page = closed(make_app).test_client().post(URL, data=data)
    assert inputs(page) == [("waffle.secret", "TOKEN")]


def test_a_page_of_a_group_keeps_what_is_in_the_group(make_app: MakeApp) -> None:
    app = make_app({**CONFS, "SHOP": {"default": "", "group": "Shop"}}, TESTING=False)
    app.register_blueprint(WaffleAdmin("shop", can=refuse, groups=["Shop"]))
    page = app.test_client().post(URL, data={"SHOP": "mine", "SITENAME": "mine"})
    assert inputs(page) == [("SHOP", "mine")]


@pytest.mark.parametrize("login", [True, False])
def test_a_form_too_long_to_keep_gets_an_explanation(make_app: MakeApp, login: bool) -> None:
    def can(action: str, setting: Any) -> bool:
        return abort(redirect("/login")) if login else False

    page = closed(make_app, can).test_client().post(URL, data={"SITENAME": "n" * MAX_BYTES})
    assert page.status_code == 403 and inputs(page) == []
    assert "too long to keep here" in page.text
    assert ('href="/login"' in page.text) == login


def test_what_was_typed_is_kept_without_a_secret_key_too(make_app: MakeApp) -> None:
    client = closed(make_app, SECRET_KEY=None).test_client()
    client.set_cookie("session", "x")
    page = client.post(URL, data={"SITENAME": "mine", "waffle_token": "x"})
    assert ("SITENAME", "mine") in inputs(page)


def test_an_undo_is_not_read_for_a_user_who_may_undo_nothing(
    make_app: MakeApp,
) -> None:
    body = Body(b"undo=x")
    client = closed(make_app, lambda action, setting: action != "edit").test_client()
    page = post(client, body, UNDO)
    assert (page.status_code, body.taken) == (403, 0)
    assert "You may not undo this." in page.text


def test_a_form_without_inputs_of_the_page_is_redirected_to_the_login(make_app: MakeApp) -> None:
    client = closed(make_app, lambda action, setting: abort(redirect("/login"))).test_client()
    assert client.post(URL, data={"NOTHING": "x"}).location == "/login"


# Who may see the page


@pytest.mark.parametrize(
    "part",
    [
        b"n%d=1&",
        b"TOKEN=%d&",
        b"TAGS=%d&",
        b"waffle.theirs.n%d=theirs&",
        b"waffle.reset=n%d&",
        b"waffle.reset=A&A=%d&",
    ],
)
def test_many_names_and_values_are_read_in_linear_time(
    make_app: MakeApp, part: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is sent, each name is looked up a few times, not once for each other."""
    from werkzeug.datastructures import MultiDict

    looked_up = 0

    class Counting(MultiDict[str, str]):
        def getlist(self, *args: Any, **options: Any) -> Any:
            nonlocal looked_up
            looked_up += 1
            return super().getlist(*args, **options)

    app = closed(make_app, lambda action, setting: True)
    monkeypatch.setattr("waffleconf_admin.admin.submission.MultiDict", Counting)
    body = b"".join(part % number for number in range(2000))
    client = app.test_client()
    for do in (b"", b"&waffle.do=review"):
        looked_up = 0
        assert client.post(URL, data=body + do, content_type=FORM).status_code == 422
        assert looked_up < 100
    assert stored(app)["SITENAME"] == "Waffle"
