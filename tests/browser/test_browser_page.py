"""The settings page in a real browser: finding, reviewing, resetting, conflicts, and every state.

With WAFFLE_SCREENSHOTS=FOLDER a picture of each state is written there.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import (
    SHOP,
    SIZES,
    arriving,
    dialogs,
    follow,
    make_shop,
    row,
    save,
    serving,
    state_of,
)
from flask import Flask

from waffleconf_admin import WaffleAdmin

SCREENSHOTS = os.environ.get("WAFFLE_SCREENSHOTS")
LONG = "A very long name of a setting that somebody wrote without thinking of narrow screens"
CONFS: dict[str, dict[str, Any]] = SHOP | {
    "TAX": {
        "desc": "Tax",
        "default": 21,
        "confirm": True,
        "group": "Features",
        "help": "In per cent",
    },
    "A_VERY_LONG_KEY_OF_A_SETTING_THAT_DOES_NOT_FIT_ANYWHERE": {
        "desc": LONG,
        "default": "x" * 300,
        "group": "Integrations",
        "help": f"{LONG}. {LONG}.",
    },
}
STORED = {"SITENAME": "Crêperie du Port", "PAGE_SIZE": 48, "GIFT_CARDS": True, "SMTP_PASSWORD": "x"}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_shop(make_app, CONFS, STORED)


Open = Callable[..., Any]


def shown(page: Any) -> list[str]:
    ids: list[str] = page.eval_on_selector_all(
        ".wf-row:not([hidden])", "rows => rows.map(r => r.id)"
    )
    return ids


def search(page: Any) -> Any:
    return page.get_by_role("searchbox")


# Finding


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
        assert shown(page) == keys
        assert page.get_by_text("Nothing here matches").is_visible() == (not keys)
    with arriving(page, leaves=not script):
        page.get_by_role("link", name="Show all settings").click()
    assert len(shown(page)) == len(CONFS)


def test_search_counts_aloud_and_by_group(open_page: Open) -> None:
    page = open_page()
    search(page).press_sequentially("mail")
    assert page.locator(".wf-found").inner_text() == "3 settings found"
    assert page.locator(".wf-found").get_attribute("role") == "status"
    assert page.locator(".wf-side a").all_inner_texts()[-1].split() == ["Integrations", "3"]
    search(page).fill("sender")
    assert page.locator(".wf-found").inner_text() == "1 setting found"


def test_slash_focuses_the_search_and_escape_clears_it(open_page: Open) -> None:
    page = open_page()
    page.keyboard.press("/")
    assert search(page).evaluate("e => e === document.activeElement")
    page.keyboard.type("a/b")
    assert search(page).input_value() == "a/b"
    page.keyboard.press("Escape")
    assert search(page).input_value() == "" and len(shown(page)) == len(CONFS)
    page.get_by_label("Site name").press("End")
    page.keyboard.type("/")
    assert page.get_by_label("Site name").input_value().endswith("/")


def test_search_sees_what_was_typed_meanwhile(open_page: Open) -> None:
    page = open_page()
    search(page).fill("harbour")
    assert shown(page) == ["ABOUT"]
    search(page).fill("")
    page.get_by_label("Banner").fill("At the harbour")
    search(page).fill("harbour")
    assert shown(page) == ["BANNER", "ABOUT"]


def test_what_is_not_saved_is_never_out_of_sight(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    search(page).fill("webhooks")
    assert shown(page) == ["BANNER", "WEBHOOKS"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_groups_and_changed_filter_without_losing_what_was_typed(
    open_page: Open, script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    with arriving(page, leaves=not script):
        page.get_by_role("link", name="Changed 4").click()
    assert set(shown(page)) == STORED.keys()
    with arriving(page, leaves=not script):
        page.locator(".wf-side").get_by_role("link", name="Features").click()
    assert shown(page) == ["GIFT_CARDS"]
    current = page.locator('[aria-current="true"]').all_inner_texts()
    assert [text.split()[0] for text in current] == ["Changed", "Features"]
    page.wait_for_url("**changed=1**")
    page.wait_for_url("**group=Features**")
    page.reload()
    assert shown(page) == ["GIFT_CARDS"]
    if script:
        page.get_by_label("Gift cards").uncheck()
        page.locator(".wf-side").get_by_role("link", name="All").click()
        assert not page.get_by_label("Gift cards").is_checked()


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


# Changing


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_reset_to_the_default(app: Flask, open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Banner").fill("typed before")
    with arriving(page, leaves=not script):
        row(page, "SITENAME").get_by_role("button", name="Reset").click()
    if script:
        assert page.get_by_label("Site name").input_value() == "Waffle"
        assert app.config["SITENAME"] == "Crêperie du Port"
    else:
        assert "What else you have changed is not saved yet." in page.content()
        assert app.config["BANNER"] == ""
    assert page.get_by_label("Banner").input_value() == "typed before"
    save(page)
    assert (app.config["SITENAME"], app.config["BANNER"]) == ("Waffle", "typed before")
    assert state_of(app).read()["SITENAME"].text is None


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_enter_in_a_field_saves_and_resets_nothing(
    app: Flask, open_page: Open, script: bool
) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Banner").fill("Hello")
    with arriving(page):
        page.get_by_label("Banner").press("Enter")
    assert (app.config["BANNER"], app.config["SITENAME"]) == ("Hello", "Crêperie du Port")


def test_typing_leaves_the_cursor_where_it_is(open_page: Open) -> None:
    page = open_page()
    field = page.get_by_label("Site name")
    field.evaluate("e => { e.focus(); e.setSelectionRange(1, 1) }")
    page.keyboard.type("abc")
    assert field.input_value() == "Cabcrêperie du Port"


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_review_save_and_undo(app: Flask, open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Banner").fill("Hello")
    page.get_by_label("Opening hours").fill('{"mon": []}')
    follow(page, page.get_by_role("button", name="Review"))
    assert page.get_by_role("heading", name="2 changes, not saved yet").is_visible()
    page.get_by_label("Why?").fill("for the summer")
    follow(page, page.get_by_role("button", name="Save 2 changes"))
    assert app.config["BANNER"] == "Hello"
    assert state_of(app).history.list()[0].note == "for the summer"
    follow(page, page.locator(".wf-messages").get_by_role("button", name="Undo"))
    assert app.config["BANNER"] == "" and "sat" in app.config["HOURS"]


def test_an_important_setting_is_looked_at_twice(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Tax").fill("7")
    save(page)
    assert page.get_by_text("looked at twice").is_visible() and app.config["TAX"] == 21
    follow(page, page.get_by_role("button", name="Back to editing"))
    page.get_by_label("Tax").fill("8")
    save(page)
    follow(page, page.get_by_role("button", name="Save 1 change"))
    assert app.config["TAX"] == 8


def test_leaving_a_review_asks(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").press_sequentially("Hello")
    follow(page, page.get_by_role("button", name="Review"))
    page.get_by_label("Why?").press_sequentially("x")
    asked = dialogs(page)
    page.goto("about:blank")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(("choice", "name"), [("Keep theirs", "Theirs"), ("Use mine", "Mine")])
def test_two_browsers_in_conflict(
    app: Flask, open_page: Open, script: bool, choice: str, name: str
) -> None:
    ana, ben = open_page(), open_page(java_script_enabled=script)
    ana.get_by_label("Site name").fill("Theirs")
    ben.get_by_label("Site name").fill("Mine")
    ben.get_by_label("Banner").fill("Mine too")
    save(ana)
    save(ben)
    ben.get_by_label(choice).check()
    save(ben)
    assert (app.config["SITENAME"], app.config["BANNER"]) == (name, "Mine too")


def test_the_words_of_a_changed_value(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Maintenance mode").check()
    page.get_by_label("dark").check()
    page.get_by_label("Currency").select_option("Pound")
    page.get_by_label("Discount").fill("1")
    page.get_by_label("Mail server", exact=True).fill("x")
    for key, now in {
        "MAINTENANCE": "now Off",
        "THEME": "now light",
        "CURRENCY": "now Euro",
        "DISCOUNT": "now 9.5",
        "SMTP_HOST": "now empty",
    }.items():
        assert now in row(page, key).inner_text()


# Every state, as people see it


def plain(app: Flask, page: Any) -> None:
    pass


def unsaved(app: Flask, page: Any) -> None:
    page.get_by_label("Maintenance mode").check()
    page.get_by_label("Max filesize").fill("2048")
    page.evaluate("scrollTo(0, 0)")


def mistaken(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    page.get_by_label("Opening hours").fill("{")
    for summary in page.locator("summary").all():
        summary.click()
    save(page)


def found(app: Flask, page: Any) -> None:
    search(page).fill("mail")


def nothing_found(app: Flask, page: Any) -> None:
    search(page).fill("no such thing")


def test_what_needs_attention_is_shown_alone_at_once(app: Flask, open_page: Open) -> None:
    page = open_page()
    declared_anew(app, page)
    chip = page.get_by_role("link", name="Needs attention 5")
    chip.click()
    assert shown(page) == ["SITENAME", "BANNER", "PAGE_SIZE", "MAIL_FROM", "SMTP_PASSWORD"]
    assert chip.get_attribute("aria-current") == "true"
    page.wait_for_url("**?attention=1")
    page.get_by_role("link", name="Changed").click()
    assert "MAIL_FROM" not in shown(page) and chip.get_attribute("aria-current") is None
    page.wait_for_url("**?changed=1")
    page.get_by_role("link", name=re.compile(r"All \d+$")).first.click()
    assert len(shown(page)) == len(CONFS)
    follow(page, page.get_by_role("button", name="Store the converted value"))
    assert page.get_by_role("link", name="Needs attention 4").is_visible()


def reviewed(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    page.get_by_label("Tax").fill("7")
    page.get_by_label("Opening hours").fill('{\n  "mon": []\n}')
    row(page, "UPLOAD_TOKEN").get_by_text("Set", exact=False).last.click()
    page.locator("#waffle-UPLOAD_TOKEN").fill("t0ken")
    follow(page, page.get_by_role("button", name="Review"))


def in_conflict(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Mine")
    page.get_by_label("Opening hours").fill("{")
    page.get_by_label("Banner").fill("Hello")
    state_of(app).update_db({"SITENAME": "Theirs", "ABOUT": "x"}, actor="ben")
    save(page)


def saved(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    page.get_by_label("Gift cards").uncheck()
    save(page)


def at_the_end(app: Flask, page: Any) -> None:
    page.get_by_label("Mail server", exact=True).fill("x")
    page.locator(f"text={LONG}").first.scroll_into_view_if_needed()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")


def past(app: Flask, page: Any) -> None:
    state = state_of(app)
    state.update_db(
        {"HOURS": {"mon": [], "sat": []}, "BANNER": "Closed"}, actor="deploy", note=LONG
    )
    state.update_db({"UPLOAD_TOKEN": "new", "ABOUT": f"{LONG} {LONG}"}, actor="ben", source="page")
    page.goto(f"{page.url}/history")


def past_of_one(app: Flask, page: Any) -> None:
    past(app, page)
    follow(page, page.get_by_role("link", name="Opening hours"))


def may_read(app: Flask, page: Any) -> None:
    app.blueprints["waffleconf_admin"].can = lambda action, setting: action == "view"  # type: ignore[attr-defined]
    page.goto(page.url)


def may_change_some(app: Flask, page: Any) -> None:
    app.blueprints["waffleconf_admin"].can = (  # type: ignore[attr-defined]
        lambda action, setting: action == "view" or setting.group == "Storefront"
    )
    page.goto(page.url)


def in_trouble(app: Flask, page: Any) -> None:
    state = state_of(app)
    health = state.health()._replace(trouble="Redis does not answer: is it running?")
    state.health = lambda: health
    page.goto(page.url)


def declared_anew(app: Flask, page: Any) -> None:
    """What is stored does not fit what is declared since."""
    state_of(app).update_db({"WISHLIST": True, "MAIL_FROM": "nobody", "BANNER": "25"})
    anew = {
        "BANNER": {"default": 10, "type": int, "help": "Lines"},
        "PAGE_SIZE": {"default": 8, "max": 24},
        "SITENAME": {"default": 1, "type": int},
        "SMTP_PASSWORD": {"default": 1, "type": int},
        "MAIL_FROM": {"default": "shop@example.org", "type": "email"},
        "CURRENCY": {"default": "de", "choices": {"Europe": [("de", "Euro"), ("gb", "Pound")]}},
    }
    confs = {key: {**entry, **anew.get(key, {})} for key, entry in CONFS.items()}
    app.config["WAFFLE_CONFS"] = confs
    page.goto(page.url)


def needing_attention(app: Flask, page: Any) -> None:
    declared_anew(app, page)
    page.get_by_role("link", name="Needs attention").click()


def empty(app: Flask, page: Any) -> None:
    app.config["WAFFLE_CONFS"] = {}
    page.goto(page.url)


def refused(app: Flask, page: Any) -> None:
    app.blueprints["waffleconf_admin"].can = lambda action, setting: False  # type: ignore[attr-defined]
    page.goto(page.url)


def unavailable(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    with app.app_context():
        app.waffle_db.drop_all()  # type: ignore[attr-defined]
    save(page)


STATES = [
    plain, unsaved, mistaken, found, nothing_found, reviewed, in_conflict, saved, may_read,
    may_change_some, in_trouble, declared_anew, needing_attention, empty, refused, unavailable,
    at_the_end, past, past_of_one,
]  # fmt: skip
LOOKS: dict[str, dict[str, Any]] = {
    "light-wide": {"viewport": SIZES["wide"], "color_scheme": "light"},
    "dark-wide": {"viewport": SIZES["wide"], "color_scheme": "dark"},
    "light-narrow": {"viewport": SIZES["narrow"], "color_scheme": "light"},
    "dark-narrow": {"viewport": SIZES["narrow"], "color_scheme": "dark"},
}
if not SCREENSHOTS:  # each scheme and each width once is enough for every day
    LOOKS = {look: LOOKS[look] for look in ("light-wide", "dark-narrow")}


def picture(page: Any, name: str) -> None:
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png")


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing_in_any_state(
    app: Flask, open_page: Open, state: Callable[..., None], look: str
) -> None:
    page = open_page(**LOOKS[look])
    state(app, page)
    picture(page, f"{state.__name__}-{look}")
    results = Axe().run(page)
    assert results.response["violations"] == [], results.generate_report()
    width = page.viewport_size["width"]
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("state", [plain, reviewed, in_conflict], ids=lambda s: s.__name__)
@pytest.mark.parametrize(
    "look",
    [
        {"forced_colors": "active"},
        {"viewport": {"width": 320, "height": 700}},
        {"viewport": {"width": 2560, "height": 1200}},
        {"reduced_motion": "reduce"},
    ],
    ids=["forced", "320", "2560", "still"],
)
def test_other_screens_hold_it_too(
    app: Flask, open_page: Open, state: Callable[..., None], look: dict[str, Any], request: Any
) -> None:
    page = open_page(**look)
    state(app, page)
    picture(page, f"{state.__name__}-{request.node.callspec.id.split('-')[0]}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    moving = """[...document.querySelectorAll(".waffle *")].some(
        e => /[1-9]/.test(getComputedStyle(e).transitionDuration))"""
    assert not (look.get("reduced_motion") and page.evaluate(moving))


def test_from_right_to_left_nothing_sticks_out(open_page: Open) -> None:
    page = open_page()
    page.evaluate("document.documentElement.dir = 'rtl'")
    picture(page, "plain-rtl")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    label, field = page.locator("label[for=waffle-SITENAME]"), page.get_by_label("Site name")
    assert label.bounding_box()["x"] > field.bounding_box()["x"]


def test_paper_has_the_settings_and_no_controls_around(open_page: Open) -> None:
    page = open_page()
    page.emulate_media(media="print")
    picture(page, "plain-print")
    assert page.get_by_label("Site name").is_visible()
    for selector in (".wf-bar", ".wf-side", ".wf-tools", ".wf-reset"):
        assert not page.locator(selector).first.is_visible()


def test_targets_of_every_page_are_large_enough(app: Flask, open_page: Open) -> None:
    for state in (unsaved, in_conflict, reviewed):
        page = open_page()
        state(app, page)
        small = page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
                .filter(e => e.checkVisibility({visibilityProperty: true}))
                .filter(e => e.type !== "hidden" && !e.matches(".wf-hidden, .wf-skip"))
                .map(e => e.closest("label") ?? e)
                .filter(e => e.offsetWidth < 24 || e.offsetHeight < 24).map(e => e.outerHTML)"""
        )
        assert [html for html in small if "wf-summary" not in html and "#waffle-" not in html] == []


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
        assert len(shown(page)) == 19
        page.get_by_label("Setting 777").fill("1")
        search(page).fill("")
        save(page)
        assert app.config["SETTING_777"] == 1
        page.goto(f"{url}#SETTING_900")
        page.wait_for_function(
            "Math.abs(document.querySelector('#SETTING_900').getBoundingClientRect().top) < 900"
        )
        context.close()


