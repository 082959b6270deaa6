"""Texts that are slow for one parser or another, and an app with a control for each of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from enum import Enum, Flag
from ipaddress import ip_address, ip_interface, ip_network
from pathlib import PurePosixPath
from typing import Any
from uuid import UUID

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

from waffleconf_admin import AlchemyWaffleStore, WaffleAdmin, WaffleConf, anyone

PRIME = 2**61 - 1  # numbers are hashed modulo this

Theme = Enum("Theme", ["LIGHT", "DARK"])
Rights = Flag("Rights", ["READ", "WRITE"])

#: A setting for each control.
CONFS: dict[str, dict[str, Any]] = {
    "bool": {"default": True},
    "int": {"default": 1},
    "float": {"default": 1.5},
    "Decimal": {"default": Decimal("1.5")},
    "range": {"default": 1, "type": "range", "min": 0, "max": 9},
    "filesize": {"default": 1, "type": "filesize"},
    "str": {"default": "x"},
    "str of lines": {"default": "x", "multiline": True},
    "email": {"default": "", "type": "email"},
    "url": {"default": "", "type": "url"},
    "color": {"default": "", "type": "color"},
    "timezone": {"default": "UTC", "type": "timezone"},
    "date": {"default": date(2026, 1, 31)},
    "time": {"default": clock(18, 30)},
    "datetime": {"default": datetime(2026, 1, 31)},
    "timedelta": {"default": timedelta(1)},
    "Enum": {"default": Theme.LIGHT},  # type: ignore[attr-defined]
    "Flag": {"default": Rights.READ},  # type: ignore[attr-defined]
    "choices": {"default": "a", "choices": ["a", "b"]},
    "several choices": {"default": ["a"], "choices": ["a", "b"]},
    "bool or None": {"default": None, "type": bool},
    "UUID": {"default": UUID(int=1)},
    "path": {"default": PurePosixPath("/srv")},
    **{type(net).__name__: {"default": net} for net in (
        ip_address("192.0.2.1"), ip_address("::1"), ip_network("192.0.2.0/24"),
        ip_network("2001:db8::/32"), ip_interface("192.0.2.1/24"), ip_interface("2001:db8::1/64"),
    )},
    "bytes": {"default": b"x"},
    "list": {"default": []},
    "tuple": {"default": ()},
    "dict": {"default": {}},
    "set": {"default": {1}},
    "frozenset": {"default": frozenset({1})},
    "secret": {"default": "x", "secret": True},
    "secret dict": {"default": {}, "secret": True},
}  # fmt: skip


def make_app(**config: Any) -> Flask:
    """Return an app with a page and an API of one control for each type, in memory."""
    app = Flask("fuzzed")
    app.config.update(
        SECRET_KEY="fuzzed",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        WAFFLE_CONFS=CONFS,
        WAFFLE_STORE_DEFAULTS=False,
        **config,
    )
    db = SQLAlchemy(app)
    Conf, Change = AlchemyWaffleStore.make_models(db)
    with app.app_context():
        db.create_all()
    WaffleConf(app, AlchemyWaffleStore(db, Conf, history=Change))
    app.register_blueprint(WaffleAdmin(can=anyone, api=True))
    return app


def numbered(start: str, item: str, join: str, end: str) -> Callable[[int], str]:
    """A text of many items, each with a number of its own."""

    def make(size: int) -> str:
        parts, length, number = [], len(start) + len(end), 0
        while length < size:
            number += 1
            parts.append(item.format(number, number * PRIME))
            length += len(parts[-1]) + len(join)
        return start + join.join(parts) + end

    return make


def repeated(start: str, item: str, end: str) -> Callable[[int], str]:
    return lambda size: start + item * ((size - len(start) - len(end)) // len(item)) + end


def chained(size: int) -> str:
    """Return a JSON list of numbers, half of them in the slots of a hash table in which the last
    one, which comes again and again, is looked for in turn.
    """
    items = size // 16
    mask = 2 ** (items * 2).bit_length() - 1
    at, chain = 1, [1 + (mask + 1)]
    while len(chain) < items:
        at = (at * 5 + 1) & mask
        chain += [at + step for step in range(10)]
    return "[" + ",".join(map(str, [*chain, *[1] * items])) + "]"


#: Functions of a length.
TEXTS: dict[str, Callable[[int], str]] = {
    "digits": repeated("", "1", ""),
    "digits, x": repeated("", "1", "x"),
    "minus, digits, x": repeated("-", "1", "x"),
    "digits after a point, x": repeated("1.", "1", "x"),
    "digits of an exponent": repeated("1e", "1", ""),
    "grouped digits, x": repeated("1", ",111", "x"),
    "digits and blanks": repeated("1", " 1", "x"),
    "blanks": repeated("", " ", "x"),
    "one digit, blanks, x": repeated("1", " ", "x"),
    "a size, blanks, x": repeated("1", " ", "!"),
    "a clock, blanks, a line": repeated("00:00", " ", "\nx"),
    "a clock, a zone, a line": repeated("00:00 ", "a", "\nx"),
    "a day, blanks, a line": repeated("2026-01-31 00:00", "\t", "\nx"),
    "an offset, blanks, a line": repeated("00:00+00:00", " ", "\nx"),
    "lengths of time": repeated("", "1s", ""),
    "lengths of time, x": repeated("", "1 s, ", "!"),
    "long lengths of time": repeated("", "1" * 30 + "." + "1" * 30 + "s", ""),
    "a length of time, blanks": repeated("1", " ", ""),
    "runs of digits": repeated("", "1" * 31 + " ", ""),
    "an ISO length": repeated("P", "1", "D"),
    "commas": repeated("", ",", "x"),
    "points": repeated("", ".", "x"),
    "colons": repeated("", ":", "x"),
    "hex and colons": repeated("", "1:", "x"),
    "numbers and points": repeated("", "1.", "x"),
    "a network": repeated("10.0.0.0/", "1", ""),
    "a zone of an address": repeated("fe80::1%", "a", ""),
    "hyphens": repeated("", "-", "x"),
    "at signs": repeated("", "@", "x"),
    "an address": repeated("a@", "a.", "!"),
    "a long address": repeated("a@", "a", "!"),
    "a web address": repeated("https://", "a.", " x"),
    "a path of the web": repeated("https://a/", "a/", "\n"),
    "slashes": repeated("", "/", "x"),
    "folders": repeated("", "a/", "x"),
    "folders up": repeated("/", "../", "x"),
    "hashes": repeated("", "#", "x"),
    "lines": repeated("", "\n", "x"),
    "returns": repeated("", "\r", "x"),
    "both": repeated("", "\r\n", "x"),
    "words": repeated("", "a ", "x"),
    "words of their own": numbered("", "w{}", " ", ""),
    "quotes": repeated("", '"', "x"),
    "angle brackets": repeated("", "<", "x"),
    "ampersands": repeated("", "&", "x"),
    "base64": repeated("", "AAAA", ""),
    "base64 on lines": repeated("", "AAAA ", "!"),
    "brackets": repeated("", "[", ""),
    "brackets, closed": lambda size: "[" * (size // 2) + "]" * (size // 2),
    "braces": repeated("", '{"a":', ""),
    "a deep list": lambda size: "[" * 400 + "1" + ",1" * (size // 2) + "]" * 400,
    "a deep dict": lambda size: '{"a":' * 90 + "[1" + ",1" * (size // 2) + "]" + "}" * 90,
    "lists in lists": repeated("[", "[[[[]]]],", "[]]"),
    "names": numbered("{", '"a{}":1', ",", "}"),
    "names, one twice": numbered("{", '"a{}":1', ",", ',"z":1,"z":2}'),
    "each name twice": lambda size: (
        "{" + ",".join(f'"a{n // 2}":1' for n in range(size // 12)) + "}"
    ),
    "numbers with one hash": numbered("[", "{1}", ",", "]"),
    "names with one hash": numbered("{", '"{1}":1', ",", "}"),
    "numbers in the slots of others": chained,
    "numbers": numbered("[", "{0}", ",", "]"),
    "numbers, one twice": numbered("[", "{0}", ",", ",1]"),
    "texts": numbered("[", '"a{}"', ",", "]"),
    "long numbers": repeated("[", "1" * 4000 + ",", "1]"),
    "a number without end": repeated("[", "1", "]"),
    "decimals without end": repeated("[0.", "1", "]"),
    "escapes": repeated('["', "\\u00e9", '"]'),
    "half characters": repeated('["', "\\ud800", '"]'),
    "a text without end": repeated('["', "\\\\", ""),
}
