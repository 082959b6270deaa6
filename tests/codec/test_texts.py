"""Texts of either format: values come back unchanged, with the same types all the way down."""

from __future__ import annotations

import base64
import datetime
import pickletools
import zoneinfo
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from stored_values import CLASSES, ENUMS, KEYS, LARGE, PARIS, STANDARD, VALUES, Point, same_or_nan

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import FORMATS, Format, deserialize, format_of, is_text_of, serialize
from waffleconf_admin.codec.makers import _known_zone
from waffleconf_admin.settings.equality import same
from waffleconf_admin.time_zones import time_zones

formats = pytest.mark.parametrize("format", FORMATS)


@formats
@pytest.mark.parametrize("value", STANDARD + ENUMS)
def test_a_value_comes_back(value: Any, format: Format) -> None:
    assert same_or_nan(deserialize(serialize(value, format=format), CLASSES), value)


@formats
@pytest.mark.parametrize("key", KEYS)
def test_a_key_comes_back(key: Any, format: Format) -> None:
    for value in ({key: 1}, {key}, frozenset({(key, (key,))})):
        assert same(deserialize(serialize(value, format=format), CLASSES), value)


@formats
@pytest.mark.parametrize("value", LARGE.values(), ids=LARGE)
def test_a_large_value_comes_back(value: Any, format: Format) -> None:
    assert same(deserialize(serialize(value, format=format)), value)


@formats
@given(value=VALUES)
def test_any_value_comes_back_equal_and_of_the_same_type(value: Any, format: Format) -> None:
    text = serialize(value, format=format)
    read = deserialize(text, CLASSES)
    assert type(read) is type(value)
    assert same_or_nan(read, value)
    assert format_of(text) == format


@formats
@given(value=VALUES)
def test_a_text_that_is_like_no_other_has_the_same_value(value: Any, format: Format) -> None:
    texts = {serialize(value, unique=True, format=format) for _ in range(3)}
    assert len(texts) == 3
    for text in texts:
        assert same_or_nan(deserialize(text, CLASSES), value)
        assert format_of(text) == format
        assert not is_text_of(text, value)


@formats
def test_the_fold_of_a_datetime_survives(format: Format) -> None:
    late = datetime.datetime(2026, 10, 25, 2, 30, tzinfo=PARIS, fold=1)
    read = deserialize(serialize({"at": [late]}, format=format))["at"][0]
    assert (read.fold, read.utcoffset()) == (1, late.utcoffset())


@formats
def test_the_file_of_a_time_zone_is_read_once(format: Format) -> None:
    names = ["Europe/Paris", "Asia/Tokyo", "UTC", "Etc/GMT+3", "America/Lima"] * 3
    zones = [zoneinfo.ZoneInfo(name) for name in (*names, *sorted(time_zones())[:20])]
    before = _known_zone.cache_info().misses
    assert deserialize(serialize(zones * 50, format=format)) == zones * 50
    assert _known_zone.cache_info().misses - before <= 25


@pytest.mark.parametrize("text", ["A" * (16 * 2**20 + 1), f'"{"a" * (16 * 2**20)}"'])
def test_a_long_text_is_refused_before_it_is_decoded(text: str) -> None:
    with pytest.raises(InvalidValue, match="longer"):
        deserialize(text)


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("{}", "json"), (" [1]", "json"), ("-5", "json"), ("7", "json"), ("true", "json"),
        ("null", "json"), ("false", "json"), ("\n\tfalse\r\n", "json"), ('"gAJLGi4="', "json"),
        ("gAJLGi4=", "pickle"), ("gAR9lC4=", "pickle"), ("KGRwMAou", "pickle"),
        ("fXEALg==", "pickle"), ("falsefalse==", "pickle"), ("", "pickle"), ("SVU=", "pickle"),
    ],
)  # fmt: skip
def test_the_format_of_a_text_is_seen_by_how_it_begins(text: str, format: Format) -> None:
    assert format_of(text) == format


def test_no_pickle_begins_as_json_does() -> None:
    """The first byte of a pickle is an opcode."""
    for opcode in pickletools.opcodes:
        raw = opcode.code.encode("latin-1")
        for rest in (b"", b"\0\0", b"\x7f\x7f", b"\xff\xff"):
            assert format_of(base64.b64encode(raw + rest).decode()) == "pickle", opcode.name


CHANGED = [
    ([1, 2], [1, 2, 3]), ([1], [True]), ([1], (1,)), ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ({"a": [0.0]}, {"a": [-0.0]}), ([Decimal("1.5")], [Decimal("1.50")]), ({1: 2}, {True: 2}),
    ([datetime.datetime(2026, 10, 25, 2, 30)], [datetime.datetime(2026, 10, 25, 2, 30, fold=1)]),
    ({"a": 1}, {"a": Point(1)}), ([1], [lambda: 0]), (["a"], [["a"]]), ([1.0], [1]),
]  # fmt: skip


@formats
@pytest.mark.parametrize(("value", "other"), CHANGED)
def test_a_text_is_that_of_a_value_until_it_is_changed_in_place(
    value: Any, other: Any, format: Format
) -> None:
    text = serialize(value, format=format)
    assert is_text_of(text, deserialize(text, CLASSES))
    assert not is_text_of(text, other)


@pytest.mark.parametrize("text", ["é", "gAR", "", "[1", '{"$tuple": [1]}'])
def test_another_text_is_not_that_of_a_value(text: str) -> None:
    assert not is_text_of(text, [1])
