"""Pickles that somebody wrote to do harm."""

from __future__ import annotations

import base64
import dataclasses
import enum
import struct
from collections.abc import Iterator

from hostile import finish, read_all


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


class Point:
    pass


class Slotted:
    __slots__ = ("x",)


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: object


CLASSES = [Theme, Bits, Names, Token, Word, Point, Slotted, Frozen]
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
BIG = b"L9999999999L\n"
RANGE = call("builtins", "range", BIG)
PRIME = 2**61 - 1  # ints hash modulo this


def chained(size: int) -> list[int]:
    """Return numbers for a table of so many slots: all but the first lie where 1 is looked for."""
    found, at = [1 + size], 1
    while len(found) < size // 2:
        at = (at * 5 + 1) % size
        found.append(at)
    return found


def frozen(x: bytes) -> bytes:
    return name(HERE, "Frozen") + b")\x81}" + text("x") + x + b"sb"


def printed_again(made: bytes) -> bytes:
    return made + b"q\x00(" + b"h\x00" * 20_000 + b"l."


def colliding(*makes: bytes) -> bytes:
    """A set of what is made of multiples of the prime."""
    before, after = makes
    numbers = ((PRIME * k).to_bytes(11, "little") for k in range(1, 2_000))
    return b"\x8f(" + b"".join(before + b"\x8a\x0b" + n + after for n in numbers) + b"\x90."


SMALL: dict[str, bytes] = {
    "os.system": call("os", "system", text("exit 1")) + b".",
    "exec": call("builtins", "exec", text("raise SystemExit")) + b".",
    "an attribute of a builtin": call(
        "__builtin__", "getattr", name("__builtin__", "dict"), text("get")
    )
    + b".",
    "an attribute of a declared class": call(
        "builtins", "getattr", name(HERE, "Point"), text("__init__")
    )
    + b".",
    "a dotted name": text("builtins") + text("str.join") + b"\x93.",
    "a module that is not imported": name("antigravity", "x") + b".",
    "a class": name("__builtin__", "int") + b".",
    "a class in a list": b"(l" + name("__builtin__", "int") + b"a.",
    "a constructor": name("collections", "Counter") + b".",
    "a call of a factory": call("__builtin__", "int", text("1")) + b".",
    "a call of a text": text("x") + text("y") + b"\x85R.",
    "a persistent id": b"Pid\n.",
    "an extension": b"\x82\x01.",
    "a buffer": b"\x80\x05\x97.",
    "the state of a function": name("_codecs", "encode") + b"}" + text("x") + b"K\x01sb.",
    "the state of a class": name(HERE, "Point") + b"N}" + text("x") + b"K\x01s\x86b.",
    "the state of the class UUID": name("uuid", "UUID") + b"}(" + text("hex") + b"K\x01ub.",
    "the state of a value": name("collections", "OrderedDict")
    + b")R}"
    + text("items")
    + b"K\x01sb.",
    "a UUID of a text": name("uuid", "UUID") + b")\x81}" + text("int") + text("x") + b"sb.",
    "a UUID of a negative number": name("uuid", "UUID")
    + b")\x81}"
    + text("int")
    + b"J\xff\xff\xff\xffsb.",
    "a UUID of 129 bits": name("uuid", "UUID")
    + b")\x81}"
    + text("int")
    + b"\x8a\x11"
    + (2**128).to_bytes(17, "little")
    + b"sb.",
    "another factory": call("collections", "defaultdict", name("_codecs", "encode")) + b".",
    "bytes of a size": call("__builtin__", "bytes", BIG) + b".",
    "a bytearray of a size": call("__builtin__", "bytearray", BIG) + b".",
    "a set of a range": call("__builtin__", "set", RANGE) + b".",
    "a list of a range, made anew": call(
        "copyreg", "_reconstructor", name(HERE, "Names"), name("builtins", "list"), RANGE
    )
    + b".",
    "a deque of a range": call("collections", "deque", RANGE) + b".",
    "a Counter of a range": call("collections", "Counter", RANGE) + b".",
    "a huge Fraction": call("fractions", "Fraction", text("1e999999999")) + b".",
    "a time zone by its path": name("zoneinfo", "ZoneInfo._unpickle")
    + b"("
    + text("../../../etc/passwd")
    + b"K\x01tR.",
    "another encoding": call("_codecs", "encode", text("x"), text("utf-16")) + b".",
    "a memo of 2**31": b"Nr\xff\xff\xff\x0f.",
    "a memo with a gap": b"Nr\x40\x42\x0f\x00.",
    "a memo with a gap, in digits": b"Np1000000\n.",
    "a memo with a negative index": b"Np-1\n.",
    "a length beyond the end": b"\x8d" + struct.pack("<Q", 10**12) + b"x.",
    "a bytearray beyond the end": b"\x96" + struct.pack("<Q", 10**12) + b"x.",
    "a frame beyond the end": b"\x95" + struct.pack("<Q", 10**12) + b"N.",
    "a tuple doubled 20 times": b"N" + b"2\x86" * 20 + b".",
    "a tuple doubled 60 times": DOUBLED + b".",
    "100,000 lists deep": b"]" * 100_000 + b"a" * 99_999 + b".",
    "a list in itself": b"]q\x00h\x00a.",
    "no stack": b"R.",
    "no end": b"N",
    "a mark": b"(.",
    "nothing": b"",
}


