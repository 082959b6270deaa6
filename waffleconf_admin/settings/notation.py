"""Notation: how numbers are written and read, as Python or as a locale has them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from ..i18n import decimal_mark, gettext, locale_name, mark

TWO_READINGS = mark("This can mean %(one)s or %(other)s: enter one of these.")


@dataclass(frozen=True, slots=True)
class Notation:
    """How numbers are written and read: by default as in Python.

    No digits are grouped: "1.234" would mean another number to half of its readers.
    """

    locale: str = ""  #: its name, as Babel writes it; "": the notation is Python's
    point: str = "."  #: what stands before the decimals
    exact: bool = False  #: whether nothing else is read: no other mark, and no groups of digits

    def write(self, text: str) -> str:
        """Return a number in this notation, or several with units, from Python's."""
        return text if self.point == "." else text.replace(".", self.point)

    def read(self, text: str) -> str:
        """Return in Python's notation the number that somebody wrote; *text* if it is no number.

        Groups of digits and either mark are read wherever they can mean one number only. The mark
        of this notation is always that before decimals: numbers are shown with it.

        :param text: folded, see `fold`.
        :raises ValueError: it can mean two numbers; the message names both.
        """
        if _OWN[self.point].fullmatch(text):
            return text.replace(self.point, ".")
        found = self.readings(text)
        if len(found) > 1:
            raise ValueError(gettext(TWO_READINGS, **self.name_both(found)))
        return found[0] if found else text

    def read_within(self, text: str) -> str:
        """Return a text with each of its numbers as `read` returns it: "1 h 2.5 min"."""
        return _NUMBERS.sub(lambda found: self.read(found[0]), text)

    def readings(self, text: str) -> list[str]:
        """Return the numbers that a text can mean, with groups or another mark, as `read` does."""
        return [] if self.exact else readings(text)

    def name_both(self, found: list[str]) -> dict[str, object]:
        """Return the two numbers that a text can mean, for a message."""
        one, other = sorted(map(self.write, found), key=len)
        return {"one": one, "other": other}


#: Python's, which a page without a locale has too.
PYTHON = Notation()
#: The notation of every way in but the page, in every locale.
EXACT = Notation(exact=True)


def reader_notation() -> Notation:
    """Return the notation of the reader's locale; Python's without Flask-Babel."""
    return notation_of(locale_name())


@lru_cache(100)
def notation_of(locale: str) -> Notation:
    """Return the notation of a locale by its name; Python's if Babel has no such locale."""
    point = decimal_mark(locale) if locale else ""
    return Notation(locale, point) if point in _OWN else PYTHON


def fold(text: str) -> str:
    """Return a text with the digits, signs and blanks of ASCII in place of others.

    Those are full-width and Arabic digits, for example, the minus sign and the no-break space.
    """
    return text if text.isascii() else "".join(map(_folded, text)).strip()


def readings(text: str) -> list[str]:
    """Return the numbers that a text can mean, in Python's notation: none, one or two.

    :param text: folded.
    """
    found: dict[str, None] = {}
    for point, pattern in _GROUPED.items():
        if match := pattern.fullmatch(text):
            digits = _GROUP_MARKS.sub("", match["whole"])
            decimals = (match["decimals"] or "").replace(point, ".")
            found[match["sign"] + digits + decimals + (match["exponent"] or "")] = None
    return list(found)


def _folded(char: str) -> str:
    if char.isdecimal():
        return str(unicodedata.decimal(char))
    if "\uff01" <= char <= "\uff5e":  # full width
        return chr(ord(char) - 0xFEE0)
    return " " if char.isspace() else _SAME.get(char, char)


#: What else people and programs write for what ASCII has; direction marks mean nothing here.
_SAME = {
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
    **dict.fromkeys("\u2019\u02bc\u066c", "'"),
    **dict.fromkeys("\u060c\u2e41", ","),
    **dict.fromkeys("\u3002\uff61", "."),
    **dict.fromkeys("\u061c\u200e\u200f", ""),
}
_EXPONENT = "[eE][+-]?[0-9]{1,9}"
#: By the mark before decimals: numbers without groups.
_OWN = {
    point: re.compile(
        rf"[+-]?([0-9]++({re.escape(point)}[0-9]*+)?|{re.escape(point)}[0-9]++)({_EXPONENT})?"
    )
    for point in ".,\u066b"
}
#: The same with groups: all of them with the same mark, in thousands or as in India.
_GROUPED = {
    point: re.compile(
        r"(?P<sign>[+-]?)(?=.?[0-9])"
        rf"(?P<whole>[1-9][0-9]{{0,2}}(?P<g>[ '{other}])[0-9]{{3}}(?:(?P=g)[0-9]{{3}})*+"
        rf"|[1-9][0-9]?(?P<h>[ '{other}])(?:[0-9]{{2}}(?P=h))++[0-9]{{3}}|[0-9]*+)"
        rf"(?P<decimals>{re.escape(point)}[0-9]*+)?(?P<exponent>{_EXPONENT})?"
    )
    for point, other in ((".", ","), (",", "."), ("\u066b", ","))
}
_GROUP_MARKS = re.compile("[ '.,]")
_NUMBERS = re.compile("[0-9](?:[.,'\u066b]?[0-9])*+")
