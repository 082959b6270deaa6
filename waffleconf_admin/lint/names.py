"""Names: what an app declares, and which of it resembles an unknown name."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Set
from functools import cached_property


@dataclasses.dataclass(frozen=True)
class AppNames:
    """The names that an app knows."""

    settings: Set[str]
    #: Keys of ``app.config``, declared or not.
    config: Set[str] = frozenset()
    #: Former names of settings, each with the present one.
    former: Mapping[str, str] = dataclasses.field(default_factory=dict)
    #: Settings whose changes need a restart: these may be copied.
    restart: Set[str] = frozenset()
    #: Classes of settings by dotted name, "shop.settings.Shop", each with all of its attributes.
    typed: Mapping[str, Set[str]] = dataclasses.field(default_factory=dict)

    @cached_property
    def declared(self) -> Set[str]:
        """The settings, by their present names and by former ones."""
        return self.settings | self.former.keys()

    @cached_property
    def attributes(self) -> Set[str]:
        """What classes of settings have: settings, methods and what else they define."""
        return {*self.declared}.union(*self.typed.values())

    def nearest(self, name: str) -> str | None:
        """Return the setting that resembles a name most."""
        if name in self.settings:
            return None
        if misspelt := self.misspelt(name):
            return misspelt
        found = difflib.get_close_matches(_folded(name), self._by_folded, n=1)
        return self._by_folded[found[0]] if found else None

    def misspelt(self, name: str) -> str | None:
        """Return the setting that a name is but for one letter, for two that changed places, or for
        underscores and case.
        """
        return next(
            (self._by_variant[v] for v in _variants(_folded(name)) if v in self._by_variant), None
        )

    def is_slip(self, name: str) -> bool:
        """Whether a name is a setting but for underscores, case or the order of its letters. With
        another letter, it may be a word of its own.
        """
        near = self.misspelt(name)
        return near is not None and sorted(_folded(near)) == sorted(_folded(name))

    @cached_property
    def _by_folded(self) -> dict[str, str]:
        return {_folded(name): name for name in self.settings}

    @cached_property
    def _by_variant(self) -> dict[str, str]:
        names = sorted(self.settings)
        return {variant: name for name in names for variant in _variants(_folded(name))}


def _folded(name: str) -> str:
    return name.replace("_", "").lower()


def _variants(name: str) -> Iterator[str]:
    """A name, and what is left of it without one letter: two names that share one of these differ
    in a letter, or in the place of one.
    """
    yield name
    if len(name) > 3:  # of shorter ones too many resemble each other
        yield from (name[:at] + name[at + 1 :] for at in range(len(name)))
