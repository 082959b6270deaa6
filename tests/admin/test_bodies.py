"""Bodies, addresses and headers of any kind: none of them makes a view raise."""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO, RawIOBase
from itertools import product
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask
from flask_wtf import CSRFProtect
from pages import sent, state_of, stored
from werkzeug.formparser import FormDataParser

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.admin import form_body
from waffleconf_admin.admin.form_body import FORM_BYTES

MakeApp = Callable[..., Flask]
Write = Callable[[str, bytes], bytes]

CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "SIZE": {"default": 20},
    "TAGS": {"default": ["a"], "choices": ["a", "b"]},
    "TOKEN": {"default": "", "secret": True},
}
FORM, JSON, PARTS = (
    "application/x-www-form-urlencoded",
    "application/json",
    "multipart/form-data; boundary=x",
)
URLS = ["/admin/config", "/admin/config/history/undo", "/admin/config/files"]
KINDS = [FORM, JSON, PARTS]
#: Types that are read as one of these, or not at all.
OTHER_KINDS = [
    f"{FORM}; charset=nonsense",
    f"{FORM}; charset=utf-16",
    f"{JSON}; charset=nonsense",
    "multipart/form-data",
    f"multipart/form-data; boundary={'x' * 500}",
    "text/plain",
    "",
    "a/b/c;;;",
]


def part(headers: str) -> bytes:
    return f"--x\r\n{headers}\r\n\r\nhi\r\n--x--\r\n".encode()


BODIES = [
    b"",
    b"[1]",
    b"5",
    b"null",
    b'"x"',
    b"{",
    b'{"a": [1]}',
    b"[" * 100_000,
    b"\0" * 100,
    b"\xff" * 100,
    b"&=&=&",
    b"%",
    b"n" * 100_000 + b"=1",
    b"undo=%00&key=%00&actor=%00&source=%00&before=%00&day=%00",
    b"undo=" + b"9" * 100_000,
    b"undo=x%20" + "٣".encode() + b"%20SIZE",
    b"undo=x%20-1%20SIZE&before=-1",
    b"undo=%FF%FE&undo=&undo=%20%20%20",
    b"key=SIZE&day=9999-12-31&before=" + b"9" * 30,
    b"csrf_token=%00&waffle_token=%00",
    b"csrf_token=" + b"a." * 9999 + b"&waffle_token=" + b"e." * 9999,
    "csrf_token=é&waffle_token=é".encode(),
    b"SITENAME=%ED%A0%80&SIZE=1e999999&TAGS=%00&TAGS=zz&TOKEN=%00",
    b"waffle.do=reset&waffle.reset=%00&waffle.theirs.=theirs&waffle.note=%00",
    b"waffle.document=%7B%7D&waffle.take=%00&waffle.take=-%20SIZE",
    b'waffle.document={"waffleconf":1,"settings":{"SIZE":5,"TAGS":["b"]}}&waffle.take=x',
    b"waffle.do=reset%20TOKEN&waffle.reset=SIZE&waffle.reset=NOTHING",
    b"waffle.do=reset%20NOTHING",
    b"waffle.do=convert%20NOTHING",
    part('Content-Disposition: form-data; name="undo"'),
    part('Content-Disposition: form-data; name="SITENAME"; filename="f"'),
    part('Content-Disposition: form-data; name="waffle.file"; filename="f.yml"'),
    part('Content-Disposition: form-data; name="waffle.file"'),
    part("Content-Disposition: form-data"),
    part('Content-Disposition: form-data; name="\0"\r\nContent-Type: text/plain; charset=utf-7'),
    b"--x\r\n",
]


