"""JSON reader: the values of stored JSON, within limits of time and memory."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from .allowed import Allowed
from .json_tags import BY_NAME, ENUM, MARK, read_enum
from .limits import MAX_DEPTH, MAX_DIGITS, MAX_ITEMS, Budget, check_value
from .makers import make_int

BLANKS = " \t\r\n"
_SHORT = 2 * MAX_DEPTH  #: characters: too few for deeper values
_LONG_NUMBER = re.compile(rf"(?<![0-9])[0-9]{{{MAX_DIGITS + 1}}}")
_TAG_START = f'"{MARK}'


def read_json(text: str, allowed: Allowed) -> object:
    """Return the value of stored JSON.

    :param allowed: knows the Enums that it may name.
    :raises InvalidValue: it names another one, or is too large.
    :raises Exception: others, for a damaged one; their texts may quote it.
    """
    length = len(text)
    # Python may be configured to read numbers of any length, which takes quadratic time.
    long = length > MAX_DIGITS and _LONG_NUMBER.search(text)
    value, end = (_CAREFUL if long else _DECODER).scan_once(text, 0)
    if end != length and text[end:].strip(BLANKS):
        raise ValueError("something follows")
    if _TAG_START in text:
        value = _Untagger(allowed).untag(value)
    elif length <= _SHORT:
        return value
    elif length <= MAX_ITEMS and text.count("[") + text.count("{") <= MAX_DEPTH:
        return value  # what check_value refuses takes a longer text
    check_value(value, allowed.classes)
    return value


class _Untagger:
    """Makes the values that are stored with tags.

    :param allowed: knows the Enums that may be named.
    """

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._budget = Budget()

    def untag(self, value: object) -> object:
        """Return a value of JSON with the values that its tags stand for.

        :raises InvalidValue: see `read_json`.
        :raises Exception: others, for what is no value.
        """
        if type(value) is list:
            return [self.untag(item) if type(item) in _NESTED else item for item in value]
        if type(value) is not dict:
            return value
        for name, item in value.items():
            if type(item) in _NESTED:
                value[name] = self.untag(item)
        if len(value) == 1:
            ((name, content),) = value.items()
            if name == ENUM:
                return read_enum(self._allowed, self._budget, content)
            if name.startswith(MARK):  # an unknown one may be of a later version
                return BY_NAME[name].read(self._budget, content)
        return value


_NESTED = frozenset({list, dict})


def _refuse_constant(_name: str) -> NoReturn:
    raise ValueError("no JSON")  # NaN, Infinity and -Infinity


# Any: the type stubs do not know scan_once. `decode` would look for blanks by regular expressions.
_DECODER: Any = json.JSONDecoder(parse_constant=_refuse_constant)
_CAREFUL: Any = json.JSONDecoder(parse_constant=_refuse_constant, parse_int=make_int)
