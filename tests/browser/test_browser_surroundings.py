"""The page among other things: names of settings, the app's own layout, another site."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from browsing import SHOP, SIZES, Open, arriving, follow, make_shop, save, serving, state_of
from flask import Flask
from jinja2 import ChoiceLoader, DictLoader

from waffleconf_admin import WaffleAdmin


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_shop(make_app, SHOP, {"SITENAME": "Crêperie"})


NAMES = [
    *("addEventListener", "matches", "contains", "closest", "querySelector", "querySelectorAll"),
    *("submit", "method", "action", "elements", "children", "form", "id", "dataset", "target"),
]


@pytest.fixture
def named(make_app: Callable[..., Flask]) -> Flask:
    app = make_app({name: {"default": "old"} for name in NAMES}, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    return app


def test_names_of_settings_and_of_the_address_stop_nothing(named: Flask, browser: Any) -> None:
    errors: list[str] = []
    query = "&".join(f"{name}=1" for name in NAMES)
    with serving(named) as url:
        context = browser.new_context()
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(f"{url}?{query}")
        page.locator("[type=search]").fill("matches")
        page.locator("[type=search]").press("Enter")
        assert page.locator(".wf-row:visible").count() == 1
        page.locator("[type=search]").fill("")
        page.locator("#waffle-matches").fill("new")
        assert page.locator(".wf-bar").get_by_text("1 unsaved").is_visible()
        page.locator("#matches .wf-undo").click()
        page.locator("#waffle-submit").fill("new")
        page.evaluate("HTMLElement.prototype.click.call(document.querySelector('.wf-form'))")
        follow(page, page.locator(".wf-bar .wf-primary"))
        context.close()
    assert errors == []
    assert (named.config["matches"], named.config["submit"]) == ("old", "new")


@pytest.mark.parametrize("fragment", ["#%", "#100%25", "#%E0%A4%A", "#"])
def test_any_fragment_of_the_address_is_taken(open_page: Open, url: str, fragment: str) -> None:
    page = open_page()  # which counts errors
    page.goto(f"{url}?q=banner{fragment}")
    page.get_by_label("Banner").fill("x")
    assert page.locator(".wf-bar").is_visible()


LAYOUT = """<!doctype html><html lang="en"><head><title>Shop</title><style>
:root { color-scheme: %s } body { background: Canvas; color: CanvasText }
header { background: rgb(1, 2, 3) } %s</style></head>
<body><header>Shop</header><main>{%% block content %%}{%% endblock %%}</main></body></html>"""


@pytest.fixture
def within(make_app: Callable[..., Flask]) -> Callable[..., Flask]:
    def within(scheme: str, style: str = "") -> Flask:
        app = make_app(SHOP, WTF_CSRF_ENABLED=True, history=True)
        texts = {"base.html": LAYOUT % (scheme, style)}
        app.jinja_loader = ChoiceLoader([DictLoader(texts)])  # type: ignore[assignment]
        app.register_blueprint(WaffleAdmin(layout="base.html", can=lambda action, setting: True))
        state_of(app).update_db({"SITENAME": "Crêperie"})
        return app

    return within


LIGHT, DARK = "rgb(27, 29, 33)", "rgb(233, 234, 238)"


@pytest.mark.parametrize("system", ["light", "dark"])
@pytest.mark.parametrize(
    ("scheme", "colors"),
    [
        ("normal", {"light": LIGHT, "dark": LIGHT}),
        ("light", {"light": LIGHT, "dark": LIGHT}),
        ("dark", {"light": DARK, "dark": DARK}),
        ("light dark", {"light": LIGHT, "dark": DARK}),
    ],
)
def test_an_own_layout_decides_on_light_or_dark(
    within: Callable[..., Flask], browser: Any, scheme: str, colors: dict[str, str], system: Any
) -> None:
    with serving(within(scheme)) as url:
        page = browser.new_page(color_scheme=system)
        for address in (url, f"{url}/history"):
            page.goto(address)
            color = "getComputedStyle(document.querySelector('.waffle')).color"
            assert page.evaluate(color) == colors[system]
        page.close()


def test_a_theme_in_an_own_layout_counts(within: Callable[..., Flask], browser: Any) -> None:
    theme = ".waffle { --wf-text: rgb(9, 9, 9); color-scheme: dark }"
    with serving(within("light", theme)) as url:
        page = browser.new_page()
        page.goto(url)
        style = "getComputedStyle(document.querySelector('.waffle'))"
        assert page.evaluate(f"[{style}.color, {style}.colorScheme]") == ["rgb(9, 9, 9)", "dark"]
        page.close()


def test_a_theme_reaches_every_corner_and_every_field(
    within: Callable[..., Flask], browser: Any
) -> None:
    theme = """.waffle { --wf-radius: 0; --wf-field: rgb(1, 2, 3); --wf-heading: rgb(4, 5, 6);
        --wf-heading-font: Theme }"""
    with serving(within("light", theme)) as url:
        page = browser.new_page()
        for address in (url, f"{url}/history"):
            page.goto(address)
            exceptions = page.evaluate(
                """() => {
                    const not = (selector, name, wanted) =>
                        [...document.querySelectorAll(`.waffle ${selector}`)]
                        .filter((element) => getComputedStyle(element)[name] !== wanted)
                        .map((element) => element.outerHTML)
                    const own = ".wf-bar *, .wf-past-filter *" // what is around them has the colour
                    const texts = `:is([type=text], [type=search], textarea, select):not(${own})`
                    const title = ".wf-main h2"
                    return [
                        not("*:not([type=radio], [type=checkbox], option)", "borderRadius", "0px"),
                        not(texts, "backgroundColor", "rgb(1, 2, 3)"),
                        not(title, "color", "rgb(4, 5, 6)"),
                        not(title, "fontFamily", "Theme"),
                    ]
                }"""
            )
            assert exceptions == [[], [], [], []]
        page.close()


#: As Bootstrap 5 has it, with its bar at the top of the window.
BOOTSTRAP = """@media (prefers-reduced-motion: no-preference) { :root { scroll-behavior: smooth } }
    header { position: sticky; top: 0; height: 56px; z-index: 1020 } .waffle { --wf-top: 56px }"""


def test_links_land_below_a_bar_of_the_app_however_smoothly_it_scrolls(
    within: Callable[..., Flask], browser: Any
) -> None:
    with serving(within("light", BOOTSTRAP)) as url:
        page = browser.new_page(viewport={"width": 1000, "height": 500})

        def top(selector: str) -> float:
            page.wait_for_function("new Promise((done) => requestAnimationFrame(() => done(true)))")
            box: dict[str, float] = page.locator(selector).bounding_box()
            return box["y"]

        page.goto(f"{url}#GIFT_CARDS")
        assert 56 <= top("#GIFT_CARDS") < 120
        page.get_by_label("Opening hours").fill("{")
        save(page)
        page.get_by_role("link", name="Opening hours", exact=True).click()
        assert 56 <= top("#waffle-HOURS") < 120
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.locator("#waffle-MAIL_FROM").focus()
        for _ in range(12):  # back by the keyboard
            page.keyboard.press("Shift+Tab")
            assert top(":focus") >= 56
        page.close()


def test_in_an_own_layout_the_message_of_a_save_is_in_sight_above_the_row(
    within: Callable[..., Flask], browser: Any
) -> None:
    with serving(within("light", BOOTSTRAP)) as url:
        page = browser.new_page(viewport={"width": 1000, "height": 500})
        page.goto(url)
        page.locator("#waffle-DISCOUNT").fill("5")
        with arriving(page):
            page.keyboard.press("Control+s")
        page.locator("#waffle-DISCOUNT:focus").wait_for()
        message = page.locator(".wf-messages").bounding_box()
        row = page.locator("#DISCOUNT").bounding_box()
        assert message["y"] >= 56 and message["y"] + message["height"] <= row["y"]
        assert row["y"] + row["height"] <= 500
        page.locator("#waffle-DISCOUNT").fill("6")  # nothing covers what is changed
        assert page.locator(".wf-messages").bounding_box()["y"] < 0
        page.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_bar_never_covers_the_status_of_the_row_in_use(open_page: Open, size: str) -> None:
    page = open_page(viewport=SIZES[size] | {"height": 600})
    bar = page.locator(".wf-bar")
    for key in ("BANNER", "PAGE_SIZE", "GIFT_CARDS", "MAIL_FROM"):
        control = page.locator(f"#waffle-{key}")
        # At the bottom edge of the window, below the bar.
        control.evaluate("e => scrollBy(0, e.getBoundingClientRect().bottom - innerHeight)")
        control.focus()
        page.keyboard.press("Space" if key == "GIFT_CARDS" else "5")
        row = page.locator(f"#{key}").bounding_box()
        assert page.locator(f"#{key} .wf-pending").is_visible()
        assert row["y"] + row["height"] <= bar.bounding_box()["y"], key


@pytest.mark.parametrize("names", ["const $ = 1", "var $ = 1", "let on = 1, read, form"])
def test_names_in_scripts_of_an_own_layout_stay(
    within: Callable[..., Flask], browser: Any, names: str
) -> None:
    errors: list[str] = []
    with serving(within("light", f"</style><script>{names}</script><style>")) as url:
        page = browser.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(url)
        page.get_by_label("Banner").fill("x")
        assert page.locator(".wf-bar").get_by_text("1 unsaved").is_visible()
        assert page.evaluate(names.split()[1]) == 1
        page.close()
    assert errors == []


def test_styles_of_a_header_leave_the_history_alone(
    within: Callable[..., Flask], browser: Any
) -> None:
    with serving(within("light")) as url:
        page = browser.new_page()
        page.goto(f"{url}/history")
        painted = """[...document.querySelectorAll(".wf-past-save *")].filter(
            e => getComputedStyle(e).backgroundColor === "rgb(1, 2, 3)").length"""
        assert page.locator(".wf-past-save").count() == 1 and page.evaluate(painted) == 0
        page.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_form_of_another_site_is_not_filled_in(app: Flask, browser: Any, host: str) -> None:
    """The browser says where a form comes from: the page is at 127.0.0.1."""
    app.add_url_rule("/elsewhere", "elsewhere", lambda: "")
    with serving(app) as url:
        page = browser.new_page()
        page.goto(url)  # has a cookie, as somebody has who works there
        page.goto(url.replace("127.0.0.1", host).replace("/admin/config", "/elsewhere"))
        page.set_content(
            f'<form method="post" action="{url}"><input name="SITENAME" value="typed"></form>'
        )
        with page.expect_navigation():
            page.evaluate("document.forms[0].submit()")
        shown = page.input_value("[name=SITENAME]")
        assert shown == ("typed" if host == "127.0.0.1" else "Crêperie")
        page.close()
    assert state_of(app).read()["SITENAME"].value == "Crêperie"
