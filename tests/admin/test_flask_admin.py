"""The settings page within Flask-Admin's own layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import serving
from flask import Flask
from flask_admin import Admin, helpers
from flask_admin.menu import MenuLink
from flask_babel import Babel
from pages import sent, stored

from waffleconf_admin import WaffleAdmin

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "TAX": {"desc": "Tax", "default": 21, "confirm": True},
}
# What the documentation says to write.
LAYOUT = """{% extends "admin/base.html" %}
{% block page_title %}{% endblock %}
{% block body %}{% block content %}{% endblock %}{% endblock %}"""


@pytest.fixture
def app(make_app: Callable[..., Flask], tmp_path: Path) -> Flask:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "settings_layout.html").write_text(LAYOUT)
    app = make_app(CONFS, WTF_CSRF_ENABLED=True)
    Babel(app)  # Flask-Admin asks for it where it is installed
    admin = Admin(app, name="Shop")
    admin.add_link(MenuLink(name="Settings", url="/admin/config"))
    page = WaffleAdmin(layout="settings_layout.html")

    @page.context_processor
    def flask_admin() -> dict[str, Any]:
        view = admin.index_view
        return {"admin_view": view, "get_url": view.get_url, "theme": admin.theme, "h": helpers}

    app.register_blueprint(page)
    return app


def test_the_page_is_within_flask_admin(app: Flask) -> None:
    page = app.test_client().get("/admin/config").text
    assert "navbar" in page and "bootstrap.min.css" in page
    assert page.count("<html") == 1 and page.count("data-waffle") == 1
    assert page.count("waffleconf.css") == page.count("waffleconf.js") == 1
    assert 'role="search"' in page


def test_the_menu_of_flask_admin_leads_to_the_page(app: Flask) -> None:
    client = app.test_client()
    menu = client.get("/admin/").text
    assert 'href="/admin/config"' in menu and client.get("/admin/config").status_code == 200


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_there_whatever_the_system_is(app: Flask, browser: Any, scheme: Any) -> None:
    with serving(app) as url:
        page = browser.new_page(color_scheme=scheme)
        page.goto(url)
        page.get_by_label("Site name").fill("Bakery")
        found = Axe().run(page, context=".waffle")
        page.close()
    assert found.response["violations"] == [], found.generate_report()


def test_it_saves_and_reviews_there(app: Flask) -> None:
    client = app.test_client()
    form = sent(client.get("/admin/config").text.partition("data-waffle")[2], TAX="7")
    review = client.post("/admin/config", data=form)
    assert "navbar" in review.text and "shown once more" in review.text
    again = sent(review.text.partition("data-waffle")[2]) | {"waffle.do": "confirm"}
    answer = client.post("/admin/config", data=again, follow_redirects=True)
    assert "Tax: 21 → 7" in answer.text
    assert stored(app)["TAX"] == 7
