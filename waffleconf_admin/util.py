"""The stored format: base64 text of a pickle, as Flask-WaffleConf 0.3.1 wrote it."""

from __future__ import annotations

import base64
import binascii
import math
import pickle
import secrets
from collections import deque
from collections.abc import Iterable
from datetime import datetime, time
from decimal import Decimal
from typing import Any

from . import unpickle
from .bounds import damaged
from .exceptions import InvalidValue
from .unpickle import Allowed
from .words import mark

#: Every Python that can run 0.3.1, 2.7 included, reads protocol 2 …
PROTOCOL = 2
#: … but it loses the fold of a datetime (which of the two 02:30 of the night the clocks go back).
FOLD_PROTOCOL = 4
MAX_TEXT = 16 * 2**20  #: characters of stored text
_BLANKS = b" \t\r\n\v\f"


def serialize(data: Any, *, unique: bool = False) -> str:
    """Return *data* as stored text, readable by Flask-WaffleConf 0.3.1 too.

    :param unique: whether the text shall be like no other, of the same value too.
    :raises InvalidValue: *data* can't be pickled.
    """
    try:
        protocol = (
            FOLD_PROTOCOL if any(_has_fold(part) for part in unpickle.all_in(data)) else PROTOCOL
        )
        raw = pickle.dumps(data, protocol)
        if unique:
            raw = raw[:2] + _nonce() + raw[2:]  # after the opcode that says the protocol
        return base64.b64encode(raw).decode("ascii")
    except Exception as error:  # whatever an object's own __reduce__ raises
        name = type(data).__qualname__
        raise InvalidValue(
            mark("a value of type %(name)s can't be stored (it can't be pickled)", name=name)
        ) from error


def deserialize(data: str | bytes, classes: Iterable[type] | Allowed = ()) -> Any:
    """Return the value of a stored text, of any pickle protocol, without running anything in it.

    :param data: base64 of a pickle.
    :param classes: classes allowed besides plain values and the standard library's value types.
    :raises InvalidValue: the text is damaged, too large or names something that is not allowed;
        the message never has its content.
    """
    if len(data) > MAX_TEXT:
        raise InvalidValue(
            mark("the stored text is longer than %(count)s characters", count=MAX_TEXT)
        )
    try:
        raw = base64.b64decode(
            (data.encode("ascii") if isinstance(data, str) else data).translate(None, _BLANKS),
            validate=True,
        )
    except (binascii.Error, UnicodeEncodeError) as error:
        raise InvalidValue(mark("the stored text is not base64")) from error
    try:
        return unpickle.load(raw, classes if isinstance(classes, Allowed) else Allowed(classes))
    except InvalidValue:
        raise
    except Exception as error:  # damaged in one of very many ways
        # Without a cause: what pickle or a class says of a damaged text may quote it.
        raise damaged(type(error).__name__) from None


def classes_in(value: Any, attributes: bool = True) -> set[type]:
    """Return the classes in *value* that `deserialize` doesn't allow by itself.

    :param attributes: those of what objects have in attributes too, not only in containers.
    """
    kinds = set(map(type, unpickle.all_in(value, attributes)))
    # A class or function as a default is the app's affair, and no licence to unpickle more.
    return {
        kind for kind in kinds if not (unpickle.is_plain(kind) or kind.__module__ == "builtins")
    }


def same(a: Any, b: Any) -> bool:
    """Whether *a* and *b* have the same type and value, all the way down: True is not 1.

    The order of a dict counts: who sorts the entries of a JSON setting anew wants that kept.
    """
    if a is b:
        return True
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(x, y) and same(a[x], b[y]) for x, y in zip(a, b, strict=True)
        )
    if isinstance(a, (list, tuple, deque)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (set, frozenset)):
        return {(type(x), x) for x in a} == {(type(x), x) for x in b}
    if isinstance(a, float):
        return (a == b and math.copysign(1, a) == math.copysign(1, b)) or (a != a and b != b)
    if isinstance(a, (complex, Decimal, datetime, time)):
        return repr(a) == repr(b)  # 1.0 is not 1.00, noon in Paris is not 11:00 in London
    try:
        return bool(a == b)
    except Exception:  # an object from before its class got another attribute, say
        return False


def _nonce() -> bytes:
    """Opcodes that put a random text on the stack and drop it again."""
    return b"U\x10" + secrets.token_hex(8).encode() + b"0"


def _has_fold(value: Any) -> bool:
    return isinstance(value, (datetime, time)) and value.fold == 1
