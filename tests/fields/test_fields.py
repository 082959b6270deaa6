"""Our fields: how values are shown as text, read from text, and look in HTML."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
import wtforms
from controls import Stored, control, field, read, setting, tags
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms.validators import DataRequired, NumberRange

from waffleconf_admin import fields
from waffleconf_admin.fields import binding
from waffleconf_admin.forms import show_text
from waffleconf_admin.forms.form import SettingsForm
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.equality import same
from waffleconf_admin.settings.setting import Setting

# Text to value


@pytest.mark.parametrize(
    ("default", "text", "value"),
    [
        (1, "5", 5),
        (1, " +5 ", 5),
        (1, "-0", 0),
        (1, "007", 7),
        (1, "9" * 4000, int("9" * 4000)),
        (1.5, "5", 5.0),
        (1.5, "-0", -0.0),
        (1.5, ".5", 0.5),
        (1.5, "1e-3", 0.001),
        (1.5, "1E308", 1e308),
        (float("inf"), "-inf", float("-inf")),
        ("x", "", ""),
        ("x", "  a  ", "  a  "),
        ("x", "a\r\nb\rc\n", "a\nb\nc\n"),
        ("x", "None", "None"),
        (None, "", None),
        (None, " ", " "),
        ([], "[1, 2.0, null]", [1, 2.0, None]),
        ([], "\n[]\n ", []),
        ({}, '{"é": {"b": []}}', {"é": {"b": []}}),
        ({}, '{"a": "\\u00e9\\n"}', {"a": "é\n"}),
        (True, "off", False),
        (True, "0", False),
        (False, "YES", True),
        (False, " true ", True),
    ],
)
def test_a_text_is_read(default: Any, text: str, value: Any) -> None:
    assert same(read(text, default=default), value)


@pytest.mark.parametrize(
    "entry", [{}, {"choices": ["a"]}, *({"type": t} for t in (int, float, str, bool, dict, list))]
)
def test_blank_is_none_where_the_default_is(entry: dict[str, Any]) -> None:
    assert read("", default=None, **entry) is None


@pytest.mark.parametrize(
    ("default", "text", "message"),
    [
        (1, "", "Write a whole number, such as 1000."),
        (1, "abc", "Write a whole number, such as 1000."),
        (1, "1.5", "Write a whole number, such as 1000."),
        (1, "1_0", "Write a whole number, such as 1000."),
        (1, "nan", "Write a whole number, such as 1000."),
        (1, "٣", "Write a whole number, such as 1000."),
        (1, "1_000", "Write the number with nothing between the digits, such as 1000."),
        (1, "1 000", "Write the number with nothing between the digits, such as 1000."),
        (1, "1,000,000", "Write the number with nothing between the digits, such as 1000."),
        (1, "1.000", "Write the number with nothing between the digits, such as 1000."),
        (1, "1\u202f000", "Write the number with nothing between the digits, such as 1000."),
        (1, "9" * 5000, "This number has too many digits."),
        (1.5, "", "Write a number, such as 1.5."),
        (1.5, "abc", "Write a number, such as 1.5."),
        (1.5, "1,5", "Write a point before the decimals and nothing else, such as 1000.5."),
        (1.5, "1 000.5", "Write a point before the decimals and nothing else, such as 1000.5."),
        (1.5, "1e999", "This number is too large."),
        (1.5, "inf", "Write a number that has an end, such as 1000000."),
        (1.5, "nan", "Write a number that has an end, such as 1000000."),
        (1.5, "infinity", "Write a number, such as 1.5."),
        ("x", "a\0b", "A NUL character can't be kept: take it out."),
        ("x", "\ud800", "Some of this is not text: write it anew."),
        (True, "maybe", "Write true or false."),
        (True, "", "Write true or false."),
        ([], "", "Line 1, column 1: a value is missing (text needs double quotes)."),
        ([], "[1 2]", "Line 1, column 4: a comma is missing, or a bracket."),
        ([], "[\n1,\n2", "Line 3, column 2: a comma is missing, or a bracket."),
        ({}, '{"a" 1}', "Line 1, column 6: a colon is missing after the name."),
        ({}, "{a: 1}", "Line 1, column 2: a name in double quotes is missing."),
        ([], "[1] x", "Line 1, column 5: something follows after the end."),
        ([], '["a', "Line 1, column 2: the text that begins here has no closing quote."),
        ([], '["\n"]', "Line 1, column 3: within text, write a new line as \\n and a tab as \\t."),
        ([], '["\\q"]', "Line 1, column 3: within text, write a backslash as \\\\."),
        ([], "{}", 'Write a list, in square brackets: ["a", "b"].'),
        ({}, "[]", 'Write names with values, in curly brackets: {"name": "value"}.'),
        ({}, '{"a": 1, "a": 2}', "The name “a” is there twice: take one out."),
        ([], "[NaN]", "NaN is not a number in JSON."),
        ([], f"[{'9' * 5000}]", "A number in this has too many digits."),
        ([], "[1e999]", "A number in this is too large."),
        ({}, '{"a": [-1.5e999]}', "A number in this is too large."),
        ([], "[" * 100_000, "There are too many brackets inside each other."),
        ([], '["\\ud800"]', "After a \\u there is half a character: write the character itself."),
    ],
    ids=lambda case: repr(case)[:30].encode("ascii", "replace").decode(),
)  # fmt: skip
def test_a_text_that_is_no_value_gets_a_clear_message(
    default: Any, text: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read(text, default=default)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ([], False),
        ([""], False),
        (["", "on"], True),
        (["on", ""], False),
        (["y"], True),
        (["anything"], True),
        *([[word], False] for word in ("false", "False", "0", "no", "OFF", "n", " off ")),
    ],
)
def test_a_box_reads_the_last_value(sent: list[str], value: bool) -> None:
    made = field(default=not value)
    binding.take(made, sent)
    assert made.data is value


def test_other_controls_read_the_first_value() -> None:
    made = field(default="x")
    binding.take(made, ["first", "second"])
    assert made.data == "first"


# Value to text and back

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\0"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner),
    max_leaves=10,
)  # fmt: skip
PLAIN = st.booleans() | st.integers() | st.floats() | TEXTS
VALUES = PLAIN | st.lists(JSON) | st.dictionaries(TEXTS, JSON)


@given(VALUES)
def test_the_text_of_a_default_is_read_as_that_value(value: Any) -> None:
    made = setting(default=value)
    alone = binding.alone(made, fields.choose(made))
    assert same(alone.read(alone.show(value)), value)
    assert alone.gives_back(value)


@pytest.mark.parametrize("value", [2, -3, 2**53])
def test_a_whole_number_is_fine_where_decimals_are_declared(value: int) -> None:
    made = field(value, default=1.5)
    assert made.editable
    assert made.text == str(value)


@pytest.mark.parametrize(
    ("value", "entry", "why"),
    [
        ("5", {"default": 1}, "it is of type str, and this control is for a whole number"),
        (True, {"default": 1}, "it is of type bool"),
        (1, {"default": True}, "it is of type int"),
        (None, {"default": 1}, "it is of type NoneType"),
        (5, {"default": "x"}, "it is of type int, and this control is for text"),
        (5, {"default": None}, "it is of type int"),
        ("", {"default": None}, "could not give its value back"),
        ("a\r\nb", {"default": "x"}, "could not give its value back"),
        ("a\0b", {"default": "x"}, "could not give its value back"),
        ("\ud800", {"default": "x"}, "could not give its value back"),
        (10**5000, {"default": 1}, "too many digits"),
        (2**53 + 1, {"default": 1.5}, "more digits"),
        (float("nan"), {"default": 1.5}, "could not give its value back"),
        ({1: 2}, {"default": {}}, "could not give its value back"),
        ([(1, 2)], {"default": []}, "could not give its value back"),
        ([{1}], {"default": []}, "JSON can't hold"),
        ([10**5000], {"default": []}, "JSON can't hold"),
        (["x" * 2**21], {"default": []}, "too large"),
        ({}, {"default": []}, "it is of type dict"),
        ((1, (2, 3)), {"default": (1, 2)}, "could not give its value back"),
        (1j, {"default": 1j}, "no control for values of type complex"),
        (object, {"default": object}, "no control for values of type type"),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_its_field_could_not_give_back_is_static_with_the_reason(
    value: Any, entry: dict[str, Any], why: str
) -> None:
    made = field(value, **entry)
    assert (made.control, made.editable) == ("static", False)
    assert made.reason.startswith("It is changed from code: ")
    assert why in made.reason
    assert len(made.shown_text) <= 1000
    made().encode()


class Nasty:
    def __str__(self) -> str:
        raise LookupError("<b>")


def test_a_value_that_does_not_print_is_shown_by_its_type() -> None:
    assert "Nasty" in field(default=Nasty()).shown_text


class Money(int):
    pass


def test_what_inherits_finds_the_field_of_its_base() -> None:
    assert fields.choose(setting(default=Money(5))) is fields.IntegerField
    assert fields.choose(setting(default=True)) is fields.BooleanField
    assert fields.choose(setting(default=None, type=bool)) is fields.OptionalBooleanField


# Choices


def test_choices_keep_their_types() -> None:
    entry = {"default": 1, "choices": [1, "1", True, 1.0, None, ("b", "Bee")]}
    made = field(**entry)
    texts = [text for text, _ in made.options()]
    assert len(set(texts)) == 6
    for text, choice in zip(texts, made.setting.list_choices() or (), strict=True):
        assert same(read(text, **entry), choice.value)


@pytest.mark.parametrize("value", ["a\rb", "a\0b", "\ud800", "x" * 5000, "", "a\nb"])
def test_a_choice_that_html_would_spoil_goes_by_another_text(value: str) -> None:
    entry = {"default": value, "choices": [value, "other"]}
    [text, _] = [text for text, _ in field(**entry).options()]
    assert read(text, **entry) == value
    assert not set(text) & {"\r", "\0"}
    assert len(text.encode()) < 4000


def test_a_stored_value_that_is_no_choice_any_more_is_offered_as_such_but_not_accepted() -> None:
    made = field("old", default="a", choices=["a", "b"])
    assert made.editable
    assert made.options()[-1] == ("old", "old (no longer a choice)")
    assert [button.checked for button in made] == [False, False, True]
    binding.take(made, ["old"])
    assert made.process_errors == ["This is not one of the choices."]


@pytest.mark.parametrize(("count", "kind"), [(2, "radio"), (4, "radio"), (5, "select")])
def test_few_choices_are_radio_buttons_and_many_a_select(count: int, kind: str) -> None:
    made = field(default=0, choices=list(range(count)))
    assert made.control == kind
    checked = [attrs for _, attrs in tags(made()) if "checked" in attrs or "selected" in attrs]
    assert [attrs["value"] for attrs in checked] == ["0"]
    names = {attrs.get("name") for _, attrs in tags(made())} - {None}
    assert names == {"KEY"}


def test_radio_buttons_can_be_placed_one_by_one() -> None:
    buttons = list(field(default="b", choices=["a", ("b", "<Bee>")]))
    assert [button.label.text for button in buttons] == ["a", "<Bee>"]
    html = [tags(button(class_="x"))[0][1] for button in buttons]
    assert [("checked" in attrs, attrs["value"]) for attrs in html] == [(False, "a"), (True, "b")]
    assert len({attrs["id"] for attrs in html}) == 2


def test_choices_that_can_not_be_listed_make_it_static(caplog: pytest.LogCaptureFixture) -> None:
    made = field(default="a", choices=lambda: 1 / 0)
    assert "at the moment" in made.reason
    assert "ZeroDivisionError" in caplog.text


# HTML

ABSENT = "absent"


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        ({"default": 5}, 5, {"type": "number", "value": "5", "step": ABSENT}),
        ({"default": 5, "min": 1, "max": 9}, 5, {"min": "1", "max": "9"}),
        ({"default": 5, "min": 0.5, "max": 9.5}, 5, {"min": "1", "max": "9"}),
        ({"default": 5, "max": float("inf")}, 5, {"max": ABSENT}),
        ({"default": 5, "min": 1, "max": 9}, 50, {"min": "1", "max": ABSENT}),
        ({"default": 5, "min": 1, "max": 9}, 0, {"min": ABSENT, "max": "9"}),
        ({"default": 5, "validators": [NumberRange(2, 8)]}, 5, {"min": "2", "max": "8"}),
        ({"default": 5}, 2**60, {"type": "text", "inputmode": "decimal"}),
        ({"default": 0.5, "min": 0.1}, 0.5, {"type": "text", "inputmode": "decimal"}),
        ({"default": 0.5}, 1e308, {"type": "text", "inputmode": ABSENT, "value": "1e+308"}),
        ({"default": float("inf")}, float("inf"), {"type": "text", "value": "inf"}),
        ({"default": None, "type": int, "min": 3}, None, {"value": "", "min": "3"}),
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
    binding.take(made, ["five"])
    assert (control(made)["type"], control(made)["value"]) == ("text", "five")


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
        form = SettingsForm(settings, {key: Stored(1) for key in KEYS})
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


# Secrets


@pytest.mark.parametrize(
    "entry",
    [
        {"default": "hunter2"},
        {"default": "hunter2", "multiline": True},
        {"default": "hunter2", "readonly": True},
        {"default": "hunter2", "choices": ["hunter2"]},
        {"default": ["hunter2"]},
        {"default": ("hunter2",)},
    ],
)
def test_a_secret_is_nowhere_in_its_field(entry: dict[str, Any]) -> None:
    made = field(secret=True, **entry)
    seen = [made(), made.shown_text, made.default_text, made.data, made.label(), made.reason]
    seen += [made, made.setting, made._value(), made.text]
    assert "hunter2" not in str(seen)


def test_what_was_typed_for_a_secret_is_not_rendered() -> None:
    made = field(default="", secret=True)
    binding.take(made, ["hunter2"])
    assert made.data == "hunter2"
    assert "hunter2" not in made() + made._value()


def test_a_secret_is_read_as_its_kind() -> None:
    assert read("5", default=1, secret=True) == 5
    assert read("a\r\nb", default="", secret=True, multiline=True) == "a\nb"
    assert tags(field(default="", secret=True, multiline=True)())[0][0] == "textarea"


# Fields of WTForms


class Upper(wtforms.StringField):
    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0].upper() if valuelist else ""


def several(setting: Setting) -> Any:
    return wtforms.SelectMultipleField(choices=[wtforms.SelectChoice(x) for x in "abc"])


CUSTOM: list[tuple[Any, Any, list[str]]] = [
    (wtforms.StringField, "x", ["x"]),
    (wtforms.BooleanField, True, ["y"]),
    (wtforms.BooleanField, False, []),
    (several, ["a", "c"], ["a", "c"]),
    (several, [], []),
    (lambda s: wtforms.SelectField(choices=[wtforms.SelectChoice("a")]), "a", ["a"]),
    (lambda s: wtforms.DateField(s.label), datetime.date(2026, 1, 2), ["2026-01-02"]),
]


@pytest.mark.parametrize(("made", "value", "sent"), CUSTOM)
def test_any_field_of_wtforms_is_a_control(made: Any, value: Any, sent: list[str]) -> None:
    shown = field(default=value, field=made)
    assert (shown.control, shown.editable) == ("custom", True), shown.reason
    assert shown.basis == binding.marked("\0".join(sent), type(shown))
    assert shown.label.text == "Key"
    binding.take(shown, [*([""] if isinstance(shown, binding.SILENT) else []), *sent])
    assert same(shown.data, value)


def test_a_field_that_may_send_nothing_has_a_hidden_companion() -> None:
    shown = field(default=True, field=wtforms.BooleanField)
    assert [attrs["type"] for _, attrs in tags(shown())] == ["hidden", "checkbox"]
    binding.take(shown, [""])
    assert shown.data is False


@pytest.mark.parametrize(
    ("made", "value"),
    [
        (Upper, "lower"),
        (lambda s: wtforms.DecimalField(places=1), 1.25),
        (lambda s: wtforms.SelectField(choices=[wtforms.SelectChoice("a")]), "z"),
        (lambda s: wtforms.FieldList(wtforms.StringField()), ["a"]),
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


class Wordless(fields.IntegerField):
    def display(self, value: Any) -> str:
        raise OverflowError


def test_a_field_without_words_for_a_value_leaves_it_to_python() -> None:
    made = field(7, default=5, field=Wordless)
    assert (made.editable, made.shown_text, made.default_text) == (True, "7", "5")


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
    made.widget = lambda field, **kwargs: 1 / 0
    html = made()
    assert f'<output id="waffle-KEY">{text}</output>' in html
    assert not made.editable
    assert "can't be made at the moment" in made.reason
    assert 'class="wf-reason"' in html
    assert "KEY has failed" in caplog.text and "ZeroDivisionError" in caplog.text
    assert "hunter2" not in html + caplog.text


def test_our_own_fields_can_be_extended() -> None:
    class Percent(fields.IntegerField):
        def show_some(self, value: Any) -> str:
            return f"{value} %"

        def parse_some(self, text: str) -> int:
            return super().parse_some(text.removesuffix("%").strip())

    made = field(default=50, field=Percent)
    assert (made.text, made.editable) == ("50 %", True)
    made.process(MultiDict({"KEY": "75%"}))
    assert made.data == 75


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([], "[]"),
        ({"mon": [["09:00", "18:00"]]}, '{"mon": [["09:00", "18:00"]]}'),
        (
            {"mon": [["09:00", "12:30"], ["14:00", "18:00"]]},
            '{\n  "mon": [\n    ["09:00", "12:30"],\n    ["14:00", "18:00"]\n  ]\n}',
        ),
        (["x" * 50], f'[\n  "{"x" * 50}"\n]'),
    ],
)
def test_json_has_short_lists_on_one_line(value: Any, text: str) -> None:
    setting = declare({"A": {"default": value}})["A"]
    assert show_text(setting, value) == text
