"""Allowed: which class a stored name leads to, also where it has moved to another module."""

from __future__ import annotations

import base64
import enum
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest
from flask import Flask

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import Allowed, deserialize, serialize

MakeApp = Callable[..., Flask]

SOURCE = """
import enum

class Plan(enum.Enum):
    FREE = "free"
    GOLD = "gold"

class Rights(enum.Flag):
    READ = 1
    WRITE = 2

class Shop:
    class Theme(enum.Enum):
        LIGHT = "light"
        DARK = "dark"

class Point:
    def __init__(self, x):
        self.x = x
    def __eq__(self, other):
        return isinstance(other, Point) and self.x == other.x
"""


class Loud(ModuleType):
    """A module whose attributes must not be looked up: that may import it, or run code."""

    def __getattribute__(self, name: str) -> Any:
        raise AssertionError(f"{name} was looked up")


def make_module(name: str, module_type: type[ModuleType] = ModuleType, source: str = SOURCE) -> Any:
    made = module_type(name)
    names = object.__getattribute__(made, "__dict__")
    sys.modules[name] = made
    exec(source, names)
    return made


@pytest.fixture
def modules() -> Iterator[tuple[Any, Any]]:
    """The module that the classes were in, and the one in which they are now."""
    yield make_module("shop_models"), make_module("shop_enums")
    sys.modules.pop("shop_models", None)
    del sys.modules["shop_enums"]


def test_a_former_name_leads_to_the_class(modules: Any) -> None:
    old, new = modules
    stored = [serialize(value) for value in (old.Plan.GOLD, old.Point(5), old.Shop.Theme.DARK)]
    del sys.modules["shop_models"]
    former = {
        "shop_models.Plan": new.Plan,
        "shop_models.Point": new.Point,
        "shop_models.Shop.Theme": new.Shop.Theme,
    }
    values = [deserialize(text, Allowed((), former)) for text in stored]
    assert values == [new.Plan.GOLD, new.Point(5), new.Shop.Theme.DARK]
    for text in stored:
        with pytest.raises(InvalidValue, match=r"class shop_models\..* is not allowed"):
            deserialize(text, former.values())


@pytest.mark.parametrize("module_type", [ModuleType, Loud])
def test_an_alias_at_the_old_place_leads_to_the_class(
    modules: Any, module_type: type[ModuleType]
) -> None:
    old, new = modules
    stored = [serialize(value) for value in (old.Plan.GOLD, old.Point(5), old.Shop.Theme.DARK)]
    make_module("shop_models", module_type, "from shop_enums import Plan, Point, Shop")
    classes = [new.Plan, new.Point, new.Shop.Theme]
    values = [deserialize(text, classes) for text in stored]
    assert values == [new.Plan.GOLD, new.Point(5), new.Shop.Theme.DARK]
    with pytest.raises(InvalidValue, match=r"class shop_models\.Point is not allowed"):
        deserialize(stored[1], [new.Plan])  # an alias of what is not allowed is none


def test_nothing_is_imported_to_find_an_alias(modules: Any) -> None:
    _, new = modules
    text = base64.b64encode(b"\x80\x02cantigravity\nPoint\n)\x81.")
    with pytest.raises(InvalidValue, match=r"class antigravity\.Point is not allowed"):
        deserialize(text, [new.Point])
    assert "antigravity" not in sys.modules


def test_an_enum_is_found_by_its_name(modules: Any) -> None:
    old, new = modules
    allowed = Allowed([new.Plan, new.Rights, new.Shop.Theme])
    for value, made in [
        (old.Plan.GOLD, new.Plan.GOLD),
        (old.Rights.READ | old.Rights.WRITE, new.Rights.READ | new.Rights.WRITE),
        (old.Shop.Theme.DARK, new.Shop.Theme.DARK),
        ([old.Plan.FREE, {"a": old.Plan.GOLD}], [new.Plan.FREE, {"a": new.Plan.GOLD}]),
    ]:
        assert deserialize(serialize(value), allowed.with_enums(allowed.classes)) == made
        with pytest.raises(InvalidValue, match=r"class shop_models\..* is not allowed"):
            deserialize(serialize(value), allowed)  # of a setting without it


