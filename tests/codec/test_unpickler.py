"""Unpickler: nothing that a text names is imported or called, and limits hold."""

from __future__ import annotations

import base64
import pickle
import pickletools
import struct
import traceback
from typing import Any

import pytest
from hostile import run_alone
from hostile_pickles import CLASSES, HERE, Names, Slotted, Theme, call, name, text
from hypothesis import given
from hypothesis import strategies as st

from waffleconf_admin import InvalidValue
from waffleconf_admin.codec import deserialize, serialize
from waffleconf_admin.codec.limits import MAX_DIGITS
from waffleconf_admin.codec.unpickler import OPCODES

#: These refer to what is not in the pickle.
REFUSED = {
    "PERSID": b"Pid\n",
    "BINPERSID": b"NQ",
    "EXT1": b"\x82\x01",
    "EXT2": b"\x83\x01\x00",
    "EXT4": b"\x84\x01\x00\x00\x00",
    "NEXT_BUFFER": b"\x97",
    "READONLY_BUFFER": b"C\x01x\x98",
}
VALUE = {
    "a": [1, 2.5, None, True, "é", b"\xff"],
    "b": ({1}, frozenset({2}), Theme.DARK, Names(["n"])),
}
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


def read(raw: bytes) -> Any:
    return deserialize(base64.b64encode(raw), CLASSES)


def test_every_opcode_of_this_python_is_either_allowed_or_refused() -> None:
    """One that a newer Python adds is refused until somebody has looked at it."""
    known = {opcode.name for opcode in pickletools.opcodes}
    assert known == OPCODES | REFUSED.keys()
    assert not OPCODES & REFUSED.keys()


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
def test_an_opcode_that_is_not_in_the_table_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidValue, match="damaged"):
        read(raw + b".")


def test_hostile_texts_are_refused_within_limits_of_time_and_memory() -> None:
    run_alone("hostile_pickles")


# What is said of a text does not quote it

SECRET = "hunter2-hunt"
QUOTED = {
    "a member that is gone": call(HERE, "Theme", text(SECRET)),
    "a time zone that is gone": call("zoneinfo", "ZoneInfo._unpickle", text(SECRET), b"K\x01"),
    "an address": call("ipaddress", "IPv4Address", text(SECRET)),
    "a Decimal": call("decimal", "Decimal", text(SECRET)),
    "a Fraction": call("fractions", "Fraction", text(SECRET)),
    "an encoding": call("_codecs", "encode", text("x"), text(SECRET)),
    "a float": f"F{SECRET}\n".encode(),
    "an int": f"I{SECRET}\n".encode(),
    "a long": f"L{SECRET}\n".encode(),
    "an index of the memo": f"g{SECRET}\n".encode(),
    "a text without quotes": f"S{SECRET}\n".encode(),
    "a class": name(SECRET, SECRET),
    "a class with blanks": name("the key is", "5"),
    "a class of texts": text(SECRET) + text("x") + b"\x93",
    "a class in a class": call("builtins", "getattr", name(HERE, "Theme"), text(SECRET)),
    "a class of an instance": f"(i{SECRET}\nx\n".encode(),
    "a call of a text": text(SECRET) + b")R",
    "an object of a text": text(SECRET) + b")\x81",
    "the state of a text": text(SECRET) + b"Nb",
    "an item of a text": text(SECRET) + b"Na",
    "an attribute": name(HERE, "Slotted") + b")\x81N}" + text(SECRET) + b"Ns\x86b",
    "the number of a UUID": name("uuid", "UUID") + b")\x81}" + text("int") + text(SECRET) + b"sb",
    "a persistent id": f"P{SECRET}\n".encode(),
    "bytes that are no text": b"U\x0e\xff\xff" + SECRET.encode(),
}  # fmt: skip


@pytest.mark.parametrize("raw", QUOTED.values(), ids=QUOTED)
def test_an_error_and_its_traceback_have_nothing_of_the_text(raw: bytes) -> None:
    with pytest.raises(InvalidValue) as caught:
        read(raw + b".")
    said = "".join(traceback.format_exception(caught.value))
    assert any(why in said for why in ("damaged", "refused", "time zone", "no such member"))
    assert SECRET not in said and "the key is" not in said


