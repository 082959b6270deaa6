"""Search: how well a setting matches what was typed, and which parts of its texts do.

static/search.js has the same rule for the browser; tests/admin/search_cases.json holds for both.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup, escape

#: Characters of a search: each word is looked for in each setting.
LONGEST = 200
#: Ranks from here on are those of settings that are only close to the search.
CLOSE = 100
#: The rank of a setting that does not match.
NONE = 200

#: The parts of a setting, the most telling first. Typing mistakes are forgiven in those before the
#: help. Help has many words: there they are forgiven if one of the others has another word of the
#: search, and only for the first few words of a search: that takes the most time.
PARTS = ("name", "key", "keywords", "group", "help", "value")
HELP = PARTS.index("help")

#: Words of a search that a help is searched for with typing mistakes.
MOST_IN_HELP = 4

#: Letters of a word that may be a part of another one with two letters in the wrong order.
MOST_SWAPPED = 16

_WORD = re.compile("(?:[^\\W_]|[\u0300-\u036f])++")
_MARKS = re.compile("[\u0300-\u036f]")
#: Letters that Unicode doesn't decompose.
_LETTERS = str.maketrans(
    {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ł": "l", "ı": "i", "ς": "σ"}
)


class _Folds(dict[int, str]):
    """Each character without accents and in lower case.

    One character at a time: to normalize a text takes quadratic time in its length.
    """

    def __missing__(self, code: int) -> str:
        text = unicodedata.normalize("NFKD", chr(code))
        folded = _MARKS.sub("", text).lower().translate(_LETTERS)
        if code < 0x2000:  # so that what is kept stays small
            self[code] = folded
        return folded


_FOLDS = _Folds()


def fold(text: str) -> str:
    """Return a text as it is compared: in lower case, without accents, ß as ss."""
    return text.lower() if text.isascii() else text.translate(_FOLDS)


class Search:
    """What was typed into the search.

    :param text: cut to `LONGEST` characters.
    """

    def __init__(self, text: str) -> None:
        self.text = text[:LONGEST].strip()
        folded = fold(self.text)
        self._typed = [_Typed(word) for word in dict.fromkeys(folded.split())]
        self._pieces = _WORD.findall(folded)

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._typed)

    def rank(self, parts: Sequence[str]) -> int:
        """Return how well a setting matches, the best with the least number.

        :param parts: its texts in the order of `PARTS`, folded.
        """
        worst, place = 0, HELP
        words: set[str] | None = None  # of the help, found once
        for number, typed in enumerate(self._typed):
            rank = typed.rank(parts)
            if rank == NONE and len(self._typed) > 1 and number < MOST_IN_HELP:
                words = set(_WORD.findall(parts[HELP])) if words is None else words
                rank = typed.rank_in_help(words)
            if rank == NONE:
                return NONE
            worst, place = max(worst, rank), min(place, rank % CLOSE)
        return NONE if worst == CLOSE + HELP and place == HELP else worst

    def mark(self, text: object, *, close: bool = False) -> Markup:
        """Return a text as HTML, its words that match marked.

        :param close: whether to mark those that are only close to the search, too.
        """
        text = str(text)
        html, end = Markup(), 0
        for start, stop in self.spans(text, close=close):
            html += escape(text[end:start]) + Markup("<mark>%s</mark>") % text[start:stop]
            end = stop
        return html + escape(text[end:])

    def spans(self, text: str, *, close: bool) -> Iterator[tuple[int, int]]:
        """Return where the words of a text that match begin and end."""
        for match in _WORD.finditer(text):
            word = fold(match[0])
            is_hit = any(piece in word for piece in self._pieces)
            if is_hit or (close and any(typed.means(word) for typed in self._typed)):
                yield match.span()


class _Typed:
    """One word of a search.

    :param text: folded.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._joined = "".join(_WORD.findall(text))
        self._cost = _cost(len(self._joined))
        self._known: dict[str, bool] = {}
        self._swapped = _swapped(self._joined) if self._cost else []

    def rank(self, parts: Sequence[str]) -> int:
        """Return the number of the first part that has the word, more if it is only close.

        In the help and the value it is not close.
        """
        for number, part in enumerate(parts):
            if self._text in part:
                return number
        if not self._cost:
            return NONE
        for number, part in enumerate(parts[:HELP]):
            if self._is_close(part):
                return CLOSE + number
        return NONE

    def rank_in_help(self, words: Iterable[str]) -> int:
        """Return the rank of a setting whose help has these words, one of which may be close."""
        return CLOSE + HELP if self._cost and any(map(self._is_near, words)) else NONE

    def means(self, word: str) -> bool:
        """Whether a word of a text is this one with mistakes, or a part of it."""
        if self._is_near(word) or (len(word) > 2 and word in self._joined):
            return True
        return any(text in word for text in self._swapped)

    def _is_close(self, part: str) -> bool:
        words = _WORD.findall(part)
        joined = "".join(words)
        if self._joined in joined or any(text in joined for text in self._swapped):
            return True
        return any(map(self._is_near, [*words, joined]))

    def _is_near(self, word: str) -> bool:
        if word not in self._known:
            self._known[word] = within(self._joined, word, self._cost)
        return self._known[word]


def _swapped(word: str) -> list[str]:
    """Return a word with each two of its letters in the wrong order; of a long word nothing."""
    if len(word) > MOST_SWAPPED:
        return []
    return [word[:i] + word[i + 1] + word[i] + word[i + 2 :] for i in range(len(word) - 1)]


def _cost(length: int) -> int:
    """Return what the mistakes in a word of so many letters may cost; see `within`."""
    return 0 if length < 4 else 1 if length == 4 else 2 if length < 9 else 4


def within(a: str, b: str, cost: int) -> bool:
    """Whether two words differ by mistakes that cost at most so much.

    Two letters in the wrong order cost 1; a letter too many, too few or another one costs 2.
    """
    if abs(len(a) - len(b)) * 2 > cost:
        return False
    start = 0
    while start < len(a) and start < len(b) and a[start] == b[start]:
        start += 1
    a, b = a[start:], b[start:]
    if not a or not b:
        return len(a + b) * 2 <= cost
    if cost > 0 and a[:2] == b[1::-1] and within(a[2:], b[2:], cost - 1):
        return True
    return cost > 1 and (
        within(a[1:], b[1:], cost - 2) or within(a[1:], b, cost - 2) or within(a, b[1:], cost - 2)
    )
