"""Texts of values: for people, of bounded length; as controls send them; where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from ..i18n import gettext, mark
from ..settings import value_types

T = TypeVar("T")

#: The longest text of a value on a page, in characters.
TEXT_LIMIT = 1000

NOT_GIVEN_BACK = mark("this page could not give its value back unchanged")
ONLY_IN_CODE = mark("It can only be changed in code: %(why)s.")


class UnsupportedValue(ValueError):
    """A value that a field can't edit; the message says why."""


def generic_text(value: object) -> str:
    """Return a text of at most `TEXT_LIMIT` characters for a value of any type."""
    if type(value) is str:
        return bounded_text(value)
    if value is None or isinstance(value, bool):
        return {None: "", True: "true", False: "false"}[value]
    made_of = type(value)
    if made_of.__str__ is object.__str__ and made_of.__repr__ is object.__repr__:
        return f"({made_of.__name__})"  # not its address in memory
    try:
        text = str(value)
    except Exception as error:  # whatever an object's own __str__ raises
        text = gettext(
            "(%(type)s that can't be shown: %(error)s)",
            type=type(value).__name__,
            error=type(error).__name__,
        )
    return bounded_text(text)


def bounded_text(text: str) -> str:
    """Return a text cut to `TEXT_LIMIT` characters, with escapes for lone surrogates."""
    if len(text) > TEXT_LIMIT:
        text = text[: TEXT_LIMIT - 1] + "…"
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def is_unicode(text: str) -> bool:
    """Whether *text* can be encoded; a lone surrogate can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def newlines(text: str) -> str:
    """Return a text with Python's newlines: browsers send those of HTTP, whatever the value has."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def join_values(values: Sequence[str]) -> str:
    """Return what a control has sent as one text that the merge compares.

    Of an untouched control it is the same at each time, whatever field reads it by then.
    """
    text = values[0] if len(values) == 1 else "\0".join(values)
    return newlines(text) if "\r" in text else text


def require_type(value: object, *wanted: type[T]) -> T:
    """Return *value*; raise UnsupportedValue unless it is exactly of one of the types."""
    for value_type in wanted:
        if type(value) is value_type:
            return value
    raise UnsupportedValue(
        gettext(
            "it is of type %(type)s, and this control is for %(noun)s",
            type=type(value).__name__,
            noun=value_types.noun(wanted[0]),
        )
    )
