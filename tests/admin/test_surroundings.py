"""What surrounds a request, and texts that people send, lead nowhere else and forge nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pages import CONFS, URL, sent, state_of

from waffleconf_admin import WaffleAdmin

EVIL = "evil.example"
HEADERS = {
    "Host": EVIL,
    "X-Forwarded-Host": EVIL,
    "X-Forwarded-Prefix": f"//{EVIL}",
    "X-Original-URL": f"//{EVIL}/",
    "X-HTTP-Method-Override": "DELETE",
}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(actor=lambda: "an\nERROR forged", api=True))
    return app


def test_no_link_and_no_redirect_has_a_host(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get(URL).text, SITENAME="Bar")
    saved = client.post(f"{URL}?next=//{EVIL}&q=//{EVIL}", data=form, headers=HEADERS)
    assert saved.status_code == 303 and saved.headers["Location"].startswith(f"{URL}?next=")
    undone = client.post(
        f"{URL}/history/undo?next=//{EVIL}",
        data={"undo": state_of(app).history.list()[0].change_set, "back": f"//{EVIL}"},
        headers=HEADERS,
    )
    assert undone.status_code == 303 and undone.headers["Location"].startswith(URL)
    for path in ("", "/history", "/history/compare", "/files", "/api/history?limit=1"):
        answer = client.get(f"{URL}{path}", headers=HEADERS)
        assert answer.status_code == 200 and EVIL not in answer.text, path
        assert EVIL not in str(answer.headers), path


def test_no_other_site_is_allowed_to_read(app: Flask) -> None:
    client = app.test_client()
    asked = {"Origin": f"https://{EVIL}", "Access-Control-Request-Method": "PATCH"}
    for path in ("", "/api/settings", "/files/settings.json"):
        for method in ("GET", "OPTIONS"):
            answer = client.open(f"{URL}{path}", method=method, headers=asked)
            assert not [name for name in answer.headers if "Access-Control" in name]


@pytest.mark.parametrize("path", ["../settings_page.py", "..%2f..%2fcore.py", "/etc/passwd", "%00"])
def test_only_files_of_ours_are_served(app: Flask, path: str) -> None:
    assert app.test_client().get(f"{URL}/assets/{path}").status_code in (404, 308)


def test_an_actor_and_a_note_are_one_line_of_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client = app.test_client()
    note = "moved\nERROR forged\r\x1b[2J\u2028"
    form = sent(client.get(URL).text, SITENAME="Bar\nERROR forged") | {"waffle.note": note}
    assert client.post(URL, data=form).status_code == 303
    lines = [record.getMessage() for record in caplog.records]
    assert any("SITENAME" in line for line in lines)
    assert all(line.isprintable() for line in lines)


LOOK_ALIKES = ["SITENАME", "sitename", "SITENAME ", "SITENAME\0", "ＳITENAME", "SITE\u200bNAME"]


@pytest.mark.parametrize("key", LOOK_ALIKES)
def test_a_name_that_looks_like_that_of_a_setting_is_none(app: Flask, key: str) -> None:
    client: Any = app.test_client()
    answer = client.patch(f"{URL}/api/settings", json={"settings": {key: "Bar"}})
    assert answer.status_code == 422 and state_of(app).history.list() == []
    content = json.dumps({"waffleconf": 1, "settings": {key: "Bar"}}).encode()
    answer = client.post(f"{URL}/files", data={"waffle.file": (BytesIO(content), "f.json")})
    assert answer.status_code == 422 and "There is no setting of that name" in answer.text
    client.post(URL, data=sent(client.get(URL).text) | {key: "Bar"})
    assert state_of(app).history.list() == []
