"""Code: all that was read, and the names that the app knows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property

from .names import AppNames
from .source import Read, Source


@dataclasses.dataclass(frozen=True)
class Code:
    """All that was read, and the names that the app knows."""

    sources: list[Source]
    names: AppNames

    @property
    def reads(self) -> Iterator[tuple[Source, Read]]:
        """Every read, with the source that it is in."""
        return ((source, read) for source in self.sources for read in source.reads)

    @cached_property
    def constants(self) -> dict[str, list[tuple[str, str, int]]]:
        """The constants of modules and classes by name: each with owner, path and line."""
        found: dict[str, list[tuple[str, str, int]]] = {}
        for source in self.sources:
            for (owner, name), line in source.constants.items():
                found.setdefault(name, []).append((owner, source.path, line))
        return found

    def constants_at(self, dotted: str) -> Iterator[tuple[str, int]]:
        """Yield path and line of each constant that a dotted name may stand for."""
        owner, _, name = dotted.rpartition(".")
        for whole, path, line in self.constants.get(name, ()):
            # An import may name less of the path than the disk has.
            if f".{whole}".endswith(f".{owner}"):
                yield path, line

    @cached_property
    def foreign(self) -> list[tuple[Source, Read]]:
        """The reads of keys of ``app.config`` that are no settings, and that nothing sets."""
        known = {name for source in self.sources for name in source.assigned}
        known |= self.names.config | self.names.declared
        return [
            (source, read)
            for source, read in self.reads
            if read.through == "config" and read.name not in known
        ]

    def unset(self) -> list[str]:
        """Return the names of these reads that are no misspelt settings, and that are nowhere
        optional.
        """
        optional = {read.name for _, read in self.foreign if not read.required}
        needed = {read.name for _, read in self.foreign} - optional
        return sorted(name for name in needed if not self.names.misspelt(name))
