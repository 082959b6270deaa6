"""Types that are written as annotations: what is served of a stored value, and saved."""

from __future__ import annotations

from typing import Any, List, Literal  # noqa: UP035

import pytest
from every_type import Theme

from waffleconf_admin import InvalidValue
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.setting import Setting

MODES = Literal["live", "closed", 1]


def setting(type_: Any, default: Any, **attributes: Any) -> Setting:
    return declare({"KEY": {"default": default, "type": type_, **attributes}})["KEY"]


@pytest.mark.parametrize(
    ("type_", "default", "stored", "served"),
    [
        (MODES, "live", "closed", "stored"),
        (MODES, "live", "open", "default"),  # of a former declaration, say
        (MODES, "live", "1", "converted"),
        (MODES, "live", None, "default"),
        (MODES | None, "live", None, "stored"),
        (int | None, 5, None, "stored"),
        (int | None, 5, "7", "converted"),
        (int | None, 5, "many", "default"),
        (list[str], [], ["a"], "stored"),
        (list[str], [], [1], "default"),
        (list[str], [], '["a"]', "converted"),
        (list[str], [], "[1]", "default"),
        (list[int], [], [True], "default"),
        (list[str | None], [], ["a", None], "stored"),
        (list[list[int]], [], [[1], []], "stored"),
        (list[list[int]], [], [[1], ["a"]], "default"),
        (list[MODES], [], ["live", 1], "stored"),
        (list[MODES], [], ["open"], "default"),
        (list[Theme], [], [Theme.DARK], "stored"),
        (set[int], set(), {1}, "stored"),
        (set[int], set(), {"a"}, "default"),
        (dict[str, int], {}, {"a": 1}, "stored"),
        (dict[str, int], {}, {"a": "b"}, "default"),
        (dict[str, int], {}, {1: 1}, "default"),
        (dict[str, Any], {}, {"a": object}, "stored"),
        (tuple[int, str], (1, "a"), (2, "b"), "stored"),
        (tuple[int, str], (1, "a"), (2,), "default"),
        (tuple[int, ...], (), (1, 2, 3), "stored"),
        (tuple[int, ...], (), [1, 2], "converted"),
        (List[int], [], [1], "stored"),  # noqa: UP006
    ],
    ids=str,
)
def test_a_value_is_served_if_it_is_what_the_annotation_says(
    type_: Any, default: Any, stored: Any, served: str
) -> None:
    made = setting(type_, default)
    assert made.serve(stored)[1] == served
    assert (made.type_problem(stored) is None) == (served == "stored")


def test_the_message_says_what_was_declared() -> None:
    made = setting(dict[str, int], {})
    assert made.problem({"a": "b"}) == "This must be of the type dict[str, int]."
    assert made.problem([]) == "This must be names with values (a dict), not list."
    assert setting(MODES, "live").problem("open") == "This is not one of the choices."
    several = setting(list[MODES], [])
    assert several.problem(["open"]) == "Something in this is not one of the choices."


@pytest.mark.parametrize(
    ("type_", "default", "says"),
    [
        (int | str, 1, "type: values of a setting have one type, beside None"),
        (list[Any | type[int]], [], "type: no value can be checked against type"),
        (list[int], ["a"], r"default: This must be of the type list\[int\]"),
        (MODES, "open", "choices: the default is not one of them"),
    ],
    ids=str,
)
def test_an_annotation_that_can_not_hold_is_refused(type_: Any, default: Any, says: str) -> None:
    with pytest.raises(InvalidValue, match=says):
        setting(type_, default)
