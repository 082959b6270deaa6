"""Swap: a compare and swap of one stored text, and how statements and instances take those of
a save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from .instances import Model, key_of, text_of


class Swap(NamedTuple):
    """A compare and swap of the stored text of one key; None: there is no row."""

    seen: str | None  #: the text that the caller has read; the swap fails if it has changed
    new: str | None  #: the text to write; equal to ``seen`` where a key has to stay as it is

    @property
    def writes(self) -> bool:
        """Whether anything is to be written; if not, the text is only compared."""
        return self.seen != self.new


#: What one save does, by key.
Swaps = Mapping[str, Swap]

#: The parameters of statements: a key, and the texts of a `Swap`.
PARAMETERS = ("of_key", "seen", "new")
#: One row of them; statements of keys only need the first.
Parameters = tuple[str | None, ...]


class RowChanged(Exception):
    """A row is no longer as the caller has seen it; the transaction is rolled back."""


def by_statement(swaps: Swaps) -> Mapping[str, list[Parameters]]:
    """Return the rows of parameters for each of the statements "update", "delete" and "insert"."""
    rows: dict[str, list[Parameters]] = {}
    for key, (seen, new) in swaps.items():
        name = "insert" if seen is None else "delete" if new is None else "update"
        rows.setdefault(name, []).append((key, seen, new))
    return rows


def taker(names: Sequence[str]) -> Callable[[Parameters], Parameters]:
    """Return what takes these parameters out of a row of all, in this order."""
    places = [PARAMETERS.index(name) for name in names]
    if len(places) > 1:
        return itemgetter(*places)  # for several it returns a tuple
    return lambda row: tuple(row[place] for place in places)


def instances_to_write(
    swaps: Swaps, instances: Iterable[object]
) -> Iterator[tuple[str, Model, str | None]]:
    """Yield ``(key, instance or None, new text or None)`` for each instance to save, add or delete.

    :param instances: all that there are of these keys, locked.
    :raises RowChanged: an instance is not as it was seen.
    """
    found: dict[str, list[Model]] = {key: [] for key in swaps}
    for instance in instances:
        found.get(key_of(instance), []).append(instance)
    for key, swap in swaps.items():
        if min(map(text_of, found[key]), default=None) != swap.seen:
            raise RowChanged
    for key, swap in swaps.items():
        for instance in found[key] or [None]:
            yield key, instance, swap.new
