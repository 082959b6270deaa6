"""Finding: what lint says is wrong, and what it remarks on."""

from __future__ import annotations

from typing import NamedTuple

#: Places or names that a remark lists, at most.
MOST = 5


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


def list_some(texts: list[str]) -> str:
    """Return the first few texts in a line, and how many there are more."""
    more = f" and {len(texts) - MOST} more" if len(texts) > MOST else ""
    return f"{', '.join(texts[:MOST])}{more}"
