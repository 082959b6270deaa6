"""Pickles: texts that Flask-WaffleConf 0.3.1 reads, and those that it wrote."""

from __future__ import annotations

import base64
import pickle
import sys
import threading
from typing import Any

import pytest
from stored_values import (
    CLASSES,
    ENUMS,
    OBJECTS,
    STANDARD,
    Days,
    Names,
    Pair,
    Point,
    Shop,
    same_or_nan,
)

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import classes_in, deserialize, serialize


def stored(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", STANDARD + ENUMS + OBJECTS, ids=repr)
def test_every_protocol_is_read(value: Any, protocol: int) -> None:
    assert same_or_nan(deserialize(stored(pickle.dumps(value, protocol)), CLASSES), value)


@pytest.mark.parametrize("value", [*OBJECTS, {Pair(1, "a"): {Pair(2, "b")}}], ids=repr)
def test_an_object_of_a_declared_class_comes_back(value: Any) -> None:
    assert same_or_nan(deserialize(serialize(value), CLASSES), value)


def test_the_format_is_that_of_031() -> None:
    # What 0.3.1 writes on Python 3.9, and what it can read on any Python.
    assert deserialize("gASVBQAAAAAAAACMAXiULg==") == "x"
    assert pickle.loads(base64.b64decode(serialize(["x", b"y"]))) == ["x", b"y"]
    assert base64.b64decode(serialize("x")).startswith(b"\x80\x02")


def test_bytes_and_line_breaks_of_other_base64_writers_are_read() -> None:
    text = base64.encodebytes(pickle.dumps("x" * 200))
    assert b"\n" in text.strip()
    assert deserialize(text) == deserialize(text.decode()) == "x" * 200


def test_text_of_python_2_is_read() -> None:
    assert deserialize(stored(b"S'crepe'\n.")) == "crepe"
    assert deserialize(stored("Vcr\xeape\n.".encode("latin1"))) == "crêpe"
    assert deserialize(stored(b"c__builtin__\nxrange\n(I0\nI3\nI1\ntR.")) == range(3)


@pytest.mark.parametrize("value", [lambda: 0, threading.Lock(), sys.stdout])
def test_a_value_that_cannot_be_pickled_is_refused(value: Any) -> None:
    with pytest.raises(InvalidValue, match="can't be stored"):
        serialize(value)


def test_classes_are_refused_unless_declared() -> None:
    text = serialize(Point(1))
    assert deserialize(text, [Point]) == Point(1)
    with pytest.raises(InvalidValue, match=r"class .*\.Point is not allowed"):
        deserialize(text)


@pytest.mark.parametrize("text", ["x", "gAR!", "é", "=", "gASVBQ"])
def test_a_text_that_is_not_base64_of_a_pickle_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        deserialize(text)


def test_the_classes_of_a_default_are_found_inside_it() -> None:
    default = {"a": [Point(Shop.Theme.DARK)], "b": Names([Days.MON])}
    assert classes_in(default) == {Point, Shop.Theme, Names, Days}
    # What it keeps in attributes may be the whole app.
    assert classes_in(default, attributes=False) == {Point, Names, Days}


def test_a_class_as_a_default_allows_nothing() -> None:
    assert classes_in([int, type, len, lambda: 0]) == set()
