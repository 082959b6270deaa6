"""Awkward values of every type in a real browser: shown and sent back, typed and saved."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PureWindowsPath
from typing import Any
from uuid import UUID

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import arriving, serving
from every_type import BERLIN, CONFS, Level, Rights, Theme
from flask import Flask
from flask_babel import Babel

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.settings.equality import same

TEXTS = {
    "plain": "Waffle",
    "blank": "",
    "lines": "a\nb",
    "leading newline": "\na",
    "leading newlines": "\n\n\na",
    "trailing newlines": "a\n\n",
    "only newlines": "\n\n",
    "leading spaces": "  a",
    "trailing spaces": "a  ",
    "only spaces": "   ",
    "tab": "a\tb\t",
    "trailing space in lines": " a \n b \n",
    "no-break space": "\u00a0a\u00a0",
    "right to left": "\u202eשלום\u202c عربي",
    "combined": "e\u0301 \u1100\u1161\u11a8",
    "emoji": "🍩👩‍👩‍👧‍👦🏳️‍🌈",
    "line separators": "a\u2028b\u2029c\u0085d",
    "byte order mark": "\ufeffa\ufeff",
    "control characters": "a\x01\x0b\x0c\x1f\x7fb",
    "not characters": "\ufffe\uffff\U0010ffff",
    "html": "</textarea><script>alert(1)</script>&lt;&amp;\"'",
    "10,000 characters": "wäffle\n" * 1429,
    "10,000 on one line": "wäffle " * 1429,
}
#: What the browser or HTTP would change, so the page does not offer it for editing.
UNSENT = {"CRLF": "a\r\nb", "CR": "a\rb", "NUL": "a\0b", "half a character": "\ud800"}

VALUES: list[tuple[dict[str, Any], list[Any]]] = [
    ({"default": 1}, [0, -1, 2**53, 2**53 + 1, -(2**63), 10**300]),
    ({"default": 5, "min": 1, "max": 9}, [1, 9, 0, 10]),
    (
        {"default": 1.5},
        [0.0, -0.0, 1e308, -1e-308, 5e-324, sys.float_info.max, 0.1 + 0.2, 1e22, 123456789.1234],
    ),
    ({"default": float("nan")}, [float("nan"), float("inf"), float("-inf"), 1.0]),
    ({"default": 0.5, "min": 0.1, "max": 0.7}, [0.1, 0.30000000000000004, 0.7, 2.0]),
    (
        {"default": Decimal("0.1")},
        [
            *map(Decimal, ("1.10", "-0", "0E-9", "1E+3", "1E+400", "1E-400", "9" * 40)),
            Decimal("0.1234567890123456789012345678901"),
        ],
    ),
    ({"default": 5, "type": "range", "min": 0, "max": 10}, [0, 7, 10, 11, -3]),
    (
        {"default": 0.5, "type": "range", "min": 0, "max": 1},
        [0.0, 0.30000000000000004, 1 / 3, 1.0, 2.0],
    ),
    ({"default": 0.5, "type": "range", "min": -1, "max": 1}, [-0.0, 1e-5]),
    (
        {"default": date(2026, 1, 1)},
        [date.min, date.max, date(999, 12, 31), date(1582, 10, 10), date(2024, 2, 29)],
    ),
    (
        {"default": date(2026, 1, 1), "min": date(2025, 6, 1), "max": date(2026, 6, 1)},
        [date(2025, 6, 1), date(2020, 1, 1), date(2030, 1, 1)],
    ),
    (
        {"default": time(18, 30)},
        [time.min, time.max, time(0, 0, 30), time(10, 0, 0, 500_000), time(10, 0, 0, 1)],
    ),
    (
        {"default": time(18, 30), "min": time(9, 0, 30), "max": time(20)},
        [time(9, 0, 30), time(10), time(20), time(8)],
    ),
    (
        {"default": datetime(2026, 1, 1)},
        [
            datetime.min,
            datetime.max,
            datetime(2026, 3, 29, 2, 30),
            datetime(2026, 1, 1, 0, 0, 59),
            datetime(2026, 1, 1, 0, 0, 0, 120_000),
        ],
    ),
    (
        {"default": datetime(2026, 1, 1, tzinfo=BERLIN)},
        [
            datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN),  # skipped
            datetime(2026, 3, 29, 2, 30, tzinfo=BERLIN, fold=1),
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),  # twice
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
            datetime(1, 1, 1, tzinfo=BERLIN),
            datetime(9999, 12, 31, 23, 59, 59, tzinfo=BERLIN),
            datetime(2026, 1, 1, tzinfo=UTC),
        ],
    ),
    ({"default": timedelta(0)}, [timedelta.min, timedelta.max, timedelta(microseconds=-1)]),
    ({"default": Theme.LIGHT}, list(Theme)),
    ({"default": Level.INFO}, list(Level)),
    ({"default": Rights.READ}, [Rights(0), Rights.READ | Rights.DELETE]),
    ({"default": "a", "choices": [*"a\r\n \0é", ""]}, ["\r", "\n", "", " ", "\0"]),
    ({"default": "a", "choices": ["a", "b"]}, ["gone", ""]),
    ({"default": [], "choices": ["", "a", "b\nc", "d,e"]}, [["d,e", ""], ["b\nc", "gone"], []]),
    ({"default": True}, [True, False]),
    ({"default": None, "type": bool}, [None, True, False]),
    ({"default": Path("/")}, [Path("."), Path("a b"), Path("ä/🍩")]),
    ({"default": PureWindowsPath("C:/")}, [PureWindowsPath("C:/a b"), PureWindowsPath("//host/a")]),
    ({"default": b""}, [b"", bytes(range(256)), b"\r\n" * 1000]),
    ({"default": {}}, [{"": ""}, {"a\r\n": "\0"}, {"é": ["🍩", -0.0, 1e308]}, {"b": 1, "a": 2}]),
    ({"default": set()}, [{1, "1", 2.5, None}]),
    (
        {"default": "", "type": "email"},
        ["anna@example.org", "änna@exämple.org", "anna@localhost", "no address", "a@b@c"],
    ),
    (
        {"default": "", "type": "url"},
        [
            "https://example.org/a?b=c#d",
            "HTTP://EXAMPLE.ORG",
            "redis://h:1/0",
            "no url",
            "https://ä/",
        ],
    ),
    ({"default": "", "type": "color"}, ["", "#0a5bd6", "#0A5BD6", "#abc", "red"]),
    ({"default": 1, "type": "filesize"}, [0, -1, 1536, 10**7, 2**40, 10**300]),
    ({"default": "UTC", "type": "timezone"}, ["UTC", "Europe/Berlin", "", "Mars/Olympus"]),
]
AWKWARD = {
    f"AWKWARD_{number}_{place}": (declared, value)
    for number, (declared, values) in enumerate(
        [
            *VALUES,
            ({"default": "x"}, list(TEXTS.values())),
            ({"default": "x", "multiline": True}, list(TEXTS.values())),
            ({"default": "x"}, list(UNSENT.values())),
            ({"default": None}, ["", " ", *UNSENT.values()]),
        ]
    )
    for place, value in enumerate(values)
}
CHOSEN = {key: declared for key, (declared, _) in AWKWARD.items()}


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """A function that opens the settings page of an app, which then runs until the test ends."""
    open_ones = []

    def open_one(app: Flask, **options: Any) -> Any:
        app.register_blueprint(WaffleAdmin())
        server = serving(app)
        url = server.__enter__()
        context = browser.new_context(**options)
        open_ones.append((server, context))
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(url)
        return page

    yield open_one
    for server, context in open_ones:
        context.close()
        server.__exit__(None, None, None)


def submit(page: Any, status: int = 303) -> None:
    """Press Save, wherever the script has hidden it."""
    invalid = page.evaluate("[...document.querySelectorAll(':invalid')].map(e => e.outerHTML)")
    assert invalid == []  # the browser would refuse to send the form
    with (
        page.expect_response(lambda r: r.request.method == "POST") as answer,
        arriving(page),
    ):
        page.locator(".wf-primary").evaluate("button => button.form.requestSubmit(button)")
    # The script gets 204 and goes where the browser would go by a 303.
    assert answer.value.status in ({303, 204} if status == 303 else {status})


def stored(app: Flask) -> dict[str, Any]:
    """The rows as they are, and the values in them."""
    return {key: (r.text, r.value) for key, r in app.extensions["waffleconf"].read().items()}


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_awkward_values_that_nobody_touches_are_not_written(
    make_app: Callable[..., Flask], open_page: Callable[..., Any], script: bool
) -> None:
    app = make_app(CHOSEN)
    state = app.extensions["waffleconf"]
    app.config["WAFFLE_CONFS"] = {
        key: {"default": declared["default"]} for key, (declared, _) in AWKWARD.items()
    }
    # What the limits and shapes would refuse now may be from before they were declared.
    state.update_db({key: value for key, (_, value) in AWKWARD.items()})
    app.config["WAFFLE_CONFS"] = CHOSEN
    before = stored(app)
    for key, (declared, value) in AWKWARD.items():
        shaped = state.settings[key].type_problem(value) is None  # no web address, say
        assert same(before[key][1], value if shaped else declared["default"])
    submit(open_page(app, java_script_enabled=script))
    after = stored(app)
    assert {key: after[key] for key in after if after[key][0] != before[key][0]} == {}


def test_defaults_of_every_type_are_not_written(
    make_app: Callable[..., Flask], open_page: Callable[..., Any]
) -> None:
    app = make_app(CONFS)
    app.extensions["waffleconf"].parse_conf()
    before = stored(app)
    submit(open_page(app))
    assert stored(app) == before


LAST = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
TYPED: list[tuple[dict[str, Any], str, Any]] = [
    *(
        ({"default": "x", "multiline": True}, text, text)
        for name, text in TEXTS.items()
        if name != "control characters"
    ),
    *(({"default": "x"}, text, text) for text in TEXTS.values() if text.isprintable()),
    ({"default": 1}, str(10**300), 10**300),
    ({"default": 1.5}, "1e308", 1e308),
    ({"default": 1.5}, "-0", -0.0),
    ({"default": 1.5}, "0.30000000000000004", 0.30000000000000004),
    ({"default": float("inf")}, "nan", float("nan")),
    ({"default": Decimal("0.1")}, "1.10", Decimal("1.10")),
    ({"default": Decimal("1E+400")}, "0." + "1" * 40, Decimal("0." + "1" * 40)),
    ({"default": date(2026, 1, 1)}, "0001-01-01", date.min),
    ({"default": date(2026, 1, 1)}, "9999-12-31", date.max),
    ({"default": time(18, 30)}, "00:00", time.min),
    ({"default": datetime(2026, 1, 1)}, "2026-03-29T02:30", datetime(2026, 3, 29, 2, 30)),
    (
        {"default": datetime(2026, 1, 1, tzinfo=BERLIN)},
        "2026-10-25T02:30",
        datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
    ),
    ({"default": datetime(2026, 1, 1, tzinfo=UTC)}, "9999-12-31T23:59", LAST),
    ({"default": timedelta(0)}, "1 h 30 min", timedelta(minutes=90)),
    ({"default": timedelta(0)}, "PT1H30M", timedelta(minutes=90)),
    ({"default": 1, "type": "filesize"}, "10 MB", 10_000_000),
    ({"default": "", "type": "email"}, "anna@example.org", "anna@example.org"),
    ({"default": "", "type": "url"}, "https://example.org/ä", "https://example.org/ä"),
    ({"default": "#000000", "type": "color"}, "#ffffff", "#ffffff"),
    ({"default": 5, "type": "range", "min": 0, "max": 10}, "7", 7),
    ({"default": b""}, "AAEC\n/w==", b"\0\1\2\xff"),
    ({"default": {}}, '{"é": "🍩\\r\\n"}', {"é": "🍩\r\n"}),
]


def test_what_is_typed_is_stored_as_it_is(
    make_app: Callable[..., Flask], open_page: Callable[..., Any]
) -> None:
    confs = {f"TYPED_{number}": declared for number, (declared, _, _) in enumerate(TYPED)}
    app = make_app(confs)
    page = open_page(app)
    for key, (_, text, _) in zip(confs, TYPED, strict=True):
        page.locator(f"#waffle-{key}").fill(text)
    submit(page)
    values = app.extensions["waffleconf"].parse_conf()
    wanted = {key: value for key, (_, _, value) in zip(confs, TYPED, strict=True)}
    assert {k: values[k] for k in confs if not same(values[k], wanted[k])} == {}
    before = stored(app)
    submit(page)  # the page that came back
    assert stored(app) == before


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"default": datetime(2026, 1, 1, tzinfo=BERLIN)}, "2026-03-29T02:30", "the clocks skip"),
    ({"default": date(2026, 1, 1)}, "12345-01-01", "Enter a date"),
    ({"default": timedelta(0)}, "5 fortnights", "Enter a length of time"),
    ({"default": 1, "type": "filesize"}, "10 XB", "Enter a size"),
    ({"default": Path("/")}, "", "Enter a path"),
    ({"default": 1}, "1.000", "This can mean 1000 or 1.000"),
    ({"default": Decimal("0.1")}, "1,234", "This can mean 1234 or 1.234"),
]


def test_what_is_refused_is_kept_as_it_was_typed(
    make_app: Callable[..., Flask], open_page: Callable[..., Any]
) -> None:
    confs = {f"REFUSED_{number}": declared for number, (declared, _, _) in enumerate(REFUSED)}
    app = make_app(confs)
    before = stored(app)
    page = open_page(app)
    for key, (_, text, _) in zip(confs, REFUSED, strict=True):
        page.locator(f"#waffle-{key}").fill(text)
    submit(page, 422)
    for key, (_, text, message) in zip(confs, REFUSED, strict=True):
        assert message in page.locator(f"#waffle-{key}-errors").inner_text()
        assert page.locator(f"#waffle-{key}").input_value().startswith(text)
    assert stored(app) == before


def test_controls_of_every_type_are_accessible(
    make_app: Callable[..., Flask], open_page: Callable[..., Any]
) -> None:
    page = open_page(make_app({**CONFS, "TOKEN": {"default": "x", "secret": True}}))
    for summary in page.locator("summary").all():
        summary.click()
    found = Axe().run(page)
    assert found.response["violations"] == [], found.generate_report()


SHARED: dict[str, dict[str, Any]] = {
    "BOX": {"default": False},
    "BOXES": {"default": ["a"], "choices": ["a", "b", "c"]},
    "TOKEN": {"default": "old", "secret": True},
    "CLEARED": {"default": "old", "secret": True},
    "START": {"default": datetime(2026, 1, 1, tzinfo=BERLIN)},
}


def change(page: Any, key: str, mine: bool) -> None:
    """What each of two people does with a setting; *mine* differs from what the other does."""
    control = page.locator(f"#waffle-{key}")
    if key == "BOX":
        control.check()
    elif key == "BOXES":
        page.locator(f"[name={key}][value={'b' if mine else 'c'}]").check()
    elif key == "START":
        control.fill(f"2026-05-0{1 + mine}T10:00")
    else:
        page.locator(f".wf-row#{key} summary").click()
        if key == "CLEARED" and mine:
            page.get_by_label("Clear it").last.check()
        else:
            control.fill("mine" if mine else "theirs")


@pytest.mark.parametrize("key", SHARED)
def test_two_people_with_the_page_lose_nothing(
    make_app: Callable[..., Flask], open_page: Callable[..., Any], key: str
) -> None:
    app = make_app(SHARED)
    ana = open_page(app)
    ben = ana.context.new_page()
    ben.goto(ana.url)
    state = app.extensions["waffleconf"]
    change(ana, key, False)
    other = next(name for name in SHARED if name != key)
    change(ben, other, True)
    submit(ana)
    theirs = state.parse_conf()
    submit(ben)  # another setting: no conflict, and what Ana saved stays
    assert same(state.parse_conf()[key], theirs[key])
    stale = ana.context.new_page()
    stale.goto(ana.url)
    if key == "BOX":
        state.update_db({key: False})
        stale.reload()
    change(stale, key, True)
    state.update_db({key: SHARED[key]["default"] if key != "BOX" else True})
    if key == "BOX":
        submit(stale)  # both did the same
        assert state.parse_conf()[key] is True
    else:
        submit(stale, 422)
        assert same(state.parse_conf()[key], SHARED[key]["default"])
        if key == "TOKEN":
            stale.locator(f"#waffle-{key}").fill("mine")
        else:
            stale.get_by_role("radio", name="Use mine").check()
        submit(stale)
        after = state.parse_conf()[key]
        wanted = {
            "BOXES": ["a", "b", "c"],
            "TOKEN": "mine",
            "CLEARED": "",
            "START": datetime(2026, 5, 2, 10, tzinfo=BERLIN),
        }
        assert same(after, wanted[key]), after


TYPING: dict[str, dict[str, Any]] = {
    "PRICE": {"default": Decimal("4.90"), "unit": "€", "min": 0},
    "SHARE": {"default": 0.25, "type": "range", "min": 0, "max": 1},
    "MODE": {"default": "a", "choices": ["a", "b", "c"]},
    "LINK": {"default": "#0a5bd6", "type": "color"},
    "BACK": {"default": "", "type": "color"},
    "TENANT": {"default": UUID(int=2**128 - 1)},
    "SITE": {"default": "", "type": "url"},
    "UNTIL": {"default": date(2026, 1, 31)},
    "TEXT": {"default": "a\nb", "multiline": True},
    "TOKEN": {"default": "", "secret": True},
}


def box(page: Any, selector: str) -> dict[str, float]:
    found: dict[str, float] = page.locator(selector).bounding_box()
    return found


@pytest.fixture
def spanish_page(make_app: Callable[..., Flask], open_page: Callable[..., Any]) -> Any:
    app = make_app(TYPING)
    Babel(app, locale_selector=lambda: "es")
    return open_page(app, viewport={"width": 1240, "height": 900})


def test_what_is_typed_is_quoted_as_the_language_of_the_reader_quotes(
    make_app: Callable[..., Flask], open_page: Callable[..., Any]
) -> None:
    app = make_app({"SITENAME": {"default": "$& Waffle"}})
    Babel(app, locale_selector=lambda: "de")
    page = open_page(app)
    page.fill("#waffle-SITENAME", "Bakery")
    assert page.locator(".wf-now").inner_text() == "„$& Waffle“"


def test_rows_have_label_and_value_on_one_line_and_long_texts_the_whole_width(
    spanish_page: Any,
) -> None:
    page = spanish_page
    for key in ("PRICE", "LINK", "TENANT", "SITE", "UNTIL"):
        label, control = box(page, f"#{key} label"), box(page, f"#waffle-{key}")
        middles = [part["y"] + part["height"] / 2 for part in (label, control)]
        assert middles[0] == pytest.approx(middles[1], abs=2), key
    unit, price = box(page, "#waffle-PRICE-limits"), box(page, "#waffle-PRICE")
    assert unit["x"] > price["x"] + price["width"] and unit["y"] > price["y"]
    assert len({choice.bounding_box()["y"] for choice in page.locator("#MODE label").all()}) == 1
    tenant = page.locator("#waffle-TENANT")
    assert tenant.evaluate("input => input.scrollWidth <= input.clientWidth")
    area, row = page.locator("#waffle-TEXT"), box(page, "#TEXT")
    assert area.bounding_box()["width"] > row["width"] - 50
    before = area.bounding_box()["height"]
    area.fill("line\n" * 15)
    assert area.bounding_box()["height"] > before + 200
    area.fill("line\n" * 500)
    assert area.bounding_box()["height"] == pytest.approx(900 * 0.7, abs=1)
    corner = area.bounding_box()
    x, y = corner["x"] + corner["width"] - 6, corner["y"] + corner["height"] - 6
    page.mouse.wheel(0, y - 500)
    page.wait_for_function("window.scrollY > 0")
    corner = area.bounding_box()
    page.mouse.move(x, corner["y"] + corner["height"] - 6)
    page.mouse.down()
    page.mouse.move(x, corner["y"] + corner["height"] + 194, steps=4)
    page.mouse.up()
    assert area.bounding_box()["height"] == pytest.approx(900 * 0.7 + 200, abs=10)


def test_no_key_is_in_the_tab_order(spanish_page: Any) -> None:
    page = spanish_page
    keys = page.evaluate("[...document.querySelectorAll('.wf-key')].map(key => key.tabIndex)")
    assert keys == [-1] * len(TYPING)


def test_what_stands_beside_a_control_follows_it(spanish_page: Any) -> None:
    page = spanish_page
    page.locator("#waffle-SHARE").fill("0.5")
    assert page.locator("#SHARE output").inner_text() == "0,5"
    line, swatch = page.locator("#waffle-BACK"), page.locator("#BACK [type=color]")
    line.fill("#aBc")
    assert (swatch.input_value(), swatch.get_attribute("class")) == ("#aabbcc", "")
    swatch.fill("#123456")
    assert line.input_value() == "#123456"
    page.locator("#BACK .wf-undo").click()
    assert (line.input_value(), swatch.get_attribute("class")) == ("", "wf-blank")
    page.locator("#TOKEN summary").click()
    warning = page.locator("#TOKEN [role=status]")
    for typed, blanks in ((" a", True), ("a", False), ("a\t", True)):
        page.locator("#waffle-TOKEN").fill(typed)
        assert bool(warning.inner_text()) is blanks


FRUITS = [("mango", "Mango"), *((f"f{n}", f"Fruit {n}") for n in range(40)), ("acai", "Açaí")]


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_many_boxes_are_in_a_small_box_with_a_filter(
    make_app: Callable[..., Flask], open_page: Callable[..., Any], script: bool
) -> None:
    declared = {"FRUITS": FRUITS, "FEW": FRUITS[:19]}
    app = make_app({key: {"default": ["f7"], "choices": each} for key, each in declared.items()})
    page = open_page(app, java_script_enabled=script)
    labels = page.locator("#FRUITS label:visible")
    many, few = (page.locator(f"#{key} fieldset").bounding_box() for key in ("FRUITS", "FEW"))
    assert many["height"] <= 320 < few["height"]
    found = page.locator("fieldset [type=search]:visible")
    assert found.count() == script and labels.count() == len(FRUITS)
    if script:
        found.fill("ACAI")
        assert labels.all_inner_texts() == ["Açaí"]
        found.press("Enter")  # saves nothing
        assert Axe().run(page).response["violations"] == []
    page.get_by_label("Açaí").check()
    submit(page)
    assert app.extensions["waffleconf"].parse_conf()["FRUITS"] == ["f7", "acai"]


CITIES = {
    "Europe": ["Zürich", "Genève", *(f"E{n}" for n in range(10))],
    "USA": ["New York", *(f"U{n}" for n in range(10))],
}


@pytest.fixture
def cities(make_app: Callable[..., Flask], open_page: Callable[..., Any]) -> Any:
    """The page of an app with many boxes under two headings, and one that is no longer a choice."""
    app = make_app({"CITIES": {"default": ["New York"], "choices": CITIES}})
    app.extensions["waffleconf"].update_db({"CITIES": ["Zürich"]})
    app.config["WAFFLE_CONFS"] = {
        "CITIES": {
            "default": ["New York"],
            "choices": {"Europe": CITIES["Europe"][1:], "USA": CITIES["USA"]},
        }
    }
    return open_page(app)


def test_boxes_stand_under_the_headings_of_their_choices(cities: Any) -> None:
    group = cities.get_by_role("group", name="USA", exact=True)
    assert group.get_by_role("checkbox").count() == len(CITIES["USA"])
    assert group.get_by_text("USA", exact=True).is_visible()
    former = cities.get_by_label("Zürich (no longer a choice)")
    assert former.is_checked() and former.locator("xpath=ancestor::fieldset").count() == 1
    assert Axe().run(cities).response["violations"] == []


@pytest.mark.parametrize(
    ("typed", "headings", "count", "message"),
    [
        ("york", ["USA"], 1, ""),
        ("europe", ["Europe"], len(CITIES["Europe"]) - 1, ""),
        ("e1", ["Europe"], 1, ""),
        ("zurich", [], 1, ""),
        ("cities", [], 0, "Nothing found"),
        ("", ["Europe", "USA"], 23, ""),
    ],
)
def test_the_filter_finds_boxes_by_their_heading_too(
    cities: Any, typed: str, headings: list[str], count: int, message: str
) -> None:
    find = cities.locator("#CITIES [type=search]")
    find.fill("nothing")
    find.fill(typed)
    assert cities.locator("#CITIES legend:visible").all_inner_texts()[1:] == headings
    assert cities.locator("#CITIES label:has([type=checkbox]):visible").count() == count
    assert cities.locator("#CITIES fieldset").get_by_role("status").inner_text() == message


def test_paper_has_the_headings_of_boxes_that_are_ticked(cities: Any) -> None:
    cities.get_by_label("New York").check()
    cities.locator("#CITIES [type=search]").fill("nothing")
    cities.emulate_media(media="print")
    assert cities.locator("#CITIES legend:visible").all_inner_texts() == ["USA"]
    assert not cities.get_by_text("Nothing found").is_visible()


@pytest.fixture
def boxes(make_app: Callable[..., Flask], open_page: Callable[..., Any]) -> tuple[Flask, Any]:
    """An app with many boxes, two of which may be ticked, and its page."""
    app = make_app({"FRUITS": {"default": ["f7"], "choices": FRUITS, "max": 2}})
    return app, open_page(app)


def look_for(page: Any, text: str) -> None:
    """Use the filter of many boxes, and leave it."""
    page.locator("#FRUITS [type=search]").press_sequentially(text)
    page.locator("#FRUITS [type=search]").blur()


def test_who_looks_for_a_box_in_a_conflict_has_not_decided(boxes: tuple[Flask, Any]) -> None:
    app, page = boxes
    page.get_by_label("Mango").check()
    app.extensions["waffleconf"].update_db({"FRUITS": ["acai"]})
    submit(page, 422)
    mine = page.get_by_label("Use mine")
    look_for(page, "acai")
    assert not mine.is_checked()
    page.get_by_label("Açaí").first.check()
    assert mine.is_checked()


def test_who_looks_for_a_box_has_mended_nothing(boxes: tuple[Flask, Any]) -> None:
    _, page = boxes
    for label in ("Mango", "Açaí"):
        page.get_by_label(label).check()
    submit(page, 422)
    wrong = page.locator("#FRUITS.wf-invalid .wf-errors")
    look_for(page, "mango")
    assert wrong.is_visible()
    page.get_by_label("Mango").uncheck()
    assert wrong.count() == 0


def test_who_looks_for_a_box_may_still_bring_back_what_was_discarded(
    boxes: tuple[Flask, Any],
) -> None:
    app, page = boxes
    page.get_by_label("Mango").check()
    page.locator(".wf-discard").click()
    look_for(page, "acai")
    page.get_by_role("button", name="Bring it back").click()
    submit(page)
    assert app.extensions["waffleconf"].parse_conf()["FRUITS"] == ["f7", "mango"]


@pytest.mark.parametrize(("typed", "focused"), [("acai", "acai"), ("nothing", "")])
def test_what_is_discarded_has_the_focus_where_the_filter_shows_it(
    boxes: tuple[Flask, Any], typed: str, focused: str
) -> None:
    _, page = boxes
    page.get_by_label("Mango").check()
    look_for(page, typed)
    page.locator("#FRUITS .wf-undo").click()
    at = page.locator("#FRUITS :focus")
    assert at.get_attribute("value" if focused else "name") == (focused or None)


def test_boxes_and_their_filter_by_keyboard_and_back(boxes: tuple[Flask, Any]) -> None:
    app, page = boxes
    find = page.locator("#FRUITS [type=search]")
    find.press_sequentially("acai")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    ticked = page.locator("#FRUITS :checked")
    assert [each.get_attribute("value") for each in ticked.all()] == ["f7", "acai"]
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("about:blank")
    page.go_back()
    page.locator("#FRUITS.wf-unsaved").wait_for()
    assert [each.get_attribute("value") for each in ticked.all()] == ["f7", "acai"]
    shown = page.locator("#FRUITS label:visible").count()
    assert shown == (1 if find.input_value() else len(FRUITS))
    page.keyboard.press("Control+s")
    page.locator(".wf-messages").wait_for()
    assert app.extensions["waffleconf"].parse_conf()["FRUITS"] == ["f7", "acai"]


def test_paper_has_the_boxes_that_are_ticked_whatever_is_looked_for(
    boxes: tuple[Flask, Any],
) -> None:
    _, page = boxes
    look_for(page, "acai")
    page.emulate_media(media="print")
    assert page.locator("#FRUITS label:visible").all_inner_texts() == ["Fruit 7"]


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt"])
def test_a_page_of_one_group_has_room_for_the_text_in_its_search(
    make_app: Callable[..., Flask], open_page: Callable[..., Any], language: str
) -> None:
    app = make_app({f"K{n}": {"default": n} for n in range(12)}, history=True)
    Babel(app, locale_selector=lambda: language)
    page = open_page(app, viewport={"width": 1280, "height": 900})
    search = page.get_by_role("searchbox")
    wide = search.bounding_box()["width"]
    search.evaluate("input => { input.style = 'field-sizing: content; width: auto' }")
    assert search.bounding_box()["width"] <= wide


def test_mistakes_are_answered_in_our_words(spanish_page: Any) -> None:
    page, sent = spanish_page, []
    page.on("request", lambda request: sent.append(request.method))
    page.locator("#waffle-UNTIL").focus()
    page.keyboard.press("Backspace")
    page.locator(".wf-bar .wf-primary").click()
    message = page.locator("#waffle-UNTIL").evaluate("input => input.validationMessage")
    assert message == "Complete esta fecha u hora, o vacíela."
    assert "POST" not in sent
    page.locator("#waffle-UNTIL").fill("2026-01-31")
    page.locator("#waffle-SITE").fill("example.org")
    page.locator("#waffle-PRICE").fill("1.234")
    submit(page, 422)
    assert "https://" in page.locator("#waffle-SITE-errors").inner_text()
    assert "1,234" in page.locator("#waffle-PRICE-errors").inner_text()
    page.locator("#waffle-SITE").fill("https://example.org")
    page.locator("#waffle-PRICE").fill("5,90")
    submit(page)
    assert page.locator("#waffle-PRICE").input_value() == "5,90"
