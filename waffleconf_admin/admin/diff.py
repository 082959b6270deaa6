"""Differences: what has changed in a long text, found in linear time."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from contextlib import suppress
from typing import NamedTuple

from ..fields import SettingField
from ..fields.base import display_text
from ..fields.value_text import bounded_text
from ..i18n import gettext as _
from .matching import MOST, MOST_CHARACTERS, Matcher, Pieces, same_end, same_start
from .word_diff import compare_words

#: A text on one line that is longer than this is long.
LONG = 60
CONTEXT = 1  #: unchanged lines around each difference
#: Fewer lines are shown rather than left out: what stands in their place takes a line itself.
LEFT_OUT = 3
NEAR = CONTEXT + LEFT_OUT  #: unchanged lines at an end of the text of which some are left out
CHARACTERS = 60  #: unchanged characters before the difference of a long line
LINE = 240  #: characters of a line
SHOWN = 100  #: lines of a diff
FIRST = 8  #: lines of each text where the two can't be compared


class Differences(NamedTuple):
    """What differs in two texts: by lines, or by words where both have one line."""

    lines: Pieces = []
    words: Pieces = []

    def __bool__(self) -> bool:
        return bool(self.lines or self.words)


class Comparer:
    """Compares the texts of one page, in detail as long as that does not take too long.

    Of other texts it returns the first lines that differ.
    """

    def __init__(self) -> None:
        self._matcher = Matcher()

    def compare(self, old: str, new: str) -> Differences:
        """Return the differences of long texts; none where both sides are easy to read."""
        if "\n" in old or "\n" in new:
            return Differences(lines=self.lines(old, new))
        if old and new and max(len(old), len(new)) > LONG:
            return Differences(words=self.words(old, new))
        return Differences()

    def lines(self, old: str, new: str) -> Pieces:
        """Return the lines that differ, with unchanged ones around them."""
        if old == new:
            return []
        old, new = (f"{text}\n" if text else "" for text in (old, new))
        start, same = _same_lines(old, new)
        old_end, new_end = len(old) - same, len(new) - same
        before, after = _last_lines(old[:start], NEAR), _first_lines(old[old_end:], NEAR)
        lines = _Lines(new.count("\n", 0, start), new.count("\n"))
        texts = old[start:old_end], new[start:new_end]
        if all(map(_is_comparable, texts)):
            one, other = (text.split("\n")[:-1] for text in texts)
            if match := self._matcher.match(one, other):
                return lines.hunks(match, (one, other), (before, after))
        return lines.beginning(before[-CONTEXT:], *(_first_lines(text, FIRST) for text in texts))

    def words(self, old: str, new: str) -> Pieces:
        """Return two long lines as one: the words that differ, with what is around them."""
        return [] if old == new else compare_words(old, new, self._matcher)


def whole_text(field: object, value: object) -> str:
    """Return the text of a value to compare: that of its field, and not shortened."""
    if isinstance(field, SettingField) and type(value) is not bool:
        with suppress(ValueError):
            return field.write(value)
    return value if isinstance(value, str) else display_text(field, value)


class _Lines(NamedTuple):
    """A range of lines of a text."""

    first: int  #: how many lines come before it
    total: int  #: how many lines the text has

    def hunks(
        self,
        match: difflib.SequenceMatcher[str],
        differing: tuple[Sequence[str], Sequence[str]],
        around: tuple[Sequence[str], Sequence[str]],
    ) -> Pieces:
        """The lines that differ, and for lines left out before one the number of the last.

        :param differing: what was matched, the old lines and the new ones.
        :param around: the last unchanged lines before all that differ, and the first after these.
        """
        old, new = differing
        before, after = around
        pieces = self._between(before, self.first, 0)
        for tag, start, end, start_new, end_new in match.get_opcodes():
            if tag == "equal":
                pieces += self._between(old[start:end], self.first + end_new, CONTEXT)
            else:
                pieces += _changed(old[start:end], new[start_new:end_new])
            if len(pieces) > SHOWN:
                return [*pieces[:SHOWN], ("gap", _("… more differences follow"))]
        return pieces + _unchanged(after if len(after) < NEAR else after[:CONTEXT])

    def _between(self, lines: Sequence[str], end: int, beside: int) -> Pieces:
        """Unchanged lines before one that differs: of many only those beside such lines.

        :param end: the number of the last one.
        :param beside: how many of the first are beside such a line.
        """
        if len(lines) < beside + NEAR:
            return _unchanged(lines)
        left_out = _("… line %(line)s of %(total)s", line=end - CONTEXT, total=self.total)
        first, last = _unchanged(lines[:beside]), _unchanged(lines[-CONTEXT:])
        return [*first, ("gap", left_out), *last]

    def beginning(self, before: Sequence[str], old: Sequence[str], new: Sequence[str]) -> Pieces:
        """The first lines of texts that can't be compared."""
        line = self.first + 1
        return [
            ("gap", _("First differs at line %(line)s of %(total)s", line=line, total=self.total)),
            *_unchanged(before),
            *_changed(old, new),
            ("gap", _("… more differences follow")),
        ]


def _same_lines(old: str, new: str) -> tuple[int, int]:
    """How many characters are in lines that are the same, at the beginning and at the end.

    :param old: as `new` it ends with a newline, or is blank.
    """
    start = old.rfind("\n", 0, same_start(old, new)) + 1
    same = same_end(old, new, min(len(old), len(new)) - start)
    at = len(old) - same
    if not (_is_start(old, at) and _is_start(new, len(new) - same)):
        same -= old.find("\n", at) + 1 - at
    return start, same


def _is_start(text: str, at: int) -> bool:
    """Whether a line begins there."""
    return at == 0 or text[at - 1] == "\n"


def _is_comparable(text: str) -> bool:
    return len(text) <= MOST_CHARACTERS and text.count("\n") <= MOST


def _first_lines(text: str, count: int) -> list[str]:
    """The first lines of a text that ends with a newline."""
    lines = text.split("\n", count)
    return lines[: min(count, len(lines) - 1)]


def _last_lines(text: str, count: int) -> list[str]:
    """The last lines of a text that ends with a newline."""
    return text.rsplit("\n", count + 1)[-count - 1 : -1]


def _unchanged(lines: Sequence[str]) -> Pieces:
    return [("same", _part_of_line(line, 0)) for line in lines]


def _changed(old: Sequence[str], new: Sequence[str]) -> Pieces:
    """Lines that were changed; of long ones the part in which they differ."""
    places = [same_start(*pair) for pair in zip(old, new, strict=False)]
    places += [0] * (max(len(old), len(new)) - len(places))
    return [
        (part, _part_of_line(line, at))
        for part, lines in (("old", old), ("new", new))
        for line, at in zip(lines, places, strict=False)
    ]


def _part_of_line(line: str, at: int) -> str:
    """A line; of a long one what is around a place."""
    if len(line) > LINE:
        start = max(at - CHARACTERS, 0)
        end = start + LINE
        line = ("…" if start else "") + line[start:end] + ("…" if end < len(line) else "")
    return bounded_text(line)
