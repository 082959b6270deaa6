"""Values from code: checked, and saved as validators leave them."""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable
from typing import Any, Literal

import pytest
from flask import Flask
from wtforms import ValidationError

from waffleconf_admin import InvalidValue
from waffleconf_admin.settings.equality import same
from waffleconf_admin.state.task import RESET, Origin


def below_high(form: Any, field: Any) -> None:
    if field.data >= form["HIGH"].data:
        raise ValidationError("LOW must be below HIGH.")


def at_most_100(form: Any, field: Any) -> None:
    field.data = min(field.data, 100)


def at_least_20(form: Any, field: Any) -> None:
    field.data = max(field.data, 20)


def strip(form: Any, field: Any) -> None:
    field.data = field.data.strip()


def whole(form: Any, field: Any) -> None:
    field.data = int(field.data)


def lower(form: Any, field: Any) -> None:
    field.data = [each.lower() for each in field.data]


def sort(form: Any, field: Any) -> None:
    field.data.sort()


def clear_other(form: Any, field: Any) -> None:
    other = form["OTHER"].data
    (other if hasattr(other, "clear") else other[0]).clear()


@pytest.mark.parametrize(
    ("high", "new_values", "saved"),
    [
        (at_most_100, {"LOW": 150, "HIGH": 500}, None),
        (at_most_100, {"LOW": 50, "HIGH": 500}, {"LOW": 50, "HIGH": 100}),
        (at_least_20, {"LOW": 15, "HIGH": 10}, {"LOW": 15, "HIGH": 20}),
    ],
)
def test_a_rule_between_two_settings_holds_for_what_validators_leave_of_the_other(
    make_app: Callable[..., Flask],
    high: Callable[..., None],
    new_values: dict[str, Any],
    saved: dict[str, Any] | None,
) -> None:
    confs = {
        "LOW": {"default": 1, "validators": [below_high]},
        "HIGH": {"default": 60, "validators": [high]},
    }
    state = make_app(confs).extensions["waffleconf"]
    if saved is None:
        with pytest.raises(InvalidValue, match="LOW must be below HIGH"):
            state.update_db(new_values)
        assert state.parse_conf() == {"LOW": 1, "HIGH": 60}
    else:
        assert state.update_db(new_values) == saved


def test_a_rule_between_two_settings_holds_for_the_default_of_one_that_is_reset(
    make_app: Callable[..., Flask],
) -> None:
    confs = {"LOW": {"default": 1, "validators": [below_high]}, "HIGH": {"default": 60}}
    state = make_app(confs).extensions["waffleconf"]
    state.update_db({"HIGH": 90})
    with pytest.raises(InvalidValue, match="LOW must be below HIGH"):
        state.save({"LOW": 80, "HIGH": RESET}, {}, Origin(None, None, "code"))


def test_a_validator_that_never_leaves_a_value_alone_is_asked_twice(
    make_app: Callable[..., Flask],
) -> None:
    def add(form: Any, field: Any) -> None:
        field.data += 1

    state = make_app({"A": {"default": 0, "validators": [add]}}).extensions["waffleconf"]
    assert state.update_db({"A": 5}) == {"A": 7}


@pytest.mark.parametrize(
    ("entry", "value", "saved"),
    [
        ({"default": "", "type": "email", "validators": [strip]}, " a@b.org ", "a@b.org"),
        ({"default": "a", "type": Literal["a"], "validators": [strip]}, "a ", "a"),
        ({"default": ["a"], "type": list[Literal["a"]], "validators": [lower]}, ["A"], ["a"]),
        ({"default": ["a"], "validators": [sort]}, ["c", "b"], ["b", "c"]),
        ({"default": 1, "validators": [whole]}, 2.0, 2),
        ({"default": 1, "validators": [whole]}, True, 1),
    ],
)
def test_a_validator_may_make_a_value_fit_its_declaration(
    make_app: Callable[..., Flask], entry: dict[str, Any], value: object, saved: object
) -> None:
    state = make_app({"A": entry}).extensions["waffleconf"]
    assert same(state.update_db({"A": value})["A"], saved)


def test_a_validator_gets_no_value_of_another_class(make_app: Callable[..., Flask]) -> None:
    asked = list[object]()

    def note(form: Any, field: Any) -> None:
        asked.append(field.data)

    confs = {
        "A": {"default": "", "type": "email", "validators": [note]},
        "B": {"default": "b", "validators": [strip]},
    }
    state = make_app(confs).extensions["waffleconf"]
    with pytest.raises(InvalidValue, match="an e-mail address, not int"):
        state.update_db({"A": 5, "B": "new"})
    assert (asked, state.parse_conf()) == ([], {"A": "", "B": "b"})


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        ({"default": "", "type": "email", "validators": [strip]}, 5, "an e-mail address, not int"),
        ({"default": "", "type": "email", "validators": [strip]}, "a@ b", "an e-mail address, "),
        ({"default": [], "type": list[str], "validators": [lower]}, [5], r"of the type list\[str"),
        ({"default": "a", "type": Literal["a"], "validators": [strip]}, "b", "one of the choices"),
        ({"default": ["a"], "type": list[Literal["a"]], "validators": [lower]}, ["B"], "choices"),
    ],
)
def test_what_is_of_another_class_or_does_not_fit_when_it_is_cleaned_is_refused(
    make_app: Callable[..., Flask], entry: dict[str, Any], value: object, message: str
) -> None:
    state = make_app({"A": entry}).extensions["waffleconf"]
    with pytest.raises(InvalidValue, match=message):
        state.update_db({"A": value})


@pytest.mark.parametrize(
    "other", [["a"], (["a"],), {"a": "b"}, {"a"}, deque(["a"]), bytearray(b"a")], ids=repr
)
def test_a_validator_changes_no_value_in_place_but_its_own(
    make_app: Callable[..., Flask], other: object
) -> None:
    confs: dict[str, Any] = {
        "LIST": {"default": [], "validators": [clear_other, sort]},
        "OTHER": {"default": other},
    }
    app = make_app(confs)
    state, before = app.extensions["waffleconf"], copy.deepcopy(other)
    state.update_db({"OTHER": other})
    given = ["b", "a"]
    assert state.update_db({"LIST": given}) == {"LIST": ["a", "b"]}
    assert (given, other, app.config["OTHER"]) == (["b", "a"], before, before)
    assert state.parse_conf() == {"LIST": ["a", "b"], "OTHER": before}


class Uncopyable:
    def __deepcopy__(self, memo: object) -> None:
        raise RuntimeError("not to be copied")


def test_a_value_that_holds_what_can_not_be_copied_is_refused(
    make_app: Callable[..., Flask],
) -> None:
    confs = {"LIST": {"default": [], "validators": [lambda form, field: None]}}
    state = make_app(confs).extensions["waffleconf"]
    with pytest.raises(InvalidValue):
        state.update_db({"LIST": [Uncopyable()]})
