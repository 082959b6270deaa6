"""Pickles: values as base64 of a pickle, as Flask-WaffleConf 0.3.1 wrote them."""

from __future__ import annotations

import binascii
import pickle  # nosec B403 # writes only, and names the format
import secrets
from datetime import datetime, time

from ..exceptions import InvalidValue
from ..i18n import mark
from .allowed import Allowed
from .short_pickles import LONG, read_short
from .unpickler import Unpickler
from .values import SCALARS, each_part, is_standard

#: Every Python that can run 0.3.1, 2.7 included, reads protocol 2 …
PROTOCOL = 2
#: … but it loses the fold of a datetime (which of the two 02:30 of the night the clocks go back).
FOLD_PROTOCOL = 4
_FOLDLESS = SCALARS - {datetime, time}


def write_pickle(value: object, *, unique: bool = False) -> str:
    """Return *value* as stored text, readable by Flask-WaffleConf 0.3.1 too.

    :param unique: whether the text shall be like no other, of the same value too.
    :raises InvalidValue: *value* can't be pickled.
    """
    try:
        raw = _dumps(value)
    except Exception as error:  # whatever an object's own __reduce__ raises
        name = type(value).__qualname__
        raise InvalidValue(
            mark("a value of type %(name)s can't be stored (it can't be pickled)", name=name)
        ) from error
    if unique:
        raw = raw[:2] + _nonce() + raw[2:]  # after the opcode that says the protocol
    return binascii.b2a_base64(raw, newline=False).decode("ascii")


def read_pickle(text: str, allowed: Allowed) -> object:
    """Return the value of a stored text, of any pickle protocol.

    :raises InvalidValue: it is not base64, too large or names something that is not allowed.
    :raises Exception: others, for a damaged pickle; their texts may quote it.
    """
    try:
        raw = binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raw = _without_blanks(text)
    value = read_short(raw)
    return Unpickler(raw, allowed).load() if value is LONG else value


def classes_in(value: object, attributes: bool = True) -> set[type]:
    """Return the classes in *value* that `deserialize` doesn't allow by itself.

    :param attributes: those of what objects have in attributes too, not only in containers.
    """
    classes = set(map(type, each_part(value, attributes)))
    # A class or function as a default is the app's affair, and no licence to unpickle more.
    return {cls for cls in classes if not (is_standard(cls) or cls.__module__ == "builtins")}


def _dumps(value: object) -> bytes:
    raw = pickle.dumps(value, PROTOCOL)
    # Without a line break it names no class, and so holds no datetime.
    if type(value) not in _FOLDLESS and b"\n" in raw and any(map(_has_fold, each_part(value))):
        return pickle.dumps(value, FOLD_PROTOCOL)
    return raw


def _without_blanks(text: str) -> bytes:
    """Decode base64 of other writers, who break lines."""
    try:
        return binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError as error:
        raise InvalidValue(mark("the stored text is not base64")) from error


def _nonce() -> bytes:
    """Opcodes that put a random text on the stack and drop it again."""
    return b"U\x10" + secrets.token_hex(8).encode() + b"0"


def _has_fold(value: object) -> bool:
    return isinstance(value, (datetime, time)) and value.fold == 1
