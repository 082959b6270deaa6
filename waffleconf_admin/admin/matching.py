"""Matching: what two texts have in common, found in linear or in bounded time."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence

#: Lines or words that are compared with each other, at most; and their characters.
MOST, MOST_CHARACTERS = 2000, 100_000
#: Steps of all comparisons of a page: about a tenth of a second in the worst case.
WORK = 5_000_000

#: Parts of two texts in their order: whether each is "same", "old", "new" or a "gap", and its text.
Pieces = list[tuple[str, str]]


class Matcher:
    """Matches lines or words of the texts of one page, as long as that does not take too long."""

    def __init__(self) -> None:
        self._left = WORK

    def match(
        self, before: Sequence[str], after: Sequence[str]
    ) -> difflib.SequenceMatcher[str] | None:
        """Return what is the same in two lists; None where that would take too long."""
        if max(len(before), len(after)) > MOST:
            return None
        counts = Counter(after)
        pairs = sum(counts[token] for token in before)
        # It compares all pairs of equal tokens again for each run of them that it finds.
        work = (pairs + len(before) + len(after)) * (1 + min(len(before), len(after), pairs))
        if work > self._left:
            return None
        self._left -= work
        return difflib.SequenceMatcher(None, before, after, False)


# Each step compares half as much as the step before: together that is linear.


def same_start(old: str, new: str) -> int:
    """Return how many characters are the same at the beginning."""
    low, high = 0, min(len(old), len(new))
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def same_end(old: str, new: str, most: int) -> int:
    """Return how many of the last characters are the same.

    :param most: how many to compare.
    """
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if old[len(old) - middle : len(old) - low] == new[len(new) - middle : len(new) - low]:
            low = middle
        else:
            high = middle - 1
    return low
