"""Rules: what is wrong with what an app reads, names and assigns, and declares in vain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

from .finding import Finding, Remark, list_some
from .outside import named_by_packages
from .source import Code, Source


def _unknown(code: Code) -> Iterator[Finding]:
    names = code.names
    for source, read in code.reads:
        known = names.attributes if read.through == "typed" else names.declared
        if read.through != "config" and read.name not in known:
            near = names.nearest(read.name)
            hint = f" Did you mean {near}?" if near else ""
            text = f"{read.name} is not declared.{hint}"
            yield Finding(source.path, read.line, "unknown", read.name, text)
    yield from _foreign(code, certain=True)


def find_uncertain(code: Code) -> Iterator[Finding]:
    """Return what may be a misspelt setting, or a key of the app's own that nothing sets."""
    return _foreign(code, certain=False)


def _foreign(code: Code, *, certain: bool) -> Iterator[Finding]:
    for source, read in code.foreign:
        near = code.names.misspelt(read.name)
        if near and certain == (not read.fallback or code.names.is_slip(read.name)):
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


def _assigned(code: Code) -> Iterator[Finding]:
    places = ((source, place) for source in code.sources for place in source.assignments)
    return _changed(code, "assigned", places, "assigned: save it with update_db")


def _mutated(code: Code) -> Iterator[Finding]:
    places = ((source, place) for source in code.sources for place in source.mutations)
    return _changed(code, "mutated", places, "changed in place: save a new value with update_db")


def _changed(
    code: Code, rule: str, places: Iterable[tuple[Source, tuple[int, str]]], text: str
) -> Iterator[Finding]:
    names = code.names
    for source, (line, name) in places:
        key = names.former.get(name, name)
        if key in names.settings:
            yield Finding(source.path, line, rule, key, f"{key} is {text}.")


def _constant(code: Code) -> Iterator[Finding]:
    for source in code.sources:
        for line, dotted in source.constant_reads:
            key = dotted.rpartition(".")[2]
            for path, at in code.constants_at(dotted) if key in code.names.settings else ():
                text = f"{key} is read from the constant at {path}:{at}, not from the setting."
                yield Finding(source.path, line, "constant", key, text)


#: The rules about reads and assignments, by name.
RULES: dict[str, Callable[[Code], Iterator[Finding]]] = {
    "unknown": _unknown,
    "renamed": _renamed,
    "copied": _copied,
    "assigned": _assigned,
    "mutated": _mutated,
    "constant": _constant,
}


def find_unused(
    code: Code, root: Path, packages: Iterable[ModuleType], *, whole: bool
) -> tuple[list[Finding], list[Remark]]:
    """Return a finding for each setting that nothing reads; or else why that is not certain.

    :param code: what was read.
    :param root: where it is.
    :param packages: what the app has imported from elsewhere.
    :param whole: whether the code is all of the app's.
    """
    keys = _unread(code)
    if keys and not whole:
        text = "This is not all of the app's code, so it can't show which settings are unused."
        return [], [Remark("", 0, text)]
    keys -= named_by_packages(keys, packages, root)
    if keys and (doubt := _doubt(code)):
        text = f"Nothing reads {list_some(sorted(keys))} by name, but {doubt}."
        return [], [Remark("", 0, text)]
    return [_unused(code, key) for key in sorted(keys)], []


def _doubt(code: Code) -> str:
    """What else may read settings; "" if nothing does."""
    computed = [f"{s.path}:{line}" for s in code.sources for line in sorted(set(s.computed))]
    if computed:
        return f"names are computed at {list_some(computed)}"
    unread = [source.path for source in code.sources if source.problems]
    return f"not all was read of {list_some(unread)}" if unread else ""


def _unread(code: Code) -> set[str]:
    """The settings that the code neither reads nor mentions by name."""
    found = {read.name for _, read in code.reads if read.through != "name"}
    found = found.union(*(source.mentioned for source in code.sources))
    attributes = set[str]().union(*(source.attributes for source in code.sources))
    found |= {each.rpartition(".")[2] for each in attributes if not any(code.constants_at(each))}
    found |= {code.names.former[name] for name in found & code.names.former.keys()}
    prefixes = tuple(prefix for source in code.sources for prefix in source.prefixes)
    return {key for key in code.names.settings - found if not key.startswith(prefixes)}


def _unused(code: Code, key: str) -> Finding:
    """A finding where the setting is declared."""
    places = ((s.path, s.declared[key]) for s in code.sources if key in s.declared)
    path, line = next(places, ("", 0))
    return Finding(path, line, "unused", key, f"{key} is declared and never read.")