@pytest.fixture(params=["csrf", "app-wide csrf", "no csrf"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=request.param != "no csrf")
    if request.param == "app-wide csrf":
        CSRFProtect(app)
    app.register_blueprint(WaffleAdmin())
    state_of(app).update_db({"SIZE": 30})
    return app


@pytest.mark.parametrize("url", URLS)
def test_no_body_is_a_failure(app: Flask, url: str) -> None:
    client = app.test_client()  # which raises what a view raises
    cases = [*product(KINDS, BODIES), *product(OTHER_KINDS, BODIES[::7])]
    for kind, body in cases:
        answer = client.post(url, data=body, content_type=kind)
        assert answer.status_code < 500, (kind, body[:60])
    assert stored(app)["TOKEN"] == "" and stored(app)["SIZE"] in (20, 30)


def as_part(name: str, value: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (
        name.encode(),
        value,
    )


def as_field(name: str, value: bytes) -> bytes:
    return f"{name}={quote(value)}&".encode()


def in_small_letters(name: str, value: bytes) -> bytes:
    """A field as curl and other programs may escape it."""
    return re.sub(rb"%..", lambda escape: escape[0].lower(), as_field(name, value))


@pytest.mark.parametrize("protected", [False, True])
@pytest.mark.parametrize(
    ("kind", "write", "value"),
    [
        (FORM, as_field, b"caf\xe9"),
        (FORM, in_small_letters, b"caf\xe9"),
        (f"{FORM}; charset=latin-1", as_field, b"caf\xe9"),
        (FORM, lambda name, value: f"{name}=".encode() + value + b"&", b"caf\xe9"),
        (FORM, as_field, b"\xed\xa0\x80"),
        (PARTS, as_part, b"caf\xe9"),
    ],
)
def test_a_form_that_is_not_utf8_saves_nothing(
    make_app: MakeApp, kind: str, write: Write, value: bytes, protected: bool
) -> None:
    app = make_app(CONFS)
    if protected:
        CSRFProtect(app)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    fields = sent(client.get("/admin/config").text)
    del fields["SITENAME"]
    rest = b"".join(write(name, text.encode()) for name, text in fields.items())
    end = b"--x--\r\n" if kind == PARTS else b""
    for given, status, saved in [(value, 400, "Waffle"), ("café".encode(), 303, "café")]:
        body = rest + write("SITENAME", given) + end
        answer = client.post("/admin/config", data=body, content_type=kind)
        assert (answer.status_code, stored(app)["SITENAME"]) == (status, saved)


@pytest.mark.parametrize(("kind", "write"), [(FORM, as_field), (PARTS, as_part)])
def test_a_replacement_character_is_saved_as_it_is(
    make_app: MakeApp, kind: str, write: Write
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    fields = sent(client.get("/admin/config").text) | {"SITENAME": "a\ufffdb"}
    body = b"".join(write(name, text.encode()) for name, text in fields.items())
    body += b"--x--\r\n" if kind == PARTS else b""
    answer = client.post("/admin/config", data=body, content_type=kind)
    assert (answer.status_code, stored(app)["SITENAME"]) == (303, "a\ufffdb")


@pytest.mark.parametrize("shift", ["", "n", "nn"])  # a read of 64 KiB divides the character
def test_a_replacement_character_elsewhere_is_not_that_of_a_latin1_text(
    make_app: MakeApp, shift: str
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    fields = sent(client.get("/admin/config").text) | {"waffle.note": shift + "\ufffd" * 40_000}
    del fields["SITENAME"]
    rest = b"".join(as_part(name, text.encode()) for name, text in fields.items())
    for given, status, saved in [(b"caf\xe9", 400, "Waffle"), (b"caf\xc3\xa9", 303, "café")]:
        body = rest + as_part("SITENAME", given) + b"--x--\r\n"
        answer = client.post("/admin/config", data=body, content_type=PARTS)
        assert (answer.status_code, stored(app)["SITENAME"]) == (status, saved)


class InPieces(RawIOBase):
    """A body of which each read gets a piece, as from a slow client."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces, b""]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._pieces.pop(0)
        buffer[: len(piece)] = piece
        return len(piece)


def test_a_replacement_character_may_come_in_three_reads(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    body = as_part("SITENAME", "a\ufffdb".encode()) + b"--x--\r\n"
    at = body.index(b"\xbf")
    pieces = InPieces(body[:at], body[at : at + 1], body[at + 1 :])
    given = {"wsgi.input": pieces, "CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": PARTS}
    answer = app.test_client().post("/admin/config", environ_overrides=given)
    assert (answer.status_code, stored(app)["SITENAME"]) == (303, "a\ufffdb")


#: Of a request whose length the client does not say, to a server that knows its end.
CHUNKED: dict[str, Any] = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}


class Endless(RawIOBase):
    """A body of as many bytes as one likes to read, up to a quarter of a gigabyte."""

    def __init__(self) -> None:
        self.sent = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = min(len(buffer), 2**28 - self.sent)
        buffer[:size] = b"n" * size
        self.sent += size
        return size


@pytest.mark.parametrize(
    ("length", "most"),
    [({"CONTENT_LENGTH": str(FORM_BYTES + 1)}, 0), (CHUNKED, FORM_BYTES + 2**16)],
)
@pytest.mark.parametrize("limit", [0, 1000])
def test_a_form_that_is_too_large_is_not_read(
    app: Flask, length: dict[str, Any], most: int, limit: int
) -> None:
    app.config["MAX_FORM_MEMORY_SIZE"] = limit
    body = Endless()
    answer = app.test_client().post(
        "/admin/config", content_type=FORM, environ_overrides={**length, "wsgi.input": body}
    )
    assert answer.status_code == 413
    assert body.sent <= most


@pytest.mark.parametrize("is_length_known", [True, False])
@pytest.mark.parametrize(("allowed", "most"), [(500, 2000), (3000, 3000)])
def test_a_form_may_have_what_the_app_allows_and_never_less_than_we_need(
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
    allowed: int,
    most: int,
    is_length_known: bool,
) -> None:
    monkeypatch.setattr(form_body, "FORM_BYTES", 2000)
    app = make_app(CONFS)
    # As MAX_FORM_MEMORY_SIZE does, which Flask has since 3.1.
    app.request_class = type("Limited", (app.request_class,), {"max_form_memory_size": allowed})
    app.register_blueprint(WaffleAdmin())
    for size, status in [(most + 1, 413), (most, 303)]:
        body = b"SITENAME=".ljust(size, b"n")
        length = {"CONTENT_LENGTH": str(size)} if is_length_known else CHUNKED
        given = {"wsgi.input": BytesIO(body), **length}
        answer = app.test_client().post("/admin/config", content_type=FORM, environ_overrides=given)
        assert answer.status_code == status
    assert stored(app)["SITENAME"] == "n" * (most - 9)


def test_a_form_of_unknown_length_is_saved(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    fields = sent(client.get("/admin/config").text) | {"SITENAME": "n" * 100_000}
    body = {"wsgi.input": BytesIO(urlencode(fields).encode())}
    answer = client.post("/admin/config", content_type=FORM, environ_overrides=CHUNKED | body)
    assert (answer.status_code, stored(app)["SITENAME"]) == (303, "n" * 100_000)


@pytest.mark.parametrize("kind", [FORM, PARTS])
def test_a_parser_of_the_app_reads_the_forms_of_the_page(make_app: MakeApp, kind: str) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    read = []

    class Parser(FormDataParser):
        def parse(self, stream: Any, mimetype: str, *rest: Any) -> Any:
            read.append(mimetype)
            return super().parse(stream, mimetype, *rest)

    class Request(app.request_class):  # type: ignore[name-defined, misc]
        form_data_parser_class = Parser

    app.request_class = Request
    app.test_client().post("/admin/config", data=b"", content_type=kind)
    assert read == [kind.partition(";")[0]]


QUERIES = [
    "day=9999-12-31",
    "day=0001-01-01",
    "day=2026-W01-1",
    "day=%00",
    f"before={10**30}",
    "before=-1",
    "before=٣",
    "key=%00&actor=%ff&source=%00",
    "key=SIZE&day=2026-01-31&before=1",
    "q=%ff&group=%00&changed=%00",
]


@pytest.mark.parametrize("url", [*URLS, "/admin/config/history"])
def test_no_address_is_a_failure(app: Flask, url: str) -> None:
    client = app.test_client()
    for query in QUERIES:
        assert client.get(f"{url}?{query}").status_code < 500, query
        assert client.post(f"{url}?{query}", data={"undo": "x"}).status_code < 500, query


HEADERS = [
    {"Origin": "http://["},
    {"Referer": "http://["},
    {"Sec-Fetch-Site": "é"},
    {"Cookie": "session=\0"},
    {"Cookie": "session=" + "a" * 5000},
    {"Content-Length": "-5"},
    {"Content-Length": "many"},
    {"Content-Encoding": "gzip"},
]


@pytest.mark.parametrize("url", URLS)
def test_no_header_is_a_failure(app: Flask, url: str) -> None:
    client, data = app.test_client(), {"SIZE": "5", "csrf_token": "x", "waffle_token": "x"}
    for headers in HEADERS:
        assert client.post(url, data=data, headers=headers).status_code < 500, headers
