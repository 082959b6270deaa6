"""Values: what is immutable, and copies that are what a stored text is read back as."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.settings.equality import same
from waffleconf_admin.state.copies import NoQuickCopy, is_immutable, quick_copy

LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates() | st.uuids()
    | st.timedeltas() | st.datetimes()
)  # fmt: skip
COPIED = st.recursive(
    LEAVES, lambda parts: st.lists(parts) | st.dictionaries(st.text(), parts), max_leaves=8
)


def containers(value: object) -> Iterator[int]:
    parts = value.values() if isinstance(value, dict) else value
    if isinstance(parts, list) or isinstance(value, dict):
        yield id(value)
        for part in parts:  # type: ignore[attr-defined]
            yield from containers(part)


@given(COPIED)
@example(["\ud800", "\0", -0.0, float("inf"), dt.datetime(2026, 10, 25, 2, 30, fold=1)])
def test_a_copy_is_what_the_stored_text_is_read_back_as(value: object) -> None:
    try:
        copied = quick_copy(value)
    except NoQuickCopy:  # deeply nested
        return
    assert same(copied, deserialize(serialize(value)))
    assert not set(containers(copied)) & set(containers(value))


NOT_SCALARS: list[Any] = [
    (1,), {1}, b"a", {1: 2}, {True: 1}, type("Text", (str,), {})("a"), type("List", (list,), {})(),
    [object()], [[[0]]], Decimal("1e9999"), dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", NOT_SCALARS)
def test_other_values_have_no_such_copy(value: object) -> None:
    with pytest.raises(NoQuickCopy):
        quick_copy(value)


@pytest.mark.parametrize("value", [[], {}, set(), bytearray(), ([],), object()])
def test_what_may_be_changed_in_place_is_not_immutable(value: object) -> None:
    assert not is_immutable(value)
