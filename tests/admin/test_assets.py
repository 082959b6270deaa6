"""Style sheet and script: their addresses change with their content, so they may be cached."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from pages import MakeApp

from waffleconf_admin import WaffleAdmin, anyone

URL = "/admin/config"


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    app = make_app({"SITENAME": {"default": "Waffle"}})
    app.register_blueprint(WaffleAdmin(can=anyone))
    return app


def test_an_asset_is_cached_for_good_under_the_digest_of_its_content(app: Flask) -> None:
    client = app.test_client()
    addresses = re.findall(r'(?:href|src)="([^"]*/assets/[^"]*)"', client.get(URL).text)
    assert len(addresses) == 2
    for address in addresses:
        with client.get(address) as response:
            assert response.status_code == 200
            control = response.headers["Cache-Control"]
            assert "immutable" in control and "max-age=31536000" in control


def test_an_asset_under_another_digest_is_not_cached_for_good(app: Flask) -> None:
    with app.test_client().get(f"{URL}/assets/0123456789ab/waffleconf.css") as response:
        assert response.status_code == 200
        assert "immutable" not in response.headers["Cache-Control"]


@pytest.mark.parametrize(("name", "most"), [("waffleconf.css", 20_000), ("waffleconf.js", 15_000)])
def test_assets_stay_small(app: Flask, name: str, most: int) -> None:
    with app.test_client().get(f"{URL}/assets/{name}") as response:
        assert len(response.data) < most
