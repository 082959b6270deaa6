"""A form in the reader's locale: numbers are displayed, read, merged and shown again in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from every_type import CONFS as EVERY_TYPE_CONFS
from flask import Flask
from flask_babel import Babel
from submissions import Page, store, stored

from waffleconf_admin import InvalidValue
from waffleconf_admin.files import FileValues
from waffleconf_admin.forms import check_values, exact_text, show_text
from waffleconf_admin.forms.merge_token import signers
from waffleconf_admin.forms.submission import Submission
from waffleconf_admin.state.form import parse_text

CONFS: dict[str, dict[str, Any]] = {
    "PRICE": {"default": Decimal("4.90"), "min": Decimal("0.10"), "max": Decimal(9000)},
    "RATE": {"default": 1.234},
    "SIZE": {"default": 1500, "type": "filesize"},
    "WAIT": {"default": timedelta(seconds=2.5)},
    "STEP": {"default": 0.5, "choices": [0.5, 1.5]},
    "SHARE": {"default": 0.25, "type": "range", "min": 0, "max": 1},
    "COUNT": {"default": 1000},
    "NAME": {"default": "1.5"},
}


class Reader:
    """Whoever opens the pages of an app, in a locale that may change between two requests."""

    locale = "es"

    def __init__(self, make_app: Callable[..., Flask]) -> None:
        self.app = make_app(CONFS)
        Babel(self.app, locale_selector=lambda: self.locale)


@pytest.fixture
def reader(make_app: Callable[..., Flask]) -> Reader:
    return Reader(make_app)


def test_numbers_are_displayed_as_the_locale_has_them(reader: Reader) -> None:
    page = Page(reader.app)
    sent = {key: page.fields[key] for key in CONFS}
    assert sent == {
        "PRICE": "4,90",
        "RATE": "1,234",
        "SIZE": "1,5 kB",
        "WAIT": "2,5 s",
        "STEP": "0.5",  # what a radio button sends: nobody types or reads it
        "SHARE": "0.25",  # what a browser sends of a slider
        "COUNT": "1000",
        "NAME": "1.5",
    }
    texts = {field.setting.key: field.value_text for field in page.form}
    assert texts == sent | {"STEP": "0,5", "SHARE": "0,25"}
    assert ">0,25</output>" in str(page.form["SHARE"]())
    assert "> 0,5</label>" in str(page.form["STEP"]())


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("PRICE", "5,90", Decimal("5.90")),
        ("PRICE", "5.90", Decimal("5.90")),
        ("PRICE", "1.234,50", Decimal("1234.50")),
        ("PRICE", "1,234", Decimal("1.234")),
        ("PRICE", "５，９０", Decimal("5.90")),
        ("RATE", "-1,5e3", -1500.0),
        ("SIZE", "2,5 MB", 2_500_000),
        ("SIZE", "1.234.567 B", 1_234_567),
        ("SIZE", "10\u00a0MB", 10_000_000),
        ("WAIT", "1,5 h 2,5 s", timedelta(hours=1.5, seconds=2.5)),
        ("SHARE", "0.125", 0.125),
        ("COUNT", "1.234.567", 1_234_567),
        ("COUNT", "\u22125", -5),
        ("NAME", "5,90", "5,90"),
    ],
)
def test_numbers_are_read_as_the_locale_has_them(
    reader: Reader, key: str, text: str, value: Any
) -> None:
    assert Page(reader.app).send(**{key: text}).errors == {}
    assert stored(reader.app)[key] == value


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("PRICE", "1.234", "This can mean 1234 or 1,234: enter one of these."),
        (
            "COUNT",
            "1.234",
            "This can mean 1234 or 1,234: enter only digits.",
        ),
        (
            "COUNT",
            "1,234",
            "This can mean 1234 or 1,234: enter only digits.",
        ),
        ("SIZE", "1.234 MB", "This can mean 1234 or 1,234: enter one of these."),
        ("WAIT", "1.234 s", "This can mean 1234 or 1,234: enter one of these."),
        ("PRICE", "x", "Enter a number, such as 1,5."),
        ("SIZE", "x", "Enter a size, such as 10 MB, 1,5 GB or 512 KiB."),
        ("SIZE", "-5 MB", "At least 0 B."),
        ("PRICE", "0,05", "At least 0,10."),
    ],
)
def test_errors_show_numbers_as_the_locale_has_them(
    reader: Reader, key: str, text: str, message: str
) -> None:
    reader.locale = "nl"  # of which there is no catalogue, so that this shows numbers only
    page = Page(reader.app)
    assert page.send(**{key: text}).errors == {key: [message]}
    assert page.fields[key] == text


@pytest.mark.parametrize(("before", "after"), [("es", "en"), ("en", "es"), ("es", "ar")])
def test_a_change_of_language_between_page_and_save_changes_no_number(
    reader: Reader, before: str, after: str
) -> None:
    reader.locale = before
    page = Page(reader.app)
    mark = "," if before == "es" else "."
    reader.locale = after
    store(reader.app, SIZE=2500)  # somebody else
    form = page.send(PRICE=f"1{mark}234", COUNT="x")
    assert (form.conflicts, list(form.errors)) == ([], ["COUNT"])
    assert page.fields["PRICE"] == f"1{mark}234"
    assert page.fields["RATE"] == f"1{mark}234"  # what comes back is all in one notation
    with reader.app.app_context():
        assert Submission(page.fields, signers()).notation.locale == before
    assert page.send(COUNT="7").errors == {}
    assert stored(reader.app) == {key: conf["default"] for key, conf in CONFS.items()} | {
        "PRICE": Decimal("1.234"), "COUNT": 7, "SIZE": 2500,
    }  # fmt: skip
    assert Page(reader.app).fields["RATE"] == ("1,234" if after == "es" else "1.234")


def test_every_way_in_but_the_page_has_the_notation_of_python(reader: Reader) -> None:
    state = reader.app.extensions["waffleconf"]
    with reader.app.test_request_context():
        for key, value in state.parse_conf().items():
            text = exact_text(state.settings[key], value)
            assert "," not in text
            assert show_text(state.settings[key], value) == text
            assert parse_text(state, key, text) == value
        assert parse_text(state, "PRICE", "1.234") == Decimal("1.234")
        broken = check_values(state.settings, {"PRICE": Decimal("0.05")}, {})
        assert broken["PRICE"].endswith(" 0.10.")


def test_no_type_is_changed_by_a_page_that_nobody_touches(make_app: Callable[..., Flask]) -> None:
    app = make_app(EVERY_TYPE_CONFS)
    Babel(app, locale_selector=lambda: "es")
    page = Page(app)
    assert [field.setting.key for field in page.form if not field.editable] == []
    form = page.send()
    assert (form.errors, form.changes) == ({}, {})


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("PRICE", "5,90"),
        ("RATE", "1.234,5"),
        ("SIZE", "1,5 kB"),
        ("WAIT", "2,5 s"),
        ("SHARE", "0,25"),
        ("COUNT", "1 000"),
    ],
)
@pytest.mark.parametrize("way", ["file", "text"])
def test_outside_the_page_numbers_have_the_notation_of_python_only(
    reader: Reader, way: str, key: str, text: str
) -> None:
    state = reader.app.extensions["waffleconf"]
    in_files = FileValues(reader.app, state.settings).load
    read = in_files if way == "file" else partial(parse_text, state)
    with reader.app.test_request_context(), pytest.raises(InvalidValue):
        read(key, text)
