"""Differences: two values of a setting, line by line, as commands print them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from ..forms import show_text
from ..settings.setting import Setting
from .output import brief, printable

#: Longer texts are not compared line by line.
MOST_COMPARED = 100_000


def difference(setting: Setting, old: object, new: object) -> Iterator[str]:
    """Yield the lines that differ, those of the old value after - and those of the new after +."""
    texts = [show_text(setting, value) for value in (old, new)]
    if setting.secret or len("".join(texts)) > MOST_COMPARED:
        texts = [brief(setting, value) for value in (old, new)]
    before, after = (printable(text, but="\n").split("\n") for text in texts)
    lines = list(difflib.unified_diff(before, after, lineterm="", n=1))[2:]
    for line in lines:
        if not line.startswith("@@"):
            yield f"{line[0]} {line[1:]}"
    if not lines:  # secrets, and values that have one text
        yield "(differs)"
