"""Settings classes: what they declare, and which are refused."""

from __future__ import annotations

import enum
import pathlib
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, NewType
from uuid import UUID

import annotated_types as at
import pytest
from every_type import Theme

from waffleconf_admin import InvalidValue, Settings, setting
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.typed import as_declarations

UserId = NewType("UserId", int)
Positive = Annotated[int, at.Ge(1)]


def declared(annotation: Any, *values: Any, **attributes: Any) -> dict[str, Any]:
    """The declaration that a class with one setting makes."""
    body: dict[str, Any] = {"__annotations__": {"KEY": annotation}, "__module__": __name__}
    if values:
        body["KEY"] = setting(*values, **attributes)
    confs: Any = as_declarations(type("Shop", (Settings,), body))
    declare(confs)  # the ordinary way finds nothing wrong with it
    return dict(confs["KEY"])


def refusal(annotation: Any, *values: Any, **attributes: Any) -> str:
    with pytest.raises(InvalidValue) as caught:
        declared(annotation, *values, **attributes)
    assert list(caught.value.errors) == ["KEY"]
    return caught.value.errors["KEY"]


def test_a_class_becomes_a_dict_of_declarations() -> None:
    class Shop(Settings):
        SITENAME: str = setting("Waffle", desc="Name of the site", group="Shop")
        MAX_FILESIZE: Annotated[int, at.Ge(1)] = setting(1000, unit="bytes")
        MODE: Literal["live", "closed"] = setting("live")
        OPEN: bool = True

    assert as_declarations(Shop) == {
        "SITENAME": {
            "type": str,
            "default": "Waffle",
            "desc": "Name of the site",
            "group": "Shop",
        },
        "MAX_FILESIZE": {"type": int, "default": 1000, "unit": "bytes", "min": 1},
        "MODE": {"type": Literal["live", "closed"], "default": "live"},
        "OPEN": {"type": bool, "default": True},
    }


@pytest.mark.parametrize(
    ("annotation", "default", "value_type"),
    [
        (bool, True, bool),
        (int, 1, int),
        (float, 1, float),
        (str, "a", str),
        (Decimal, Decimal("1.5"), Decimal),
        (date, date(2026, 1, 31), date),
        (datetime, datetime(2026, 1, 31, tzinfo=UTC), datetime),
        (time, time(12), time),
        (timedelta, timedelta(1), timedelta),
        (UUID, UUID(int=1), UUID),
        (pathlib.Path, pathlib.Path("a"), pathlib.Path),
        (Theme, Theme.DARK, Theme),
        (list, [1], list),
        (list[str], ["a"], list),
        (set[int], {1}, set),
        (tuple[int, str], (1, "a"), tuple),
        (tuple[int, ...], (), tuple),
        (dict[str, list[int]], {"a": [1]}, dict),
        (dict[str, Any], {"a": None}, dict),
        (UserId, 1, int),
        (list[UserId], [1], list),
        ("Positive", 1, int),
        ("list[Theme]", [Theme.DARK], list),
    ],
)
def test_an_annotation_declares_the_type(annotation: Any, default: Any, value_type: Any) -> None:
    made = declare({"KEY": declared(annotation, default)})["KEY"]
    assert made.value_type is value_type
    assert made.problem(default) is None
    assert made.type_problem(object()) is not None
    assert not made.optional and made.type_problem(None) is not None


@pytest.mark.parametrize("default", [None, 5])
@pytest.mark.parametrize("annotation", [int | None, "int | None", Positive | None])
def test_an_optional_setting_may_be_none_whatever_its_default(
    annotation: Any, default: Any
) -> None:
    made = declare({"KEY": declared(annotation, default)})["KEY"]
    assert made.optional
    assert [made.type_problem(value) is None for value in (None, 1, "1")] == [True, True, False]


@pytest.mark.parametrize(
    ("annotation", "default", "choices"),
    [
        (Literal["live", "closed"], "live", ["live", "closed"]),
        (Literal["live", None], None, ["live"]),
        (Literal[1, "one"], 1, [1, "one"]),
        (list[Literal["Mon", "Tue"]], [], ["Mon", "Tue"]),
        (set[Theme], set(), list(Theme)),
        (Theme, Theme.DARK, None),  # the members of an Enum follow from its type
    ],
)
def test_literals_and_enums_are_choices(annotation: Any, default: Any, choices: Any) -> None:
    made = declare({"KEY": declared(annotation, default)})["KEY"]
    assert (made.choices and [choice.value for choice in made.choices]) == choices  # type: ignore[union-attr]


