"""What WAFFLE_CONFS may say, and what a setting makes of it."""

from __future__ import annotations

import dataclasses
import logging
import threading
from typing import Any

import pytest
from flask import Flask
from flask_babel import Babel, LazyString, get_locale
from wtforms import DecimalField
from wtforms.validators import DataRequired, Length

from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.settings.attributes import READERS, SYNONYMS
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.needs import Need
from waffleconf_admin.settings.setting import Setting

TRANSLATED = LazyString(lambda: {"es": "Tienda"}.get(str(get_locale()), "Shop"))


def setting(**entry: Any) -> Setting:
    return declare({"KEY": entry})["KEY"]


class Lazy:
    """A translation that is made when it is shown, and not before."""

    def __str__(self) -> str:
        raise AssertionError("translated too early")

    __bool__ = __len__ = __eq__ = __str__  # type: ignore[assignment]
    __hash__ = object.__hash__


def test_settings_keep_their_order() -> None:
    assert list(declare({key: {"default": 1} for key in "CAB"})) == ["C", "A", "B"]


@pytest.mark.parametrize(
    ("key", "desc", "label"),
    [
        ("MAX_FILESIZE", "Max upload filesize", "Max upload filesize"),
        ("MAX_FILESIZE", None, "Max filesize"),
        ("MAX_FILESIZE", "", "Max filesize"),
        ("_", None, "_"),
        ("größe", None, "Größe"),
    ],
)
def test_the_label_is_the_description_or_made_from_the_key(
    key: str, desc: str | None, label: str
) -> None:
    assert declare({key: {"desc": desc, "default": 1}})[key].label == label


def test_lazy_texts_are_not_translated_at_init() -> None:
    lazy = Lazy()
    made = setting(desc=lazy, help=lazy, group=("Shop", lazy), default=1)
    assert made.label is made.help is made.group_label is lazy


@pytest.mark.parametrize(
    ("group", "name"), [("Shop", "Shop"), (("Shop", "Tienda"), "Shop"), (TRANSLATED, "Shop")]
)
def test_a_group_has_one_name_whatever_people_read(group: Any, name: str) -> None:
    app = Flask("shop")
    Babel(app, locale_selector=lambda: "es")
    with app.test_request_context():
        assert setting(group=group, default=1).group == name


def test_a_group_whose_name_can_not_be_read_is_refused() -> None:
    with pytest.raises(InvalidValue, match=r"group: .* write a pair, \(name, label\)"):
        setting(group=Lazy(), default=1)


@pytest.mark.parametrize(
    ("entry", "type_", "value_type", "optional"),
    [
        ({"default": 1}, None, int, False),
        ({"default": True}, None, bool, False),
        ({"default": None}, None, type(None), True),
        ({"default": None, "type": int}, int, int, True),
        ({"default": None, "type": "int"}, int, int, True),
        ({"default": 1, "type": "float"}, float, float, False),
        ({"default": {}, "type": "dict"}, dict, dict, False),
    ],
)
def test_the_type_is_the_declared_type_or_that_of_the_default(
    entry: dict[str, Any], type_: type | None, value_type: type, optional: bool
) -> None:
    made = setting(**entry)
    assert (made.type, made.value_type, made.optional) == (type_, value_type, optional)


