"""Source: what one file of code, or one template, says about settings."""

from __future__ import annotations

import dataclasses
from typing import Literal, NamedTuple

#: "conf" reads settings only; "config" reads any key of ``app.config``.
Through = Literal["conf", "config"]


class Read(NamedTuple):
    """A place that reads a setting, or a key of ``app.config``, by its name."""

    name: str
    line: int
    through: Through
    #: Where the value is copied, such as "at module level"; "" if the code reads it each time.
    copied: str = ""
    #: Whether the read fails if there is no such key.
    required: bool = False


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
    #: What names begin with that are read together, by ``get_namespace``.
    prefixes: set[str] = dataclasses.field(default_factory=set)
    #: Names that may be set: keys, keywords, variables.
    assigned: set[str] = dataclasses.field(default_factory=set)
    #: The line of each name that may be declared there.
    declared: dict[str, int] = dataclasses.field(default_factory=dict)
    #: Templates in its strings, with the line before each.
    templates: list[tuple[int, str]] = dataclasses.field(default_factory=list)
