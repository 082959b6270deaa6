"""Requests and files that no page and no client of ours sends, each made from a number.

The same number and size always give the same one, so that what fails can be tried again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import random
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import quote_from_bytes

from flask import Flask
from hostile_texts import CONFS, TEXTS, make_app
from pages import sent
from werkzeug.test import create_environ, run_wsgi_app

from waffleconf_admin import InvalidValue
from waffleconf_admin.files import FileValues

PAGE = "/admin/config"
API = f"{PAGE}/api"
#: The stored value of the secret, which no answer may contain.
NEEDLE = "needle-5c1f0e"
#: Requests that one app gets: its history grows, and saves with an end are due after minutes.
REQUESTS_OF_AN_APP = 500

FORM, PARTS, JSON = (
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json",
)
CONTENT_TYPES = [
    FORM,
    f"{FORM}; charset=utf-16",
    f"{FORM}; charset=nonsense",
    f"{FORM};;;=;",
    PARTS,
    "multipart/form-data",
    f"multipart/form-data; boundary={'x' * 300}",
    'multipart/form-data; boundary="\\"',
    "multipart/mixed; boundary=x",
    JSON,
    f"{JSON}; charset=utf-7",
    "application/merge-patch+json",
    "text/plain",
    "text/plain; charset=\xff",
    "",
    "/",
]
CHARSETS = ["utf-8", "utf-16", "utf-7", "latin-1", "cp037"]
FRAGMENTS = [
    "\0",
    "\ud800",
    "\udfff\ud800",
    "\ufeff",
    "\u2028",
    "\u202e",
    "\x1b[2J",
    "\r\n",
    "\r\nSet-Cookie: a=b",
    "é",
    "e\u0301",
    "𝟙",
    "١",
    "ﬀ",
    "＜script＞",
    "<script>alert(1)</script>",
    "</textarea><img src=x onerror=alert(1)>",
    "' OR 1=1 --",
    "{{ config }}",
    "%(x)s %s {0}",
    "%00%ff%",
    "../../etc/passwd",
    "=1+1",
    "1e999",
    "-1e-999",
    "NaN",
    "-0",
    "9" * 400,
    "0x1f",
    '{"a": 1, "a": 2}',
    '{"$date": "x"}',
    "[[[[",
    "!!python/object:os.system",
    "&a [*a, *a]",
    "? [a]: b",
    "gASVCg==",
    "true",
    "null",
    "~",
    "2026-02-30",
    "24:00",
    "P1D",
]
#: What some control takes.
TYPED = [
    *("2", "2.5", "dark", "DARK", "WRITE", "b", "y", "3 min", "2 kB", "a\nb", "AAAA", "/srv/x"),
    *("2026-02-03", "18:31", "2026-02-03 18:31", "Europe/Paris", "#aabbcc", "a@example.org"),
    *("00000000-0000-0000-0000-000000000002", "192.0.2.2", "::2", "192.0.2.0/25", "2001:db8::/33"),
    *("https://example.org/", "192.0.2.2/24", "2001:db8::2/64", "[1]", '{"a": [2]}'),
]
INPUTS = [
    "csrf_token",
    "waffle_token",
    "waffle.do",
    "waffle.note",
    "waffle.until",
    "waffle.until_at",
    "waffle.row",
    "waffle.reset",
    "waffle.convert",
    "waffle.secret",
    "waffle.take",
    "waffle.document",
    "waffle.file",
    "waffle.theirs.str",
    "waffle.theirs.",
    "undo",
    "back",
    "setting.str",
    "at",
    "to",
]
PARAMETERS = [
    *("q", "group", "modified", "attention", "locked", "secret", "week", "by", "key", "actor"),
    *("source", "since", "until", "before", "day", "limit", "note", "all", "at", "to", "other"),
]
DO = [
    *("review", "confirm", "edit", "discard", "reset", "convert", "reset-group", "keep", "accept"),
    *("keep-save", "go-back", "test", ""),
]


@dataclass
class Request:
    """A request, as a server gives it to an app."""

    method: str
    path: str  #: as WSGI has it: each byte is a character
    query: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    environ: dict[str, object] = field(default_factory=dict)  #: that is as no server makes it

    def __str__(self) -> str:
        shown = {name: text[:40] for name, text in self.headers.items()}
        return (
            f"{self.method} {self.path[:60]!r} ? {self.query[:60]!r} {shown} {self.environ} "
            f"{len(self.body)} bytes {self.body[:120]!r}"
        )

    def send(self, app: Flask) -> tuple[int, bytes]:
        """Send it; return the status and the body of the answer."""
        environ = create_environ(method=self.method)
        environ["PATH_INFO"] = self.path
        environ["QUERY_STRING"] = self.query.decode("latin-1")
        environ["wsgi.input"] = BytesIO(self.body)
        environ["CONTENT_LENGTH"] = str(len(self.body))
        environ["CONTENT_TYPE"] = self.headers.get("Content-Type", "")
        for name, text in self.headers.items():
            environ["HTTP_" + name.upper().replace("-", "_")] = text
        chunks, status, _ = run_wsgi_app(app, environ | self.environ, buffered=True)
        return int(status.split()[0]), b"".join(chunks)


class Chance(random.Random):
    """What a number stands for.

    :param number: the seed.
    :param most: bytes of a body, at most.
    """

    def __init__(self, number: int, most: int) -> None:
        super().__init__(number)
        self.number, self.most = number, most
        self.charset = "utf-8" if self.randrange(8) else self.choice(CHARSETS)

    def one_in(self, count: int) -> bool:
        return self.randrange(count) == 0

    def size(self, most: int | None = None) -> int:
        """A length: as often of two digits as of three."""
        return int((most or self.most) ** self.random())

    def text(self, most: int | None = None) -> str:
        """A text of any size, that is meant to go wrong."""
        size = self.size(most)
        how = self.randrange(4)
        if how == 0:
            return TEXTS[self.choice(list(TEXTS))](size)
        if how == 1:
            return self.choice(FRAGMENTS) * max(1, size // 20)
        if how == 2:
            count = min(size, 200)
            return "".join(chr(self.randrange(self.choice([128, 0x110000]))) for _ in range(count))
        return "".join(self.choice(FRAGMENTS) for _ in range(min(size, 30)))

    def changed(self, text: str) -> str:
        """A text with a mistake in it."""
        at = self.randrange(len(text) + 1)
        rest = self.choice([text[at:], text[at + 1 :], "", text])
        return text[:at] + self.choice(["", "", self.choice(FRAGMENTS)]) + rest

    def encoded(self, text: str) -> bytes:
        errors = "surrogatepass" if self.charset.startswith("utf") else "replace"
        try:
            return text.encode(self.charset, errors)
        except UnicodeError:
            return text.encode("utf-8", "replace")

    def json(self, depth: int = 0) -> object:
        """A value of JSON."""
        how = self.randrange(9 if depth < 4 else 7)
        if how == 7:
            return [self.json(depth + 1) for _ in range(self.randrange(4))]
        if how == 8:
            return {self.text(30): self.json(depth + 1) for _ in range(self.randrange(4))}
        number = self.randrange(-(10 ** self.size(400)), 10 ** self.size(400))
        values = (None, True, number, number / 7 if abs(number) < 10**300 else 0.5, "UTC")
        return self.text() if how > 4 else values[how]


# Bodies


def form_pairs(chance: Chance, form: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """What a page would send, with mistakes: names, values, repeated and missing fields."""
    pairs = list(form.items()) if chance.randrange(8) else []
    inputs = INPUTS if chance.one_in(4) else INPUTS[2:]
    for _ in range(chance.choice([1, 1, 1, 2, 3, 6])):
        name = chance.choice([*CONFS, *CONFS, *inputs]) if chance.randrange(7) else chance.text(900)
        value = chance.text()
        how = chance.randrange(6)
        if how < 2 and form.get(name):
            value = chance.changed(form[name])
        elif how < 4 and name in CONFS:
            value = chance.choice(TYPED)
        elif how == 4 or name == "waffle.do":
            value = f"{chance.choice(DO)} {chance.choice([*CONFS, 'General', ''])}".rstrip()
        how = chance.randrange(4)
        if how and name in form:
            pairs = [(old, value if old == name else text) for old, text in pairs]
        else:
            pairs += [(name, value)] * (1 if how else chance.size(30))
    if chance.one_in(4):
        chance.shuffle(pairs)
    if pairs and chance.one_in(6):
        del pairs[chance.randrange(len(pairs))]
    return [(chance.encoded(name), chance.encoded(value)) for name, value in pairs]


def urlencoded(chance: Chance, pairs: list[tuple[bytes, bytes]]) -> bytes:
    safe = chance.choice(["", "", "", "%&=+;\0\xff"])
    return b"&".join(
        quote_from_bytes(name, safe).encode("latin-1") + b"=" + quote_from_bytes(value).encode()
        for name, value in pairs
    )


def multipart(chance: Chance, pairs: list[tuple[bytes, bytes]]) -> bytes:
    """The parts of a form, some with a file, a charset or a broken header."""
    parts = []
    broken = chance.one_in(3)
    for name, value in pairs:
        quoted = name.replace(b'"', chance.choice([b"%22", b'\\"', b'"']))
        head = b'Content-Disposition: form-data; name="' + quoted + b'"'
        for extra, odds in {
            b'; filename="f.json"': 9,
            b"; filename*=utf-8''%ff.yaml": 40,
            b'; filename="../../x.yml\0"': 40,
            b'; name="again"': 60,
            b"\r\nContent-Type: text/plain; charset=utf-16": 20,
            b"\r\nContent-Type: text/plain; charset=\xff": 30,
            b"\r\nContent-Transfer-Encoding: base64": 30,
            b"\r\nX: " + b"x" * 9000: 90,
            b"\r\n\0:\r\n :": 90,
        }.items():
            head += extra if broken and chance.one_in(odds) else b""
        parts.append(b"--x\r\n" + head + b"\r\n\r\n" + value + b"\r\n")
    return b"".join(parts) + (b"" if chance.one_in(9) else b"--x--\r\n")


def json_body(chance: Chance, values: Mapping[str, object], members: Mapping[str, object]) -> bytes:
    """A body of the API, with mistakes.

    :param values: that settings may have, by key.
    :param members: what a body may have.
    """
    body = {name: value for name, value in members.items() if not chance.one_in(3)}
    for _ in range(chance.randrange(3)):
        key = chance.choice(list(CONFS))
        value = values.get(key, chance.json()) if chance.one_in(2) else chance.json()
        inside = body.get("settings")
        if isinstance(inside, dict):
            body["settings"] = {**inside, key: value}
        else:
            body["value"] = value
    if chance.one_in(5):
        body[chance.choice([*members, "value", "settings", "until", chance.text(50)])] = (
            chance.json()
        )
    text = json.dumps(chance.json() if chance.one_in(12) else body, ensure_ascii=chance.one_in(2))
    if chance.one_in(4):
        text = chance.changed(text)
    if chance.one_in(12):
        text = chance.text()
    if chance.one_in(12):
        text = text[:-1] + f', "value": {TEXTS[chance.choice(list(TEXTS))](chance.size())}}}'
    return chance.encoded(text)


def document(chance: Chance, values: Mapping[str, object]) -> tuple[str, bytes]:
    """A file to import, with mistakes; and its name."""
    settings: dict[str, object] = {}
    for _ in range(chance.randrange(5)):
        key = chance.choice(list(CONFS)) if chance.randrange(6) else chance.text(60)
        settings[key] = values.get(key, 1) if chance.one_in(2) else chance.json()
    whole: dict[str, object] = {"waffleconf": 1, "settings": settings}
    if chance.one_in(9):
        whole[chance.choice([*whole, chance.text(30)])] = chance.json()
    name = chance.choice(["f.json", "f.json", "f.yaml", "f.yml", "f", "f.YAML", "f.toml"])
    text = json.dumps(whole, ensure_ascii=chance.one_in(2))
    if "y" in name.lower():
        # PyYAML needs a second for 30,000 values, whatever reads them.
        text = text[:100_000]
    if chance.one_in(3):
        text = chance.changed(text)
    if chance.one_in(9):
        text = chance.text(100_000 if "y" in name.lower() else None)
    if chance.one_in(9):
        slow = TEXTS[chance.choice(list(TEXTS))](chance.size(50_000))
        text = f'{{"waffleconf": 1, "settings": {{"{chance.choice(list(CONFS))}": {slow}}}}}'
    return name, chance.encoded(text)


# Requests


def query(chance: Chance, odds: int = 2) -> bytes:
    if chance.randrange(odds):
        return b""
    pairs = [(chance.choice(PARAMETERS), chance.text(3000)) for _ in range(chance.randrange(4))]
    if chance.one_in(6):
        pairs += [("limit", "5"), ("before", "9" * chance.size(40))]
    return urlencoded(chance, [(n.encode(), chance.encoded(v)) for n, v in pairs])[:60_000]


def headers(chance: Chance, valid: Mapping[str, str]) -> dict[str, str]:
    """The headers of a browser that is logged in, with mistakes."""
    found = dict(valid)
    for name, values in {
        "Origin": ["null", "http://[", "https://example.com", "http://localhost"],
        "Referer": ["http://[", "x:\xff", "https://example.com/"],
        "Sec-Fetch-Site": ["same-origin", "cross-site", "same-site", "none", "\xff"],
        "Host": ["localhost", "a" * 300, "[::1", "\xff", "example.com:99999", ""],
        "Accept-Language": ["es", "x" * 1000, "\xff,;q=x"],
        "X-Waffle-Fetch": ["1"],
        "X-CSRFToken": ["x", "\xff"],
        "If-Match": ['"x"', "*", "W/", '"' * 99, "\xff", ",,,"],
        "If-None-Match": ['"x"', "*", "\xff" * 99],
        "Authorization": ["Bearer x", "Basic ====", "Bearer", "\xff", "Digest a=b,c"],
        "Cookie": ["", "session=\xff", "session=a.b.c", ";;;=", "a=" + "b" * 4000],
        "Content-Encoding": ["gzip"],
        "X-Forwarded-Host": ["example.com"],
        "Range": ["bytes=5-"],
    }.items():
        if chance.one_in(50):
            found[name] = chance.choice(values)
    return found


def environ(chance: Chance, body: bytes) -> dict[str, object]:
    """What is wrong with the length of a body: rarely anything."""
    if chance.randrange(20):
        return {}
    lengths = [str(len(body) + 5), str(len(body) // 2), "-1", "x", ""]
    wrong: dict[str, object] = {"CONTENT_LENGTH": chance.choice(lengths)}
    if not wrong["CONTENT_LENGTH"] and chance.one_in(2):
        wrong |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": chance.one_in(2)}
    return wrong


class Target:
    """An app with values, and what a browser that is logged in has of it."""

    def __init__(self) -> None:
        self.app = make_app(PROPAGATE_EXCEPTIONS=True)
        self.state = self.app.extensions["waffleconf"]
        self.state.update_db({"secret": NEEDLE, "str": "Waffle", "int": 7}, note="first")
        client = self.app.test_client()
        self.form = sent(client.get(PAGE).text)
        cookie = client.get_cookie("session")
        assert cookie is not None
        self.browser = {"Cookie": f"session={cookie.value}"}
        self.values = {key: self._another_value(key) for key in CONFS}

    def _another_value(self, key: str) -> object:
        """What a file may have for a setting, other than its default."""
        for written in [*TYPED, 2, 2.5, False, [1], ["b"], {"a": [2]}]:
            with contextlib.suppress(InvalidValue):
                values = FileValues(self.state.app, self.state.settings)
                if values.load(key, written) != CONFS[key]["default"]:
                    return written
        return "other"

    def rows(self) -> list[object]:
        """All rows of the settings, as they are stored."""
        with self.app.app_context():
            db = self.app.extensions["sqlalchemy"]
            found = db.session.execute(db.text("SELECT * FROM confs ORDER BY 1, 2"))
            return [tuple(row) for row in found]

    def change_sets(self) -> list[str]:
        return [change.change_set for change in self.state.history.list(limit=9)]


def page_request(chance: Chance, target: Target) -> Request:
    """A request of the settings page, the history or the comparison."""
    form = target.form
    path = chance.choice(["", "", "", "/history/undo", "/history/compare", "/history", "/files/"])
    if path:
        form = {"csrf_token": form["csrf_token"], "undo": chance.choice(target.change_sets())}
    body = form_pairs(chance, form)
    kind = chance.choice([FORM, FORM, PARTS, PARTS, chance.choice(CONTENT_TYPES)])
    sent_body = (
        multipart(chance, body) if kind.startswith("multipart") else urlencoded(chance, body)
    )
    sent_body = sent_body[: chance.randrange(len(sent_body) + 1)] if chance.one_in(9) else sent_body
    return Request(
        method="POST" if chance.randrange(8) else chance.choice(["GET", "HEAD", "PUT"]),
        path=PAGE + path,
        query=query(chance),
        body=sent_body,
        headers=headers(chance, target.browser | {"Content-Type": kind}),
        environ=environ(chance, sent_body),
    )


def api_request(chance: Chance, target: Target) -> Request:
    """A request of the JSON API."""
    key = chance.choice(list(CONFS)) if chance.randrange(4) else chance.text(300)
    change_set = chance.choice(target.change_sets())
    note = chance.choice([None, "spring", chance.text(4000)])
    some = chance.sample(list(CONFS), 2)
    settings: dict[str, Any] = {each: target.values[each] for each in some}
    path, method, members = chance.choice(
        [
            *[("/settings", "PATCH", {"settings": settings, "reset": ["str"], "note": note})] * 3,
            *[(f"/settings/{key}", "PATCH", {"value": target.values.get(key, 1), "note": note})]
            * 3,
            (f"/settings/{key}", "DELETE", {}),
            ("/history/undo", "POST", {"change_set": change_set, "seen": 3, "keys": ["str"]}),
            ("/ends/keep", "POST", {"change_set": change_set}),
            ("/ends/go-back", "POST", {"change_set": change_set, "note": note}),
            ("/history", "GET", {}),
            ("/settings", "GET", {}),
            ("/openapi.json", "GET", {}),
        ]
    )
    body = json_body(chance, target.values, members)
    if chance.one_in(9):
        body = body[: chance.randrange(len(body) + 1)]
    kind = JSON if chance.randrange(8) else chance.choice(CONTENT_TYPES)
    login = {"Authorization": "Bearer x"} if chance.randrange(3) else dict(target.browser)
    if "Cookie" in login and chance.randrange(6):
        login["X-CSRFToken"] = target.form["csrf_token"]
    methods = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "POST", "OPTIONS", "TRACE", "X"]
    return Request(
        method=method if chance.randrange(9) else chance.choice(methods),
        path=(API + path).encode("utf-8", "surrogatepass").decode("latin-1"),
        query=query(chance, 3 if method == "GET" else 9),
        body=body,
        headers=headers(chance, login | {"Content-Type": kind}),
        environ=environ(chance, body),
    )


def files_request(chance: Chance, target: Target) -> Request:
    """A request of the page that imports a file: with the file, or from its review on."""
    name, content = document(chance, target.values)
    if chance.one_in(3) and (review := reviewed(chance, target)):
        pairs, content = form_pairs(chance, review), b""
    else:
        pairs = [(b"csrf_token", target.form["csrf_token"].encode())]
        if chance.one_in(6):
            tick = f"{chance.choice(['-', 'x', '0' * 32])} {chance.choice(list(CONFS))}"
            pairs += [(b"waffle.document", content), (b"waffle.take", chance.encoded(tick))]
        if chance.one_in(9):
            pairs.pop(0)
    body = multipart(chance, pairs)
    if content:
        filename = name.encode() if chance.randrange(9) else chance.encoded(chance.text(300))
        body = body.removesuffix(b"--x--\r\n") + file_part(filename, content)
    body = body[: chance.randrange(len(body) + 1)] if chance.one_in(12) else body
    return Request(
        method="POST",
        path=f"{PAGE}/files",
        query=query(chance),
        body=body,
        headers=headers(chance, target.browser | {"Content-Type": PARTS}),
        environ=environ(chance, body),
    )


def file_part(filename: bytes, content: bytes) -> bytes:
    """The last part of a form: the file."""
    head = b'--x\r\nContent-Disposition: form-data; name="waffle.file"; filename="' + filename
    return head + b'"\r\n\r\n' + content + b"\r\n--x--\r\n"


def reviewed(chance: Chance, target: Target) -> dict[str, str]:
    """What the review of a good file sends; nothing where the file changes nothing."""
    settings = {key: target.values[key] for key in ("int", "str", "bool")}
    settings |= {"str": chance.choice(["Bar", "é", "<b>"]), "int": chance.randrange(99)}
    content = json.dumps({"waffleconf": 1, "settings": settings}).encode()
    token = b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\n'
    body = token + target.form["csrf_token"].encode() + b"\r\n" + file_part(b"f.json", content)
    post = Request("POST", f"{PAGE}/files", b"", body, target.browser | {"Content-Type": PARTS})
    form = sent(post.send(target.app)[1].decode())
    return form if "waffle.document" in form else {}


# What has to hold


class Outcome(NamedTuple):
    """What came of one request or file."""

    number: int
    status: str
    changed: bool  #: whether a row is another one now
    seconds: float  #: of processor time
    size: int  #: of what was sent
    what: str


class Broken(AssertionError):
    """What has to hold does not."""


class Errors(logging.Handler):
    """Collects what is logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@contextlib.contextmanager
