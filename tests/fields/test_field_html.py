"""The HTML of controls."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
import wtforms
from controls import control, field, tags
from flask import Flask
from wtforms.validators import DataRequired, NumberRange

from waffleconf_admin.fields.binding import process_values
from waffleconf_admin.forms.form import SettingsForm
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.notation import Notation
from waffleconf_admin.settings.record import Record

NOON = datetime(2026, 1, 31, 12, 0)
ABSENT = "absent"


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        ({"default": 5}, 5, {"type": "text", "value": "5", "inputmode": ABSENT}),
        ({"default": 5, "min": 0}, 5, {"inputmode": "numeric", "min": ABSENT}),
        ({"default": 5, "min": 0.5, "max": 9.5}, 5, {"inputmode": "numeric"}),
        ({"default": 5, "min": 0}, -5, {"inputmode": ABSENT}),
        ({"default": 5, "min": -1}, 5, {"inputmode": ABSENT}),
        ({"default": 5, "validators": [NumberRange(2, 8)]}, 5, {"inputmode": "numeric"}),
        ({"default": 5, "min": float("-inf")}, 5, {"inputmode": ABSENT}),
        ({"default": 0.5, "min": 0.1}, 0.5, {"type": "text", "inputmode": "decimal"}),
        ({"default": 0.5}, 1e308, {"type": "text", "inputmode": ABSENT, "value": "1e+308"}),
        ({"default": float("inf")}, float("inf"), {"type": "text", "value": "inf"}),
        ({"default": "x", "min": 1, "max": 3}, "x", {"minlength": "1", "maxlength": "3"}),
        ({"default": "x", "max": 3}, "long", {"maxlength": ABSENT}),
        ({"default": "x", "validators": [DataRequired()]}, "x", {"required": None}),
        ({"default": "x", "validators": [DataRequired()]}, "", {"required": ABSENT}),
        ({"default": True}, True, {"type": "checkbox", "value": "on", "checked": None}),
        ({"default": True}, False, {"type": "checkbox", "checked": ABSENT}),
        ({"default": "", "secret": True}, "hunter2", {"type": "password", "value": ABSENT}),
    ],
)
def test_limits_and_helps_are_in_the_html(
    entry: dict[str, Any], value: Any, expected: dict[str, Any]
) -> None:
    attrs = control(field(value, **entry))
    for name, wanted in expected.items():
        assert attrs.get(name, ABSENT) == wanted, name


@pytest.mark.parametrize(
    ("declared", "value", "wanted"),
    [
        ({"default": NOON.date(), "max": date.max}, ..., {"type": "date", "max": "9999-12-31"}),
        ({"default": NOON.date(), "max": NOON.date()}, date(2027, 1, 1), {"max": None}),
        ({"default": time(12)}, time(12, 0, 1), {"type": "time", "step": "any"}),
        ({"default": time(12)}, time(12, 0, 0, 1), {"type": "text", "value": "12:00:00.000001"}),
        ({"default": NOON}, ..., {"type": "datetime-local", "value": "2026-01-31T12:00"}),
        ({"default": Decimal("1.1"), "min": Decimal("0.1")}, ..., {"type": "text"}),
        ({"default": "", "type": "email"}, "a@b.org", {"type": "text", "inputmode": "email"}),
        ({"default": "", "type": "url"}, "redis://a", {"type": "text", "inputmode": "url"}),
        ({"default": "", "type": "email", "max": 50}, ..., {"maxlength": "50"}),
    ],
)  # fmt: skip
def test_a_control_is_one_that_the_browser_does_not_spoil(
    declared: dict[str, Any], value: Any, wanted: dict[str, Any]
) -> None:
    attrs = control(field(value, **declared))
    assert {name: attrs.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("text", "swatch"),
    [
        ("#0a5bd6", {"value": "#0a5bd6", "class": None}),
        ("#0A5BD6", {"value": "#0a5bd6"}),
        ("#aBc", {"value": "#aabbcc"}),
        ("", {"value": None, "class": "wf-blank"}),
        ("red", {"value": None, "class": "wf-blank"}),
    ],
)
def test_a_colour_is_a_text_with_a_swatch_that_is_never_sent(
    text: str, swatch: dict[str, Any]
) -> None:
    (_, line), (_, beside) = tags(field(text, default="", type="color", desc="<b>")())
    assert (line["type"], line["value"], line["name"]) == ("text", text, "KEY")
    assert {name: beside.get(name) for name in swatch} == swatch
    assert (beside["type"], beside.get("name")) == ("color", None)
    assert beside["aria-label"] == "Choose a colour for <b>"


def test_a_slider_has_its_value_beside_it_as_the_locale_writes_it() -> None:
    made = field(default=0.5, type="range", min=0, max=1)
    made.meta.notation = Notation("es", ",")
    assert str(made()).endswith('class="wf-slid" data-point=",">0,5</output>')


@pytest.mark.parametrize("text", ["\nfirst", "\n\n", "a\n", "a\nb", " \n "])
def test_a_text_area_gives_back_its_first_newline(text: str) -> None:
    made = field(text, default="")
    assert made.control == "textarea"
    [content] = re.findall(r"<textarea[^>]*>(.*)</textarea>", str(made()), re.DOTALL)
    assert content.removeprefix("\n") == text
    assert content != text


def test_multiline_text_is_a_text_area_from_the_start() -> None:
    assert field(default="x", multiline=True).control == "textarea"
    assert field(default="x").control == "text"


def test_a_number_that_is_none_is_shown_in_a_control_that_keeps_what_was_typed() -> None:
    made = field(default=5)
    process_values(made, ["five"])
    assert (control(made)["type"], control(made)["value"]) == ("text", "five")


@pytest.mark.parametrize(
    ("low", "high", "value", "step"),
    [
        (0, 10, 5, None),
        (0.0, 1.0, 0.5, "0.01"),
        (0.0, 1.0, 0.333, "0.001"),
        (0.0, 100.0, 21.0, "1"),
        (-0.5, 0.5, 0.25, "0.01"),
        (0.1, 0.7, 0.3, "0.001"),
        (1.0, 5000.0, 2.0, "1"),
        (0.0, 1.0, 0.123456789, "any"),
    ],
)
def test_a_slider_has_steps_that_reach_both_ends_and_its_value(
    low: float, high: float, value: float, step: str | None
) -> None:
    html = str(field(value, default=value, type="range", min=low, max=high)())
    attrs = dict(re.findall(r' (\w+)="([^"]*)"', html.partition("<output")[0]))
    assert (attrs["type"], attrs.get("step")) == ("range", step)


@pytest.mark.parametrize("text", ["nan", "sNaN", "-inf", "1e400", "much"])
def test_what_no_slider_can_show_is_in_a_line_of_text(text: str) -> None:
    made = field(default=0.5, type="range", min=0, max=1)
    process_values(made, [text])
    assert (control(made)["type"], control(made)["value"]) == ("text", text)
    assert made.editable and made.process_errors


def test_a_slider_has_its_value_beside_it() -> None:
    html = str(field(default=5, type="range", min=0, max=10)())
    assert 'type="range"' in html
    assert html.endswith('<output for="waffle-KEY" class="wf-slid">5</output>')


HOSTILE = "\"><script>'&lt;"


@pytest.mark.parametrize(
    "entry",
    [
        {"default": HOSTILE},
        {"default": HOSTILE, "multiline": True},
        {"default": [HOSTILE]},
        {"default": HOSTILE, "choices": [HOSTILE]},
        {"default": HOSTILE, "choices": [HOSTILE, *"abcde"]},
        {"default": (HOSTILE,)},
        {"default": HOSTILE, "readonly": True},
        {"default": 1, "desc": HOSTILE, "choices": [(1, HOSTILE)]},
    ],
)
def test_everything_is_escaped(entry: dict[str, Any]) -> None:
    made = field(..., HOSTILE, **entry)
    assert "<script" not in str(made(title=HOSTILE))
    assert "<script" not in str(made.label)


def test_a_quote_does_not_end_an_attribute() -> None:
    value = '" autofocus="'
    attrs = control(field(value, default="", desc=value))
    assert attrs["value"] == value and "autofocus" not in attrs


def test_attributes_can_be_given_as_wtforms_does_it() -> None:
    made = field(default="x")
    attrs = tags(made(class_="wide", aria_describedby="help", data_now="1", disabled=True))[0][1]
    assert attrs["class"] == "wide"
    assert attrs["aria-describedby"] == "help"
    assert attrs["data-now"] == "1"
    assert "disabled" in attrs


def test_a_field_with_errors_says_so_in_aria() -> None:
    made = field(default="x")
    made.errors = ["wrong"]
    assert control(made)["aria-invalid"] == "true"


KEYS = ["A", "A B", "A  B", "A.20.B", 'a"b', "a'b", "é", "🍩", "a.0", "a", "<a>", "1"]


def test_ids_are_valid_and_unique_whatever_the_keys() -> None:
    settings = declare({key: {"default": 1, "choices": [1, 2]} for key in KEYS})
    with Flask(__name__).app_context():
        form = SettingsForm(settings, {key: Record("stored", 1) for key in KEYS})
        found = [attrs.get("id") for made in form for _, attrs in tags(made())]
    ids = [name for name in found if name]
    assert len(ids) == len(set(ids)) == len(KEYS) * 3
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]*", name) for name in ids)


def test_a_label_points_at_a_control() -> None:
    for entry in ({"default": 1}, {"default": True}, {"default": "a", "choices": ["a", "b"]}):
        made = field(**entry)
        target = tags(made.label())[0][1]["for"]
        assert target in {a.get("id") for tag, a in tags(made()) if tag in ("input", "select")}


def test_wtforms_own_widgets_work_on_our_fields() -> None:
    made = field(default=5, min=1)
    assert tags(wtforms.widgets.NumberInput()(made))[0][1]["min"] == "1"
    made = field(default="a\nb", max=5)
    assert tags(wtforms.widgets.TextArea()(made))[0][1]["maxlength"] == "5"


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"default": "<b>"}, "&lt;b&gt;"),
        ({"default": "<b>", "field": wtforms.StringField}, "&lt;b&gt;"),
        ({"default": "hunter2", "secret": True}, ""),
    ],
)
def test_a_control_that_can_not_be_rendered_is_text_with_the_reason(
    declared: dict[str, Any], text: str, caplog: pytest.LogCaptureFixture
) -> None:
    made = field(**declared)

    def fail(field: Any, **kwargs: Any) -> str:
        raise LookupError(declared["default"])

    made.widget = fail
    html = made()
    assert f'<output id="waffle-KEY">{text}</output>' in html
    assert not made.editable
    assert "can't be made at the moment" in made.reason
    assert 'class="wf-reason"' in html
    assert "KEY has failed" in caplog.text and "LookupError" in caplog.text
    assert "hunter2" not in html + caplog.text
