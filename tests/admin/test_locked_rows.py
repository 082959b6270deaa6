"""Settings that the environment holds, on the page."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from pages import MakeApp, row, sent, state_of

from waffleconf_admin import WaffleAdmin, anyone

URL = "/admin/config"
CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "SIZE": {"desc": "Page size", "default": 20},
    "OFFSET": {"desc": "Offset", "default": 5},
    "TOKEN": {"desc": "Token", "default": "", "secret": True},
}


def without_tags(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


@pytest.fixture
def free(make_app: MakeApp) -> Flask:
    """The app before the variables were set."""
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=anyone))
    state_of(app).update_db({"SITENAME": "<Stored>", "TOKEN": "hunter2"}, actor="ana")
    return app


@pytest.fixture
def app(make_app: MakeApp, free: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    for name, text in {"SITENAME": "Env & Co", "OFFSET": "7", "TOKEN": "hunter3"}.items():
        monkeypatch.setenv(f"SHOP_{name}", text)
    app = make_app(CONFS, history=True, WAFFLE_ENV_PREFIX="SHOP_")
    app.register_blueprint(WaffleAdmin(can=anyone))
    return app


def test_a_locked_row_has_no_control_and_names_the_variable_and_what_waits_behind(
    app: Flask,
) -> None:
    page = app.test_client().get(URL).text
    assert sent(page).keys() & CONFS.keys() == {"SIZE"}
    name = row(page, "SITENAME")
    assert "<code>SHOP_SITENAME</code>" in name and "Env &amp; Co" in name
    assert "Set by the environment variable SHOP_SITENAME . It can't be changed here." in (
        without_tags(name)
    )
    assert "Stored, and not in use: “&lt;Stored&gt;”." in name
    assert "ana" not in name and 'value="reset SITENAME"' not in name
    assert "Stored, and not in use" not in row(page, "OFFSET")
    secret = row(page, "TOKEN")
    assert "<code>SHOP_TOKEN</code>" in secret and "Stored, and not in use: set." in secret
    assert "<input" not in secret and "hunter" not in page


def test_the_other_settings_of_the_page_are_saved(app: Flask) -> None:
    client = app.test_client()
    page = client.get(URL).text
    assert client.post(URL, data=sent(page, SIZE="30")).status_code == 303
    assert app.config["SIZE"] == 30 and app.config["SITENAME"] == "Env & Co"


@pytest.mark.parametrize(
    ("key", "typed"), [("SITENAME", "Mine"), ("TOKEN", "hunter3"), ("TOKEN", "hunter4")]
)
def test_a_page_from_before_the_variable_is_refused_with_the_reason(
    free: Flask, app: Flask, key: str, typed: str
) -> None:
    data = sent(free.test_client().get(URL).text)
    assert app.test_client().post(URL, data=data | {"SIZE": "30"}).status_code == 303
    response = app.test_client().post(URL, data=data | {key: typed, "SIZE": "40"})
    assert response.status_code == 422
    assert f"Set by the environment variable SHOP_{key}. It can&#39;t be changed here." in (
        response.text
    )
    assert app.config["SIZE"] == 30 and "hunter" not in response.text


@pytest.mark.parametrize("action", ["reset SITENAME", "reset TOKEN", "convert SITENAME"])
def test_no_button_changes_what_waits_behind(app: Flask, action: str) -> None:
    client = app.test_client()
    before = {key: record.text for key, record in state_of(app).read().items()}
    data = sent(client.get(URL).text) | {"waffle.do": action}
    assert client.post(URL, data=data).status_code in (200, 422)
    assert {key: record.text for key, record in state_of(app).read().items()} == before


def test_an_imported_file_is_refused_with_the_reason(app: Flask) -> None:
    client = app.test_client()
    text = '{"waffleconf": 1, "settings": {"SITENAME": "File", "SIZE": 30}}'
    sent_file = (BytesIO(text.encode()), "settings.json")
    response = client.post(f"{URL}/files", data={"waffle.file": sent_file})
    assert response.status_code == 422 and app.config["SIZE"] == 20
    assert "Set by the environment variable SHOP_SITENAME" in without_tags(response.text)