def test_no_attribute_of_an_object_is_read() -> None:
    with pytest.raises(InvalidValue, match="damaged"):
        read(call("builtins", "getattr", b"K\x01", text("real")) + b".")


@pytest.mark.parametrize("cls", ["int", "list", "dict", "object"])
def test_a_class_that_nobody_has_declared_is_not_called(cls: str) -> None:
    with pytest.raises(InvalidValue, match=f"a call of {cls} is refused"):
        read(call("builtins", cls) + b".")


def test_a_fraction_has_no_exponent() -> None:
    with pytest.raises(InvalidValue, match="damaged"):
        read(call("fractions", "Fraction", text("1e9")) + b".")


def test_a_state_replaces_nothing_that_python_calls() -> None:
    with pytest.raises(InvalidValue, match="damaged"):
        read(name(HERE, "Point") + b")\x81}" + text("__deepcopy__") + b"K\x01sb.")


def test_a_list_that_is_in_another_place_too_may_be_too_deep_there() -> None:
    shared: list[Any] = []
    for _ in range(60):
        shared = [shared]
    deep = shared
    for _ in range(60):
        deep = [deep]
    with pytest.raises(InvalidValue, match="too large or too deeply nested"):
        read(pickle.dumps([shared, deep]))


def test_an_error_names_the_class_that_is_not_allowed() -> None:
    with pytest.raises(InvalidValue, match=r"^class shop\.models\.Plan is not allowed$"):
        read(call("shop.models", "Plan", text(SECRET)) + b".")


# Damaged texts


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_text_cut_at_any_byte_is_refused(protocol: int) -> None:
    stored = base64.b64encode(pickle.dumps(VALUE, protocol)).decode()
    assert deserialize(stored, CLASSES) == VALUE
    for length in range(len(stored.rstrip("="))):
        with pytest.raises(InvalidValue):
            deserialize(stored[:length], CLASSES)


def flipped(raw: bytes) -> Any:
    """Yield the same bytes with each bit flipped in turn."""
    for at in range(len(raw) * 8):
        other = bytearray(raw)
        other[at // 8] ^= 1 << at % 8
        yield bytes(other)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_flipped_bit_gives_a_value_or_our_error(protocol: int) -> None:
    for raw in flipped(pickle.dumps(VALUE, protocol)):
        try:
            repr(read(raw))
        except InvalidValue as error:
            assert str(error).isprintable()


@given(st.binary())
def test_any_bytes_give_a_value_or_our_error(raw: bytes) -> None:
    try:
        read(raw)
    except InvalidValue as error:
        assert str(error).isprintable()


# Objects


def test_a_memo_may_begin_at_one_as_python_2_wrote_it() -> None:
    assert read(b"(lp1\n(lp2\nI5\naa.") == [[5]]


@pytest.mark.parametrize("sign", [1, -1])
def test_an_int_has_the_same_limit_on_both_sides(sign: int) -> None:
    for number, fits in ((sign * (10**MAX_DIGITS - 1), True), (sign * 10**MAX_DIGITS, False)):
        content = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
        raw = b"\x80\x02\x8b" + struct.pack("<i", len(content)) + content + b"."
        if fits:
            assert read(raw) == number
        else:
            with pytest.raises(InvalidValue, match="digits"):
                read(raw)


def test_a_uuid_without_its_state_can_be_printed() -> None:
    assert repr(read(name("uuid", "UUID") + b")\x81.")).startswith("UUID(")


def test_an_object_keeps_what_is_in_its_slots() -> None:
    made = Slotted()
    made.x = [1]  # type: ignore[attr-defined]
    assert deserialize(serialize(made), CLASSES).x == [1]


def test_frames_are_read_wherever_they_stand() -> None:
    assert (
        read(b"\x80\x04\x95" + struct.pack("<Q", 2) + b"N\x95" + struct.pack("<Q", 2) + b"0K\x05.")
        == 5
    )