def watched(target: Target, what: Callable[[], str]) -> Iterator[None]:
    """Nothing may be raised, nor logged as an error."""
    errors, root = Errors(), logging.getLogger()
    root.addHandler(errors)
    try:
        yield
    except Exception as error:
        raise Broken(f"{what()}\n{traceback.format_exc()[-3000:]}") from error
    finally:
        root.removeHandler(errors)
    if errors.lines:
        raise Broken(f"{what()}\nlogged {errors.lines}")


def of_request(make: Callable[[Chance, Target], Request]) -> Callable[[Chance, Target], Outcome]:
    """A fuzzer of requests. A row may change only where the answer says that it was saved."""

    def fuzz(chance: Chance, target: Target) -> Outcome:
        request = make(chance, target)
        before = target.rows()
        begun = time.process_time()
        with watched(target, lambda: f"{chance.number}: {request}"):
            status, answer = request.send(target.app)
        seconds = time.process_time() - begun
        changed = target.rows() != before
        found = f"{chance.number}: {status} {request}"
        if status >= 500 or b"Traceback (most recent" in answer:
            raise Broken(f"{found}\n{answer[-2000:]!r}")
        if NEEDLE.encode() in answer:
            raise Broken(f"the secret is in the answer to {found}")
        saves = (200,) if request.path.startswith(API) else (303, 204)
        if changed and (status not in saves or request.method in ("GET", "HEAD", "OPTIONS")):
            raise Broken(f"a setting was changed by {found}")
        if changed:
            check_served(target, found)
        size = len(request.body) + len(request.query)
        return Outcome(chance.number, str(status), changed, seconds, size, str(request))

    return fuzz


