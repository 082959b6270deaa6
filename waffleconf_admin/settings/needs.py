"""Needs: which other settings must have which values, so that a setting has an effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from .equality import same


class Need(NamedTuple):
    """One condition: another setting is on, or has a certain value."""

    key: str  #: of the other setting
    value: object = None
    is_exact: bool = False  #: whether it must have this value; else it must be true, as in ``if``

    def is_met(self, value: object) -> bool:
        """Whether the other setting meets the condition with this value."""
        return same(value, self.value) if self.is_exact else bool(value)


def read_needs(declared: object) -> tuple[Need, ...]:
    """Return the conditions of ``"KEY"``, ``{"KEY": value}``, or of a list of these.

    :raises ValueError: it is none of them.
    """
    needs: list[Need] = []
    for item in declared if isinstance(declared, (list, tuple)) else [declared]:
        if isinstance(item, str):
            needs.append(Need(item))
        elif isinstance(item, Mapping):
            needs += [Need(key, value, is_exact=True) for key, value in item.items()]
        else:
            raise ValueError(
                'write the key of another setting, such as "MAIL_ON", or a dict of its key and '
                'value, such as {"MAIL_MODE": "smtp"}, or a list of these'
            )
    return tuple(needs)


def find_cycle(needs: Mapping[str, tuple[Need, ...]], key: str) -> list[str]:
    """Return the keys from a setting back to itself; empty if it does not need itself.

    :param needs: of every setting, by key.
    """
    paths = [[key]]
    known: set[str] = set()
    while paths:
        path = paths.pop()
        for need in needs.get(path[-1], ()):
            if need.key == key:
                return [*path, key]
            if need.key not in known:
                known.add(need.key)
                paths.append([*path, need.key])
    return []
