"""Texts: values as the app stores them, as JSON or as base64 of a pickle; both are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, Protocol, get_args

from ..exceptions import InvalidValue
from ..i18n import mark
from .allowed import Allowed
from .json_reader import BLANKS, read_json
from .json_writer import write_json
from .pickles import read_pickle, write_pickle  # nosec B403 # our module

#: The formats of stored texts, as WAFFLE_SERIALIZER names them.
Format = Literal["pickle", "json"]
FORMATS: tuple[Format, ...] = get_args(Format)

MAX_TEXT = 16 * 2**20  #: characters of stored text
_ONLY_STANDARD = Allowed(())


class _Write(Protocol):
    def __call__(self, value: object, *, unique: bool = False) -> str: ...


_WRITE: dict[Format, _Write] = {"pickle": write_pickle, "json": write_json}


def serialize(data: object, *, unique: bool = False, format: Format = "pickle") -> str:
    """Return *data* as stored text.

    :param unique: whether the text shall be like no other, of the same value too.
    :param format: "pickle", which Flask-WaffleConf 0.3.1 reads too, or "json".
    :raises InvalidValue: the format can't hold *data*.
    """
    return _WRITE[format](data, unique=unique)


def deserialize(data: str | bytes, classes: Iterable[type] | Allowed = ()) -> Any:
    """Return the value of a stored text of either format, without running anything in it.

    :param data: JSON, or base64 of a pickle of any protocol.
    :param classes: classes allowed besides the standard types of values.
    :returns: Any: what the text says, which callers know.
    :raises InvalidValue: the text is damaged, too large or names something that is not allowed;
        the message has no content of it but the name of a class.
    """
    if len(data) > MAX_TEXT:
        raise InvalidValue(
            mark("the stored text is longer than %(count)s characters", count=MAX_TEXT)
        )
    if not isinstance(classes, Allowed):
        classes = Allowed(classes) if classes else _ONLY_STANDARD
    try:
        text = data if isinstance(data, str) else data.decode()
        return _READ.get(text[:1], read_pickle)(text, classes)
    except InvalidValue:
        raise
    except Exception as error:  # damaged in one of very many ways
        # Without a cause: what json, pickle or a class says of a damaged text may quote it.
        what = type(error).__name__
        raise InvalidValue(mark("the stored text is damaged (%(what)s)", what=what)) from None


def format_of(text: str) -> Format:
    """Return the format that a stored text has, by how it begins."""
    read = _READ.get(text[:1], read_pickle)
    if read is _read_stripped:
        text = text.strip(BLANKS)
        return "json" if text == "false" or _READ.get(text[:1]) is read_json else "pickle"
    return "json" if read is read_json else "pickle"


def is_text_of(text: str, value: object) -> bool:
    """Whether a stored text is what `serialize` writes in its format of *value* as it is now.

    False may also mean that it is another text of the same value: one that 0.3.1 wrote, or one that
    was to be like no other.
    """
    try:
        return serialize(value, format=format_of(text)) == text
    except InvalidValue:  # changed in place to what can't be stored
        return False


def _read_stripped(text: str, allowed: Allowed) -> object:
    """Read a text that begins with a blank or like "false", as a pickle of protocol 1 can."""
    text = text.strip(BLANKS)
    return (read_json if format_of(text) == "json" else read_pickle)(text, allowed)


#: What reads a text, by its first character: no base64 of a pickle begins as JSON does.
_READ: dict[str, Callable[[str, Allowed], object]] = {
    **dict.fromkeys('{["-0123456789tn', read_json),
    **dict.fromkeys(f"f{BLANKS}", _read_stripped),
}
