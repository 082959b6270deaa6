"""Silence: comments that leave a finding out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .finding import Finding

#: ``# waffle: ignore``, ``# waffle: ignore[copied]``; in templates ``{# waffle: ignore #}``.
_COMMENT = re.compile(r"#\s*waffle:\s*ignore(?:\[([\w\s,]*)\])?")
_RULE = re.compile(r"\w+")


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
