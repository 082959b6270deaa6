"""Names: which setting has which name, which names are taken or retired, and which are alike."""

from __future__ import annotations

import difflib
from collections.abc import Container, Iterable, Iterator, Mapping
from itertools import islice

from .setting import Setting

#: So many pairs of names are compared, at most.
MOST_PAIRS = 100_000


def nearest_names(
    names: Iterable[str], known: Iterable[str], *, likeness: float = 0.6
) -> Iterator[tuple[str, str]]:
    """Yield those names that are written almost like a known one, with that.

    Each pair takes one to ten millionths of a second: the first names are compared, for a second
    at most. With 200 known names those are 500, with 4000 they are 25.

    :param likeness: how much alike they must be, from 0 to 1.
    """
    by_lower_case = {each.lower(): each for each in known}
    most = MOST_PAIRS // max(1, len(by_lower_case))
    for name in islice(names, max(1, most)):
        near = difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=likeness)
        if near:
            yield name, by_lower_case[near[0]]


def nearest_name(name: object, known: Iterable[str]) -> str | None:
    """Return which of the known names is written almost like another; None: none is."""
    return next((near for _, near in nearest_names([str(name)], known)), None)


def present_name(name: str, settings: Mapping[str, Setting]) -> str | None:
    """Return the key of the setting that had a name before; None: none had."""
    return next((key for key, setting in settings.items() if name in setting.was), None)


def wrong_names(settings: Mapping[str, Setting], retired: Container[str]) -> dict[str, str]:
    """Return by key what is wrong with the names of settings, and what to do.

    :param retired: the names in WAFFLE_RETIRED.
    """
    errors: dict[str, str] = {}
    claimed: dict[str, str] = {}  #: by former name: the key of the setting
    for key, setting in settings.items():
        if key in retired:
            errors[key] = "it is retired: take another key, or take this one out of WAFFLE_RETIRED"
        for name in setting.was:
            if problem := _problem(name, settings, retired, claimed):
                errors[key] = f"was: {problem}"
            claimed.setdefault(name, key)
    return errors


def _problem(
    name: str, settings: Container[str], retired: Container[str], claimed: Mapping[str, str]
) -> str | None:
    """Return what is wrong with a former name."""
    if name in settings:
        return f"{name} is declared as a setting: take out one of the two"
    if name in claimed:
        return f"{name} is a former name of {claimed[name]} too: take out one of the two"
    if name in retired:
        return f"{name} is retired: take it out of WAFFLE_RETIRED, or out of was"
    return None
