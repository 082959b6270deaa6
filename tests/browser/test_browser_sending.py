"""Sending in a browser: over a slow network, twice, again after a mistake or a review."""

from __future__ import annotations

import enum
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from browsing import Open, arriving, follow, make_shop, row, save, state_of
from flask import Flask, abort, redirect, request, session
from pages import change_can


class Style(enum.Flag):
    BOLD = 1
    WIDE = 2


CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "group": "Shop"},
    "BANNER": {"desc": "Banner", "default": "", "group": "Shop"},
    "THEME": {"desc": "Theme", "default": "light", "choices": ["light", "dark"], "group": "Shop"},
    "OPEN": {"desc": "Open", "default": True, "group": "Shop"},
    "REGION": {"desc": "Region", "default": "eu", "readonly": True, "group": "Files"},
    "TOKEN": {"desc": "Token", "default": "", "secret": True, "confirm": True, "group": "Files"},
    "SIZE": {"desc": "Size", "default": 10, "group": "Files"},
    "DAY": {"desc": "Day", "default": date(2026, 1, 31), "group": "Types"},
    "CLOCK": {"desc": "Clock", "default": time(8, 30), "group": "Types"},
    "START": {"desc": "Start", "default": datetime(2026, 1, 31, 8, 30, tzinfo=UTC)},
    "DAYS": {"desc": "Days", "default": ["mon", "sat"], "choices": ["mon", "tue", "sat"]},
    "STYLE": {"desc": "Style", "default": Style.BOLD | Style.WIDE},
}
STORED: dict[str, Any] = {
    "SITENAME": "Crêperie",
    "TOKEN": "t0ken",
    "DAY": date(2025, 12, 24),
    "CLOCK": time(9),
    "START": datetime(2025, 12, 24, tzinfo=UTC),
    "DAYS": ["tue"],
    "STYLE": Style.WIDE,
}


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_shop(make_app, CONFS, STORED)


@pytest.fixture
def slow(app: Flask) -> Iterator[threading.Event]:
    """Nothing that is sent is answered before this is set."""
    answering = threading.Event()

    @app.before_request
    def wait() -> None:
        if request.method == "POST":
            assert answering.wait(20)

    yield answering
    answering.set()


def posts(page: Any) -> list[str]:
    """Every request of the page that sends something, as they come."""
    found: list[str] = []
    page.on("request", lambda r: found.append(r.url) if r.method == "POST" else None)
    return found


def saved(page: Any) -> Any:
    page.get_by_label("Site name").fill("Bakery")
    return page.get_by_role("button", name="Save", exact=True)


def reviewed(page: Any) -> Any:
    page.get_by_label("Site name").fill("Bakery")
    follow(page, page.get_by_role("button", name="Review"))
    return page.get_by_role("button", name="Save 1 change")


def undone(page: Any) -> Any:
    page.get_by_label("Site name").fill("Bakery")
    save(page)
    return page.locator(".wf-messages").get_by_role("button", name="Undo")


def undone_later(page: Any) -> Any:
    page.goto(f"{page.url}/history")
    return page.get_by_role("button", name="Undo this save")


WAYS = [saved, reviewed, undone, undone_later]


@pytest.mark.parametrize("arrange", WAYS, ids=lambda way: way.__name__)
def test_a_double_click_sends_once(
    open_page: Open, slow: threading.Event, arrange: Callable[[Any], Any]
) -> None:
    page = open_page()
    slow.set()
    button = arrange(page)
    slow.clear()
    sent = posts(page)
    box = button.bounding_box()
    with page.expect_request(lambda request: request.method == "POST"):
        page.mouse.click(box["x"] + 5, box["y"] + 5)
    page.mouse.click(box["x"] + 5, box["y"] + 5)
    with arriving(page):
        slow.set()
    assert len(sent) == 1
    assert "Nothing" not in page.locator("#wf-main").inner_text()


def test_without_a_network_a_review_stays_too(app: Flask, open_page: Open) -> None:
    page = open_page()
    button = reviewed(page)
    page.route("**", lambda route: route.abort("internetdisconnected"), times=1)
    button.click()
    page.locator(".wf-reviewing").get_by_text("Trying again").wait_for()
    with arriving(page):
        button.click()
    assert app.config["SITENAME"] == "Bakery"


