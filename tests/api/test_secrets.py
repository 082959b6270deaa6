"""Secrets: nothing of one leaves by the API, and nobody can guess one there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from pages import state_of, stored

from waffleconf_admin import WaffleAdmin, conf_changed

MakeApp = Callable[..., Flask]
API = "/admin/config/api"
STORED, DEFAULT, TYPED = "stored-needle", "default-needle", "typed-needle"
CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "TOKEN": {"default": DEFAULT, "secret": True, "max": 40},
    "PLAN": {"default": {"a": DEFAULT}, "secret": True},
    "PICK": {"default": DEFAULT, "choices": [DEFAULT, STORED], "secret": True},
}

#: Requests with a secret in every place: method, path and body.
REQUESTS: list[tuple[str, str, Any]] = [
    ("GET", "settings", None),
    ("GET", "settings/TOKEN", None),
    ("GET", "history", None),
    ("GET", "openapi.json", None),
    ("PATCH", "settings/TOKEN", {"value": TYPED}),
    ("PATCH", "settings/TOKEN", {"value": TYPED * 9}),
    ("PATCH", "settings/TOKEN", {"value": [TYPED]}),
    ("PATCH", "settings/TOKEN", {"value": TYPED + "\0"}),
    ("PATCH", "settings/TOKEN", {TYPED: TYPED}),
    ("PATCH", "settings/TOKEN", {"value": "x", "note": [TYPED]}),
    ("PATCH", "settings/PICK", {"value": TYPED}),
    ("PATCH", "settings/PLAN", {"value": TYPED}),
    ("PATCH", "settings", {"settings": {"TOKEN": TYPED, "PICK": TYPED, "SITENAME": 5}}),
    ("PATCH", "settings", {"settings": TYPED}),
    ("PATCH", "settings", {"settings": {"TOKEN": {TYPED: 1}}, "reset": ["TOKEN"]}),
    ("PATCH", "settings", f'{{"settings": {{"PLAN": {{"{TYPED}": 1, "{TYPED}": 2}}}}}}'),
    ("PATCH", "settings", f'{{"settings": {{"PLAN": "{TYPED}'),
    ("PATCH", "settings", f"[{TYPED}]"),
    ("PATCH", "settings", f'["{TYPED}\\ud800"]'),
    ("DELETE", "settings/TOKEN", None),
    ("POST", "history/undo", {"change_set": "CHANGE SET"}),
    ("POST", "history/undo", {"change_set": TYPED}),
    ("POST", "history/undo", {"change_set": [TYPED]}),
]


@pytest.fixture(params=[[], [Fernet.generate_key().decode()]], ids=["clear", "encrypted"])
def app(request: pytest.FixtureRequest, make_app: MakeApp) -> Flask:
    app = make_app(
        CONFS,
        history=True,
        validate=lambda values: {"TOKEN": "No."} if "bad" in values["TOKEN"] else {},
        WAFFLE_STORE_DEFAULTS=False,
        WAFFLE_ENCRYPTION_KEYS=request.param,
    )
    app.register_blueprint(WaffleAdmin(api=True))
    return app


def send(client: Any, method: str, path: str, body: Any, **headers: str) -> Any:
    kwargs: dict[str, Any] = {} if body is None else {"json": body}
    if isinstance(body, str):
        kwargs = {"data": body, "content_type": "application/json"}
    return client.open(f"{API}/{path}", method=method, headers=headers, **kwargs)


def test_nothing_of_a_secret_is_in_any_answer_or_line_of_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    state, client = state_of(app), app.test_client()
    for method, path, body in REQUESTS:
        saved = state.update_db({"TOKEN": STORED, "PICK": STORED, "PLAN": {"a": STORED}})
        if body == {"change_set": "CHANGE SET"}:
            body = {"change_set": saved.change_set or "none"}
        answer = send(client, method, path, body)
        assert answer.status_code < 500
        assert "needle" not in answer.text + str(answer.headers), (method, path, body)
    records = "".join(f"{record.getMessage()}{vars(record)}" for record in caplog.records)
    assert "Settings saved" in records and "needle" not in records


@pytest.fixture
def everything(app: Flask) -> Iterator[Callable[..., Any]]:
    """What comes of a guess: all answers to it and after it, the signal, and the history."""
    received: list[Any] = []

    def receive(sender: object, changes: dict[str, Any], origin: str, **_: Any) -> None:
        received.append([*changes, origin])

    conf_changed.connect(receive, app)

    def guess(value: str, **options: Any) -> Any:
        client, state = app.test_client(), state_of(app)
        state.update_db({"TOKEN": STORED}, source="page")
        known = client.get(f"{API}/settings/TOKEN").headers["ETag"]
        if options.get("conflict"):
            state.update_db({"TOKEN": "theirs"}, source="page")
        received.clear()
        headers = {"If-Match": known} if options.get("if_match") else {}
        body = {"settings": {"TOKEN": value, **options.get("more", {})}}
        if options.get("one"):
            answer = send(client, "PATCH", "settings/TOKEN", {"value": value}, **headers)
        else:
            answer = send(client, "PATCH", "settings", body)
        etags = [client.get(f"{API}/{path}").headers["ETag"] for path in ("settings",)]
        after = client.get(f"{API}/settings/TOKEN")
        count = len(state.history.list("TOKEN"))
        shown = {k: v for k, v in (answer.json or {}).items() if k != "change_set"}
        return answer.status_code, shown, after.json, len(etags), count, list(received)

    yield guess
    conf_changed.disconnect(receive, app)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"one": True},
        {"one": True, "if_match": True},
        {"one": True, "if_match": True, "conflict": True},
        {"more": {"SITENAME": 5}},
        {"more": {"SITENAME": "New"}},
    ],
)
def test_a_right_guess_gets_the_answer_of_a_wrong_one(
    app: Flask, everything: Callable[..., Any], options: dict[str, Any]
) -> None:
    found = []
    for value in (STORED, DEFAULT, "wrong"):
        before = len(state_of(app).history.list("TOKEN"))
        status, shown, after, etags, count, signals = everything(value, **options)
        found.append((status, shown, after, etags, count - before, signals))
        state_of(app).update_db({"SITENAME": "Waffle"})
    assert found[0] == found[1] == found[2]


def test_a_secret_that_is_sent_is_always_written(app: Flask) -> None:
    client = app.test_client()
    for _ in range(2):
        for value in (STORED, STORED, DEFAULT):
            answer = send(client, "PATCH", "settings/TOKEN", {"value": value})
            assert answer.json["written"] == ["TOKEN"] and stored(app)["TOKEN"] == value
    assert len(state_of(app).history.list("TOKEN")) == 6


def test_a_rule_decides_about_a_secret(app: Flask) -> None:
    answer = send(app.test_client(), "PATCH", "settings/TOKEN", {"value": "bad"})
    assert (answer.status_code, answer.json["errors"]) == (422, {"TOKEN": "No."})


def test_an_etag_depends_on_no_text_of_a_secret(make_app: MakeApp, tmp_path: Path) -> None:
    found = []
    for value, keys in (("one", []), ("two", [Fernet.generate_key().decode()])):
        url = f"sqlite:///{tmp_path / value}.db"
        app = make_app(CONFS, url=url, history=True, WAFFLE_ENCRYPTION_KEYS=keys)
        app.register_blueprint(WaffleAdmin(api=True))
        state_of(app).update_db({"TOKEN": value})
        client = app.test_client()
        paths = ("settings", "settings/TOKEN")
        found.append([client.get(f"{API}/{path}").headers["ETag"] for path in paths])
    assert found[0] == found[1]


def test_a_rotation_of_keys_changes_no_etag(make_app: MakeApp) -> None:
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    etags = []
    for keys in ([old], [new, old]):
        app = make_app(CONFS, history=True, WAFFLE_ENCRYPTION_KEYS=keys)
        app.register_blueprint(WaffleAdmin(api=True))
        if len(keys) == 1:
            state_of(app).update_db({"TOKEN": STORED})
        else:
            before = state_of(app).read()["TOKEN"].text
            result = app.test_cli_runner().invoke(args=["waffle", "rotate"])
            assert result.exit_code == 0, result.output
            assert state_of(app).read()["TOKEN"].text != before
        etags.append(app.test_client().get(f"{API}/settings").headers["ETag"])
    assert etags[0] == etags[1]
