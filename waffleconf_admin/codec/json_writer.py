"""JSON writer: values as JSON that PostgreSQL's jsonb takes and leaves as it is."""

from __future__ import annotations

import json
import math
import secrets
from collections.abc import Callable
from enum import Enum
from fractions import Fraction
from json.encoder import encode_basestring as quote
from types import NoneType
from typing import Any

from ..exceptions import InvalidValue
from ..i18n import mark
from ..plain import plain_expression
from .json_tags import BY_TYPE, ENUM, MARK, UNSTORABLE, Tag, write_enum
from .limits import MAX_ITEMS, too_large, too_many_digits

_LARGE = 2**63  # databases and JavaScript round larger numbers
_WHOLE = 1e16  # larger floats are written without a point by jsonb, and would be read as whole
_BLANKS = {ord("0"): " ", ord("1"): "\t"}


def write_json(value: object, *, unique: bool = False) -> str:
    """Return *value* as JSON.

    :param unique: whether the text shall be like no other, of the same value too.
    :raises InvalidValue: JSON can't hold it, or it is too large.
    """
    try:
        text = _Writer().write(value)
    except RecursionError:
        raise too_large() from None
    return f"{secrets.randbits(64):064b}".translate(_BLANKS) + text if unique else text


class _Writer:
    """Writes one value, as the standard library's encoder writes what JSON has itself.

    That encoder would need a copy first, with tags in it, and a walk of its own over it.
    """

    def __init__(self) -> None:
        self._items = 0

    def write(self, value: object) -> str:
        """Return the JSON of a value or of a part of it.

        :raises InvalidValue: JSON can't hold the value, or it is too large.
        :raises RecursionError: it is too deep, or inside itself.
        """
        self._items += 1
        if self._items > MAX_ITEMS:
            raise too_large()
        cls = type(value)
        if cls in _JSON:
            return _JSON[cls](self, value)
        if cls in BY_TYPE:
            return self._tagged(BY_TYPE[cls], value)
        if isinstance(value, Enum):
            return f'{{"{ENUM}": {json.dumps(write_enum(value), ensure_ascii=False)}}}'
        raise _refused(value)

    def _none(self, _none: None) -> str:
        return "null"

    def _bool(self, truth: bool) -> str:
        return "true" if truth else "false"

    def _text(self, text: str) -> str:
        return quote(text) if _is_storable(text) else self._tagged(BY_TYPE[str], text)

    def _int(self, number: int) -> str:
        return repr(number) if -_LARGE <= number < _LARGE else self._tagged(BY_TYPE[int], number)

    def _float(self, number: float) -> str:
        if -_WHOLE < number < _WHOLE and (number or math.copysign(1, number) > 0):
            return repr(number)
        return self._tagged(BY_TYPE[float], number)

    def _list(self, items: list[object]) -> str:
        return f"[{', '.join([self.write(item) for item in items])}]"

    def _dict(self, items: dict[str, object]) -> str:
        if not all(type(key) is str and _is_storable(key) for key in items) or (
            len(items) == 1 and next(iter(items)).startswith(MARK)  # it looks like a tag
        ):
            return self._tagged(BY_TYPE[dict], items)
        written = [f"{quote(key)}: {self.write(item)}" for key, item in items.items()]
        return f"{{{', '.join(written)}}}"

    def _tagged(self, tag: Tag, value: object) -> str:
        try:
            content = tag.write(value)
        except Exception as error:
            has_digits = isinstance(value, int | Fraction)  # Python writes no more of them
            raise (too_many_digits() if has_digits else _refused(value)) from error
        return f'{{"{tag.name}": {self.write(content)}}}'


#: Any: each takes values of its own type.
_JSON: dict[type, Callable[[_Writer, Any], str]] = {
    str: _Writer._text,
    int: _Writer._int,
    float: _Writer._float,
    bool: _Writer._bool,
    NoneType: _Writer._none,
    list: _Writer._list,
    dict: _Writer._dict,
}


def _is_storable(text: str) -> bool:
    return (text.isascii() and "\0" not in text) or not UNSTORABLE.search(text)


def _refused(value: object) -> InvalidValue:
    if expression := plain_expression(value):
        return InvalidValue(
            mark(
                "JSON can't hold a value of type %(name)s: pass %(plain)s, or set "
                "WAFFLE_SERIALIZER = 'pickle'",
                name=type(value).__qualname__[:100],
                plain=expression,
            )
        )
    return InvalidValue(
        mark(
            "JSON can't hold a value of type %(name)s: use a dict or a list, or set "
            "WAFFLE_SERIALIZER = 'pickle'",
            name=type(value).__qualname__[:100],
        )
    )