@pytest.mark.parametrize(
    ("entry", "default"), [({}, ""), ({"type": "str"}, ""), ({"type": "int"}, None)]
)
def test_a_missing_default_is_blank_and_a_warning(
    entry: dict[str, Any], default: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert setting(**entry).default == default
    assert "KEY has no default" in caplog.text


def test_waffle_keys_are_left_out_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert list(declare({"WAFFLE_TEMPLATE": {"default": "x"}, "A": {"default": 1}})) == ["A"]
    assert "WAFFLE_TEMPLATE" in caplog.text


def test_unknown_attributes_are_ignored_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    assert setting(default=1, since="3.2").default == 1
    assert "KEY: unknown attribute since is ignored" in caplog.text


@pytest.mark.parametrize(
    ("name", "meant"),
    [("secert", "secret"), ("SECRET", "secret"), ("maximum", "max"), ("Defualt", "default")],
)
def test_an_attribute_that_resembles_one_of_ours_is_a_mistake(name: str, meant: str) -> None:
    with pytest.raises(InvalidValue, match=f"^KEY: {name}: .* {meant}"):
        declare({"KEY": {"default": 1, name: True}})


def test_a_fine_declaration_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    setting(desc="d", default=1, type=int, help="h", group="g", min=0, max=2, confirm=True)
    assert not caplog.records


OTHERS: dict[str, Any] = {
    "FINE": {"default": 1},
    "PLAN": {"default": "free", "choices": ["free", "gold"]},
    "TOKEN": {"default": "", "secret": True},
}


@pytest.mark.parametrize(
    ("entry", "attribute", "remedy"),
    [
        ("x", "dict", '{"default": 1}'),
        ({"type": "integer"}, "type", "'int'"),
        ({"type": 5}, "type", "write a type"),
        ({"default": "5", "type": int}, "type", "change one of them"),
        ({"default": True, "type": int}, "type", "bool"),
        ({"default": "c", "choices": ["a", "b"]}, "choices", "add it"),
        ({"default": ["a", "c"], "choices": ["a", "b"]}, "choices", "add it"),
        ({"default": "a", "choices": "abc"}, "choices", "write a list"),
        ({"default": 0, "min": 1}, "default", "at least 1"),
        ({"default": 9, "max": 5}, "default", "at most 5"),
        ({"default": "abc", "max": 2}, "default", "at most 2 characters"),
        ({"default": "abc", "min": True}, "min", "write whole numbers"),
        ({"default": 3, "min": 5, "max": 1}, "min", "exchange them"),
        ({"default": 3, "min": "1"}, "min", "must be numbers"),
        ({"default": "x", "min": 0.5}, "min", "whole numbers"),
        ({"default": True, "max": 1}, "max", "take them out"),
        ({"default": 1, "validators": DataRequired()}, "validators", "write a list"),
        ({"default": 1, "validators": [DataRequired]}, "validators", "DataRequired()"),
        ({"default": 1, "validators": ["x"]}, "validators", "function"),
        ({"default": 1, "desc": 5}, "desc: ", "write a text"),
        ({"default": 1, "help": ["h"]}, "help: ", "write a text"),
        ({"default": 1, "group": 5}, "group: ", "write the name of a group"),
        ({"default": 1, "group": ("a", 5)}, "group: ", "a pair, (name, label)"),
        ({"default": 1, "group": ("a", "b", "c")}, "group: ", "a pair, (name, label)"),
        ({"default": 1, "choices": 5}, "choices: ", "write a list"),
        ({"default": 1, "min": True}, "min", "must be numbers"),
        ({"default": 1, "secret": None}, "secret", "True or False"),
        ({"default": 1, "secret": "yes"}, "secret", "True or False"),
        ({"default": 1, "readonly": "no"}, "readonly", "True or False"),
        ({"default": 1, "confirm": 5}, "confirm: ", "a text, or a function"),
        ({"default": "", "secret": True, "confirm": max}, "confirm: ", "write a text"),
        ({"default": 1, "keywords": 5}, "keywords: ", "a list of texts"),
        ({"default": 1, "keywords": ["a", 5]}, "keywords: ", "a list of texts"),
        ({"default": 1, "needs": 5}, "needs: ", '{"MAIL_MODE": "smtp"}'),
        ({"default": 1, "needs": "FIEN"}, "needs: there is no setting FIEN", "write FINE"),
        ({"default": 1, "needs": ["FINE", "X"]}, "needs: ", "write the key of a setting"),
        ({"default": 1, "needs": "KEY"}, "needs: KEY needs KEY", "take out one of these"),
        ({"default": 1, "needs": {"PLAN": "smtp"}}, "'smtp' is no value of PLAN", "that it may"),
        ({"default": 1, "needs": {"TOKEN": "x"}}, "needs: ", "write 'TOKEN' alone"),
        ({"default": 1, "multiline": "no"}, "multiline", "True or False"),
        ({"default": 1, "field": DecimalField(places=2)}, "field", "lambda"),
        ({"default": 1, "field": DecimalField, "secret": True}, "field", "take out"),
    ],
)
def test_a_mistake_names_key_attribute_and_remedy(entry: Any, attribute: str, remedy: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        declare({**OTHERS, "KEY": entry})
    assert list(caught.value.errors) == ["KEY"]
    assert attribute in caught.value.errors["KEY"]
    assert remedy in caught.value.errors["KEY"]


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(InvalidValue) as caught:
        declare({"A": {"default": 1, "min": 2}, "B": 1, "C": {"default": 1}})  # type: ignore[dict-item]
    assert list(caught.value.errors) == ["A", "B"]


@pytest.mark.parametrize(
    ("declared", "needs"),
    [
        ("FINE", [Need("FINE")]),
        ({"PLAN": "gold"}, [Need("PLAN", "gold", True)]),
        (["FINE", {"PLAN": "gold", "FINE": 2}], ["FINE", "PLAN", "FINE"]),
        ((), []),
        (None, []),
    ],
)
def test_a_setting_may_need_several_others(declared: Any, needs: list[Any]) -> None:
    found = declare({**OTHERS, "KEY": {"default": 1, "needs": declared}})["KEY"].needs
    assert list(found) == needs or [need.key for need in found] == needs


def test_settings_that_need_each_other_are_a_mistake_of_each() -> None:
    needs = {"A": "B", "B": "C", "C": "A", "D": "A"}
    confs = {key: {"default": 1, "needs": other} for key, other in needs.items()}
    with pytest.raises(InvalidValue) as caught:
        declare(confs)
    assert caught.value.errors == {
        "A": "needs: A needs B needs C needs A: take out one of these",
        "B": "needs: B needs C needs A needs B: take out one of these",
        "C": "needs: C needs A needs B needs C: take out one of these",
    }


def test_a_setting_with_a_mistake_is_not_missing_to_what_needs_it() -> None:
    with pytest.raises(InvalidValue) as caught:
        declare({"A": {"default": 1, "min": 2}, "B": {"default": 1, "needs": "A"}})
    assert list(caught.value.errors) == ["A"]


@pytest.mark.parametrize(
    ("need", "met", "not_met"),
    [(Need("A"), [True, "x", 1], [False, "", None]), (Need("A", 1, True), [1], [True, 2, 1.0])],
)
def test_a_need_is_met_by_what_is_true_or_by_its_value(
    need: Need, met: list[object], not_met: list[object]
) -> None:
    assert all(map(need.is_met, met)) and not any(map(need.is_met, not_met))


@pytest.mark.parametrize("key", ["", "a\nb", "a\0", "\ud800", 5])
def test_a_key_that_no_page_could_hold_is_a_mistake(key: Any) -> None:
    with pytest.raises(InvalidValue, match="printable"):
        declare({key: {"default": 1}})


@pytest.mark.parametrize("confs", [None, [], "x"])
def test_confs_must_be_a_dict(confs: Any) -> None:
    with pytest.raises(InvalidValue, match="WAFFLE_CONFS must be a dict"):
        declare(confs)


def test_functions_of_choices_are_not_asked_at_init() -> None:
    def choices() -> list[str]:
        raise AssertionError("asked too early")

    setting(default="a", choices=choices)


def test_functions_of_choices_are_asked_each_time() -> None:
    choices = ["a"]
    made = setting(default="a", choices=lambda: choices)
    assert made.problem("b") is not None
    choices.append("b")
    assert made.problem("b") is None


def test_choices_that_can_not_be_listed_are_a_problem_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def choices() -> list[str]:
        raise LookupError

    assert "LookupError" in str(setting(default="a", choices=choices).problem("a"))
    assert "KEY: no choices" in caplog.text


def test_what_has_no_label_is_its_own() -> None:
    made = setting(default="a", choices=["a", ("b", "Bee"), 3])
    assert made.list_choices() == [("a", "a", ""), ("b", "Bee", ""), (3, "3", "")]
    assert setting(default="a").list_choices() is None


@pytest.mark.parametrize(
    ("entry", "value", "problem"),
    [
        ({"default": 1}, "anything", None),
        ({"default": 1, "type": int}, 2, None),
        ({"default": 1, "type": int}, True, "This must be a whole number, not bool."),
        ({"default": 1, "type": int}, "2", "This must be a whole number, not str."),
        ({"default": 1, "type": int}, None, "This must be a whole number, not NoneType."),
        ({"default": None, "type": int}, None, None),
        ({"default": None, "type": int, "min": 1}, None, None),
        ({"default": 1.5, "type": float}, 2, None),
        ({"default": 1.5, "type": float}, False, "This must be a number, not bool."),
        ({"default": True, "type": bool}, 1, "This must be yes or no (True or False), not int."),
        ({"default": 1, "choices": [1, 2]}, 2, None),
        ({"default": 1, "choices": [1, 2]}, 3, "This is not one of the choices."),
        ({"default": 1, "choices": [1, 2]}, True, "This is not one of the choices."),
        ({"default": 2, "choices": [2, True]}, 1, "This is not one of the choices."),
        ({"default": None, "choices": [1]}, None, None),
        ({"default": ["a"], "choices": ["a", "b"]}, ["b", "a"], None),
        ({"default": [1], "choices": [1]}, [2], "Something in this is not one of the choices."),
        ({"default": 2, "min": 2, "max": 2}, 2, None),
        ({"default": 2, "min": 1, "max": 5}, 1, None),
        ({"default": 2, "min": 1, "max": 5}, 5, None),
        ({"default": 2, "min": 1, "max": 5}, 0, "At least 1."),
        ({"default": 2, "min": 1, "max": 5}, 6, "At most 5."),
        ({"default": 2.0, "max": 5}, float("nan"), "At most 5."),
        ({"default": 2.0, "min": 1}, float("nan"), "At least 1."),
        ({"default": 2, "min": 1}, "abc", "This must be a whole number, not str."),
        ({"default": "ab", "max": 2}, "abc", "At most 2 characters."),
        ({"default": "ab", "min": 1}, "", "At least 1 character."),
        ({"default": "ab", "min": 1}, 5, "This must be text, not int."),
        ({"default": None, "max": 2}, "abc", "At most 2 characters."),
        ({"default": [1], "min": 1}, [], "At least 1 item."),
        ({"default": {}, "max": 0}, {"a": 1}, "At most 0 items."),
    ],
)  # fmt: skip
def test_declared_types_choices_and_limits_hold(
    entry: dict[str, Any], value: Any, problem: str | None
) -> None:
    assert setting(**entry).problem(value) == problem


def test_a_default_is_handed_out_as_a_copy() -> None:
    made = setting(default={"a": [1]})
    made.copy_default()["a"].append(2)
    assert made.default == {"a": [1]}


def test_a_default_is_what_was_declared_whatever_the_app_does_to_it() -> None:
    mails = ["ops@example.org"]
    made = setting(default=mails)
    mails.append("debug@example.org")
    assert made.default == made.copy_default() == ["ops@example.org"]


def test_a_setting_prints_without_its_default() -> None:
    made = setting(default="hunter2", secret=True, choices=["hunter2"], validators=[Length(max=9)])
    assert repr(made) == "<Setting 'KEY' str>"


def test_an_attribute_that_is_none_is_as_if_it_were_not_there() -> None:
    short = declare({"KEY": {"default": 1}})["KEY"]
    spelled = declare({"KEY": {"default": 1, "group": None, "min": None, "type": None}})["KEY"]
    for field in dataclasses.fields(Setting):
        assert getattr(spelled, field.name) == getattr(short, field.name)


class Plan:
    """A class without __eq__: an object of it equals only itself."""


@pytest.mark.parametrize("several", [False, True])
def test_a_default_without_eq_may_be_one_of_its_choices(several: bool) -> None:
    plan, other = Plan(), Plan()
    default: object = [plan] if several else plan
    entry = {"default": default, "choices": [(plan, "Free"), (other, "Pro")]}
    assert declare({"PLAN": entry})["PLAN"].default == default


def test_a_default_that_cannot_be_copied_is_a_mistake() -> None:
    with pytest.raises(InvalidValue, match="KEY: default: a lock can't be copied"):
        declare({"KEY": {"default": threading.Lock()}})


def test_a_default_that_was_read_as_a_pair_is_explained() -> None:
    with pytest.raises(InvalidValue, match="what has two items is a value with its label"):
        declare({"KEY": {"default": [1, 2], "choices": [[1, 2], [3, 4]]}})


def test_the_json_type_of_02_is_what_the_default_is() -> None:
    assert declare({"KEY": {"default": {}, "type": "json"}})["KEY"].value_type is dict


def test_choices_of_a_secret_that_fail_are_logged_without_their_message(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def choices() -> list[str]:
        raise ZeroDivisionError("hunter2")

    setting = declare({"KEY": {"default": "", "secret": True, "choices": choices}})["KEY"]
    assert setting.problem("x")
    assert "hunter2" not in caplog.text


@pytest.mark.parametrize(
    ("name", "meant"), [("label", "desc"), ("description", "desc"), ("hint", "help")]
)
def test_an_attribute_that_others_use_is_ignored_with_ours_in_the_warning(
    name: str, meant: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert setting(default=1, **{name: "Name of the site"}).label == "Key"
    assert f"unknown attribute {name} is ignored: write {meant}" in caplog.text


def test_a_synonym_that_resembles_another_attribute_is_a_mistake_that_names_the_right_one() -> None:
    assert all(name not in READERS and meant in READERS for name, meant in SYNONYMS.items())
    with pytest.raises(InvalidValue, match=r"section: .* Write group, if"):  # it is like "secret"
        declare({"KEY": {"default": 1, "section": "Mail"}})


@pytest.mark.parametrize(
    ("key", "warned"), [("a b", True), ("site-name", True), ("sitename", False), ("TAMAÑO", False)]
)
def test_a_key_that_no_attribute_can_read_is_a_warning(
    key: str, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert list(declare({key: {"default": 1}})) == [key]
    assert (f"conf[{key!r}] reads it" in caplog.text) is warned


def test_a_former_name_that_is_named_twice_is_one() -> None:
    assert declare({"A": {"default": 1, "was": ["B", "C", "B"]}})["A"].was == ("B", "C")


@pytest.mark.parametrize("name", ["", "B\n", "B\0", 1, None])
def test_a_former_name_is_a_text_that_can_be_printed(name: Any) -> None:
    with pytest.raises(InvalidValue, match="write the former name"):
        declare({"A": {"default": 1, "was": ["C", name]}})


def test_only_keys_that_begin_like_those_of_the_extension_are_left_out() -> None:
    assert [*declare({"WAFFLES": {"default": 1}, "WAFFLE_CHOICE": {"default": 1}})] == ["WAFFLES"]


@pytest.mark.parametrize(("default", "allowed"), [(0, False), (5, False), (-1, True)])
def test_a_file_size_is_negative_only_where_its_default_is(default: int, allowed: bool) -> None:
    setting = declare({"A": {"default": default, "type": "filesize"}})["A"]
    assert (setting.problem(-2) is None) is allowed
