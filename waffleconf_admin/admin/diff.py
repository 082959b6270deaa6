"""Differences: two texts compared line by line or word by word, in bounded time."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import takewhile

#: More lines (or words) and characters than this are not compared.
MOST = 2000
MOST_CHARACTERS = 100_000
#: Steps for all comparisons of a page: about a tenth of a second in the worst case.
WORK = 5_000_000
#: Blanks go with the word before them: on their own each would be equal to all others.
_WORDS = re.compile(r"\w++\s*+|\s++|[^\w\s]\s*+")
CONTEXT = 2  #: unchanged lines around each difference

#: Parts of two texts in their order: whether each is "same", "old", "new" or a "gap", and its text.
Pieces = list[tuple[str, str]]


class Comparer:
    """Compares the texts of one page, as long as that does not take too long.

    It returns no pieces where that would take too long: then show both texts whole.
    """

    def __init__(self) -> None:
        self._left = WORK

    def lines(self, old: str, new: str) -> Pieces:
        """Compare two texts line by line, without what is far from any difference."""
        if not self._reads(old, new):
            return []
        before, after = old.split("\n"), new.split("\n")
        start, end = _ends(before, after)
        start, end = max(start - CONTEXT, 0), max(end - CONTEXT, 0)
        before, after = before[start : len(before) - end], after[start : len(after) - end]
        matcher = self._matcher(before, after)
        pieces: Pieces = []
        for group in matcher.get_grouped_opcodes(CONTEXT) if matcher else ():
            pieces += [("gap", "…")] if pieces else []
            for part, tokens in _pieces(group, before, after):
                pieces += [(part, line) for line in tokens]
        return pieces

    def words(self, old: str, new: str) -> Pieces:
        """Compare two texts word by word."""
        if not self._reads(old, new):
            return []
        before, after = _WORDS.findall(old), _WORDS.findall(new)
        start, end = _ends(before, after)
        head, tail = before[:start], before[len(before) - end :]
        before, after = before[start : len(before) - end], after[start : len(after) - end]
        matcher = self._matcher(before, after)
        if matcher is None:
            return []
        middle = list(_pieces(matcher.get_opcodes(), before, after))
        found = [("same", head), *middle, ("same", tail)]
        return [(part, "".join(tokens)) for part, tokens in found if tokens]

    def _reads(self, old: str, new: str) -> bool:
        """Whether there is time to look at two texts at all."""
        length = len(old) + len(new)
        if length > min(MOST_CHARACTERS, self._left):
            return False
        self._left -= length
        return True

    def _matcher(
        self, before: Sequence[str], after: Sequence[str]
    ) -> difflib.SequenceMatcher[str] | None:
        if max(len(before), len(after)) > MOST:
            return None
        counts = Counter(after)
        pairs = sum(counts[token] for token in before)
        # It looks at all pairs of equal tokens again for each run of them that it finds.
        work = (pairs + len(before) + len(after)) * (1 + min(len(before), len(after), pairs))
        if work > self._left:
            return None
        self._left -= work
        return difflib.SequenceMatcher(None, before, after, False)


def _ends(before: Sequence[str], after: Sequence[str]) -> tuple[int, int]:
    """How many tokens are the same at the beginning, and how many at the end."""
    start = _same(zip(before, after, strict=False))
    rest = min(len(before), len(after)) - start
    return start, min(rest, _same(zip(reversed(before), reversed(after), strict=False)))


def _same(pairs: Iterator[tuple[str, str]]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _pieces(
    opcodes: Sequence[tuple[str, int, int, int, int]], before: Sequence[str], after: Sequence[str]
) -> Iterator[tuple[str, Sequence[str]]]:
    for tag, start, end, start_new, end_new in opcodes:
        if tag == "equal":
            yield "same", before[start:end]
        else:
            yield "old", before[start:end]
            yield "new", after[start_new:end_new]