def check_served(target: Target, after: str) -> None:
    """After a change the page, the history, an export and the API can still be read."""
    for path in ("", "/history", "/files/settings.json?all=1", "/api/settings", "/api/history"):
        path, _, parameters = f"{PAGE}{path}".partition("?")
        get = Request("GET", path, parameters.encode())
        with watched(target, lambda get=get: f"{get} after {after}"):  # type: ignore[misc]
            status, answer = get.send(target.app)
        if status != 200 or NEEDLE.encode() in answer:
            raise Broken(f"{status} of {get} after {after}")


def fuzz_command(chance: Chance, target: Target) -> Outcome:
    """A file for ``flask waffle import``, a text for ``flask waffle set``, or a variable."""
    how = chance.randrange(6)
    if how == 5:
        return _fuzz_environment(chance)
    if how == 4:
        key, text = chance.choice(list(CONFS)), chance.text()
        options = [[], ["--json"]][chance.randrange(2)]
        args, content = ["set", *options, key, "-"], chance.encoded(text)
    else:
        name, content = document(chance, target.values)
        format_name = [[], ["--format", "yaml" if "y" in name else "json"]][chance.randrange(2)]
        apply = [[], ["--apply"]][chance.randrange(2)]
        args = ["import", *format_name, *apply, "-"]
    before = target.rows()
    begun = time.process_time()
    what = f"{chance.number}: {args} {content[:120]!r}"
    with watched(target, lambda: what):
        result = target.app.test_cli_runner().invoke(args=["waffle", *args], input=content)
    seconds = time.process_time() - begun
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        shown = "".join(traceback.format_exception(result.exception))
        raise Broken(f"{what}\n{shown[-3000:]}")
    changed = target.rows() != before
    if "Traceback (most recent" in result.output or NEEDLE in result.output:
        raise Broken(f"{what}\n{result.output[-2000:]}")
    if changed and result.exit_code not in (0, 2):
        raise Broken(f"a setting was changed by {what}: exit code {result.exit_code}")
    if changed:
        check_served(target, what)
    status = f"exit {result.exit_code}"
    return Outcome(chance.number, status, changed, seconds, len(content), what)


