"""Fields of WTForms as controls of settings."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
import wtforms
from controls import field, tags
from wtforms.validators import NumberRange

from waffleconf_admin.fields.binding import process_values
from waffleconf_admin.fields.foreign import may_send_nothing
from waffleconf_admin.fields.value_text import join_values
from waffleconf_admin.settings.equality import same
from waffleconf_admin.settings.setting import Setting


class Upper(wtforms.StringField):
    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0].upper() if valuelist else ""


class Refusing(wtforms.StringField):
    def process_formdata(self, valuelist: list[str]) -> None:
        raise ValueError("not today")


class Broken(wtforms.StringField):
    def process_data(self, value: Any) -> None:
        raise LookupError


def several(setting: Setting) -> Any:
    return wtforms.SelectMultipleField(choices=list("abc"))


CUSTOM: list[tuple[Any, Any, list[str]]] = [
    (wtforms.StringField, "x", ["x"]),
    (wtforms.BooleanField, True, ["y"]),
    (wtforms.BooleanField, False, []),
    (several, ["a", "c"], ["a", "c"]),
    (several, [], []),
    (lambda s: wtforms.SelectField(choices=["a"]), "a", ["a"]),
    (lambda s: wtforms.DateField(s.label), date(2026, 1, 2), ["2026-01-02"]),
]


@pytest.mark.parametrize(("made", "value", "sent"), CUSTOM)
def test_any_field_of_wtforms_is_a_control(made: Any, value: Any, sent: list[str]) -> None:
    shown = field(default=value, field=made)
    assert (shown.control, shown.editable) == ("custom", True), shown.reason
    hidden = [""] if may_send_nothing(type(shown)) else []
    assert shown.merge_text == join_values([*hidden, *sent])
    assert shown.label.text == "Key"
    process_values(shown, [*hidden, *sent])
    assert same(shown.data, value)


def test_a_field_that_may_send_nothing_has_a_hidden_input() -> None:
    shown = field(default=True, field=wtforms.BooleanField)
    assert [attrs["type"] for _, attrs in tags(shown())] == ["hidden", "checkbox"]
    process_values(shown, [""])
    assert shown.data is False


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (Upper, "lower"),
        (lambda s: wtforms.DecimalField(places=1), 1.25),
        (lambda s: wtforms.SelectField(choices=["a"]), "z"),
        (lambda s: wtforms.FieldList(wtforms.StringField()), ["a"]),
        (wtforms.IntegerField, True),
        (Refusing, "x"),
        (Broken, "x"),
        (lambda s: 1 / 0, "x"),
        (lambda s: None, "x"),
    ],
)
def test_a_field_that_would_change_the_value_makes_it_static(made: Any, value: Any) -> None:
    shown = field(default=value, field=made)
    assert (shown.control, shown.editable) == ("static", False)
    assert shown.reason


def test_a_function_of_the_setting_may_give_validators_of_its_own() -> None:
    made = field(
        default=5,
        validators=[NumberRange(max=9)],
        field=lambda s: wtforms.IntegerField(s.label, [NumberRange(min=1)]),
    )
    assert len(made.validators) == 2
    assert (made.flags.min, made.flags.max) == (1, 9)


def test_a_blank_stands_for_none_and_nothing_else_does() -> None:
    blank = field(default=None, type=str, field=wtforms.StringField)
    first = field(default=None, type=str, field=lambda s: wtforms.SelectField(choices=["a"]))
    assert (blank.editable, first.editable) == (True, False)
