"""Allowed: the classes that stored texts may name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from enum import Enum
from types import MappingProxyType, ModuleType

from ..exceptions import InvalidValue
from ..i18n import mark

#: A module and a dotted name in it, as pickles name classes and functions.
Name = tuple[str, str]

_MAX_DOTS = 100
_MAX_PATH = 150  # characters of a name that is quoted


class Allowed:
    """The classes that a pickle may name besides the standard ones, and by which names.

    A class that has moved is found by its former name, by an alias that the former module still
    has, and an Enum by its name in any module. None of these reaches a class that is not allowed.

    :param classes: the classes.
    :param former: classes by the names that they had, such as "shop.models.Plan".
    """

    def __init__(self, classes: Iterable[type], former: Mapping[str, type] = MappingProxyType({})):
        self.classes = frozenset(classes) | frozenset(former.values())
        self._names = {name: cls for path, cls in former.items() for name in _splits(path)}
        self._names |= {(cls.__module__, cls.__qualname__): cls for cls in self.classes}
        self._enums: frozenset[type] = frozenset()

    def with_enums(self, declared: Iterable[type]) -> Allowed:
        """Return the same for a setting that declares some of these classes: the Enums of them,
        and no others, are found by their names in any module.
        """
        allowed = copy(self)
        allowed._enums = frozenset(cls for cls in declared if issubclass(cls, Enum)) & self.classes
        return allowed

    def find(self, name: Name) -> type | None:
        """Return the class that a name stands for."""
        found = self._names.get(name) or self._alias(name)
        if found is None:
            enums = [cls for cls in self._enums if cls.__qualname__ == name[1]]
            found = enums[0] if len(enums) == 1 else None
        return found

    def has_inside(self, name: Name) -> bool:
        """Whether a name may be that of a class in which there is an allowed one."""
        module, inside = name[0], f"{name[1]}."
        return any(m == module and n.startswith(inside) for m, n in self._names) or any(
            cls in self._enums or self._alias((module, cls.__qualname__))
            for cls in self.classes
            if cls.__qualname__.startswith(inside)
        )

    def _alias(self, name: Name) -> type | None:
        """The allowed class that a module has under a name. Nothing is imported, and no attribute
        is looked up in the usual way: that could run code.
        """
        found: object = sys.modules.get(name[0])
        for part in name[1].split(".", _MAX_DOTS):
            if not isinstance(found, (ModuleType, type)):
                return None
            found = object.__getattribute__(found, "__dict__").get(part)
        return found if isinstance(found, type) and found in self.classes else None


def not_allowed(module: object, name: object) -> InvalidValue:
    """Return the error for a class that is not allowed; it names the class, if that is a name.

    :raises ValueError: it is none, and so maybe a part of a value.
    """
    path = f"{module}.{name}"
    if len(path) > _MAX_PATH or not all(part.isidentifier() for part in path.split(".")):
        raise ValueError("no name of a class")
    return InvalidValue(mark("class %(name)s is not allowed", name=path))


def no_member(cls: type[Enum]) -> InvalidValue:
    """Return the error for a member that a class does not have; it does not name the member, which
    may be a secret.
    """
    return InvalidValue(
        mark("class %(name)s has no such member", name=cls.__qualname__[:_MAX_PATH])
    )


def _splits(path: str) -> Iterator[Name]:
    """The ways in which a pickle may write the path of a class: where does the module end?"""
    parts = path.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length]), ".".join(parts[length:])
