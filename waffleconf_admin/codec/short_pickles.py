"""Short pickles: most values as a pickler of protocol 2 writes them, read without `Unpickler`.

Whatever else a pickle holds, and all that is not written just so, is left to `Unpickler`, which
takes several times as long. What both read is the same.
"""

from __future__ import annotations

import pickle  # nosec B403 # reads only what is checked before
import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from .limits import MAX_DEPTH, check_value
from .makers import make_decimal

#: Stands for the value of a pickle that is not short.
LONG: Final = object()

_PROTOCOL = 2
_MAX_LENGTH = 1000  # bytes: too few for keys whose hashes collide to matter
_MAX_FLAT = 2 * MAX_DEPTH  # bytes: too few for deeper values
_SCALAR = re.compile(rb"(?s)\x80\x02(?:[N\x88\x89]|K.|M..|J.{4}|G.{8})\.")
_TEXT_START, _TEXT_END = b"\x80\x02X", b"q\x00."
_TEXT_FRAME = len(_TEXT_START) + 4 + len(_TEXT_END)
#: None, truth values, numbers; lists and dicts, and how they are filled; entries of the memo.
_TOKENS = re.compile(
    rb"(?s)(?:[N\x88\x89\]}(aesu]|K.|M..|J.{4}|G.{8}|q."
    rb"|\x8a(?:\x00|\x01.|\x02..|\x03.{3}|\x04.{4}|\x05.{5}|\x06.{6}|\x07.{7}|\x08.{8}))*+"
)
_TEXT, _FROM_MEMO, _STOP = b"Xh."


def read_short(raw: bytes) -> object:
    """Return the value of a pickle; `LONG` if it is not short.

    :raises Exception: it is damaged, or the value is too large.
    """
    if raw.startswith(_TEXT_START):
        length = int.from_bytes(raw[3:7], "little")
        if raw.endswith(_TEXT_END) and length == len(raw) - _TEXT_FRAME:
            return raw[7:-3].decode("utf-8", "surrogatepass")
    elif _SCALAR.fullmatch(raw):
        return pickle.loads(raw)  # nosec B301 # only opcodes of plain values are in it
    if len(raw) > _MAX_LENGTH:
        return LONG
    if raw[2:3] == b"c":
        return _read_named(raw)
    shape = _shape(raw)
    if shape is None:
        return LONG
    value = pickle.loads(raw)  # nosec B301 # only opcodes of plain values are in it
    if pickle.dumps(value, _PROTOCOL) != raw:
        return LONG
    if shape == "shared" or len(raw) > _MAX_FLAT:
        check_value(value, frozenset())
    return value


def _shape(raw: bytes) -> Literal["tree", "shared"] | None:
    """Return how lists and dicts of scalars hang together: "shared" if the memo is used, so that
    one may be in many others. None: the pickle has other opcodes, which C's unpickler may not see.
    """
    shape: Literal["tree", "shared"] = "tree"
    at, end = 2, len(raw) - 1
    while at <= end:
        at = _TOKENS.match(raw, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        code = raw[at] if at <= end else None
        if code == _TEXT:
            at += 5 + int.from_bytes(raw[at + 1 : at + 5], "little")
        elif code == _FROM_MEMO:
            at += 2
            shape = "shared"
        else:
            return shape if code == _STOP and at == end and raw[:2] == b"\x80\x02" else None
    return None


def _read_named(raw: bytes) -> object:
    """Return a value of some types of the standard library."""
    entry = _NAMED.get(raw[2 : raw.find(b"q\x00")])
    found = entry and entry[0].fullmatch(raw)
    return entry[1](*found.groups()) if entry and found else LONG


def _make_decimal(length: bytes, content: bytes) -> object:
    return make_decimal(content.decode()) if _size(length) == len(content) else LONG


def _make_from_state(cls: type[date] | type[datetime]) -> Callable[[bytes, bytes], object]:
    def make(length: bytes, content: bytes) -> object:
        state = content.decode().encode("latin1")
        return cls(state) if _size(length) == len(content) else LONG  # type: ignore[call-arg,arg-type]

    return make


def _make_timedelta(*tokens: bytes) -> object:
    return timedelta(*map(_int, tokens))


def _make_uuid(token: bytes) -> object:
    if token[:1] != b"\x8a":
        return UUID(int=_int(token))
    if token[1] != len(token) - 2:
        return LONG
    return UUID(int=int.from_bytes(token[2:], "little", signed=True))


def _int(token: bytes) -> int:
    return int.from_bytes(token[1:], "little", signed=token[:1] == b"J")


def _size(length: bytes) -> int:
    return int.from_bytes(length, "little")


_NUMBER = rb"(K.|M..|J.{4})"
_STATE = (
    rb"c_codecs\nencode\nq\x01X(.{4})(.{0,999})"
    rb"q\x02X\x06\0\0\0latin1q\x03\x86q\x04Rq\x05\x85q\x06Rq\x07"
)
#: By how its name is written: what follows the name, and what makes the value of the groups.
_NAMED = {
    name: (re.compile(rb"(?s)\x80\x02" + name + rb"q\x00" + rest + rb"\."), make)
    for name, rest, make in (
        (b"cdatetime\ndate\n", _STATE, _make_from_state(date)),
        (b"cdatetime\ndatetime\n", _STATE, _make_from_state(datetime)),
        (b"cdatetime\ntimedelta\n", _NUMBER * 3 + rb"\x87q\x01Rq\x02", _make_timedelta),
        (b"cdecimal\nDecimal\n", rb"X(.{4})(.{0,999})q\x01\x85q\x02Rq\x03", _make_decimal),
        (
            b"cuuid\nUUID\n",
            rb"\)\x81q\x01}q\x02X\x03\0\0\0intq\x03(K.|M..|J.{4}|\x8a.{1,18})sb",
            _make_uuid,
        ),
    )
}