def test_choices_of_a_literal_may_have_labels() -> None:
    entry = declared(Literal["live", "closed"], "live", choices={"live": "Open", "closed": "Shut"})
    made = declare({"KEY": entry})["KEY"]
    assert [choice.label for choice in made.list_choices() or ()] == ["Open", "Shut"]


def test_choices_that_a_literal_does_not_have_are_refused() -> None:
    with pytest.raises(InvalidValue, match="KEY: choices: one of them is not what type says"):
        declared(Literal["live", "closed"], "live", choices=["live", "open"])


class Bounds:
    """A constraint of another library, with the attributes of annotated-types."""

    def __init__(self, **limits: Any) -> None:
        vars(self).update(limits)

    def __repr__(self) -> str:
        return f"Bounds({vars(self)})"  # in the name of a test, the same in each process


@pytest.mark.parametrize(
    ("annotation", "default", "limits"),
    [
        (Annotated[int, at.Ge(1), at.Le(9)], 5, {"min": 1, "max": 9}),
        (Annotated[int, at.Gt(0), at.Lt(10)], 5, {"min": 1, "max": 9}),
        (Annotated[int, at.Gt(0.5), at.Lt(9.5)], 5, {"min": 1, "max": 9}),
        (Annotated[int, at.Interval(ge=1, lt=10)], 5, {"min": 1, "max": 9}),
        (Annotated[Positive, at.Ge(3)], 5, {"min": 3}),
        (Annotated[int | None, at.Ge(1)], None, {"min": 1}),
        (Annotated[float, at.Ge(0)], 1.5, {"min": 0}),
        (Annotated[date, at.Gt(date(2026, 1, 1))], date(2026, 2, 1), {"min": date(2026, 1, 2)}),
        (Annotated[timedelta, at.Gt(timedelta())], timedelta(1), {"min": timedelta.resolution}),
        (Annotated[str, at.MinLen(1), at.MaxLen(9)], "a", {"min": 1, "max": 9}),
        (Annotated[str, at.Len(1, 9)], "a", {"min": 1, "max": 9}),
        (Annotated[list[str], at.MinLen(1)], ["a"], {"min": 1}),
        (Annotated[int, "only a comment", at.doc("another")], 1, {}),
        (Annotated[int, Bounds(ge=1, multiple_of=None)], 1, {"min": 1}),
    ],
    ids=str,
)
def test_limits_of_annotated_are_min_and_max(annotation: Any, default: Any, limits: Any) -> None:
    entry = declared(annotation, default)
    assert {name: entry[name] for name in ("min", "max") if name in entry} == limits


@pytest.mark.parametrize(
    ("annotation", "default", "says"),
    [
        (Annotated[float, at.Gt(0)], 1.0, "write Ge, which includes the limit"),
        (Annotated[str, at.Ge("a")], "b", "write MinLen or MaxLen"),
        (Annotated[int, at.MinLen(1)], 1, "write Ge or Le"),
        (Annotated[int, at.MultipleOf(5)], 5, "can't say MultipleOf"),
        (Annotated[int, Bounds(ge=1, multiple_of=5)], 5, "can't say Bounds"),
        (Annotated[str, at.Predicate(str.islower)], "a", "can't say Predicate"),
        (Annotated[int, 7], 5, "can't say int"),
        (Annotated[int, at.Ge], 5, "can't say Ge"),
        (Annotated[Literal["a"], at.MinLen(1)], "a", "one type that has an order"),
        (list[Annotated[int, at.Ge(1)]], [1], "can't limit the items"),
    ],
    ids=str,
)
def test_a_constraint_that_can_not_be_held_is_refused(
    annotation: Any, default: Any, says: str
) -> None:
    message = refusal(annotation, default)
    assert says in message
    assert "write" in message


@pytest.mark.parametrize(
    ("annotation", "given", "says"),
    [
        (str, {"default": 5}, "default: it is of type int, and the annotation says str"),
        (str, {"default": None}, "default: .* write str | None"),
        (int, {"default": True}, "default: it is of type bool"),
        (list[str], {"default": [1]}, r"default: .* says list\[str\]"),
        (Literal["a"], {"default": "b"}, "default: .*Literal"),
        (int | str, {"default": 1}, "have one type, beside None"),
        (list["Missing"], {"default": []}, "name 'Missing' is not defined.* define it above"),  # type: ignore[name-defined]  # noqa: F821
        (type[int], {"default": int}, "no value can be checked .* write a class"),
        (str, {}, "it has no default: write = setting"),
        (int, {"default": 1, "type": int}, "type: the annotation says it: take it out"),
        (int, {"default": 1, "type": "email"}, "type: 'email' goes with the annotation str"),
        (Positive, {"default": 1, "min": 0}, "min: the annotation has a limit too"),
    ],
    ids=str,
)
def test_a_mistake_is_an_error_when_the_class_is_made(
    annotation: Any, given: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidValue, match=says):
        declared(annotation, *([given.pop("default")] if given else []), **given)


