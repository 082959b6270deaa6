"""Fields of secrets."""

from __future__ import annotations

from typing import Any

import pytest
from controls import field, read, tags

from waffleconf_admin.fields.binding import process_values


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
    seen = [made(), made.value_text, made.default_text, made.data, made.label(), made.reason]
    seen += [made, made.setting, made._value(), made.text]
    assert "hunter2" not in str(seen)


def test_what_was_typed_for_a_secret_is_not_rendered() -> None:
    made = field(default="", secret=True)
    process_values(made, ["hunter2"])
    assert made.data == "hunter2"
    assert "hunter2" not in made() + made._value()


def test_a_secret_is_read_as_its_type() -> None:
    assert read("5", default=1, secret=True) == 5
    assert read("a\r\nb", default="", secret=True, multiline=True) == "a\nb"
    assert tags(field(default="", secret=True, multiline=True)())[0][0] == "textarea"


@pytest.mark.parametrize(
    ("entry", "sent", "wanted"),
    [
        ({}, ["", "clear"], ""),
        ({"min": 1}, ["", "clear"], "It can't be cleared: enter a new one."),
        ({"choices": ["hunter2"]}, ["", "clear"], "It can't be cleared: enter a new one."),
        ({}, ["new", "clear"], "Enter a new one, or tick “Clear it”: not both."),
    ],
)
def test_a_secret_is_cleared_where_it_may_be_blank(
    entry: dict[str, Any], sent: list[str], wanted: str
) -> None:
    made = field(default="hunter2", secret=True, **entry)
    assert made.clearable is not ("min" in entry or "choices" in entry)
    process_values(made, sent)
    assert (made.process_errors or [made.data]) == [wanted]