def _fuzz_environment(chance: Chance) -> Outcome:
    key = chance.choice(list(CONFS))
    text = chance.text(100_000).replace("\0", "")
    what = f"{chance.number}: {key}={text[:120]!r}"
    begun = time.process_time()
    try:
        with mock.patch.dict(os.environ, {f"FUZZ_{key}": text.encode("utf-8", "replace").decode()}):
            make_app(WAFFLE_ENV_PREFIX="FUZZ_")
        status = "starts"
    except InvalidValue:
        status = "refused"
    except Exception as error:
        raise Broken(f"{what}\n{traceback.format_exc()[-3000:]}") from error
    return Outcome(chance.number, status, False, time.process_time() - begun, len(text), what)


Fuzz = Callable[[Chance, Target], Outcome]

FUZZERS: dict[str, Fuzz] = {
    "page": of_request(page_request),
    "api": of_request(api_request),
    "files": of_request(files_request),
    "commands": fuzz_command,
}


class Summary:
    """What came of all so far."""

    def __init__(self) -> None:
        self.count = self.changes = 0
        self.statuses: Counter[str] = Counter()
        self.slowest: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        self.count += 1
        self.changes += outcome.changed
        self.statuses[outcome.status] += 1
        self.slowest = sorted([*self.slowest, outcome], key=lambda o: -o.seconds)[:5]

    def __str__(self) -> str:
        statuses = ", ".join(f"{name} {n}" for name, n in sorted(self.statuses.items()))
        lines = [f"{self.count} sent, {self.changes} have changed a setting: {statuses}"]
        lines += [
            f"{o.seconds * 1000:6.0f} ms, {o.size} bytes: {o.what[:300]}" for o in self.slowest
        ]
        return "\n".join(lines)


def run(name: str, numbers: Iterator[int], most: int) -> Iterator[Outcome]:
    """Send what some numbers stand for; yield what came of it.

    :param most: bytes of a body, at most.
    :raises Broken: something does not hold; the next number can be tried after it.
    """
    target = Target()
    for count, number in enumerate(numbers):
        if count % REQUESTS_OF_AN_APP == REQUESTS_OF_AN_APP - 1:
            target = Target()
        yield FUZZERS[name](Chance(number, most), target)
