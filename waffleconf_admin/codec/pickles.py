"""Pickles: the stored format, base64 text of a pickle as Flask-WaffleConf 0.3.1 wrote it."""

from __future__ import annotations

import base64
import binascii
import pickle
import re
import secrets
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from ..exceptions import InvalidValue
from ..i18n import mark
from .allowed import Allowed
from .unpickler import Unpickler
from .values import each_part, is_standard

#: Every Python that can run 0.3.1, 2.7 included, reads protocol 2 …
PROTOCOL = 2
#: … but it loses the fold of a datetime (which of the two 02:30 of the night the clocks go back).
FOLD_PROTOCOL = 4
MAX_TEXT = 16 * 2**20  #: characters of stored text
_BLANKS = b" \t\r\n\v\f"
_NUMBER = re.compile(rb"(?s)\x80\x02(?:[N\x88\x89]|K.|M..|J....|G.{8})\.")
_TEXT_START, _TEXT_END = b"\x80\x02X", b"q\x00."
_ONLY_STANDARD = Allowed(())


def serialize(data: object, *, unique: bool = False) -> str:
    """Return *data* as stored text, readable by Flask-WaffleConf 0.3.1 too.

    :param unique: whether the text shall be like no other, of the same value too.
    :raises InvalidValue: *data* can't be pickled.
    """
    try:
        raw = _dumps(data)
        if unique:
            raw = raw[:2] + _nonce() + raw[2:]  # after the opcode that says the protocol
        return base64.b64encode(raw).decode("ascii")
    except Exception as error:  # whatever an object's own __reduce__ raises
        name = type(data).__qualname__
        raise InvalidValue(
            mark("a value of type %(name)s can't be stored (it can't be pickled)", name=name)
        ) from error


def is_text_of(text: str, value: object) -> bool:
    """Whether a stored text is what `serialize` writes of *value* as it is now. False may also mean
    that it is another text of the same value, such as one that 0.3.1 wrote.
    """
    try:
        return binascii.a2b_base64(text) == _dumps(value)
    except Exception:  # whatever an object's own __reduce__ raises
        return False


def deserialize(data: str | bytes, classes: Iterable[type] | Allowed = ()) -> Any:
    """Return the value of a stored text, of any pickle protocol, without running anything in it.

    :param data: base64 of a pickle.
    :param classes: classes allowed besides the standard types of values.
    :raises InvalidValue: the text is damaged, too large or names something that is not allowed;
        the message has no content of it but the name of a class.
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
        if _is_scalar(raw):
            return pickle.loads(raw)
        if not isinstance(classes, Allowed):
            classes = Allowed(classes) if classes else _ONLY_STANDARD
        return Unpickler(raw, classes).load()
    except InvalidValue:
        raise
    except Exception as error:  # damaged in one of very many ways
        # Without a cause: what pickle or a class says of a damaged text may quote it.
        what = type(error).__name__
        raise InvalidValue(mark("the stored text is damaged (%(what)s)", what=what)) from None


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
    if b"\n" in raw and any(map(_has_fold, each_part(value))):
        return pickle.dumps(value, FOLD_PROTOCOL)
    return raw


def _is_scalar(raw: bytes) -> bool:
    """Whether a pickle is one number, text, truth value or None, and nothing else: the standard
    library may read it then.
    """
    if raw.startswith(_TEXT_START):
        length = len(raw) - len(_TEXT_START) - 4 - len(_TEXT_END)
        return raw.endswith(_TEXT_END) and int.from_bytes(raw[3:7], "little") == length
    return _NUMBER.fullmatch(raw) is not None


def _nonce() -> bytes:
    """Opcodes that put a random text on the stack and drop it again."""
    return b"U\x10" + secrets.token_hex(8).encode() + b"0"


def _has_fold(value: object) -> bool:
    return isinstance(value, (datetime, time)) and value.fold == 1
