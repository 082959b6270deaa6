"""Style sheet and script: their addresses change with their content, so they may be cached."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from flask import Flask
from pages import MakeApp

from waffleconf_admin import WaffleAdmin, anyone
from waffleconf_admin.admin.assets import FOLDER, JOINED, joined

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


def test_the_style_sheet_and_the_script_have_at_most_16_kilobytes_as_they_are_sent() -> None:
    assert sum(len(gzip.compress(joined(name).encode())) for name in JOINED) <= 16_384


def test_each_file_is_a_part_of_what_is_sent() -> None:
    written = sorted(path.name for path in FOLDER.iterdir())
    assert sorted(name for names in JOINED.values() for name in names) == written


def test_a_script_imports_from_those_before_it() -> None:
    before: list[str] = []
    for name in JOINED["waffleconf.js"]:
        imports = re.findall(r'^import .* from "[.]/(.*)";$', (FOLDER / name).read_text(), re.M)
        assert set(imports) <= set(before)
        before.append(name)


def test_no_two_scripts_have_one_name() -> None:
    """They are joined into one module."""
    declared = r"^(?:async )?(?:const|let|class|function) (?:{ )?(\w+|[$]+)"
    names = re.findall(declared, joined("waffleconf.js"), re.MULTILINE)
    assert len(names) > 30 and len(names) == len(set(names))


def test_every_colour_and_corner_is_a_property_of_the_theme() -> None:
    style = "".join(path.read_text() for path in sorted(FOLDER.glob("*.css")))
    theme = re.search(r":where\(\.waffle\) \{.*?\n\}", style, re.S)
    assert theme
    literal = r"(?:color|background|border[\w-]*|shadow)\b[^;{}]*(?:#[0-9a-f]{6}\b|rgb\(|hsl\()"
    assert re.findall(literal, style.replace(theme[0], "")) == []
    corners = re.findall(r"border-radius: ([^;]*)", style)
    assert corners and all("var(--wf-radius" in corner for corner in corners)


def test_the_documentation_lists_every_property_of_the_theme() -> None:
    theme = (FOLDER / "base.css").read_text().partition("\n}")[0]
    documented = (Path(__file__).parents[2] / "docs" / "templates.md").read_text()
    assert [name for name in re.findall(r"--wf-[\w-]+(?=:)", theme) if name not in documented] == []
