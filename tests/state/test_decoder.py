"""Decoder: a row with nothing but a text and its value is read in a short way, as in the long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from hypothesis import given
from stored_values import VALUES

from waffleconf_admin.codec import FORMATS, serialize
from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.record import Record
from waffleconf_admin.settings.setting import EnvironmentValue
from waffleconf_admin.state.codec import Codec
from waffleconf_admin.state.decoder import Decoder

KEY = Fernet.generate_key()


def decoder(declaration: dict[str, Any], *, held: bool = False) -> Decoder:
    """A decoder of one setting, A.

    :param held: whether the environment has its value.
    """
    app = Flask("shop")
    app.config.update(WAFFLE_CLASSES=(), WAFFLE_ENCRYPTION_KEYS=[KEY], WAFFLE_SERIALIZER="pickle")
    settings = declare({"A": declaration})
    if held:
        settings = {"A": replace(settings["A"], environment=EnvironmentValue("APP_A", 7))}
    codec = Codec(app)
    codec.declare(settings)
    made = Decoder(codec)
    made.declare(settings)
    return made


def encrypted(value: object) -> str:
    app = Flask("shop")
    app.config.update(WAFFLE_CLASSES=(), WAFFLE_ENCRYPTION_KEYS=[KEY])
    return Codec(app).encryption.encrypt(serialize(value))


def facts(record: Record | None) -> Any:
    """All that a record says, to be compared."""
    if record is None:
        return None
    problem = record.problem and record.problem()
    return (*map(repr, record[:3]), problem, record.decrypted, facts(record.behind))


#: Declaration, stored text.
ROWS: dict[str, tuple[dict[str, Any], str | None]] = {
    "a value": ({"default": 1}, serialize(2)),
    "a list": ({"default": 1}, serialize([2])),
    "JSON": ({"default": 1}, "[2]"),
    "no row": ({"default": [1]}, None),
    "another type": ({"default": "1", "type": str}, serialize(2)),
    "converted": ({"default": 1, "type": int}, serialize("2")),
    "outside limits": ({"default": 1, "max": 5}, serialize(9)),
    "no choice": ({"default": 1, "choices": [1, 2]}, serialize(9)),
    "fits": ({"default": 1, "choices": [1, 2], "max": 5}, serialize(2)),
    "damaged": ({"default": 1}, "damaged"),
    "empty": ({"default": 1}, ""),
    "encrypted": ({"default": "1", "secret": True}, encrypted("2")),
    "encrypted, of another type": ({"default": 1, "type": int, "secret": True}, encrypted("x")),
}


@pytest.mark.parametrize("held", [False, True], ids=["database", "environment"])
@pytest.mark.parametrize(("declaration", "text"), ROWS.values(), ids=ROWS)
def test_a_row_of_any_sort_is_read_alike_in_both_ways(
    declaration: dict[str, Any], text: str | None, held: bool
) -> None:
    made = decoder(declaration, held=held)
    records = made.records({"A": text})
    assert facts(records["A"]) == facts(made._record("A", text))
    assert repr(records.served["A"]) == repr(records["A"].value)


def test_a_row_that_is_no_longer_declared_is_read_alike_in_both_ways() -> None:
    made = decoder({"default": 1})
    assert facts(made.records({"B": "text"})["B"]) == facts(made._record("B", "text"))


@given(VALUES)
def test_any_value_is_read_alike_in_both_ways_and_needs_no_record(value: object) -> None:
    made = decoder({"default": 1})
    for format in FORMATS:
        try:
            text = serialize(value, format=format)
        except InvalidValue:
            continue
        records = made.records({"A": text})
        assert facts(records["A"]) == facts(made._record("A", text))
        assert not records.others or records["A"].problem


#: Declaration, text and value that a save writes.
WRITTEN: dict[str, tuple[dict[str, Any], str, object]] = {
    "a list": ({"default": 1}, serialize([2]), [2]),
    "a secret": ({"default": "1", "secret": True}, encrypted("2"), "2"),
    "no choice any more": ({"default": 1, "choices": [1, 2]}, serialize(9), 9),
}


@pytest.mark.parametrize(("declaration", "text", "value"), WRITTEN.values(), ids=WRITTEN)
def test_what_a_save_writes_is_what_is_read_afterwards(
    declaration: dict[str, Any], text: str, value: object
) -> None:
    made = decoder(declaration)
    written = made.written(declare({"A": declaration}), {"A": (text, value)})
    assert facts(written["A"]) == facts(made.records({"A": text})["A"])


def test_each_text_that_does_not_fit_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    made = decoder({"default": 1, "type": int})
    for text in ("x", "x", "y", "y"):
        made.records({"A": serialize(text)})
    assert len(caplog.records) == 2
