"""Source: what one file of code, or one template, says about settings; and Code, all of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from .names import AppNames

#: "conf" reads settings only, "typed" those of a class, or its methods; "config" reads any key of
#: ``app.config``; "name" names a setting and reads no value.
Through = Literal["conf", "typed", "config", "name"]


class Read(NamedTuple):
    """A place that reads a setting, or a key of ``app.config``, by its name."""

    name: str
    line: int
    through: Through
    #: Where the value is copied, such as "at module level"; "" if the code reads it each time.
    copied: str = ""
    #: Whether the read fails if there is no such key.
    required: bool = False
    #: Whether the read says what to use if there is no such key.
    fallback: bool = False


@dataclasses.dataclass
class Source:
    """What one file says about settings."""

    path: str
    text: str = ""
    #: The line of each problem that keeps something of it from being read; 0: all of it.
    problems: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    reads: list[Read] = dataclasses.field(default_factory=list)
    #: Lines that read names which are computed there.
    computed: list[int] = dataclasses.field(default_factory=list)
    #: Names that may be read: attributes, and strings that are names.
    mentioned: set[str] = dataclasses.field(default_factory=set)
    #: Dotted names of attributes of modules and classes, which may be constants.
    attributes: set[str] = dataclasses.field(default_factory=set)
    #: What names begin with that are read together, by ``get_namespace``.
    prefixes: set[str] = dataclasses.field(default_factory=set)
    #: Names that may be set: keys, keywords, variables.
    assigned: set[str] = dataclasses.field(default_factory=set)
    #: Line and name of each setting that the app can't mean to configure by an assignment.
    assignments: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    #: Line and name of each setting whose value the code changes in place.
    mutations: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    #: The line of each constant of the module or of a class, by dotted owner and name.
    constants: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)
    #: Line and dotted name of each place that may read a constant.
    constant_reads: list[tuple[int, str]] = dataclasses.field(default_factory=list)
    #: The line of each name that may be declared there.
    declared: dict[str, int] = dataclasses.field(default_factory=dict)
    #: Templates in its strings, with the line before each.
    templates: list[tuple[int, str]] = dataclasses.field(default_factory=list)

    @cached_property
    def module(self) -> str:
        """The dotted name of its module, beginning at the root of the disk."""
        parts = Path(self.path).resolve().with_suffix("").parts[1:]
        return ".".join(parts[:-1] if parts[-1:] == ("__init__",) else parts)

    def package(self, level: int) -> str:
        """Return the dotted name of the package that a relative import starts from; "" of an
        absolute one, whose level is 0.
        """
        is_package = Path(self.path).name == "__init__.py"
        return self.module.rsplit(".", level - is_package)[0] if level else ""


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
