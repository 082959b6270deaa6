"""A member of an Enum that its class does not have any more, or has under another name."""

from __future__ import annotations

import enum
import traceback
from typing import Any

import pytest

from waffleconf_admin.codec import FORMATS, Allowed, deserialize, serialize
from waffleconf_admin.exceptions import InvalidValue

Plan: Any = None


def made(base: Any, **members: object) -> Any:
    """A class in the place of any other that was made here."""
    globals()["Plan"] = base("Plan", members, module=__name__)
    return Plan


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("base", "before", "now"),
    [
        (enum.Enum, {"FREE": "a", "GOLD": "hush"}, {"FREE": "a"}),
        (enum.Enum, {"FREE": (1, 2), "GOLD": (3, 4)}, {"FREE": (1, 2)}),
        (enum.StrEnum, {"FREE": "a", "GOLD": "hush"}, {"FREE": "a"}),
        (enum.IntEnum, {"FREE": 1, "GOLD": 2}, {"FREE": 1}),
        (enum.Flag, {"FREE": 1, "GOLD": 2}, {"FREE": 1}),
    ],
)
def test_a_member_that_is_gone_is_no_damage_and_is_not_named(
    base: Any, before: dict[str, object], now: dict[str, object], format: Any
) -> None:
    text, cls = serialize(made(base, **before).GOLD, format=format), made(base, **now)
    with pytest.raises(InvalidValue) as caught:
        deserialize(text, Allowed([cls]).with_enums([cls]))
    assert str(caught.value) == "class Plan has no such member"
    assert "hush" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("format", FORMATS)
def test_a_renamed_member_is_found_by_its_value_and_the_alias_of_its_former_name(
    format: Any,
) -> None:
    text = serialize(made(enum.Enum, FREE="a", GOLD="b").GOLD, format=format)
    cls = made(enum.Enum, FREE="a", PREMIUM="b", GOLD="b")
    assert deserialize(text, Allowed([cls]).with_enums([cls])) is cls.PREMIUM
