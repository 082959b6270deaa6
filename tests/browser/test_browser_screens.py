"""Every state of the pages on every screen: accessible, and never wider than the screen.

With WAFFLE_SCREENSHOTS=FOLDER a picture of each is written there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import (
    LONG,
    SIZES,
    Open,
    arriving,
    declared_anew,
    follow,
    row,
    save,
    search,
    state_of,
)
from flask import Flask
from pages import change_can

SCREENSHOTS = os.environ.get("WAFFLE_SCREENSHOTS")


def plain(app: Flask, page: Any) -> None:
    pass


def unsaved(app: Flask, page: Any) -> None:
    page.get_by_label("Maintenance mode").check()
    page.get_by_label("Max filesize").fill("2048")
    page.locator("select.wf-until").select_option("at")
    page.evaluate("scrollTo(0, 0)")


def mistaken(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    page.get_by_label("Opening hours").fill("{")
    for summary in page.locator("summary").all():
        summary.click()
    save(page)


def found(app: Flask, page: Any) -> None:
    search(page).fill("mial")
    page.locator(".wf-more summary").click()


def nothing_found(app: Flask, page: Any) -> None:
    search(page).fill("no such thing")


def reviewed(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    page.get_by_label("Tax").fill("7")
    page.get_by_label("Opening hours").fill('{\n  "mon": []\n}')
    row(page, "UPLOAD_TOKEN").get_by_text("Set", exact=False).last.click()
    page.locator("#waffle-UPLOAD_TOKEN").fill("t0ken")
    page.locator("select.wf-until").select_option("at")
    page.locator("input.wf-until").fill("2030-12-25T22:45")
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


def upload(page: Any, **settings: object) -> None:
    page.goto(f"{page.url}/files")
    content = json.dumps({"waffleconf": 1, "settings": settings}).encode()
    file = {"name": "settings.json", "mimeType": "application/json", "buffer": content}
    page.get_by_label("File").set_input_files(file)
    follow(page, page.get_by_role("button", name="Review"))


def compared(app: Flask, page: Any) -> None:
    past(app, page)
    page.get_by_role("link", name="Compare two times").click()
    page.get_by_label("From").fill("2026-01-01T09:00")
    follow(page, page.get_by_role("button", name="Compare"))
    assert page.get_by_role("button", name="Review what is ticked").is_visible()


def wrong_file(app: Flask, page: Any) -> None:
    upload(page, **{"SITENAME": 5, "X" * 200: LONG})


def importing(app: Flask, page: Any) -> None:
    state_of(app).update_db({"SITENAME": "Theirs"}, actor="ben", source="page")
    upload(page, SITENAME="Bakery", ABOUT=f"{LONG}\n{LONG}", TAX=7)
    assert page.get_by_role("checkbox").count() == 3


def may_read(app: Flask, page: Any) -> None:
    change_can(app, lambda action, setting: action == "view")
    page.goto(page.url)


def may_change_some(app: Flask, page: Any) -> None:
    change_can(app, lambda action, setting: action == "view" or setting.group == "Storefront")
    page.goto(page.url)


def in_trouble(app: Flask, page: Any) -> None:
    state = state_of(app)
    health = state.health()._replace(trouble="Redis does not answer: is it running?")
    state.health = lambda: health
    page.goto(page.url)


def needing_attention(app: Flask, page: Any) -> None:
    declared_anew(app, page)
    page.get_by_role("link", name="Needs attention").click()


def empty(app: Flask, page: Any) -> None:
    app.config["WAFFLE_CONFS"] = {}
    page.goto(page.url)


def refused(app: Flask, page: Any) -> None:
    change_can(app, lambda action, setting: False)
    page.goto(page.url)
    assert page.get_by_role("heading", name="You may not see these settings").is_visible()


def unavailable(app: Flask, page: Any) -> None:
    page.get_by_label("Site name").fill("Bakery")
    with app.app_context():
        app.waffle_db.drop_all()  # type: ignore[attr-defined]
    with arriving(page):  # without the script, which would stay and try again
        page.evaluate("HTMLFormElement.prototype.submit.call(document.querySelector('.wf-form'))")


def undecided(app: Flask, page: Any) -> None:
    """The developer has not said yet who may see the settings."""
    change_can(app, None)
    app.config["TESTING"] = False
    page.goto(page.url)
    assert page.get_by_text("WAFFLE_CAN").is_visible()


STATES = [
    plain, unsaved, mistaken, found, nothing_found, reviewed, in_conflict, saved, may_read,
    may_change_some, in_trouble, declared_anew, needing_attention, empty, refused, undecided,
    unavailable, at_the_end, past, past_of_one, compared, wrong_file, importing,
]  # fmt: skip
#: What is checked with axe: the width of the screen, and the colour scheme.
LOOKS = {
    "light-wide": ("wide", "light"),
    "dark-wide": ("wide", "dark"),
    "light-narrow": ("narrow", "light"),
    "dark-narrow": ("narrow", "dark"),
}
if not SCREENSHOTS:  # each scheme and each width once is enough for every day
    LOOKS = {look: LOOKS[look] for look in ("light-wide", "dark-narrow")}
#: Widths of screens where nothing may stick out.
WIDTHS = [320, 640, 900, 2560]


def picture(page: Any, name: str) -> None:
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png")


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    pixels: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return pixels


def cut_off(page: Any) -> int:
    """How many controls of an end are narrower than what is in them."""
    controls: int = page.evaluate("""[...document.querySelectorAll(".wf-until")].filter(control => {
        const width = control.offsetWidth;
        control.style = "flex: none; width: max-content; max-width: none";
        const isCut = width < control.offsetWidth;
        control.style = "";
        return isCut;
    }).length""")
    return controls


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_every_state_is_accessible_and_fits_every_screen(
    app: Flask, open_page: Open, state: Callable[..., None]
) -> None:
    page = open_page(viewport=SIZES["wide"], reduced_motion="reduce")
    state(app, page)
    for look, (size, scheme) in LOOKS.items():
        page.set_viewport_size(SIZES[size])
        page.emulate_media(color_scheme=scheme)
        if state is at_the_end:  # on this screen
            at_the_end(app, page)
        picture(page, f"{state.__name__}-{look}")
        results = Axe().run(page)
        assert results.response["violations"] == [], results.generate_report()
        assert overflow(page) <= 0, look
        assert cut_off(page) == 0, look
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        picture(page, f"{state.__name__}-{width}")
        assert overflow(page) <= 0, width
    page.emulate_media(forced_colors="active")
    picture(page, f"{state.__name__}-forced")
    assert overflow(page) <= 0


def test_nothing_moves_for_who_wants_that(open_page: Open) -> None:
    page = open_page(reduced_motion="reduce")
    moving = """[...document.querySelectorAll(".waffle *")].some(
        e => /[1-9]/.test(getComputedStyle(e).transitionDuration))"""
    assert not page.evaluate(moving)


def test_a_long_text_does_not_widen_the_page(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Crêperie " * 20)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert overflow(page) <= 0, width


def test_a_line_does_not_end_between_now_and_the_value(app: Flask, open_page: Open) -> None:
    state_of(app).update_db({"BANNER": "A_text_without_a_blank_of_one_line"})
    page = open_page(viewport=SIZES["narrow"])
    page.get_by_label("Banner").fill("Another")
    tops = page.locator("#BANNER .wf-now").evaluate("""value => {
        const range = new Range();
        range.selectNode(value.previousSibling);
        return [range, value].map((part) => Math.round(part.getClientRects()[0].top));
    }""")
    assert tops[0] == tops[1] > page.locator("#BANNER .wf-pending strong").bounding_box()["y"] + 12
    assert overflow(page) == 0


def test_from_right_to_left_nothing_sticks_out(open_page: Open) -> None:
    page = open_page()
    page.evaluate("document.documentElement.dir = 'rtl'")
    picture(page, "plain-rtl")
    assert overflow(page) <= 0
    label, field = page.locator("label[for=waffle-SITENAME]"), page.get_by_label("Site name")
    assert label.bounding_box()["x"] > field.bounding_box()["x"]


def test_paper_has_whole_texts_on_few_pages_and_no_bars(app: Flask, open_page: Open) -> None:
    text = "\n".join(f"Line {number}" for number in range(1, 201))
    page = open_page()
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1  # it had 3
    assert page.locator(".wf-printed").count() == 0  # only while it prints
    page.get_by_label("About us").fill(text)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    picture(page, "plain-print")
    assert page.locator("#ABOUT .wf-printed").inner_text() == text
    assert page.locator("#SITENAME .wf-printed").inner_text() == "Crêperie du Port"
    assert page.locator("#THEME").get_by_text("light").is_visible()
    for selector in (".wf-bar", ".wf-side", ".wf-tools", ".wf-reset", "#waffle-ABOUT"):
        assert not page.locator(selector).first.is_visible()


def test_targets_of_every_page_are_large_enough(app: Flask, open_page: Open) -> None:
    for state in (unsaved, in_conflict, reviewed, importing):
        page = open_page()
        state(app, page)
        small = page.evaluate(
            """() => [...document.querySelectorAll("a, button, input, select, summary, textarea")]
                .filter(e => e.checkVisibility({visibilityProperty: true}))
                .filter(e => e.type !== "hidden" && !e.matches(".wf-hidden, .wf-skip"))
                .filter(e => !e.matches(".wf-summary a, .wf-reason a")) // within a sentence
                .map(e => e.closest("label") ?? e)
                .filter(e => e.offsetWidth < 24 || e.offsetHeight < 24).map(e => e.outerHTML)"""
        )
        assert [html for html in small if "wf-summary" not in html and "#waffle-" not in html] == []
