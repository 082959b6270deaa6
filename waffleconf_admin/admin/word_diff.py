"""Differences of two long lines, word by word."""

from __future__ import annotations

import re
from itertools import groupby
from operator import itemgetter

from ..fields.value_text import bounded_text
from .matching import MOST_CHARACTERS, Matcher, Pieces, same_end, same_start

#: Unchanged characters around each difference; characters of a difference.
CONTEXT, LONGEST = 120, 240
#: A word of more characters may be cut.
WORD = 60

#: Blanks go with the word before them: on their own each would be equal to all others.
_WORDS = re.compile(r"\w++\s*+|\s++|[^\w\s]\s*+")
_REST_OF_WORD = re.compile(rf"\w{{0,{WORD}}}\s{{0,{WORD}}}")
_BEGINNING_OF_WORD = re.compile(rf"{_REST_OF_WORD.pattern}\Z")


def compare_words(old: str, new: str, matcher: Matcher) -> Pieces:
    """Return two different texts as one: the words that differ, with what is around them.

    Where there is too much to compare, all between what is the same at both ends is one difference.
    """
    start = same_start(old, new)
    if word := _BEGINNING_OF_WORD.search(old, max(start - 2 * WORD, 0), start):
        start = word.start()
    same = same_end(old, new, min(len(old), len(new)) - start)
    if word := _REST_OF_WORD.match(old, len(old) - same):
        same -= len(word[0])
    old_end, new_end = len(old) - same, len(new) - same
    middle = _compare_middle(old[start:old_end], new[start:new_end], matcher)
    found = [("same", old[:start]), *middle, ("same", old[old_end:])]
    groups = groupby((piece for piece in found if piece[1]), key=itemgetter(0))
    pieces = [(part, "".join(text for _part, text in group)) for part, group in groups]
    return [
        (part, _shorten(text, part, at_start=number == 0, at_end=number == len(pieces) - 1))
        for number, (part, text) in enumerate(pieces)
    ]


def _compare_middle(old: str, new: str, matcher: Matcher) -> Pieces:
    if len(old) + len(new) <= MOST_CHARACTERS:
        before, after = _WORDS.findall(old), _WORDS.findall(new)
        if match := matcher.match(before, after):
            pieces: Pieces = []
            for tag, start, end, start_new, end_new in match.get_opcodes():
                part = "same" if tag == "equal" else "old"
                pieces.append((part, "".join(before[start:end])))
                if tag != "equal":
                    pieces.append(("new", "".join(after[start_new:end_new])))
            return pieces
    return [("old", old), ("new", new)]


def _shorten(text: str, part: str, *, at_start: bool, at_end: bool) -> str:
    """Return a part, cut: the beginning of a difference, or what stands beside one."""
    if part == "same":
        first, last = (0 if at_start else CONTEXT), (0 if at_end else CONTEXT)
    else:
        first, last = LONGEST, 0
    if len(text) > first + last:
        text = f"{text[:first]}…{text[len(text) - last :]}"
    return bounded_text(text)
