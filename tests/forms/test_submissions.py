"""Submissions of a form: what they change, and what comes back after a mistake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from submissions import CONFS, EDITABLE, Page, posted, store, stored

from waffleconf_admin.fields import TextField


def test_only_the_fields_of_what_was_touched_are_made(app: Flask) -> None:
    page = Page(app)
    assert "TEXT" in page.fields
    with posted(app, page.fields) as form:
        assert form.is_submitted()
        assert form.validate_on_submit()
        assert (form.changes, form.expected, form._fields.made) == ({}, {}, {})
    page.fields["SIZE"] = "11"
    with posted(app, page.fields) as form:
        assert form.validate()
        assert (form.changes, list(form._fields.made)) == ({"SIZE": 11}, ["SIZE"])


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("NAME", "Crêperie", "Crêperie"),
        ("NAME", "", ""),
        ("SIZE", "20", 20),
        ("OPEN", "", False),
        ("RATE", "2", 2.0),
        ("THEME", "dark", "dark"),
        ("TEXT", "\r\nx\r\n", "\nx\n"),
        ("HOURS", '{"tue": null}', {"tue": None}),
        ("TOKEN", "correct horse", "correct horse"),
        ("NOTE", "x", "x"),
    ],
)
def test_what_is_typed_is_saved_and_nothing_else(
    app: Flask, key: str, text: str, value: Any
) -> None:
    before = stored(app)
    form = Page(app).send(**{key: text})
    assert form.changes == {key: value}
    if key == "TOKEN":  # a form has no need of a secret
        assert "hunter2" not in str(form.expected)
    else:
        assert form.expected == {key: before[key]}
    assert stored(app) == before | {key: value}


@pytest.mark.parametrize(
    ("key", "text"), [("SIZE", " 010 "), ("RATE", "1.50"), ("HOURS", '{"mon":[9,18]}')]
)
def test_another_way_to_write_the_same_value_is_no_change(app: Flask, key: str, text: str) -> None:
    assert Page(app).send(**{key: text}).changes == {}


@pytest.mark.parametrize("key", EDITABLE)
def test_an_absent_name_is_untouched_and_not_validated(app: Flask, key: str) -> None:
    form = Page(app).send((key,), **{"NAME" if key != "NAME" else "NOTE": "x"})
    assert key not in form.changes
    assert not form.errors


def test_untouched_values_are_not_validated(app: Flask) -> None:
    app.config["WAFFLE_CONFS"] = {**CONFS, "SIZE": {"default": 10}}
    store(app, SIZE=1000)
    app.config["WAFFLE_CONFS"] = CONFS
    assert Page(app).send(NAME="x").changes == {"NAME": "x"}


@pytest.mark.parametrize("token", [True, False])
@pytest.mark.parametrize("key", ["FIXED", "PAIR", "RATE"])
def test_what_may_not_be_edited_is_never_taken(app: Flask, key: str, token: bool) -> None:
    page = Page(app, editable=lambda setting: setting.key != "RATE")
    form = page.send(() if token else ("waffle_token",), **{key: "5"})
    assert (form.changes, form.errors) == ({}, {})


def test_names_that_are_no_settings_are_nothing(app: Flask) -> None:
    assert Page(app).send(NOBODY="x", WAFFLE_TEMPLATE="x").changes == {}


@pytest.mark.parametrize(("sent", "value"), [(["", "on"], True), (["on", ""], False)])
def test_a_name_sent_twice_is_read_as_its_control_means_it(
    app: Flask, sent: list[str], value: bool
) -> None:
    store(app, OPEN=not value)
    assert Page(app).send(OPEN=sent, NAME=["first", "second"]).changes == {
        "NAME": "first",
        "OPEN": value,
    }


class Stamped(TextField):
    def parse_value(self, text: str) -> str:
        return f"{text} (stamped)" if text else text


@pytest.mark.parametrize(
    ("key", "text", "why"),
    [
        ("HOURS", '{"mon": [1e999]}', "A number in this is too large."),
        ("HOURS", f'{{"a": "{"x" * 2**21}"}}', "it is too large for this page"),
        ("STAMP", "x", "this page could not give its value back unchanged"),
    ],
)
def test_what_nobody_could_change_again_is_not_saved(
    make_app: Callable[..., Flask], key: str, text: str, why: str
) -> None:
    app = make_app({**CONFS, "STAMP": {"default": "", "field": Stamped}})
    before = stored(app)
    page = Page(app)
    form = page.send(**{key: text})
    (error,) = form.errors[key]
    assert why in error
    assert stored(app) == before
    assert page.form[key].editable


def test_an_error_keeps_what_was_typed_and_writes_nothing(app: Flask) -> None:
    page = Page(app)
    before = stored(app)
    form = page.send(SIZE="1000", RATE="1,234", NAME="<new>", TEXT="x\r\ny", OPEN="")
    assert form.errors == {
        "SIZE": ["At most 100."],
        "RATE": ["This can mean 1234 or 1.234: enter one of these."],
    }
    assert stored(app) == before
    assert [page.fields[key] for key in ("SIZE", "RATE", "NAME", "TEXT", "OPEN")] == [
        "1000", "1,234", "<new>", "x\r\ny", "",
    ]  # fmt: skip
    assert page.send(SIZE="99", RATE="1.25").errors == {}
    assert stored(app) == before | {
        "SIZE": 99, "RATE": 1.25, "NAME": "<new>", "TEXT": "x\ny", "OPEN": False,
    }  # fmt: skip


def test_what_nobody_touched_shows_what_is_stored_by_now_when_a_page_comes_back(
    app: Flask,
) -> None:
    page = Page(app)
    store(app, NAME="Theirs")
    page.send(SIZE="0")
    assert page.fields["NAME"] == "Theirs"
    page.send(SIZE="5")
    assert (stored(app)["NAME"], stored(app)["SIZE"]) == ("Theirs", 5)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("NAME", "x" * 2**20),
        ("SIZE", "9" * 2**20),
        ("RATE", "9" * 2**20),
        ("HOURS", "[" * 2**20),
        ("HOURS", '{"a": "' + "x" * 2**20),
        ("THEME", "x" * 2**20),
        ("NAME", "a\0b"),
        ("TEXT", "\0"),
        ("TOKEN", "\0"),
        ("THEME", "neon"),
        ("THEME", ""),
    ],
    ids=lambda text: f"{text[:8]!r}",
)
def test_bad_input_is_an_error_at_its_field(app: Flask, key: str, text: str) -> None:
    before = stored(app)
    form = Page(app).send(**{key: text})
    assert list(form.errors) == [key]
    assert len(str(form.errors)) < 300
    assert stored(app) == before


def test_a_megabyte_of_text_is_fine(app: Flask) -> None:
    page = Page(app)
    page.send(TEXT="é\r\n" * 2**18)
    assert stored(app)["TEXT"] == "é\n" * 2**18
    assert page.send(NAME="x").changes == {"NAME": "x"}
    assert len(Page(app).form["TEXT"].value_text) <= 1000


def test_messages_of_a_failed_save_are_shown(app: Flask) -> None:
    with posted(app, {"SIZE": "5", "TOKEN": "new"}) as form:
        assert form.validate()
        form.add_errors({"SIZE": "Too small for this shop.", "HIDDEN": "Must end in 7."})
        assert form["SIZE"].errors == ["Too small for this shop."]
        assert form.form_errors == [
            "A rule about a setting that is not on this page does not allow this."
        ]
        assert form["TOKEN"].errors == [
            "Nothing is saved yet, and a secret is not shown: enter it again."
        ]


WHOLE = {
    "NAME": "Waffle", "SIZE": "10", "RATE": "1.5", "THEME": "light", "TEXT": "a\nb",
    "HOURS": "{}", "TOKEN": "", "NOTE": "",
}  # fmt: skip


def test_a_missing_box_is_unticked_in_a_whole_form_without_token(app: Flask) -> None:
    with posted(app, WHOLE) as form:
        form.validate()
        assert form.changes == {"OPEN": False, "HOURS": {}}


def test_changes_are_in_the_order_of_the_settings(app: Flask) -> None:
    sent = {"NOTE": "n", "TEXT": "t", "THEME": "dark", "RATE": "2", "SIZE": "11", "NAME": "x"}
    with posted(app, WHOLE | sent) as form:
        assert form.validate()
        assert len(form.changes) == 8  # two boxes are unticked
        assert list(form.changes) == [key for key in CONFS if key in form.changes]


@pytest.mark.parametrize("missing", WHOLE)
def test_a_missing_box_is_untouched_in_a_part_of_a_form(app: Flask, missing: str) -> None:
    with posted(app, {k: v for k, v in WHOLE.items() if k != missing}) as form:
        assert form.validate()
        assert "OPEN" not in form.changes


def test_a_missing_box_is_untouched_with_a_token(app: Flask) -> None:
    assert Page(app).send(("OPEN",)).changes == {}


def test_a_submission_without_any_setting_unticks_nothing(make_app: Callable[..., Flask]) -> None:
    with posted(make_app({"OPEN": {"default": True}}), {"other": "1"}) as form:
        assert form.validate()
        assert form.changes == {}
