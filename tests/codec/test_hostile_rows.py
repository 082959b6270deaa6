"""Rows that somebody wrote to do harm: nothing is imported, called or allocated beyond a bound."""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import enum
import os
import pickle
import re
import resource
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from writers import on_peewee, on_sqlalchemy

from waffleconf_admin import InvalidValue, WaffleConf
from waffleconf_admin.codec.pickles import deserialize, serialize


class Theme(enum.Enum):
    LIGHT = "light"
    DARK = "dark"


class Bits(enum.IntFlag):
    ONE = 1


class Names(list):  # type: ignore[type-arg]
    pass


class Token(bytes):
    pass


class Word(str):
    pass


class Slotted:
    __slots__ = ("x",)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: object


CLASSES = [Theme, Bits, Names, Token, Word, Slotted, Frozen]
HERE = __name__


def text(content: str) -> bytes:
    raw = content.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def number(value: int) -> bytes:
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8b" + struct.pack("<I", len(raw)) + raw


def call(module: str, attribute: str, *args: bytes) -> bytes:
    return name(module, attribute) + b"(" + b"".join(args) + b"tR"


DOUBLED = b"N" + b"2\x86" * 60  # a tuple of two tuples of two tuples …
RANGE = call("builtins", "range", b"L9999999999L\n")
PRIME = 2**61 - 1  # ints hash modulo this


def chained(size: int) -> list[int]:
    """Numbers for a dict of so many places: all but the first lie where 1 is looked for in turn."""
    found, at = [1 + size], 1
    while len(found) < size // 2:
        at = (at * 5 + 1) % size
        found.append(at)
    return found


def frozen(x: bytes) -> bytes:
    return name(HERE, "Frozen") + b")\x81}" + text("x") + x + b"sb"


def shown_again(made: bytes) -> bytes:
    return made + b"q\x00(" + b"h\x00" * 20_000 + b"l."


def alike(*makes: bytes) -> bytes:
    """A set of what is made of multiples of the prime."""
    before, after = makes
    numbers = ((PRIME * k).to_bytes(11, "little") for k in range(1, 2_000))
    return b"\x8f(" + b"".join(before + b"\x8a\x0b" + n + after for n in numbers) + b"\x90."


