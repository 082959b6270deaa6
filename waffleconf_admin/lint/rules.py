"""Rules: what is wrong with the reads of an app."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from .code import Code
from .finding import Finding


def _unknown(code: Code) -> Iterator[Finding]:
    names = code.names
    for source, read in code.reads:
        if read.through == "conf" and read.name not in names.settings | names.former.keys():
            near = names.nearest(read.name)
            hint = f" Did you mean {near}?" if near else ""
            text = f"{read.name} is not declared.{hint}"
            yield Finding(source.path, read.line, "unknown", read.name, text)
    for source, read in code.foreign:
        if near := names.misspelt(read.name):
            text = f"{read.name} is not declared, and nothing sets it. Did you mean {near}?"
            yield Finding(source.path, read.line, "unknown", read.name, text)


def _renamed(code: Code) -> Iterator[Finding]:
    former = code.names.former
    for source, read in code.reads:
        if read.name in former:
            text = f"{read.name} is the former name of {former[read.name]}."
            yield Finding(source.path, read.line, "renamed", read.name, text)


def _copied(code: Code) -> Iterator[Finding]:
    names = code.names
    for source, read in code.reads:
        key = names.former.get(read.name, read.name)
        if read.copied and key in names.settings and key not in names.restart:
            text = f"{key} is copied {read.copied}, where it can't follow changes."
            yield Finding(source.path, read.line, "copied", key, text)


#: The rules about reads, by name.
RULES: dict[str, Callable[[Code], Iterator[Finding]]] = {
    "unknown": _unknown,
    "renamed": _renamed,
    "copied": _copied,
}
