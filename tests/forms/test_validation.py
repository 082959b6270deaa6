"""Validators, declared and given, in a form and for values from code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import wtforms
from flask import Flask
from submissions import Page, posted
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length, Optional, Regexp

from waffleconf_admin import forms


def check_values(app: Flask, values: dict[str, Any]) -> dict[str, str]:
    with app.app_context():
        settings = app.extensions["waffleconf"].settings
        return forms.check_values(settings, values, app.config)


def no_waffles(form: Any, field: Any) -> None:
    if field.data == "waffles":
        raise wtforms.ValidationError("No waffles here.")


def plain_error(form: Any, field: Any) -> None:
    raise ValueError(f"not {field.data}")


def stop(form: Any, field: Any) -> None:
    raise wtforms.validators.StopValidation("Stop.")


def broken(form: Any, field: Any) -> None:
    raise LookupError(f"broken by {field.data}")


UNCHECKED = "This could not be checked, so it is not saved; the log of the site says why."


@pytest.mark.parametrize(
    ("entry", "text", "errors"),
    [
        ({"default": "x", "validators": [no_waffles]}, "waffles", ["No waffles here."]),
        ({"default": "x", "validators": [no_waffles]}, "cakes", []),
        ({"default": "x", "validators": [Length(max=3)]}, "long",
         ["Field cannot be longer than 3 characters."]),
        ({"default": "x", "validators": [DataRequired()]}, "", ["This field is required."]),
        ({"default": "x", "validators": [InputRequired()]}, "", ["This field is required."]),
        ({"default": "x", "validators": [Optional(), Length(min=3)]}, "", []),
        ({"default": "x", "validators": [stop, plain_error]}, "a", ["Stop."]),
        ({"default": "x", "validators": [plain_error]}, "a", ["not a"]),
        ({"default": "x", "validators": [broken]}, "a", [UNCHECKED]),
        ({"default": 1, "validators": [broken]}, "a", ["Enter a whole number, such as 1000."]),
        ({"default": "x", "validators": [no_waffles], "max": 3}, "waffles", ["No waffles here."]),
        ({"default": "x", "validators": [no_waffles], "max": 3}, "cake", ["At most 3 characters."]),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "a",
         ["Field must be equal to OTHER."]),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "other", []),
        ({"default": "x", "field": lambda s: wtforms.StringField(validators=[no_waffles])},
         "waffles", ["No waffles here."]),
        ({"default": "x", "field": wtforms.StringField, "max": 3}, "long",
         ["At most 3 characters."]),
    ],
)  # fmt: skip
def test_declared_validators_are_asked(
    make_app: Callable[..., Flask], entry: dict[str, Any], text: str, errors: list[str]
) -> None:
    form = Page(make_app({"KEY": entry, "OTHER": {"default": "other"}})).send(KEY=text)
    assert form.errors == ({"KEY": errors} if errors else {})
    assert ("KEY" in form.changes) is not bool(errors)


def test_a_validator_that_fails_is_logged(
    make_app: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    Page(make_app({"KEY": {"default": "x", "validators": [broken]}})).send(KEY="a")
    assert "LookupError: broken by a" in caplog.text


def test_extra_validators_are_asked_too(app: Flask) -> None:
    with posted(app, {"NAME": "waffles", "NOTE": "waffles"}) as form:
        assert not form.validate({"NAME": [no_waffles]})
        assert form.errors == {"NAME": ["No waffles here."]}


def test_optional_does_not_make_none_of_what_has_a_type(make_app: Callable[..., Flask]) -> None:
    app = make_app({"KEY": {"default": 5, "type": int, "validators": [Optional()]}})
    assert Page(app).send(KEY="").errors == {"KEY": ["This must be a whole number, not NoneType."]}


@pytest.mark.parametrize("validators", [[], [broken], [plain_error], [Regexp("^$")]])
def test_a_secret_is_in_no_html_error_or_log(
    make_app: Callable[..., Flask], validators: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    secret = {"default": "hunter2", "secret": True, "validators": validators}
    app = make_app({"TOKEN": secret, "SIZE": {"default": 1}})
    page = Page(app)
    shown = f"{page.fields} {page.form.data} {page.form.errors}"
    form = page.send(TOKEN="hunter3", SIZE="x")
    problems = check_values(app, {"TOKEN": "hunter4"})
    assert set(form.errors) == {"TOKEN", "SIZE"}
    assert bool(problems) is bool(validators)
    assert "hunter" not in f"{shown} {page.fields} {form.errors} {problems} {caplog.text}"


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ({"default": 1}, "anything", None),
        ({"default": 1, "type": int}, "x", "This must be a whole number, not str."),
        ({"default": 1, "max": 5}, 6, "At most 5."),
        ({"default": "a", "choices": ["a"]}, "b", "This is not one of the choices."),
        ({"default": "x", "validators": [no_waffles]}, "waffles", "No waffles here."),
        ({"default": "x", "validators": [InputRequired()]}, "", "This field is required."),
        ({"default": 1, "validators": [InputRequired()]}, 0, None),
        ({"default": 1, "validators": [InputRequired()]}, None, "This field is required."),
        ({"default": True, "validators": [InputRequired()]}, False, None),
        ({"default": "x", "validators": [Optional(), Length(min=3)]}, "", None),
        ({"default": "x", "validators": [Length(min=3)]}, 5, UNCHECKED),
        ({"default": "x", "validators": [broken]}, "a", UNCHECKED),
        ({"default": "x", "validators": [broken], "max": 3}, "long", "At most 3 characters."),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "new", None),
        ({"default": "x", "validators": [EqualTo("OTHER")]}, "other",
         "Field must be equal to OTHER."),
        ({"default": (1, 2), "validators": [no_waffles]}, (3, 4), None),
    ],
)  # fmt: skip
def test_values_from_code_are_checked(
    make_app: Callable[..., Flask], entry: dict[str, Any], value: Any, message: str | None
) -> None:
    app = make_app({"KEY": entry, "OTHER": {"default": "other"}})
    found = check_values(app, {"KEY": value, "OTHER": "new"})
    assert found == ({"KEY": message} if message else {})


def test_undeclared_values_are_not_checked(app: Flask) -> None:
    assert check_values(app, {"NOBODY": 1}) == {}
