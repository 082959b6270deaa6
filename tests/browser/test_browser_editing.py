"""Editing in a browser: what is typed, marked, discarded and saved; by mouse and by keyboard."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest
from browsing import HOURS, SHOP, SIZES, arriving, dialogs, follow, row, save, state_of
from flask import Flask

from waffleconf_admin import WaffleAdmin


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(SHOP, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    return app


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_edit_save_and_reload(app: Flask, open_page: Callable[..., Any], script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Site name").fill("Crêperie du Port")
    page.get_by_label("Products on a page").fill("48")
    page.get_by_label("Maintenance mode").check()
    page.get_by_label("Customer reviews").uncheck()
    page.get_by_label("dark").check()
    page.get_by_label("Currency").select_option("Pound")
    page.get_by_label("Opening hours").fill('{"sun": []}')
    page.get_by_label("About us").fill("\nTwo\nlines")
    row(page, "UPLOAD_TOKEN").get_by_text("Set", exact=False).last.click()
    page.locator("#waffle-UPLOAD_TOKEN").fill("t0ken")
    save(page)
    expected = {
        "SITENAME": "Crêperie du Port",
        "PAGE_SIZE": 48,
        "MAINTENANCE": True,
        "REVIEWS": False,
        "THEME": "dark",
        "CURRENCY": "GBP",
        "HOURS": {"sun": []},
        "ABOUT": "\nTwo\nlines",
        "UPLOAD_TOKEN": "t0ken",
    }
    assert {key: app.config[key] for key in expected} == expected
    rows = state_of(app).read()
    assert {key for key in SHOP if rows[key].text is not None} == expected.keys()
    assert page.locator(".wf-messages").get_by_text("Site name").is_visible()
    page.reload()
    assert page.locator(".wf-messages").count() == 0
    assert page.get_by_label("Site name").input_value() == "Crêperie du Port"
    assert page.get_by_label("Maintenance mode").is_checked()
    assert not page.get_by_label("Customer reviews").is_checked()
    assert page.get_by_label("About us").input_value() == "\nTwo\nlines"
    assert row(page, "SITENAME").get_by_text("Modified").is_visible()
    if not script:  # with it there is no Save button until something is changed
        save(page)
        assert state_of(app).read() == rows


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_mistakes_are_listed_and_kept(
    app: Flask, open_page: Callable[..., Any], script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Site name").fill("Crêperie")
    page.get_by_label("Opening hours").fill('{"mon": [}')
    save(page)
    summary = page.get_by_role("alert")
    summary.get_by_role("link", name="Opening hours").click()
    assert page.get_by_label("Opening hours").evaluate("e => e === document.activeElement")
    assert page.get_by_label("Opening hours").input_value() == '{"mon": [}'
    assert page.get_by_label("Site name").input_value() == "Crêperie"
    assert app.config["SITENAME"] == "Waffle"
    page.get_by_label("Opening hours").fill("{}")
    save(page)
    assert (app.config["SITENAME"], app.config["HOURS"]) == ("Crêperie", {})


def test_a_message_goes_as_soon_as_somebody_types(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.get_by_label("Opening hours").fill('{"mon": [}')
    save(page)
    hours = row(page, "HOURS")
    assert hours.locator(".wf-errors").is_visible()
    page.get_by_label("Opening hours").press("End")
    page.get_by_label("Opening hours").type("x")
    assert hours.locator(".wf-errors, [aria-invalid]").count() == 0


@pytest.mark.parametrize("touched", [set(), {"HOURS"}, {"ABOUT", "HOURS"}])
def test_long_texts_are_sent_if_somebody_touched_them(
    app: Flask, open_page: Callable[..., Any], touched: set[str]
) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Crêperie")
    for key in touched:
        page.locator(f"#waffle-{key}").fill("[" if key == "HOURS" else "New")
    with page.expect_request(lambda request: request.method == "POST") as sent:
        save(page)
    names = parse_qs(sent.value.post_data, keep_blank_values=True).keys()
    assert {"ABOUT", "HOURS", "WEBHOOKS", "FILE_TYPES"} & names == touched
    assert {"SITENAME", "BANNER", "UPLOAD_TOKEN"} <= names
    if touched:  # refused, and sent back: that is sent again, though nobody touches it there
        page.get_by_label("Opening hours").fill("{}")
        save(page)
    assert app.config["SITENAME"] == "Crêperie"
    assert app.config["HOURS"] == ({} if touched else HOURS)
    assert app.config["ABOUT"] == ("New" if "ABOUT" in touched else SHOP["ABOUT"]["default"])


def test_a_long_text_that_the_script_has_not_seen_change_is_sent(
    app: Flask, open_page: Callable[..., Any]
) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Crêperie")
    page.get_by_label("About us").evaluate("area => { area.value = 'New' }")  # as an extension does
    save(page)
    assert app.config["ABOUT"] == "New"


def test_changed_fields_are_marked_and_counted(open_page: Callable[..., Any]) -> None:
    page = open_page()
    bar = page.locator(".wf-bar")
    assert not bar.is_visible()
    page.get_by_label("Site name").fill("Crêperie")
    assert row(page, "SITENAME").get_by_text("Not saved yet").is_visible()
    assert "now\xa0“Waffle”" in row(page, "SITENAME").inner_text()
    assert bar.get_by_text("1 unsaved").is_visible()
    page.get_by_label("Gift cards").check()
    assert bar.get_by_text("2 unsaved").is_visible()
    page.get_by_label("Gift cards").uncheck()
    assert bar.get_by_text("1 unsaved").is_visible()
    row(page, "SITENAME").get_by_role("button", name="Discard").click()
    assert page.get_by_label("Site name").input_value() == "Waffle"
    assert not bar.is_visible()


def test_discard_brings_everything_back(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Crêperie")
    page.get_by_label("dark").check()
    page.get_by_label("Currency").select_option("Pound")
    page.get_by_label("Customer reviews").uncheck()
    page.locator(".wf-discard").click()
    assert page.get_by_label("Site name").input_value() == "Waffle"
    assert page.get_by_label("light").is_checked()
    assert page.get_by_label("Currency").input_value() == "EUR"
    assert page.get_by_label("Customer reviews").is_checked()
    assert page.locator(".wf-unsaved").count() == 0


def test_discard_after_a_mistake_loads_what_is_stored(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.get_by_label("Opening hours").fill("{")
    save(page)
    page.get_by_label("Site name").press_sequentially("x")  # else no browser asks
    asked = dialogs(page)
    follow(page, page.locator(".wf-discard"))
    assert asked == []
    assert page.get_by_label("Site name").input_value() == "Waffle"
    assert '"sat"' in page.get_by_label("Opening hours").input_value()


@pytest.mark.parametrize("changed", [True, False])
def test_leaving_asks_only_with_unsaved_changes(
    open_page: Callable[..., Any], changed: bool
) -> None:
    page = open_page()
    asked = dialogs(page)
    page.get_by_label("Site name").press_sequentially("x")
    if not changed:
        page.get_by_label("Site name").press("Backspace")
    page.goto("about:blank")
    assert asked == (["beforeunload"] if changed else [])


def test_everything_works_by_keyboard(app: Flask, open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the settings"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "waffle-SITENAME"
    page.keyboard.type("Crêperie")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "waffle-GIFT_CARDS":
            break
    page.keyboard.press("Space")
    with arriving(page):
        page.keyboard.press("Control+Enter")
    assert (app.config["SITENAME"], app.config["GIFT_CARDS"]) == ("Crêperie", True)


def test_focus_is_never_under_the_bar(open_page: Callable[..., Any]) -> None:
    page = open_page(viewport=SIZES["narrow"])
    page.get_by_label("Site name").fill("Crêperie")
    covered = """() => {
        const bar = document.querySelector(".wf-bar").getBoundingClientRect();
        const box = document.activeElement.getBoundingClientRect();
        const inside = document.activeElement.closest(".wf-bar");
        return !inside && box.top > bar.top - 24;
    }"""
    seen = set()
    page.get_by_label("Site name").focus()
    while (here := page.evaluate("document.activeElement.id")) not in seen or not here:
        seen.add(here)
        assert not page.evaluate(covered), here
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.closest('.wf-bar') !== null"):
            break
    assert "waffle-WEBHOOKS" in seen


def test_bar_does_not_come_up_over_what_is_changed(open_page: Callable[..., Any]) -> None:
    page = open_page()
    field = page.get_by_label("Gift cards")
    field.evaluate("e => window.scrollBy(0, e.getBoundingClientRect().bottom - innerHeight + 2)")
    field.evaluate("e => e.focus({preventScroll: true})")
    page.keyboard.press("Space")
    bar, box = page.locator(".wf-bar").bounding_box(), field.bounding_box()
    assert box["y"] + box["height"] <= bar["y"]