def payloads() -> Iterator[tuple[str, bytes]]:
    """Yield what is tried, and the pickle; made one at a time, for some are large."""
    yield from SMALL.items()
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
        "defaultdicts 100,000 deep",
        ((name("collections", "defaultdict") + b")RN") * 100_000 + b"N" + b"s" * 100_000 + b"."),
    )
    yield (
        "deques 100,000 deep",
        ((name("collections", "deque") + b")R") * 100_000 + b"N" + b"a" * 100_000 + b"."),
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
                b"\x8a\x0b" + (PRIME * k).to_bytes(11, "little") + b"N" for k in range(1, 100_000)
            )
            + b"u."
        ),
    )
    yield "a few ints with one hash", colliding(b"", b"")
    yield "tuples with one hash", colliding(b"", b"\x85")
    yield "Fractions with one hash", colliding(name("fractions", "Fraction"), b"\x85R")
    yield "complex numbers with one hash", (
        name("builtins", "complex") + b"q\x000\x8f("
        + b"".join(
            b"h\x00G" + struct.pack(">d", -1000003.0 * k) + b"G" + struct.pack(">d", k) + b"\x86R"
            for k in range(2_000)
        )
        + b"\x90."
    )  # fmt: skip
    yield "numbers in the slots of others", (
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
        "a long path named again and again",
        printed_again(call("pathlib", "PurePosixPath", text("x" * 1_000_000))),
    )
    yield "a long name of a time zone named again and again", printed_again(
        call(
            "datetime", "datetime", b"C\n" + b"\x07\xea\x01\x01\0\0\0\0\0\0",
            call(
                "datetime", "timezone",
                call("datetime", "timedelta", b"K\0K\0K\0"), text("x" * 1_000_000),
            ),
        )
    )  # fmt: skip
    yield (
        "a long zone of an address named again and again",
        printed_again(call("ipaddress", "IPv6Address", text("fe80::1%" + "x" * 1_000_000))),
    )
    yield (
        "a long range named again and again",
        printed_again(call("builtins", "range", number(10**4290))),
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
        "a text named again and again",
        text("x" * 1_000_000) + b"q\x00(" + b"h\x00" * 500_000 + b"l.",
    )
    yield (
        "marks above a deep stack",
        b"N" * 1_000_000 + b"(1" * 2_000_000 + b"\x85" * 500_000 + b".",
    )
    yield "opcodes without end", b"N0" * 5_900_000 + b"N."
    yield (
        "the greatest common divisor of long numbers",
        (
            call("fractions", "Fraction", number(3 << 12_000_000 | 1), number(5 << 11_000_000 | 1))
            + b"."
        ),
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
        yield f"a long {what} named again and again", printed_again(long)
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
    yield (
        "a codec that a declared class imports",
        call(HERE, "Token", text("x"), text("cp1140")) + b".",
    )
    yield "a list of a range", call(HERE, "Names", RANGE) + b"."
    yield "bytes of a size", call(HERE, "Token", b"L9999999999L\n") + b"."
    yield "new bytes of a size", name(HERE, "Token") + b"L9999999999L\n\x85\x81."
    yield (
        "a member with another value",
        (call(HERE, "Theme", text("dark")) + b"}" + text("_value_") + text("light") + b"sb."),
    )
    yield (
        "a member with another name",
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
        "a constructor in an object",
        name(HERE, "Names") + b")\x81}" + text("x") + name("builtins", "set") + b"sb.",
    )


def main() -> None:
    """Read them all, and look for what they may have changed."""
    texts = ((what, base64.b64encode(raw).decode()) for what, raw in payloads())
    failures = read_all(texts, CLASSES, "Recursion")
    if (Theme.DARK.value, Theme.DARK.name) != ("dark", "DARK") or hasattr(Point, "x"):
        failures.append("a class was changed")
    if len(Bits._value2member_map_) > 20_000:
        failures.append("flags are left behind")
    finish(failures)