def payloads() -> Iterator[tuple[str, bytes]]:
    """What to do, and the pickle that does it; made one at a time, for some are large."""
    yield "a name that is a doubled tuple", DOUBLED + text("x") + b"\x93."
    yield "an attribute that is a doubled tuple", call("builtins", "getattr", RANGE, DOUBLED) + b"."
    yield "an attribute of an attribute of …", (
        text("x" * 100_000) + b"q\x000" + name(HERE, "Theme") + b"q\x010"
        + (name("builtins", "getattr") + b"h\x01h\x00\x86Rq\x010") * 20_000 + b"h\x01."
    )  # fmt: skip
    yield "a doubled tuple as a key", b"}" + DOUBLED + b"Ns."
    yield "an object with a doubled tuple as a key", b"}" + frozen(DOUBLED) + b"Ns."
    yield (
        "an object with a doubled tuple in a tuple in a set",
        (b"\x8f(" + frozen(DOUBLED) + b"\x85\x90."),
    )
    yield "a doubled tuple in a set", b"\x8f(" + DOUBLED + b"\x90."
    yield "a doubled tuple in a frozenset", b"(" + DOUBLED + b"\x91."
    yield "a doubled tuple as a factory", call("collections", "defaultdict", DOUBLED) + b"."
    yield "a doubled tuple as a member", call(HERE, "Theme", DOUBLED) + b"."
    yield (
        "a doubled list as a member",
        (
            # The outer lists are filled first, while the inner ones are still empty.
            b"".join(b"]r" + struct.pack("<I", n) + b"0" for n in range(60))
            + b"".join(
                b"j" + struct.pack("<I", n) + b"(" + (b"j" + struct.pack("<I", n + 1)) * 2 + b"e0"
                for n in range(59)
            )
            + call(HERE, "Theme", b"j" + struct.pack("<I", 0))
            + b"."
        ),
    )
    yield "a doubled tuple as a text", call(HERE, "Word", DOUBLED) + b"."
    yield (
        "a doubled tuple in a slot",
        (name(HERE, "Slotted") + b")\x81N}" + text("x") + DOUBLED + b"s\x86b."),
    )
    yield "a key a million tuples deep", b"}N" + b"\x85" * 1_000_000 + b"Ns."
    yield (
        "a million defaultdicts deep",
        ((name("collections", "defaultdict") + b")RN") * 250_000 + b"N" + b"s" * 250_000 + b"."),
    )
    yield (
        "a million deques deep",
        ((name("collections", "deque") + b")R") * 400_000 + b"N" + b"a" * 400_000 + b"."),
    )
    yield "sets without end", b"(" + b"\x8f" * 3_900_000 + b"l."
    yield (
        "deques without end",
        (b"(" + name("collections", "deque") + b"q\x000" + b"h\x00)R" * 900_000 + b"l."),
    )
    yield (
        "ints with one hash",
        (
            b"}("
            + b"".join(
                b"\x8a\x0b" + (PRIME * k).to_bytes(11, "little") + b"N" for k in range(1, 300_000)
            )
            + b"u."
        ),
    )
    yield "a few ints with one hash", alike(b"", b"")
    yield "tuples with one hash", alike(b"", b"\x85")
    yield "Fractions with one hash", alike(name("fractions", "Fraction"), b"\x85R")
    yield "complex numbers with one hash", (
        name("builtins", "complex") + b"q\x000\x8f("
        + b"".join(
            b"h\x00G" + struct.pack(">d", -1000003.0 * k) + b"G" + struct.pack(">d", k) + b"\x86R"
            for k in range(2_000)
        )
        + b"\x90."
    )  # fmt: skip
    yield "numbers that lie in each other's way", (
        b"}(" + b"".join(b"J" + struct.pack("<i", n) + b"N" for n in chained(2**16)) + b"u("
        + b"K\x01N" * 100_000 + b"u."
    )  # fmt: skip
    yield "a number looked for in a set again and again", (
        b"\x8f(" + b"".join(b"J" + struct.pack("<i", n) for n in range(10_000)) + b"\x90("
        + b"K\x01" * 100_000 + b"\x90."
    )  # fmt: skip
    yield (
        "a long number as a key again and again",
        (call("decimal", "Decimal", text("9" * 4300)) + b"q\x000" + b"}h\x00Ns0" * 100_000 + b"N."),
    )
    yield "a state set again and again", (
        b"}(" + b"".join(text(f"a{n}") + b"N" for n in range(20_000)) + b"uN\x86q\x000"
        + name(HERE, "Names") + b")\x81" + b"h\x00b" * 10_000 + b"."
    )  # fmt: skip
    yield "names for a constructor again and again", (
        b"}(" + b"".join(text(f"a{n}") + b"N" for n in range(20_000)) + b"uq\x000"
        + name(HERE, "Names") + b"q\x010" + b"h\x01)h\x00\x920" * 10_000 + b"N."
    )  # fmt: skip
    yield (
        "a long path shown again and again",
        shown_again(call("pathlib", "PurePosixPath", text("x" * 1_000_000))),
    )
    yield "a long name of a time zone shown again and again", shown_again(
        call(
            "datetime", "datetime", b"C\n" + b"\x07\xea\x01\x01\0\0\0\0\0\0",
            call(
                "datetime", "timezone",
                call("datetime", "timedelta", b"K\0K\0K\0"), text("x" * 1_000_000),
            ),
        )
    )  # fmt: skip
    yield (
        "a long zone of an address shown again and again",
        shown_again(call("ipaddress", "IPv6Address", text("fe80::1%" + "x" * 1_000_000))),
    )
    yield (
        "a long range shown again and again",
        shown_again(call("builtins", "range", number(10**4290))),
    )
    yield (
        "the same large key again and again",
        (b"}(" + b"N" * 200_000 + b"t" + b"q\x000" + b"(" + b"h\x00N" * 200_000 + b"u."),
    )
    yield "a text copied again and again", (
        text("x" * 5_000_000) + b"q\x000("
        + call("_codecs", "encode", b"h\x00", text("latin1")) * 9000 + b"l."
    )  # fmt: skip
    yield (
        "a list copied again and again",
        (
            b"("
            + b"N" * 500_000
            + b"lq\x000("
            + call("builtins", "frozenset", b"h\x00") * 9000
            + b"l."
        ),
    )
    yield (
        "a text shown again and again",
        text("x" * 1_000_000) + b"q\x00(" + b"h\x00" * 500_000 + b"l.",
    )
    yield (
        "marks above a deep stack",
        b"N" * 1_000_000 + b"(1" * 2_000_000 + b"\x85" * 500_000 + b".",
    )
    yield "opcodes without end", b"N0" * 5_900_000 + b"N."
    yield (
        "the greatest common divisor of long numbers",
        (call("fractions", "Fraction", number(3**8_000_000), number(5**5_000_000)) + b"."),
    )
    yield "the greatest common divisor of two numbers again and again", (
        number(10**4290 + 1) + b"q\x000" + number(10**4291 + 3) + b"q\x010"
        + name("fractions", "Fraction") + b"q\x020(" + b"h\x02h\x00h\x01\x86R0" * 20_000 + b"l."
    )  # fmt: skip
    for what, long in {
        "number": number(10**4290),
        "Decimal": call("decimal", "Decimal", text("9" * 4300)),
        "Fraction": call("fractions", "Fraction", number(1), number(10**4290)),
    }.items():
        yield f"a long {what} shown again and again", shown_again(long)
    yield "a number too long to be printed", number(10**5000) + b"."
    yield (
        "an exponent too large to be written out",
        call("decimal", "Decimal", text("1e9999999")) + b".",
    )
    yield (
        "more digits than can be written out",
        call("decimal", "Decimal", text("9" * 9_000_000)) + b".",
    )
    yield "a codec that is imported", call("builtins", "bytearray", text("x"), text("idna")) + b"."
    yield "a list of a range", call(HERE, "Names", RANGE) + b"."
    yield "bytes of a size", call(HERE, "Token", b"L9999999999L\n") + b"."
    yield "new bytes of a size", name(HERE, "Token") + b"L9999999999L\n\x85\x81."
    yield (
        "a member made to say another value",
        (call(HERE, "Theme", text("dark")) + b"}" + text("_value_") + text("light") + b"sb."),
    )
    yield (
        "a member made to have another name",
        (call(HERE, "Theme", text("dark")) + b"N}" + text("_name_") + text("LIGHT") + b"s\x86b."),
    )
    yield (
        "a member made by object",
        (
            call("copyreg", "_reconstructor", name(HERE, "Theme"), name("builtins", "object"), b"N")
            + b"."
        ),
    )
    yield (
        "new flags without end",
        (
            b"("
            + b"".join(
                name(HERE, "Bits") + b"\x8a\x08" + (2 * k + 2**40).to_bytes(8, "little") + b"\x85R"
                for k in range(100_000)
            )
            + b"l."
        ),
    )
    yield (
        "another class for an object",
        (name(HERE, "Slotted") + b")\x81N}" + text("__class__") + name(HERE, "Names") + b"s\x86b."),
    )
    yield "a frame that hides what follows", (
        b"\x80\x04\x95" + struct.pack("<Q", 10) + b"\x95" + struct.pack("<Q", 3) + b"N" * 4
        + b"r\xff\xff\xff\x7f" + b"."
    )  # fmt: skip
    yield (
        "a UUID that is no number",
        name("uuid", "UUID") + b")\x81}" + text("int") + b"J\xff\xff\xff\xffsb.",
    )
    yield (
        "a builder kept in an object",
        name(HERE, "Names") + b")\x81}" + text("x") + name("builtins", "set") + b"sb.",
    )


