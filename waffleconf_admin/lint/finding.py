"""Finding: what lint says is wrong or remarks on, and the comments that silence a finding."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: Places or names that a remark lists, at most.
MOST = 5

#: ``# waffle: ignore``, ``# waffle: ignore[copied]``; in templates ``{# waffle: ignore #}``.
_COMMENT = re.compile(r"#\s*waffle:\s*ignore(?:\[([\w\s,]*)\])?")
_RULE = re.compile(r"\w+")


class Finding(NamedTuple):
    """Something that is wrong with a read, or with a declaration."""

    path: str  #: "" if the code that was read does not declare it
    line: int
    rule: str
    name: str
    text: str


class Remark(NamedTuple):
    """Something that lint can't decide, or that is wrong with no setting."""

    path: str  #: "" if it is about all files
    line: int  #: 0 if it is about all of a file
    text: str


class Comments:
    """The comments of one file that silence findings: on the line of a finding, for all rules or
    for those that it names.
    """

    def __init__(self, text: str) -> None:
        self._rules: dict[int, set[str] | None] = {}  # by line; None: all
        self._used: set[int] = set()
        if "waffle:" not in text:
            return
        for number, line in enumerate(text.splitlines(), 1):
            if found := _COMMENT.search(line):
                named = found[1]
                self._rules[number] = None if named is None else set(_RULE.findall(named))

    def leave(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Return the findings that no comment silences."""
        for finding in findings:
            rules = self._rules.get(finding.line, set())
            if rules is None or finding.rule in rules:
                self._used.add(finding.line)
            else:
                yield finding

    def unused(self) -> list[int]:
        """Return the lines of the comments that have silenced nothing."""
        return [line for line in self._rules if line not in self._used]


def list_some(texts: list[str]) -> str:
    """Return the first few texts in a line, and how many there are more."""
    more = f" and {len(texts) - MOST} more" if len(texts) > MOST else ""
    return f"{', '.join(texts[:MOST])}{more}"
