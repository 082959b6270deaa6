"""The pages of the history in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import SHOP, SIZES, follow, serving, state_of
from flask import Flask

from waffleconf_admin import WaffleAdmin

HOURS = {"mon": [["09:00", "18:00"]], "tue": [["09:00", "18:00"]], "sat": [["10:00", "16:00"]]}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """An app in whose history there is one of everything."""
    app = make_app({**SHOP, "OLD_FLAG": {"default": 1}}, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    state = state_of(app)
    state.update_db({"OLD_FLAG": 2})
    app.config["WAFFLE_CONFS"] = SHOP
    state.update_db({"SITENAME": "Crêperie", "UPLOAD_TOKEN": "abc"}, actor="ben", source="page")
    state.update_db({"HOURS": HOURS, "ABOUT": "One\n" * 30}, actor="deploy", source="cli")
    state.update_db({"HOURS": {**HOURS, "tue": []}, "ABOUT": "Two\n" + "One\n" * 29}, note="Why")
    state.update_db({"BANNER": "On Saturday our shop is closed from four in the afternoon, sorry"})
    state.update_db({"BANNER": "On Sunday our shop is closed from three in the afternoon, sorry"})
    state.update_db({"SITENAME": "Crêperie du Port", "PAGE_SIZE": 48}, actor="ana")
    return app


@pytest.fixture
def url(app: Flask) -> Iterator[str]:
    with serving(app) as url:
        yield url


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_undo_of_a_save_and_of_one_value(
    app: Flask, url: str, open_page: Callable[..., Any], script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    page.goto(f"{url}/history")
    newest = page.get_by_role("article").first
    assert "Crêperie du Port" in newest.inner_text()
    follow(page, newest.get_by_role("button", name="Undo this save"))
    assert page.get_by_text("Site name has its old value again.").is_visible()
    assert state_of(app).read()["SITENAME"].value == "Crêperie"
    follow(page, page.get_by_role("link", name="Site name").first)
    assert page.get_by_role("article").count() == 3
    oldest = page.get_by_role("article").last
    follow(page, oldest.get_by_role("button", name="Put the old value back"))
    assert page.get_by_text("Site name has its old value again.").is_visible()
    assert state_of(app).read()["SITENAME"].value == "Waffle"
    assert page.get_by_label("Setting").input_value() == "SITENAME"


def test_filter_by_hand(url: str, open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.goto(f"{url}/history")
    page.get_by_label("Who").fill("DEP")
    page.get_by_label("How").select_option("Command line")
    page.get_by_label("Setting").fill("about")
    follow(page, page.get_by_role("button", name="Show", exact=True))
    assert page.get_by_role("link", name="Show all").is_visible()
    assert page.get_by_role("article").count() == 1


def test_a_conflict_is_shown_at_the_top(
    app: Flask, url: str, open_page: Callable[..., Any]
) -> None:
    page = open_page()
    page.goto(f"{url}/history")
    state_of(app).update_db({"PAGE_SIZE": 50})
    follow(page, page.get_by_role("button", name="Undo this save").first)
    alert = page.get_by_role("alert")
    assert "Products on a page was changed again since" in alert.inner_text()


@pytest.mark.parametrize(("scheme", "size"), [("light", "wide"), ("dark", "narrow")])
@pytest.mark.parametrize("query", ["", "?key=HOURS"])
def test_axe_finds_nothing_and_nothing_is_cut(
    url: str, open_page: Callable[..., Any], scheme: str, size: str, query: str
) -> None:
    page = open_page(color_scheme=scheme, viewport=SIZES[size])
    page.goto(f"{url}/history{query}")
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_axe_finds_nothing_after_an_undo(url: str, open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.goto(f"{url}/history")
    follow(page, page.get_by_role("button", name="Undo this save").first)
    assert page.get_by_text("Site name has its old value again.").is_visible()
    assert Axe().run(page).response["violations"] == []