def test_what_the_class_lets_pass_the_ordinary_checks_find() -> None:
    with pytest.raises(InvalidValue, match=r"KEY: secert: .* Write secret"):
        declared(str, "", secert=True)
    with pytest.raises(InvalidValue, match="KEY: default: it is outside min and max"):
        declared(Positive, 0)


@pytest.mark.parametrize("name", ["now", "_SITENAME", "WAFFLE_CONFS"])
def test_a_reserved_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match=f"{name}: now, and names .* are reserved: rename it"):
        type("Shop", (Settings,), {"__annotations__": {name: "str"}, name: setting("")})


def test_a_value_without_a_type_is_refused_and_all_mistakes_are_named() -> None:
    with pytest.raises(InvalidValue) as caught:

        class Shop(Settings):
            SITENAME = setting("Waffle")
            SIZE = 5
            TOKEN: str

    assert list(caught.value.errors) == ["SITENAME", "SIZE", "TOKEN"]
    assert "write SITENAME: str = setting" in caught.value.errors["SITENAME"]


def test_what_is_no_setting_is_left_alone() -> None:
    class Shop(Settings):
        """Methods, properties, classes and class variables."""

        TABLE: ClassVar[dict[str, int]] = {"a": 1}

        class Mode(enum.Enum):
            LIVE = 1

        MODE: Mode = setting(Mode.LIVE)

        def hello(self) -> str:
            return "hello"

    assert Shop.TABLE == {"a": 1}
    assert Shop.now().hello() == "hello"
    assert list(as_declarations(Shop)) == ["MODE"]  # type: ignore[call-overload]


def test_a_type_of_the_function_around_is_refused_with_the_remedy() -> None:
    """Annotations are strings here, and no string says which function it stood in."""

    class Local:
        pass

    with pytest.raises(InvalidValue, match=r"'Local' is not defined.*leave out `from __future__"):

        class Shop(Settings):
            KEY: Local = setting(Local())


class Base(Settings):
    SITENAME: str = setting("Waffle", desc="Name")
    TOKEN: str = setting("", secret=True)


class Shop(Base):
    SITENAME: str = setting("Shop")
    SIZE: int = setting(1)


class Mail(Settings):
    SIZE: int = setting(2)


def test_a_subclass_adds_and_replaces_declarations() -> None:
    confs: Any = as_declarations(Shop)
    assert list(confs) == ["SITENAME", "TOKEN", "SIZE"]
    assert confs["SITENAME"] == {"type": str, "default": "Shop"}
    assert as_declarations(Base)["SITENAME"]["default"] == "Waffle"  # type: ignore[index]


def test_a_class_of_two_has_the_settings_of_both() -> None:
    class Both(Base, Mail):
        pass

    assert set(as_declarations(Both)) == {"SITENAME", "TOKEN", "SIZE"}  # type: ignore[call-overload]
    with pytest.raises(InvalidValue, match="no_default: it has no default"):

        class Third(Both):
            no_default: int


def test_a_setting_outside_a_settings_class_is_an_error() -> None:
    with pytest.raises((TypeError, RuntimeError)) as caught:  # Python 3.11 wraps it

        class Mixin:
            SIZE: int = setting(1)

    assert "write class Mixin(Settings)" in str(caught.value.__cause__ or caught.value)


def test_several_classes_and_dicts_are_one_dict() -> None:
    class Other(Base):
        COLOUR: str = setting("red")

    more = {"LIMIT": {"default": 5}}
    confs: Any = as_declarations((Base, Other, more))
    assert list(confs) == ["SITENAME", "TOKEN", "COLOUR", "LIMIT"]
    assert confs["LIMIT"] is more["LIMIT"]


@pytest.mark.parametrize(
    ("confs", "says"),
    [
        ([Shop, Mail], "SIZE: Shop and Mail both declare it: rename one"),
        ([Base, Shop], "SITENAME: Base and Shop both declare it: rename one"),
        ([Mail, {"SIZE": {"default": 1}}], "SIZE: Mail and a dict both declare it: rename one"),
    ],
)
def test_a_key_that_two_declare_is_an_error_that_names_both(confs: Any, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        as_declarations(confs)


@pytest.mark.parametrize("confs", [{"A": {"default": 1}}, [1], Shop.now(), str, None, []])
def test_anything_else_is_left_to_the_ordinary_checks(confs: Any) -> None:
    assert as_declarations(confs) is confs or as_declarations(confs) == {}
