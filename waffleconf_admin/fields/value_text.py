"""Texts of values for people: of any type, and of bounded length."""

from __future__ import annotations

from ..i18n import gettext

#: The longest text of a value on a page, in characters.
TEXT_LIMIT = 1000


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
