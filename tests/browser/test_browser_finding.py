"""Finding settings in a browser: search, filters, and links to one setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    FULL_SHOP,
    SIZES,
    STORED,
    Open,
    arriving,
    declared_anew,
    follow,
    row,
    save,
    search,
    serving,
    state_of,
    visible_keys,
)
from flask import Flask

from waffleconf_admin import WaffleAdmin

CASES: dict[str, Any] = json.loads(
    (Path(__file__).parents[1] / "admin" / "search_cases.json").read_text()
)


def test_the_script_searches_as_the_server_does(open_page: Open) -> None:
    page = open_page()
    finder = page.locator("script[type=module]").first.get_attribute("src")
    found = page.evaluate(
        """async ([address, { cases, parts }]) => {
            const { Search, fold } = await import(address);
            return cases.map((one) => {
                const search = new Search(one.typed);
                const spans = search.spans(one.name, one.rank >= 100);
                return {
                    rank: search.rank(parts.map((part) => fold(one[part] ?? ""))),
                    marked: spans.map(([start, end]) => one.name.slice(start, end)),
                };
            });
        }""",
        [finder.replace("waffleconf.js", "search.js"), CASES],
    )
    for case, result in zip(CASES["cases"], found, strict=True):
        assert result == {**result, **{name: case[name] for name in result if name in case}}, case


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_search_finds_by_label_key_help_group_and_value(open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    for text, keys in {
        "mail server": ["SMTP_HOST", "SMTP_PASSWORD"],
        "MAX_FILE": ["MAX_FILESIZE"],
        "in bytes": ["MAX_FILESIZE"],
        "uploads jpg": ["FILE_TYPES"],
        "crêperie": ["SITENAME"],
        "no such thing": [],
    }.items():
        search(page).fill(text)
        if not script:
            with arriving(page):
                search(page).press("Enter")
        assert visible_keys(page) == keys
        assert page.get_by_text("Nothing here matches").is_visible() == (not keys)
    with arriving(page, leaves=not script):
        page.get_by_role("link", name="Show all settings").click()
    assert len(visible_keys(page)) == len(FULL_SHOP)


def test_search_counts_aloud_and_by_group(open_page: Open) -> None:
    page = open_page()
    search(page).press_sequentially("mail")
    assert page.locator(".wf-found").inner_text() == "3 settings found"
    assert page.locator(".wf-found").get_attribute("role") == "status"
    assert page.locator(".wf-side a").all_inner_texts()[-1].split() == ["Integrations", "3"]
    search(page).fill("sender")
    assert page.locator(".wf-found").inner_text() == "1 setting found"
    page.set_viewport_size(SIZES["narrow"])
    page.goto(f"{page.url}&group=Integrations")
    group = page.locator(".wf-side [aria-current]").bounding_box()
    assert group["x"] >= 0 and group["x"] + group["width"] <= SIZES["narrow"]["width"]


def test_groups_filters_and_searches_are_steps_of_back(open_page: Open) -> None:
    page = open_page()
    everything = visible_keys(page)
    page.locator(".wf-side").get_by_role("link", name="Integrations").click()
    assert page.title() == "Integrations – Settings"
    search(page).press_sequentially("server")
    page.get_by_role("link", name="Modified 4").click()
    row(page, "SMTP_PASSWORD").locator("summary").click()
    page.get_by_label("Password of the mail server").fill("new")
    assert page.title() == "1 unsaved – Integrations – Settings"
    steps = [(visible_keys(page), search(page).input_value())]
    for address in ("q=server", "group=Integrations", "/config"):
        page.go_back()
        assert page.url.endswith(address)
        steps.append((visible_keys(page), search(page).input_value()))
    assert steps == [
        (["SMTP_PASSWORD"], "server"),
        (["SMTP_HOST", "SMTP_PASSWORD"], "server"),
        ([key for key in FULL_SHOP if FULL_SHOP[key]["group"] == "Integrations"], ""),
        (everything, ""),
    ]
    assert page.title() == "1 unsaved – Settings"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_what_other_groups_have_is_a_click_away(open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    with arriving(page, leaves=not script):
        page.locator(".wf-side").get_by_role("link", name="Uploads").click()
    search(page).fill("serevr")
    if not script:
        with arriving(page):
            search(page).press("Enter")
    assert page.locator(".wf-found").inner_text() == "No setting found"
    with arriving(page, leaves=not script):
        page.get_by_role("link", name="2 in other groups: show").click()
    assert visible_keys(page) == ["SMTP_HOST", "SMTP_PASSWORD"]
    assert "Close to it:" in page.locator(".wf-found").inner_text()
    assert page.locator(".wf-elsewhere").is_hidden()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_more_filters_are_in_a_menu(open_page: Open, app: Flask, script: bool) -> None:
    state_of(app).update_db({"WISHLIST": False}, actor="cleo")
    page = open_page(java_script_enabled=script)

    def choose(name: str, *, leaves: bool = not script) -> None:
        page.locator(".wf-more summary").click()
        with arriving(page, leaves=leaves):
            page.locator(".wf-menu").get_by_role("link", name=name).click()

    choose("Locked 1")
    assert visible_keys(page) == ["REGION"]
    choose("Locked 1")
    choose("Secret 2")
    assert visible_keys(page) == ["UPLOAD_TOKEN", "SMTP_PASSWORD"]
    choose("Changed this week", leaves=True)
    assert visible_keys(page) == ["SMTP_PASSWORD"]
    choose("Secret 2")
    assert set(visible_keys(page)) == STORED.keys() | {"WISHLIST"}
    page.locator(".wf-more summary").click()
    page.get_by_label("Last changed by").fill("cle")
    with arriving(page):
        page.get_by_role("button", name="Show").click()
    assert visible_keys(page) == ["WISHLIST"] and "week=1" in page.url


def test_hits_are_marked_as_one_types(open_page: Open) -> None:
    page = open_page()
    search(page).fill("serevr pasword")
    marked = page.evaluate(
        """[...CSS.highlights.get("wf-hit")].map(({ startContainer, startOffset, endOffset }) =>
            startContainer.data.slice(startOffset, endOffset))"""
    )
    assert marked == ["Password", "server", "PASSWORD"]
    page.goto(f"{page.url.partition('?')[0]}?q=mail")
    assert page.locator("mark").count() == 0


def test_slash_focuses_the_search_and_escape_clears_it(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("/")
    assert search(page).evaluate("e => e === document.activeElement")
    page.keyboard.type("a/b")
    assert search(page).input_value() == "a/b"
    page.keyboard.press("Escape")
    assert search(page).input_value() == "" and len(visible_keys(page)) == len(FULL_SHOP)
    page.get_by_label("Site name").press("End")
    page.keyboard.type("/")
    assert page.get_by_label("Site name").input_value().endswith("/")


@pytest.mark.parametrize("keys", ["Control+/", "Alt+/", "Meta+/"])
def test_a_slash_with_another_key_is_left_alone(open_page: Open, keys: str) -> None:
    page = open_page()
    page.keyboard.press(keys)
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_a_group_without_a_search_says_nothing_of_others(open_page: Open) -> None:
    page = open_page()
    page.locator(".wf-side").get_by_role("link", name="Uploads").click()
    page.wait_for_url("**group=Uploads")
    assert page.locator(".wf-elsewhere").is_hidden()


@pytest.mark.parametrize("key", ["Control", "Shift"])
def test_a_group_can_be_opened_in_another_tab(open_page: Open, key: Any) -> None:
    page = open_page()
    with page.context.expect_page() as other:
        page.locator(".wf-side").get_by_role("link", name="Uploads").click(modifiers=[key])
    other.value.wait_for_url("**/config?group=Uploads")
    assert sorted(visible_keys(page)) == sorted(FULL_SHOP)


def test_search_sees_what_was_typed_meanwhile(open_page: Open) -> None:
    page = open_page()
    search(page).fill("harbour")
    assert visible_keys(page) == ["ABOUT"]
    search(page).fill("")
    page.get_by_label("Banner").fill("At the harbour")
    search(page).fill("harbour")
    assert visible_keys(page) == ["BANNER", "ABOUT"]


def test_what_is_not_saved_is_never_out_of_sight(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    row(page, "SMTP_PASSWORD").locator("summary").click()
    page.get_by_label("Password of the mail server").fill("webhooks")
    search(page).fill("webhooks")
    assert visible_keys(page) == ["WEBHOOKS", "SMTP_PASSWORD", "BANNER"]
    assert page.locator(".wf-found").inner_text() == "1 setting found"  # by no secret


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_groups_and_modified_filter_without_losing_what_was_typed(
    open_page: Open, script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    with arriving(page, leaves=not script):
        page.get_by_role("link", name="Modified 4").click()
    assert set(visible_keys(page)) == STORED.keys()
    with arriving(page, leaves=not script):
        page.locator(".wf-side").get_by_role("link", name="Features").click()
    assert visible_keys(page) == ["GIFT_CARDS"]
    current = page.locator('[aria-current="true"]').all_inner_texts()
    assert [text.split()[0] for text in current] == ["Modified", "Features"]
    page.wait_for_url("**modified=1**")
    page.wait_for_url("**group=Features**")
    page.reload()
    assert visible_keys(page) == ["GIFT_CARDS"]
    if script:
        page.get_by_label("Gift cards").uncheck()
        page.locator(".wf-side").get_by_role("link", name="All").click()
        assert not page.get_by_label("Gift cards").is_checked()


def test_what_needs_attention_is_shown_alone_at_once(app: Flask, open_page: Open) -> None:
    page = open_page()
    declared_anew(app, page)
    chip = page.get_by_role("link", name="Needs attention 5")
    chip.click()
    assert visible_keys(page) == ["SITENAME", "BANNER", "PAGE_SIZE", "MAIL_FROM", "SMTP_PASSWORD"]
    assert chip.get_attribute("aria-current") == "true"
    page.wait_for_url("**?attention=1")
    chip.click()
    page.get_by_role("link", name="Modified").click()
    assert "MAIL_FROM" not in visible_keys(page) and chip.get_attribute("aria-current") is None
    page.wait_for_url("**?modified=1")
    page.get_by_role("link", name="Modified").click()
    assert len(visible_keys(page)) == len(FULL_SHOP)
    follow(page, page.get_by_role("button", name="Store the converted value"))
    save(page)
    assert page.get_by_role("link", name="Needs attention 4").is_visible()


def test_a_link_to_a_setting_is_copied_and_opens_it(open_page: Open, browser: Any) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    search(page).fill("currency")
    page.wait_for_url("**?q=currency")
    row(page, "CURRENCY").get_by_role("link", name="CURRENCY").click()
    page.get_by_text("Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link.endswith("/admin/config#CURRENCY")
    page.goto(link.replace("#", "?q=banner#"))
    page.wait_for_function("document.querySelector('#CURRENCY').getBoundingClientRect().top < 900")
    assert page.locator("#CURRENCY").is_visible()


def test_a_page_of_a_thousand_settings_is_found_through(
    make_app: Callable[..., Flask], browser: Any
) -> None:
    confs = {f"SETTING_{n}": {"default": n, "group": f"Group {n // 25}"} for n in range(1000)}
    app = make_app(confs)
    app.register_blueprint(WaffleAdmin())
    with serving(app) as url:
        context = browser.new_context()
        page = context.new_page()
        page.goto(url)
        search(page).fill("setting 77")
        assert len(visible_keys(page)) == 19
        page.get_by_label("Setting 777").fill("1")
        search(page).fill("")
        save(page)
        assert app.config["SETTING_777"] == 1
        page.goto(f"{url}#SETTING_900")
        page.wait_for_function(
            "Math.abs(document.querySelector('#SETTING_900').getBoundingClientRect().top) < 900"
        )
        context.close()