def run_all() -> None:
    """In a child process with limits: says what came of each, what it took and what it imported."""
    sys.modules.setdefault("test_hostile_rows", sys.modules[__name__])
    with pytest.raises(InvalidValue):
        deserialize("gAR=")
    resource.setrlimit(resource.RLIMIT_AS, (1200 * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    for what, raw in payloads():
        stored, before = base64.b64encode(raw), set(sys.modules)
        begun = time.process_time()
        try:
            deserialize(stored, CLASSES)
        except InvalidValue as error:
            assert len(str(error)) < 250, what
            assert str(error).isprintable(), what
            # It came to that: only the limits of this process have stopped it.
            assert not re.search("Memory|Recursion", str(error)), what
            assert set(sys.modules) == before, what
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
            spent = time.process_time() - begun
            print(f"{what}: {len(stored)} characters, {error}, {spent:.2f} s, peak {peak} MB")
        else:
            raise AssertionError(f"{what}: loaded")
    assert (Theme.DARK.value, Theme.DARK.name, len(Bits._value2member_map_) < 20_000) == (
        "dark",
        "DARK",
        True,
    )


def test_hostile_texts_are_refused_within_bounds_of_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import test_hostile_rows as t; t.run_all()"],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    print(done.stdout)


VALUE = {
    "a": [1, 2.5, None, True, "é", b"\xff"],
    "b": ({1}, frozenset({2}), Theme.DARK, Names(["n"])),
}


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_text_cut_at_any_byte_is_refused(protocol: int) -> None:
    stored = base64.b64encode(pickle.dumps(VALUE, protocol)).decode()
    assert deserialize(stored, CLASSES) == VALUE
    for length in range(len(stored.rstrip("="))):
        with pytest.raises(InvalidValue):
            deserialize(stored[:length], CLASSES)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_any_flipped_bit_gives_a_value_or_our_error(protocol: int) -> None:
    raw = pickle.dumps(VALUE, protocol)
    for at in range(len(raw) * 8):
        flipped = bytearray(raw)
        flipped[at // 8] ^= 1 << at % 8
        try:
            repr(deserialize(base64.b64encode(flipped), CLASSES))
        except InvalidValue as error:
            assert str(error).isprintable()


def test_a_uuid_without_its_state_can_be_shown() -> None:
    raw = name("uuid", "UUID") + b")\x81."
    assert repr(deserialize(base64.b64encode(raw))).startswith("UUID(")


def test_an_object_keeps_what_is_in_its_slots() -> None:
    made = Slotted()
    made.x = [1]  # type: ignore[attr-defined]
    read = deserialize(serialize(made), CLASSES)
    assert read.x == [1]


SECRET = "c2VjcmV0c2VjcmV0"
ROWS = {
    "a call": base64.b64encode(b"cposix\nsystem\n(" + text(SECRET) + b"tR.").decode(),
    "a pickle as it is": "cos\nsystem\n",
    "not base64": SECRET + "!é",
    "base64 of another alphabet": base64.urlsafe_b64encode(b"\xfb\xff" * 9).decode(),
    "hexadecimal": pickle.dumps([SECRET]).hex(),
    "base32": base64.b32encode(pickle.dumps([SECRET])).decode(),
    "UTF-16": base64.b64encode("SECRET".encode("utf-16")).decode(),
    "JSON": '{"a": 1}',
    "cut": serialize([SECRET])[:-8],
    "nothing": "",
    "50 MB": "A" * 50_000_000,
}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS.keys())
def test_the_default_is_served_the_row_stays_and_the_log_says_why(
    row: str, orm: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"sqlite:///{tmp_path}/test.db"
    app = Flask("shop")
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["WAFFLE_CONFS"] = {"SITENAME": {"default": "Waffle"}, "OTHER": {"default": 1}}
    engine = sa.create_engine(url)
    with contextlib.ExitStack() as stack:
        stack.callback(engine.dispose)
        make_store = on_sqlalchemy if orm == "sqlalchemy" else on_peewee
        state = WaffleConf(app, make_store(app, url, True, stack)).state
        state.update_db({"OTHER": 2})
        table = sa.table("confs", sa.column("key"), sa.column("value"))
        with engine.begin() as connection:
            connection.execute(sa.insert(table).values(key="SITENAME", value=row))
        assert state.update_conf()
        assert state.parse_conf() == {"SITENAME": "Waffle", "OTHER": 2}
        assert (app.config["SITENAME"], app.config["OTHER"]) == ("Waffle", 2)
        (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
        said = record.getMessage()
        assert "SITENAME" in said
        assert "stored text" in said or "not allowed" in said
        assert SECRET not in said
        assert len(said) < 400
        with engine.connect() as connection:
            select = sa.select(table.c.value).where(table.c.key == "SITENAME")
            assert connection.scalar(select) == row
        assert state.update_db({"SITENAME": "mended"}) == {"SITENAME": "mended"}
        assert state.parse_conf(["SITENAME"]) == {"SITENAME": "mended"}
