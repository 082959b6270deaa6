"""Saving in a browser: resets, reviews and conflicts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browsing import (
    FULL_SHOP,
    STORED,
    Open,
    arriving,
    dialogs,
    follow,
    row,
    save,
    state_of,
    visible_keys,
)
from flask import Flask


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_reset_to_the_default(app: Flask, open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Banner").fill("typed before")
    with arriving(page, leaves=not script):
        row(page, "SITENAME").get_by_role("button", name="Reset").click()
    assert page.get_by_label("Site name").input_value() == "Waffle"
    assert app.config["SITENAME"] == "Crêperie du Port"
    assert "ot saved yet" in row(page, "SITENAME").inner_text()
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


def test_enter_asks_where_something_else_is_not_saved(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    with arriving(page):
        page.get_by_label("Site name").fill("Mine")
        page.get_by_label("Site name").press("Enter")
    assert page.get_by_role("heading", name="2 changes, not saved yet").is_visible()
    assert app.config["BANNER"] == ""


def test_after_a_save_by_keyboard_one_is_back_at_the_row(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.evaluate("() => { onkeydown = (event) => { window.prevented = event.defaultPrevented } }")
    page.keyboard.press("Control+s")  # there is nothing to save
    assert page.evaluate("prevented")
    page.get_by_label("Banner").fill("Hello")
    page.get_by_label("Reason").fill("spring")
    page.get_by_label("Discount").fill("5")
    with arriving(page):
        page.keyboard.press("Control+s")
    assert (app.config["DISCOUNT"], app.config["BANNER"]) == (5.0, "Hello")
    assert state_of(app).history.list()[0].note == "spring"
    assert page.url.endswith("#DISCOUNT") and page.title() == "Saved – Settings"
    page.locator("#waffle-DISCOUNT:focus").wait_for()
    page.locator(".wf-live").filter(has_text="Discount").wait_for(state="attached")
    message = page.locator(".wf-messages")
    assert message.count() == 1 and "9.5 → 5" in message.inner_text()
    assert message.get_by_role("button", name="Undo").is_visible()
    page.get_by_label("Discount").fill("6")
    with arriving(page):
        page.keyboard.press("Control+Enter")
    assert app.config["DISCOUNT"] == 6.0
    page.get_by_label("Discount").fill("500")
    with arriving(page):
        page.keyboard.press("Control+s")
    page.locator("#waffle-DISCOUNT:focus").wait_for()  # the only field that is wrong
    error = page.locator("#waffle-DISCOUNT-errors").bounding_box()
    assert error["y"] > 69 and error["y"] + error["height"] < 980 and "#" not in page.url
    page.get_by_label("Products on a page").fill("500")
    with arriving(page):
        page.keyboard.press("Control+s")
    page.locator(".wf-summary:focus").wait_for()
    assert page.evaluate("scrollY") == 0


def test_what_was_discarded_comes_back(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    row(page, "SITENAME").get_by_role("button", name="Reset").click()
    page.locator(".wf-discard").click()
    assert page.get_by_label("Banner").input_value() == ""
    assert page.locator(".wf-row.wf-unsaved").count() == 0
    page.get_by_role("button", name="Bring it back").click()
    save(page)
    assert app.config["BANNER"] == "Hello" and state_of(app).read()["SITENAME"].text is None


def test_what_was_discarded_does_not_come_back_once_somebody_types(open_page: Open) -> None:
    page = open_page()
    banner = page.get_by_label("Banner")
    banner.fill("Hello")
    page.locator(".wf-discard").click()
    banner.fill("x")
    banner.fill("")
    assert page.get_by_role("button", name="Bring it back").is_hidden()


def test_who_types_after_a_reset_takes_it_back(app: Flask, open_page: Open) -> None:
    page = open_page()
    row(page, "SITENAME").get_by_role("button", name="Reset").click()
    page.get_by_label("Site name").fill(STORED["SITENAME"])
    page.get_by_label("Banner").fill("Hello")
    save(page)
    assert (app.config["SITENAME"], app.config["BANNER"]) == (STORED["SITENAME"], "Hello")


def test_what_is_discarded_has_the_focus_where_it_is_chosen(app: Flask, open_page: Open) -> None:
    state_of(app).update_db({"THEME": "dark"})
    page = open_page()
    page.get_by_label("light").check()
    row(page, "THEME").get_by_role("button", name="Discard").click()
    assert page.locator(":focus").get_attribute("value") == "dark"


def test_the_back_of_the_browser_brings_back_what_was_typed(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    page.get_by_label("dark").check()
    row(page, "UPLOAD_TOKEN").get_by_text("Set", exact=False).last.click()
    page.locator("#waffle-UPLOAD_TOKEN").fill("t0ken")
    dialogs(page)
    page.goto(f"{page.url}/history")
    page.go_back()
    page.locator(".wf-bar").get_by_text("2 unsaved").wait_for()
    assert "t0ken" not in page.evaluate("JSON.stringify(history.state)")
    save(page)
    assert (app.config["BANNER"], app.config["THEME"]) == ("Hello", "dark")


CHOSEN = {"note": "For the fair", "until": "at", "until_at": "2030-12-25T22:45"}
NOTHING_CHOSEN = dict.fromkeys(CHOSEN, "")


def reason_and_end(page: Any) -> dict[str, str]:
    """What is chosen in the bar, beside Save."""
    return {name: page.locator(f"[name='waffle.{name}']").input_value() for name in CHOSEN}


def choose(page: Any) -> None:
    """Type into a field, and choose a reason and an end for it."""
    page.get_by_label("Banner").fill("Hello")
    page.get_by_label("How long this stays").select_option(CHOSEN["until"])
    page.get_by_label("Until…").fill(CHOSEN["until_at"])
    page.get_by_label("Reason").fill(CHOSEN["note"])
    assert reason_and_end(page) == CHOSEN


@pytest.mark.parametrize("leads_away", ["review", "history"])
def test_back_brings_back_the_end_and_the_reason(open_page: Open, leads_away: str) -> None:
    page = open_page()
    choose(page)
    dialogs(page)
    if leads_away == "review":
        follow(page, page.locator(".wf-review"))
    else:
        page.goto(f"{page.url}/history")
    page.go_back()
    page.locator(".wf-bar").get_by_text("1 unsaved").wait_for()
    assert reason_and_end(page) == CHOSEN


def test_back_brings_neither_for_what_is_saved(open_page: Open) -> None:
    page = open_page()
    choose(page)
    page.get_by_label("How long this stays").select_option("For 10 minutes")
    follow(page, page.locator(".wf-review"))
    follow(page, page.get_by_role("button", name="Save 1 change"))
    page.go_back()
    page.get_by_label("Site name").fill("Crêperie")
    page.locator(".wf-bar").get_by_text("1 unsaved").wait_for()
    assert reason_and_end(page) == NOTHING_CHOSEN


def discard_all(page: Any) -> None:
    page.locator(".wf-discard").click()


def discard_row(page: Any) -> None:
    row(page, "BANNER").get_by_role("button", name="Discard").click()


def type_what_is_saved(page: Any) -> None:
    page.get_by_label("Banner").fill("")
    page.get_by_label("Banner").blur()


@pytest.mark.parametrize("undo", [discard_all, discard_row, type_what_is_saved])
def test_the_end_and_the_reason_go_with_the_changes(
    open_page: Open, undo: Callable[[Any], None]
) -> None:
    page = open_page()
    choose(page)
    undo(page)
    page.get_by_label("Site name").fill("Another change")
    assert reason_and_end(page) == NOTHING_CHOSEN


def test_the_end_and_the_reason_stay_while_a_change_is_left(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Crêperie")
    choose(page)
    discard_row(page)
    assert reason_and_end(page) == CHOSEN


def test_the_end_and_the_reason_come_back_with_what_was_discarded(open_page: Open) -> None:
    page = open_page()
    choose(page)
    discard_all(page)
    page.get_by_role("button", name="Bring it back").click()
    assert reason_and_end(page) == CHOSEN


def test_back_brings_nothing_back_into_other_controls(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    page.get_by_label("dark").check()
    dialogs(page)
    page.goto(f"{page.url}/history")
    confs = app.config["WAFFLE_CONFS"]
    choices = ["light", "dark"]
    app.config["WAFFLE_CONFS"] = confs | {"THEME": confs["THEME"] | {"choices": choices}}
    page.go_back()
    page.locator(".wf-bar").get_by_text("1 unsaved").wait_for()
    controls = page.locator("[name=THEME]")
    assert [control.get_attribute("value") for control in controls.all()] == choices
    save(page)
    assert (app.config["BANNER"], app.config["THEME"]) == ("Hello", "light")


def test_a_group_is_reset_but_for_what_is_discarded(app: Flask, open_page: Open) -> None:
    page = open_page()
    button = page.get_by_role("button", name="Reset 2 modified Storefront")
    page.get_by_role("searchbox").fill("Site name")
    button.wait_for(state="hidden")  # it would reset what is not in sight
    page.get_by_role("searchbox").fill("")
    button.click()
    page.locator(".wf-bar").get_by_text("2 unsaved").wait_for()
    assert page.get_by_label("Site name").input_value() == "Waffle"
    row(page, "PAGE_SIZE").get_by_role("button", name="Discard").click()
    save(page)
    records = state_of(app).read()
    assert (records["SITENAME"].text, records["PAGE_SIZE"].value) == (None, 48)


def test_typing_leaves_the_cursor_where_it_is(open_page: Open) -> None:
    page = open_page()
    field = page.get_by_label("Site name")
    field.evaluate("e => { e.focus(); e.setSelectionRange(1, 1) }")
    page.keyboard.type("abc")
    assert field.input_value() == "Cabcrêperie du Port"


@pytest.mark.parametrize("keys", ["Meta+s", "Meta+Enter"])
def test_a_mac_saves_by_its_own_key(app: Flask, open_page: Open, keys: str) -> None:
    page = open_page()
    page.get_by_label("Banner").fill("Hello")
    with arriving(page):
        page.keyboard.press(keys)
    assert app.config["BANNER"] == "Hello"


@pytest.mark.parametrize("keys", ["Control+Shift+s", "Control+Alt+s", "s"])
def test_keys_that_are_not_those_of_saving_are_left_alone(open_page: Open, keys: str) -> None:
    page = open_page()
    page.evaluate("() => { onkeydown = (event) => { window.prevented = event.defaultPrevented } }")
    page.get_by_label("Banner").fill("Hello")
    page.keyboard.press(keys)
    assert page.evaluate("prevented") is False


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_review_save_and_undo(app: Flask, open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    page.get_by_label("Banner").fill("Hello")
    page.get_by_label("Opening hours").fill('{"mon": []}')
    follow(page, page.get_by_role("button", name="Review"))
    assert page.get_by_role("heading", name="2 changes, not saved yet").is_visible()
    page.get_by_label("Reason").fill("for the summer")
    follow(page, page.get_by_role("button", name="Save 2 changes"))
    assert app.config["BANNER"] == "Hello"
    assert state_of(app).history.list()[0].note == "for the summer"
    if script:
        page.get_by_role("link", name="Storefront").click()
    follow(page, page.locator(".wf-messages").get_by_role("button", name="Undo"))
    assert page.url.endswith("?group=Storefront") is script
    assert app.config["BANNER"] == "" and "sat" in app.config["HOURS"]


def test_an_important_setting_is_reviewed_before_it_is_saved(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Tax").fill("7")
    save(page)
    assert page.get_by_text("shown once more").is_visible() and app.config["TAX"] == 21
    follow(page, page.get_by_role("button", name="Back to editing"))
    page.get_by_label("Tax").fill("8")
    save(page)
    follow(page, page.get_by_role("button", name="Save 1 change"))
    assert app.config["TAX"] == 8


def test_leaving_a_review_asks(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Banner").press_sequentially("Hello")
    follow(page, page.get_by_role("button", name="Review"))
    page.get_by_label("Reason").press_sequentially("x")
    asked = dialogs(page)
    page.goto("about:blank")
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize(
    ("choice", "name"), [("Keep what is saved", "Theirs"), ("Use mine", "Mine")]
)
def test_two_browsers_in_conflict(
    app: Flask, open_page: Open, script: bool, choice: str, name: str
) -> None:
    ana, ben = open_page(), open_page(java_script_enabled=script)
    ana.get_by_label("Site name").fill("Theirs")
    ben.get_by_label("Site name").fill("Mine")
    ben.get_by_label("Banner").fill("Mine too")
    ana.get_by_label("Discount").fill("5")
    save(ana)
    save(ben)
    assert (app.config["SITENAME"], app.config["BANNER"]) == ("Theirs", "")
    assert ben.locator(".wf-theirs").inner_text() == "Theirs"
    assert ben.get_by_label("Site name").input_value() == "Mine"
    ben.get_by_label(choice).check()
    save(ben)
    assert (app.config["SITENAME"], app.config["BANNER"]) == (name, "Mine too")
    assert app.config["DISCOUNT"] == 5.0


def test_an_unsaved_row_says_what_the_value_is_now(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Maintenance mode").check()
    page.get_by_label("dark").check()
    page.get_by_label("Currency").select_option("Pound")
    page.get_by_label("Discount").fill("1")
    page.get_by_label("Mail server", exact=True).fill("x")
    for key, now in {
        "MAINTENANCE": "now\xa0Off",
        "THEME": "now\xa0light",
        "CURRENCY": "now\xa0Euro",
        "DISCOUNT": "now\xa09.5",
        "SMTP_HOST": "now\xa0empty",
    }.items():
        assert now in row(page, key).inner_text()
    row(page, "SMTP_PASSWORD").locator("summary").click()
    page.get_by_label("Password of the mail server").fill("new")
    said = row(page, "SMTP_PASSWORD").locator(".wf-pending").inner_text()
    assert "ot saved yet" in said and "now" not in said


def test_keyboard_walk(app: Flask, open_page: Open) -> None:
    """/ to search, Escape; the filters and groups; a switch, its Discard, a number; Review, a note,
    Enter to save: all by keyboard alone."""
    page = open_page()

    def here() -> str:
        text: str = page.evaluate(
            "(e => e.id || e.textContent.trim() || e.name)(document.activeElement)"
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
    assert visible_keys(page) == ["BANNER"]
    page.keyboard.press("Escape")
    tab_to("Modified")
    page.keyboard.press("Enter")
    assert set(visible_keys(page)) == STORED.keys()
    page.keyboard.press("Enter")
    assert len(visible_keys(page)) == len(FULL_SHOP)
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
    tab_to("Review")
    with arriving(page):
        page.keyboard.press("Enter")
    tab_to("waffle.note")
    page.keyboard.type("spring")
    with arriving(page):
        page.keyboard.press("Enter")
    assert (app.config["REVIEWS"], app.config["DISCOUNT"]) == (False, 5.0)


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_message_of_a_save_does_not_cover_what_was_saved(open_page: Open, script: bool) -> None:
    page = open_page(java_script_enabled=script)
    for width, height in [(1280, 800), (390, 844)]:
        page.set_viewport_size({"width": width, "height": height})
        for place, label in enumerate(["Max filesize", "Discount"]):
            control = page.get_by_label(label)
            control.fill(f"{width % 97 + place}")
            with arriving(page):
                control.press("Enter")
            control = page.get_by_label(label)
            message = page.locator(".wf-messages").bounding_box()
            bottom = message["y"] + message["height"]
            assert 0 < bottom <= control.bounding_box()["y"]
    if script:  # by keyboard from a row that is taller than half the window
        page.get_by_label("About us").fill("line\n" * 60)
        with arriving(page):
            page.keyboard.press("Control+s")
        page.locator("textarea:focus").wait_for()
        top = page.locator("textarea:focus").bounding_box()["y"]
        message = page.locator(".wf-messages").bounding_box()
        assert message["y"] + message["height"] <= top


def test_a_secret_is_typed_at_once_and_its_error_is_not_under_the_bar(open_page: Open) -> None:
    page = open_page(viewport={"width": 1000, "height": 500})
    secret, button = row(page, "UPLOAD_TOKEN"), row(page, "UPLOAD_TOKEN").locator("summary")
    button.click()
    page.locator("#waffle-UPLOAD_TOKEN:focus").wait_for()
    assert button.inner_text().startswith("Close")
    page.keyboard.type("new")
    button.click()
    assert "new value typed" in secret.inner_text() and "Set" in button.inner_text()
    page.get_by_label("How long this stays").select_option("For 10 minutes")
    save(page)
    error = page.locator("#waffle-UPLOAD_TOKEN-errors").bounding_box()
    assert error["y"] + error["height"] <= page.locator(".wf-bar").bounding_box()["y"]
    button.click()
    assert "new value typed" not in secret.inner_text()
    page.get_by_label("Banner").fill("Hello")
    secret.get_by_role("button", name="Discard").click()
    page.get_by_label("How long this stays").select_option("Until…")
    follow(page, page.get_by_role("button", name="Save", exact=True))
    page.locator(".wf-until-at :focus").wait_for()
    assert page.get_by_role("alert").bounding_box()["y"] > 69