def test_what_was_stopped_can_be_sent_again(open_page: Open, slow: threading.Event) -> None:
    page = open_page()
    page.clock.install()
    button, sent = saved(page), posts(page)
    with page.expect_request(lambda request: request.method == "POST"):
        button.click()
    button.click()
    page.clock.run_for(6_000)
    with page.expect_request(lambda request: request.method == "POST"):
        button.click()
    assert len(sent) == 2
    with arriving(page):
        slow.set()


def test_without_a_network_the_page_stays_and_tries_again(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.clock.install()
    page.route("**", lambda route: route.abort("internetdisconnected"), times=2)
    sent, bar = posts(page), page.locator(".wf-bar")
    saved(page).click()
    bar.get_by_text("Trying again").wait_for()
    page.get_by_label("Banner").press_sequentially("Hello")  # perhaps half of it
    page.clock.run_for(20_000)
    assert bar.get_by_text("Save again").is_visible() and len(sent) == 1
    saved(page).click()
    bar.get_by_text("Trying again").wait_for()
    with arriving(page):
        page.clock.run_for(6000)
    assert (app.config["SITENAME"], app.config["BANNER"]) == ("Bakery", "Hello")


def test_a_failure_is_over_once_nothing_is_left_to_save(open_page: Open) -> None:
    page = open_page()
    page.route("**", lambda route: route.abort("internetdisconnected"), times=1)
    bar = page.locator(".wf-bar")
    saved(page).click()
    bar.get_by_text("Trying again").wait_for()
    page.get_by_label("Site name").fill(STORED["SITENAME"])
    page.get_by_label("Banner").fill("Hello")
    bar.get_by_text("1 unsaved", exact=True).wait_for()


def test_after_a_new_login_one_save_is_enough(app: Flask, open_page: Open) -> None:
    logged_out = [False]

    @app.before_request
    def login() -> Any:
        if not logged_out[0]:
            return None
        if request.method == "POST":
            session.clear()  # the next page begins another one
        return redirect("/login")

    page = open_page()
    row(page, "TOKEN").get_by_text("Replace").click()
    page.locator("#waffle-TOKEN").fill("n3w")
    change_can(app, lambda action, setting: abort(redirect("/login")))
    saved(page).click()
    bar = page.locator(".wf-bar")
    link = bar.get_by_role("link", name="Log in")
    assert link.evaluate("e => [e.pathname, e.target]") == ["/login", "_blank"]
    page.get_by_label("Banner").fill("Hello")
    assert bar.get_by_text("3 unsaved. Not saved: your log-in has ended").is_visible()
    assert link.is_visible()
    change_can(app, lambda action, setting: True)
    logged_out[0] = True
    saved(page).click()
    link.wait_for(state="detached")
    bar.get_by_text("3 unsaved. Not saved: your log-in has ended").wait_for()
    logged_out[0] = False
    save(page)  # to the review, as TOKEN is to be confirmed
    page.get_by_label("Enter the new value again").fill("n3w")
    follow(page, page.get_by_role("button", name="Save 3 changes"))
    now = {key: app.config[key] for key in ("SITENAME", "BANNER", "TOKEN")}
    assert now == {"SITENAME": "Bakery", "BANNER": "Hello", "TOKEN": "n3w"}


def test_the_page_for_who_is_logged_out_sends_with_one_save_too(
    app: Flask, open_page: Open
) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Bakery")
    change_can(app, lambda action, setting: False)
    follow(page, page.get_by_role("button", name="Review"))  # the browser sends it
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Not saved: your log-in has ended").wait_for()
    change_can(app, lambda action, setting: True)
    page.context.clear_cookies()
    page.request.get(page.url)  # logged in anew
    follow(page, page.get_by_role("button", name="Save"))
    follow(page, page.get_by_role("button", name="Save 1 change"))
    assert app.config["SITENAME"] == "Bakery"


def test_typing_into_mine_chooses_mine(app: Flask, open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Site name").fill("Mine")
    state_of(app).update_db({"SITENAME": "Theirs"}, actor="ben")
    save(page)
    page.get_by_label("Keep what is saved").check()
    page.get_by_label("Site name").fill("Mine!")
    assert page.get_by_label("Use mine").is_checked()
    save(page)
    assert app.config["SITENAME"] == "Mine!"


def test_a_secret_is_written_again_in_a_review_or_not_at_all(app: Flask, open_page: Open) -> None:
    page = open_page()
    row(page, "TOKEN").get_by_text("Replace").click()
    page.locator("#waffle-TOKEN").fill("new")
    follow(page, page.get_by_role("button", name="Review"))
    assert page.get_by_label("Clear it").count() == 0
    follow(page, page.get_by_role("button", name="Back to editing"))
    assert "enter it again" in row(page, "TOKEN").inner_text()
    page.get_by_label("Clear it").check()
    save(page)
    follow(page, page.get_by_role("button", name="Save 1 change"))
    assert app.config["TOKEN"] == ""


def mistaken(page: Any) -> None:
    page.get_by_label("Size").evaluate("e => e.type = 'text'")
    page.get_by_label("Size").fill("x")
    save(page)


def back(page: Any) -> None:
    page.get_by_label("Size").fill("11")
    follow(page, page.get_by_role("button", name="Review"))
    follow(page, page.get_by_role("button", name="Back to editing"))


@pytest.mark.parametrize("arrange", [mistaken, back], ids=lambda way: way.__name__)
def test_what_was_sent_back_and_is_as_before_is_no_change(
    open_page: Open, arrange: Callable[[Any], None]
) -> None:
    page = open_page()
    page.get_by_label("dark").check()
    page.get_by_label("Open", exact=True).uncheck()
    page.get_by_label("Day", exact=True).fill("2026-02-02")
    page.get_by_label("mon").check()
    arrange(page)
    assert page.locator(".wf-bar").get_by_text("5 unsaved").is_visible()
    page.get_by_label("light").check()
    page.get_by_label("Open", exact=True).check()
    page.get_by_label("Day", exact=True).fill("2025-12-24")
    page.get_by_label("mon").uncheck()
    assert page.locator(".wf-bar").get_by_text("1 unsaved").is_visible()
    page.get_by_label("Size").fill("10")
    assert not page.locator(".wf-bar").is_visible()
    assert page.locator(":is(.wf-pending, .wf-invalid, .wf-errors):visible").count() == 0
    page.get_by_label("dark").check()
    row(page, "THEME").get_by_role("button", name="Discard").click()
    assert page.get_by_label("light").is_checked()


@pytest.mark.parametrize(
    ("text", "focus"),
    [
        ("banner", "waffle-BANNER"),
        ("files", "Replace Token"),  # nothing of the first can be changed
        ("theme", "light"),
        ("no such thing", ""),
    ],
)
def test_enter_in_the_search_goes_to_the_first_result(
    open_page: Open, text: str, focus: str
) -> None:
    page = open_page()
    page.get_by_role("searchbox").fill(text)
    page.get_by_role("searchbox").press("Enter")
    here = page.evaluate(
        "(e => e.type === 'radio' ? e.value : e.id || e.innerText.replace('\\n', ' '))"
        "(document.activeElement)"
    )
    assert here == focus


def test_the_first_row_that_is_shown_has_no_edge_of_its_own(open_page: Open) -> None:
    page = open_page()
    page.get_by_role("searchbox").fill("theme")
    inside = """document.querySelector("#THEME").getBoundingClientRect().top
        + parseFloat(getComputedStyle(document.querySelector("#THEME")).borderTopWidth)
        - document.querySelector("#THEME").parentElement.getBoundingClientRect().top"""
    card = "getComputedStyle(document.querySelector('#THEME').parentElement).overflow"
    assert page.evaluate(inside) == 1  # within the edge of the card
    assert page.evaluate(card) == "clip"


@pytest.mark.parametrize("key", ["DAY", "CLOCK", "START", "DAYS", "STYLE"])
def test_a_reset_waits_like_any_change(app: Flask, open_page: Open, key: str) -> None:
    page = open_page()
    sent = posts(page)
    row(page, key).get_by_role("button", name="Reset").click()
    assert page.locator(".wf-bar").get_by_text("1 unsaved").is_visible() and sent == []
    row(page, key).get_by_role("button", name="Discard").click()
    assert not page.locator(".wf-bar").is_visible()
    row(page, key).get_by_role("button", name="Reset").click()
    save(page)
    assert app.config[key] == CONFS[key]["default"]
    assert state_of(app).read()[key].text is None
