"""Source: what one file of code, or one template, says about settings."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

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
