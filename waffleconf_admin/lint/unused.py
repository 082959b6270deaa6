"""Unused: settings that are declared and that nothing reads."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

from .code import Code
from .finding import Finding, Remark, list_some
from .packages import named_by_packages

UNUSED = "unused"


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
    return [_finding(code, key) for key in sorted(keys)], []


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


def _finding(code: Code, key: str) -> Finding:
    """A finding where the setting is declared."""
    places = ((s.path, s.declared[key]) for s in code.sources if key in s.declared)
    path, line = next(places, ("", 0))
    return Finding(path, line, UNUSED, key, f"{key} is declared and never read.")
