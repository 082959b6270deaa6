"""Bodies of any kind and size: a clear problem, and nothing is saved."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from flask import Flask
from pages import state_of

from waffleconf_admin.api import body

API = "/admin/config/api"
JSON, PROBLEM = "application/json", "application/problem+json"


UNREADABLE = [
    (b"", 400),
    (b"{", 400),
    (b"\xff", 400),
    ("{}".encode("utf-16"), 400),
    (gzip.compress(b"{}"), 400),
    (b"[" * 100_000, 400),
    (b'{"settings": ' + b"[" * 200 + b"]" * 200 + b"}", 400),
    (b'{"value": 1, "value": 2}', 400),
    (b'{"value": NaN}', 400),
    (b'{"value": Infinity}', 400),
    (b'{"value": 1e999}', 400),
    (b'{"value": ' + b"9" * 5000 + b"}", 400),
    (b'{"value": "\\ud800"}', 400),
    (b"[1]", 422),
    (b"null", 422),
    (b'"x"', 422),
    (b'{"nothing": 1}', 422),
    (b'{"note": 5}', 422),
    (b'{"settings": [1]}', 422),
    (b'{"reset": "PAGE_SIZE"}', 422),
    (b'{"reset": [1]}', 422),
    (b'{"settings": {"PAGE_SIZE": 5}, "reset": ["PAGE_SIZE"]}', 422),
    (b'{"value": {}, "note": ""}', 422),
    (b'{"value": ' + b"9" * 4000 + b"}", 422),
    (b'{"change_set": 5}', 422),
    (b'{"change_set": "x", "seen": 1.5}', 422),
    (b'{"change_set": "x", "seen": true}', 422),
    (b'{"change_set": "x", "seen": 9223372036854775808}', 422),
    (b'{"change_set": "x", "keys": {}}', 422),
    (b'{"note": "' + b"n" * 2001 + b'"}', 422),
]


def test_a_note_may_have_as_many_characters_as_the_history_keeps(client: Any, app: Flask) -> None:
    sent = {"value": 5, "note": "n" * 2000}
    assert client.patch(f"{API}/settings/PAGE_SIZE", json=sent).status_code == 200
    assert state_of(app).history.list()[0].note == "n" * 2000


@pytest.mark.parametrize("path", ["settings", "settings/PAGE_SIZE", "history/undo"])
def test_what_can_not_be_read_is_a_problem(client: Any, app: Flask, path: str) -> None:
    method = "POST" if path.endswith("undo") else "PATCH"
    for sent, status in UNREADABLE:
        answer = client.open(f"{API}/{path}", method=method, data=sent, content_type=JSON)
        assert (answer.status_code, answer.mimetype) == (status, PROBLEM), sent[:50]
        assert answer.json["detail"] and answer.json["status"] == status
    assert state_of(app).history.list() == []


@pytest.mark.parametrize(
    ("method", "path", "member"),
    [("PATCH", "settings/PAGE_SIZE", "value"), ("POST", "history/undo", "change_set")],
)
def test_a_member_that_is_missing_is_named(
    client: Any, method: str, path: str, member: str
) -> None:
    answer = client.open(f"{API}/{path}", method=method, json={})
    assert answer.status_code == 422 and f'"{member}" must be' in answer.json["detail"]


def test_a_line_and_a_column_are_named(client: Any) -> None:
    answer = client.patch(f"{API}/settings", data=b'{\n  "note" 1}', content_type=JSON)
    assert "Line 2, column 10: a colon is missing" in answer.json["detail"]


@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=latin-1"])
def test_a_body_is_in_utf_8_whatever_it_says(client: Any, charset: str) -> None:
    sent = '{"value": "Crêperie"}'.encode()
    answer = client.patch(f"{API}/settings/SITENAME", data=sent, content_type=JSON + charset)
    assert answer.json["settings"]["SITENAME"]["value"] == "Crêperie"


def test_a_body_that_is_too_large_is_not_read(
    client: Any, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = b'{"note": "' + b" " * 1000 + b'"}'
    assert client.patch(f"{API}/settings", data=sent, content_type=JSON).status_code == 200
    monkeypatch.setattr(body, "MAX_BYTES", 1000)
    answer = client.patch(f"{API}/settings", data=sent, content_type=JSON)
    assert (answer.status_code, answer.mimetype) == (413, PROBLEM)
    monkeypatch.undo()
    app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = client.patch(f"{API}/settings", data=sent, content_type=JSON)
    assert (answer.status_code, answer.mimetype) == (413, PROBLEM)


def test_a_body_of_unknown_length_is_refused(client: Any) -> None:
    answer = client.patch(
        f"{API}/settings",
        data=b"{}",
        content_type=JSON,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True},
    )
    assert answer.status_code == 411


def test_what_the_app_has_read_already_is_read_again(app: Flask) -> None:
    from flask import request

    app.before_request(lambda: request.get_json(silent=True) and None)
    answer = app.test_client().patch(f"{API}/settings/SITENAME", json={"value": "New"})
    assert answer.status_code == 200 and answer.json["written"] == ["SITENAME"]


@pytest.mark.parametrize("note", ["", "?note=" + "n" * 2001])
def test_a_reset_has_no_longer_note_than_others(client: Any, note: str) -> None:
    answer = client.delete(f"{API}/settings/SITENAME{note}")
    assert answer.status_code == (422 if note else 200)