def test_keyboard_walk(app: Flask, open_page: Open) -> None:
    """/ to search, Escape; the filters and groups; a switch, its Discard, a number; Review, a note,
    Enter to save: all by keyboard alone."""
    page = open_page()

    def here() -> str:
        text: str = page.evaluate(
            "(e => e.id || e.name || e.textContent.trim())(document.activeElement)"
        )
        return text

    def tab_to(name: str) -> None:
        for _ in range(60):
            if here().startswith(name):
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{name} is not reached, but {here()}")

    page.keyboard.press("/")
    page.keyboard.type("banner")
    assert shown(page) == ["BANNER"]
    page.keyboard.press("Escape")
    tab_to("Changed")
    page.keyboard.press("Enter")
    assert set(shown(page)) == STORED.keys()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    tab_to("Features")
    page.keyboard.press("Enter")
    tab_to("waffle-REVIEWS")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    assert here() == "Discard"
    page.keyboard.press("Enter")
    assert here() == "waffle-REVIEWS" and page.get_by_label("Customer reviews").is_checked()
    page.keyboard.press("Space")
    tab_to("waffle-DISCOUNT")
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    tab_to("waffle.do")
    with arriving(page):
        page.keyboard.press("Enter")
    tab_to("wf-note")
    page.keyboard.type("spring")
    with arriving(page):
        page.keyboard.press("Enter")
    assert (app.config["REVIEWS"], app.config["DISCOUNT"]) == (False, 5.0)


def test_the_demo_is_a_good_picture(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_INSTANCE", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "examples" / "demo"))
    from shop import create_app

    demo = create_app()
    state = state_of(demo)
    values = {"SITENAME": "Crêperie du Port", "PAGE_SIZE": 12, "SHOW_STOCK": False}
    state.update_db(values, actor="ana")
    with serving(demo) as url:
        context = browser.new_context(viewport={"width": 1200, "height": 1000})
        page = context.new_page()
        page.goto(url)
        page.get_by_role("radio", name="Mint").check()
        page.get_by_label("Banner").fill("Closed for the holidays")
        page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
        assert page.locator(".wf-bar").get_by_text("2 unsaved").is_visible()
        picture(page, "demo")
        context.close()
    state.stop()
    with demo.app_context():
        sys.modules["shop"].db.engine.dispose()
