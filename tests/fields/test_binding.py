"""A field in a form: what it shows, what may be done to it, and what a failure of it leaves."""

from __future__ import annotations

from typing import Any

import pytest
import wtforms
from controls import field, setting, tags
from markupsafe import Markup

from waffleconf_admin.fields.binding import find_misreading, process_values, show_value
from waffleconf_admin.fields.value_text import NOT_GIVEN_BACK


class Upper(wtforms.StringField):
    """A field that changes the value, so that it can't be the control of a setting."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0].upper() if valuelist else ""


class Unreadable(wtforms.StringField):
    """A field that can read nothing but what it was given."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist != [self.data]:
            raise LookupError


@pytest.mark.parametrize(
    ("entry", "resettable"),
    [
        pytest.param({"field": Upper}, True, id="no control"),
        pytest.param({"field": Upper, "confirm": True}, False, id="no control, to be confirmed"),
        pytest.param({"field": Upper, "readonly": True}, False, id="read-only"),
        pytest.param({"readonly": True}, False, id="read-only, with a control"),
    ],
)
def test_what_can_not_be_edited_can_be_reset_where_nothing_forbids_it(
    entry: dict[str, Any], resettable: bool
) -> None:
    shown = field("changed", default="lower", **entry)
    assert (shown.editable, shown.resettable) == (False, resettable)


def test_a_secret_of_a_type_without_a_control_is_not_shown() -> None:
    shown = field(default=1.5j, secret=True)
    assert not shown.editable and shown.value_text == "" and "1.5" not in shown()


@pytest.mark.parametrize(
    ("entry", "quoted"),
    [
        pytest.param({"default": "a"}, True, id="text"),
        pytest.param({"default": "a", "choices": ["a"]}, False, id="choice"),
        pytest.param({"default": "a", "field": wtforms.StringField}, True, id="field of WTForms"),
        pytest.param({"default": 1}, False, id="number"),
    ],
)
@pytest.mark.parametrize("readonly", [False, True])
def test_texts_are_quoted_whether_they_can_be_edited_or_not(
    entry: dict[str, Any], quoted: bool, readonly: bool
) -> None:
    assert field(readonly=readonly, **entry).quoted is quoted


def test_a_field_that_fails_to_read_has_no_value() -> None:
    shown = field(default="x", field=Unreadable)
    process_values(shown, ["y"])
    assert shown.data is None and shown.process_errors


def test_a_field_that_fails_gives_no_value_back(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Any:
        raise LookupError

    assert find_misreading(setting(default="x"), "x", fail) == NOT_GIVEN_BACK
    assert "the control of KEY has failed" in caplog.text


class Short(wtforms.StringField):
    """A field that can show a few texts only."""

    def process_data(self, value: object) -> None:
        if value not in ("x", "y"):
            raise LookupError if isinstance(value, int) else ValueError("too long")
        self.data = value


@pytest.mark.parametrize(("value", "logged"), [("long", False), (5, True)])
def test_what_a_control_can_not_show_leaves_the_value_in_force(
    caplog: pytest.LogCaptureFixture, value: object, logged: bool
) -> None:
    shown = field(default="x", field=Short)
    assert show_value(shown, "y") and shown.data == "y"
    assert not show_value(shown, value)
    assert shown.data == "x"
    assert bool(caplog.text) is logged


@pytest.mark.parametrize(
    ("html", "shown"), [("<b>", "&lt;b&gt;"), (Markup("<b>"), "<b>")], ids=["text", "HTML"]
)
def test_what_a_widget_returns_is_escaped_unless_it_is_html(html: str, shown: str) -> None:
    made = field(default="x", field=lambda s: wtforms.StringField(widget=lambda *_, **__: html))
    assert made() == shown


def test_attributes_of_the_template_win_over_those_of_the_field() -> None:
    kept = {"class": "own", "title": "its"}
    made = field(default="x", field=lambda s: wtforms.StringField(render_kw=kept))
    [(_, attributes)] = tags(made(class_="page"))
    assert (attributes["class"], attributes["title"]) == ("page", "its")