def test_a_value_that_the_enum_does_not_have_is_refused(modules: Any) -> None:
    old, _ = modules

    class Plan(enum.Enum):
        FREE = "free"

    Plan.__qualname__ = "Plan"
    with pytest.raises(InvalidValue):
        deserialize(serialize(old.Plan.GOLD), Allowed([Plan]).with_enums([Plan]))


def test_two_enums_of_one_name_are_not_guessed_between(modules: Any) -> None:
    old, new = modules
    third = make_module("shop_third")
    allowed = Allowed([new.Plan, third.Plan])
    with pytest.raises(InvalidValue, match=r"class shop_models\.Plan is not allowed"):
        deserialize(serialize(old.Plan.GOLD), allowed.with_enums([new.Plan, third.Plan]))
    assert (
        deserialize(serialize(old.Plan.GOLD), allowed.with_enums([third.Plan])) is third.Plan.GOLD
    )


def test_a_class_that_is_no_enum_is_not_found_by_its_name(modules: Any) -> None:
    old, new = modules
    with pytest.raises(InvalidValue, match=r"class shop_models\.Point is not allowed"):
        deserialize(serialize(old.Point(5)), Allowed([new.Point]).with_enums([new.Point]))


def test_an_app_keeps_the_member_of_an_enum_that_has_moved(
    modules: Any, make_app: MakeApp, orm: str
) -> None:
    old, new = modules
    make_app({"PLAN": {"default": old.Plan.FREE}}, orm).extensions["waffleconf"].update_db(
        {"PLAN": old.Plan.GOLD}
    )
    app = make_app({"PLAN": {"default": new.Plan.FREE}, "OTHER": {"default": 1}}, orm)
    assert app.extensions["waffleconf"].parse_conf(["PLAN"]) == {"PLAN": new.Plan.GOLD}


def test_an_app_reads_objects_by_their_former_name(
    modules: Any, make_app: MakeApp, orm: str
) -> None:
    old, new = modules
    before = make_app({"AT": {"default": old.Point(1)}}, orm)
    before.extensions["waffleconf"].update_db({"AT": old.Point(5)})
    former = {"shop_models.Point": new.Point}
    state = make_app({"AT": {"default": None}}, orm, WAFFLE_CLASSES=former).extensions["waffleconf"]
    assert state.parse_conf() == {"AT": new.Point(5)}
    assert state.update_db({"AT": new.Point(6)})  # which is stored by its own name
    again = make_app({"AT": {"default": None}}, orm, WAFFLE_CLASSES=[new.Point])
    assert again.extensions["waffleconf"].parse_conf() == {"AT": new.Point(6)}


@pytest.mark.parametrize(
    "classes",
    [{"Plan": enum.Enum}, {5: enum.Enum}, {"a.b": "shop.Plan"}, {"a.b": enum.Enum, ".": int}],
)
def test_a_wrong_mapping_of_classes_is_an_error_at_the_start(
    make_app: MakeApp, classes: dict[Any, Any]
) -> None:
    with pytest.raises(ValueError, match=r'WAFFLE_CLASSES .*\{"shop\.models\.Plan": Plan\}'):
        make_app({}, WAFFLE_CLASSES=classes)


def test_a_declared_enum_that_is_not_allowed_is_found_by_no_name() -> None:
    class Plan(enum.Enum):
        FREE = "free"

    assert Allowed([Plan]).with_enums([Plan]).find(("gone", Plan.__qualname__)) is Plan
    assert Allowed([]).with_enums([Plan]).find(("gone", Plan.__qualname__)) is None
