"""Values outside a form: their texts, parsed and shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
import wtforms
from flask import Flask
from submissions import Page
from wtforms.validators import Optional

from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.forms import show_text
from waffleconf_admin.settings.equality import same
from waffleconf_admin.settings.setting import Setting
from waffleconf_admin.state.form import parse_text


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("NAME", "x", "x"),
        ("SIZE", " 5 ", 5),
        ("OPEN", "no", False),
        ("THEME", "dark", "dark"),
        ("HOURS", "{}", {}),
        ("TOKEN", "x", "x"),
        ("TOKEN", "", ""),
        ("NOTE", "", None),
        ("FIXED", "7", 7),
    ],
)
def test_a_text_is_parsed_as_on_the_page(app: Flask, key: str, text: str, value: Any) -> None:
    assert parse_text(app.extensions["waffleconf"], key, text) == value


@pytest.mark.parametrize(
    ("key", "text", "message"),
    [
        ("NOBODY", "x", "There is no setting of that name."),
        ("SIZE", "x", "Enter a whole number, such as 1000."),
        ("OPEN", "maybe", "Enter true or false."),
        ("THEME", "neon", "This is not one of the choices."),
        ("PAIR", "3+4j", "It can only be changed in code: "),
    ],
)
def test_a_text_that_is_no_value_names_its_setting(
    app: Flask, key: str, text: str, message: str
) -> None:
    with pytest.raises(InvalidValue) as caught:
        parse_text(app.extensions["waffleconf"], key, text)
    assert caught.value.errors[key].startswith(message)


def test_a_text_for_a_field_of_wtforms_is_parsed_and_checked(
    make_app: Callable[..., Flask],
) -> None:
    def theme(setting: Setting) -> Any:
        return wtforms.SelectField(choices=["a", "b"])

    state = make_app({"KEY": {"default": "a", "field": theme}}).extensions["waffleconf"]
    assert parse_text(state, "KEY", "b") == "b"
    assert show_text(state.settings["KEY"], "b") == "b"
    with pytest.raises(InvalidValue):
        parse_text(state, "KEY", "c")


BOX: dict[str, Any] = {"default": True, "field": wtforms.BooleanField}
LIST: dict[str, Any] = {
    "default": ["a"],
    "field": lambda setting: wtforms.FieldList(wtforms.StringField()),
}
PRICE: dict[str, Any] = {"default": Decimal("1.50"), "field": wtforms.DecimalField}


@pytest.mark.parametrize(
    ("entry", "text", "value"),
    [
        *((BOX, text, False) for text in ("no", "off", "False", "0")),
        *((BOX, text, True) for text in ("yes", "On", "1")),
        (PRICE, "2.5", Decimal("2.5")),
        ({"default": "a", "field": wtforms.StringField}, " b", " b"),
        ({"default": 1.5, "field": wtforms.IntegerField}, "5", 5),
        ({"default": None, "field": wtforms.IntegerField}, "5", 5),
    ],
)
def test_a_field_of_wtforms_reads_a_text_as_it_is_meant(
    make_app: Callable[..., Flask], entry: dict[str, Any], text: str, value: Any
) -> None:
    state = make_app({"A": entry}).extensions["waffleconf"]
    assert same(parse_text(state, "A", text), value)


@pytest.mark.parametrize(
    ("entry", "text", "message"),
    [
        (BOX, "maybe", "Enter true or false."),
        (LIST, '["b"]', "can't hold a field of type FieldList"),
        (PRICE, "2.555", "could not give its value back"),
        ({"default": 1.5, "field": wtforms.DecimalField}, "2.5", "a value of type Decimal"),
        ({"default": "1", "field": wtforms.IntegerField}, "5", "a value of type int .* not text"),
    ],
)
def test_a_text_that_a_field_of_wtforms_misreads_is_refused(
    make_app: Callable[..., Flask], entry: dict[str, Any], text: str, message: str
) -> None:
    state = make_app({"A": entry}).extensions["waffleconf"]
    with pytest.raises(InvalidValue, match=f"A: .*{message}"):
        parse_text(state, "A", text)


NUMBER: dict[str, Any] = {
    "default": 3,
    "field": lambda setting: wtforms.IntegerField(validators=[Optional()]),
}
REFUSED = object()


@pytest.mark.parametrize(
    ("entry", "text", "value"),
    [
        (PRICE, "2.5", Decimal("2.5")),
        (PRICE, "2.555", REFUSED),
        (NUMBER | {"type": int | None}, "", None),
        ({"default": 3, "type": int | None, "field": wtforms.IntegerField}, "", REFUSED),
        ({"default": None, "field": wtforms.StringField}, "x", "x"),
    ],
)
def test_page_and_command_line_agree_about_a_field_of_wtforms(
    make_app: Callable[..., Flask], entry: dict[str, Any], text: str, value: Any
) -> None:
    page = Page(make_app({"A": entry}))
    assert page.form["A"].editable
    try:
        read = parse_text(page.state, "A", text)
    except InvalidValue:
        read = REFUSED
    form = page.send(A=text)
    assert same(read, value) and same(form.changes.get("A", REFUSED), value)
    assert page.open()["A"].editable


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        (PRICE, Decimal("2.5")),
        (NUMBER, None),
        (NUMBER | {"type": int | None}, None),
        ({"default": None, "field": wtforms.StringField}, None),
    ],
)
def test_what_a_field_of_wtforms_has_read_can_be_edited_and_is_no_change_if_it_is_sent_back(
    make_app: Callable[..., Flask], entry: dict[str, Any], value: Any
) -> None:
    app = make_app({"A": entry})
    app.extensions["waffleconf"].update_db({"A": value})
    page = Page(app)
    assert page.form["A"].editable
    form = page.send()
    assert (form.changes, form.errors) == ({}, {})


@pytest.mark.parametrize("key", ["NAME", "SIZE", "OPEN", "RATE", "THEME", "TEXT", "HOURS", "NOTE"])
def test_the_text_that_is_shown_is_parsed_again(app: Flask, key: str) -> None:
    state = app.extensions["waffleconf"]
    value = state.settings[key].default
    assert parse_text(state, key, show_text(state.settings[key], value)) == value


def test_choices_that_fail_have_no_control_and_are_logged(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    form = Page(make_app({"KEY": {"default": "a", "choices": lambda: int("x")}})).form
    assert form["KEY"].reason.endswith("its control can't be made at the moment.")
    assert "invalid literal" in caplog.text


def test_any_value_has_a_text(app: Flask) -> None:
    settings = app.extensions["waffleconf"].settings
    assert show_text(settings["SIZE"], "not a number") == "not a number"
    assert show_text(settings["PAIR"], 1 + 2j) == "(1+2j)"
    assert show_text(settings["THEME"], "gone") == "gone"
    assert show_text(settings["TOKEN"], "hunter2") == ""
    assert show_text(replace(settings["PAIR"], secret=True), 1 + 2j) == ""
