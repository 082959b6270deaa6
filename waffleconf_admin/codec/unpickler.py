"""Unpickling through an allow-list: plain values, the standard library's, and declared classes.

Each opcode is carried out by our own machine, with every name resolved to one of our own builders;
then the finished value is walked and counted.
"""

from __future__ import annotations

import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from enum import Enum
from types import MappingProxyType, MemberDescriptorType, ModuleType, NoneType
from typing import Any, NamedTuple
from uuid import UUID, SafeUUID

from ..exceptions import InvalidValue
from ..i18n import mark
from .builders import BUILDERS, CONTAINERS, LEAVES, NAMED, Builder, only
from .limits import MAX_DEPTH, MAX_ITEMS, damaged, most_items, plain, weight
from .machine import Machine, Name, modern

_MAX_CHAIN = 1000  # of deques and defaultdicts: Python frees such a chain by recursion in C
_MAX_COMBINED = 1000  # combinations of flags that are new to this process


def load(raw: bytes, allowed: Allowed) -> Any:
    """Return the value of a pickle without running anything that its classes don't bring along.

    :raises InvalidValue: it names something that is not allowed, or is too large.
    :raises Exception: others, for a damaged one; their texts may quote it.
    """
    value = _Unpickler(raw, allowed).load()
    _walk(value, allowed.classes, most_items(len(raw)))
    return value


class Allowed:
    """The classes that a pickle may name besides those of plain values, and by which names.

    A class that has moved is found by its former name, by an alias that the former module still
    has, and an Enum by what it is called there. None of these reaches a class that is not allowed.

    :param classes: the classes.
    :param former: classes by the names that they had, such as "shop.models.Plan".
    """

    def __init__(self, classes: Iterable[type], former: Mapping[str, type] = MappingProxyType({})):
        self.classes = frozenset(classes) | frozenset(former.values())
        self.names = {name: cls for path, cls in former.items() for name in _names(path)}
        self.names |= {(cls.__module__, cls.__qualname__): cls for cls in self.classes}
        self._enums: frozenset[type] = frozenset()

    def where(self, declared: Iterable[type]) -> Allowed:
        """Return the same for a setting that declares some of these classes: the Enums of them,
        and no others, are found by what they are called in another module.
        """
        allowed = copy(self)
        allowed._enums = frozenset(cls for cls in declared if issubclass(cls, Enum)) & self.classes
        return allowed

    def find(self, name: Name) -> type | None:
        """Return the class that a name stands for."""
        found = self.names.get(name) or self._alias(name)
        if found is None:
            enums = [cls for cls in self._enums if cls.__qualname__ == name[1]]
            found = enums[0] if len(enums) == 1 else None
        return found

    def has_inside(self, name: Name) -> bool:
        """Whether a name may be that of a class in which there is an allowed one."""
        module, inside = name[0], f"{name[1]}."
        return any(m == module and n.startswith(inside) for m, n in self.names) or any(
            cls in self._enums or self._alias((module, cls.__qualname__))
            for cls in self.classes
            if cls.__qualname__.startswith(inside)
        )

    def _alias(self, name: Name) -> type | None:
        """The allowed class that a module has under a name. Nothing is imported, and no attribute
        is asked for: that could run code.
        """
        found: Any = sys.modules.get(name[0])
        for part in name[1].split(".", MAX_DEPTH):
            if not isinstance(found, (ModuleType, type)):
                return None
            found = object.__getattribute__(found, "__dict__").get(part)
        return found if isinstance(found, type) and found in self.classes else None


def _names(path: str) -> Iterator[Name]:
    """The ways in which a pickle may write the path of a class: where does the module end?"""
    parts = path.split(".")
    for length in range(1, len(parts)):
        yield ".".join(parts[:length]), ".".join(parts[length:])


def all_in(value: Any, attributes: bool = True) -> Iterator[Any]:
    """*value* and all that it is made of, items and *attributes*, each object once."""
    parts = _parts if attributes else _items
    seen: set[int] = set()
    todo = [value]
    while todo:
        item = todo.pop()
        if id(item) not in seen:
            seen.add(id(item))
            todo += parts(item)
            yield item


def _parts(value: Any) -> list[Any]:
    """What *value* is made of: items of a container, attributes of an object."""
    if type(value) in LEAVES or isinstance(value, (Enum, type)):
        return []
    parts = [*getattr(value, "__dict__", {}).values(), *_items(value)]
    if type(value) not in CONTAINERS:
        parts += _slots(value)
    return parts


def _items(value: Any) -> list[Any]:
    if isinstance(value, Enum):
        return []
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return list(value) if isinstance(value, (list, tuple, set, frozenset, deque)) else []


def _slots(value: Any) -> Iterator[Any]:
    for cls in type(value).__mro__:
        for member in vars(cls).values() if "__slots__" in vars(cls) else ():
            if type(member) is MemberDescriptorType:
                try:
                    yield member.__get__(value)
                except AttributeError:  # nothing is in it
                    continue


def is_plain(kind: type) -> bool:
    """Whether values of this type are allowed without being declared."""
    return kind in LEAVES or kind in CONTAINERS


def _walk(value: Any, allowed: frozenset[type], most: int) -> None:
    """Refuse a value with a part of another type, or too large or deep to be printed or compared.

    What an object of a declared class keeps inside is its own affair, and only counted.
    """
    count = 0
    todo = [(value, 0, True)]
    while todo:
        item, depth, strict = todo.pop()
        kind = type(item)
        count += weight(item) if kind in LEAVES else 1
        if count > most or depth > MAX_DEPTH:
            raise InvalidValue(mark("the value is too large or too deeply nested"))
        if kind in (Builder, _Prefix):
            raise damaged("class")
        if kind in CONTAINERS or kind in allowed or not strict:
            strict = strict and kind not in allowed
            todo += [(part, depth + 1, strict) for part in _parts(item)]
        elif kind not in LEAVES:
            name = plain(kind.__qualname__)
            raise InvalidValue(mark("the stored text holds a %(name)s, not a value", name=name))


class _Prefix(NamedTuple):
    """A name that is not allowed by itself but has an allowed one inside: Shop of Shop.Theme."""

    module: str
    name: str


class _Unpickler(Machine):
    """The machine with the names and objects that settings may have."""

    def __init__(self, raw: bytes, allowed: Allowed) -> None:
        super().__init__(raw)
        self._allowed = allowed
        self._classes = allowed.classes
        self._chained = 0
        self._combined = 0
        self._set = only(self._made_set, list, tuple)
        self._names: dict[Name, Any] = {
            **BUILDERS,
            # How protocols 0 to 3 name a class in a class, how 0 and 1 make objects.
            ("builtins", "getattr"): Builder(self._attribute),
            ("copyreg", "_reconstructor"): Builder(self._reconstructed),
            ("builtins", "set"): self._set,
            ("builtins", "frozenset"): only(self._made_frozenset, list, tuple),
            ("collections", "OrderedDict"): only(self._made_ordered, list),
            ("collections", "Counter"): only(self._made_counter, dict),
            ("collections", "deque"): only(self._made_deque, list, tuple, int, NoneType),
            ("collections", "defaultdict"): only(self._made_defaultdict, type, Builder, NoneType),
            **allowed.names,
        }

    # Names

    def find(self, module: str, name: str) -> Any:
        """Resolve by table only: nothing is imported, no attribute is looked up."""
        wanted = modern(module, name)
        if wanted not in self._names:
            found = self._allowed.find(wanted)
            self._names[wanted] = self._prefix(wanted) if found is None else found
        return self._names[wanted]

    def _prefix(self, wanted: Name) -> _Prefix:
        module, inside = wanted[0], f"{wanted[1]}."
        ours = any(m == module and n.startswith(inside) for m, n in BUILDERS)
        if ours or self._allowed.has_inside(wanted):
            return _Prefix(*wanted)
        told = plain(f"{wanted[0][:60]}.{wanted[1][:60]}")
        raise InvalidValue(mark("class %(name)s is not allowed", name=told))

    def _attribute(self, owner: Any, name: Any) -> Any:
        if type(name) is str and isinstance(owner, _Prefix):
            return self.find(owner.module, f"{owner.name}.{name}")
        if type(name) is str and isinstance(owner, type):
            return self.find(owner.__module__, f"{owner.__qualname__}.{name}")
        raise damaged("attribute")

    # Calls

    def call(self, callee: Any, args: tuple[Any, ...]) -> Any:
        self.budget.spend(sum(map(weight, args)))
        if isinstance(callee, Builder):
            return callee.call(*args)
        if issubclass(self._class(callee), Enum):
            return self._member(callee, *args)
        self._check(callee, args)
        return callee(*args)

    def make(self, kind: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        self.budget.spend(sum(map(weight, (*args, *named.values()))) + len(named))
        if kind is UUID:
            return UUID(int=0)  # its number comes as its state
        if issubclass(self._class(kind), Enum):
            return self._member(kind, *args)
        self._check(kind, (*args, *named.values()))
        return kind.__new__(kind, *args, **named)

    def _class(self, kind: Any) -> type:
        if isinstance(kind, type) and kind in self._classes:
            return kind
        name = plain(getattr(kind, "__qualname__", "this"))
        raise InvalidValue(mark("a call of %(name)s is refused", name=name))

    def _check(self, kind: type, args: tuple[Any, ...]) -> None:
        """Refuse what a constructor inherited from a builtin would iterate, print or allocate."""
        for arg in args:
            if isinstance(arg, range) and arg[MAX_ITEMS:]:
                raise damaged("range")
            if issubclass(kind, (bytes, bytearray)) and isinstance(arg, int):
                raise damaged("size")
            if issubclass(kind, str) and type(arg) not in LEAVES:
                raise damaged("text")
            if issubclass(kind, (set, frozenset, dict)) and type(arg) in CONTAINERS:
                self.budget.hashed(arg, len(arg))

    def _member(self, kind: type[Enum], value: Any) -> Any:
        """A member by value. Only plain values are asked for: the error for others prints them."""
        if type(value) not in LEAVES:
            return next(member for member in kind if member.value == value)
        if value not in kind._value2member_map_:
            self._combined += 1  # a combination of flags is kept for ever
            if self._combined > _MAX_COMBINED:
                raise InvalidValue(mark("the value has too many combinations of flags"))
        return kind(value)

    def _reconstructed(self, kind: Any, base: Any, state: Any) -> Any:
        """Stands for copyreg._reconstructor: how protocols 0 and 1 make an object."""
        if base is object:
            return self.make(kind, (), {}) if kind is UUID else object.__new__(self._plain(kind))
        if base not in NAMED or type(state) is not base:
            raise damaged("base")
        made = base.__new__(self._plain(kind), state)
        if base.__init__ is not object.__init__:
            base.__init__(made, state)
        return made

    def _plain(self, kind: Any) -> type:
        """A declared class whose objects are made one by one: members of an Enum are not."""
        if issubclass(self._class(kind), Enum):
            raise damaged("member")
        return kind  # type: ignore[no-any-return]

    # Objects and containers

    def build(self, target: Any, state: Any) -> None:
        if type(target) is UUID:
            number = state["int"]
            if type(number) is not int or not 0 <= number < 2**128:
                raise damaged("UUID")
            object.__setattr__(target, "int", number)
            object.__setattr__(target, "is_safe", SafeUUID.unknown)
            return
        if type(target) not in self._classes or isinstance(target, Enum):
            raise damaged("state")
        self.budget.spend(sum(map(weight, state if type(state) is tuple else (state,))))
        if hasattr(target, "__setstate__"):
            target.__setstate__(state)
            return
        attributes, slots = state if type(state) is tuple else (state, None)
        for name in (*(attributes or ()), *(slots or ())):
            if type(name) is not str or name.startswith("__"):
                raise damaged("attribute")
        if attributes:
            target.__dict__.update(attributes)
        for name, value in (slots or {}).items():
            setattr(target, name, value)

    def fill(self, target: Any, items: list[Any], how: str) -> None:
        kind = type(target)
        if isinstance(target, Enum) or (kind not in _FILLED[how] and kind not in self._classes):
            raise damaged("container")
        if isinstance(target, (deque, defaultdict)):
            self._chained += sum(isinstance(item, (deque, defaultdict)) for item in items)
            if self._chained > _MAX_CHAIN:
                raise InvalidValue(mark("the value is too large or too deeply nested"))
        if how == "extend":
            target.extend(items)
        elif how == "update":
            for key, value in zip(items[::2], items[1::2], strict=True):
                target[key] = value
        else:
            for item in items:
                target.add(item)

    def _made_set(self, items: Any = ()) -> set[Any]:
        self.budget.spend(8)
        self.budget.hashed(items, len(items))
        return set(items)

    def _made_frozenset(self, items: Any = ()) -> frozenset[Any]:
        self.budget.hashed(items, len(items))
        return frozenset(items)

    def _made_counter(self, counts: Any = ()) -> Counter[Any]:
        self.budget.hashed(counts, len(counts))
        return Counter(counts)

    def _made_ordered(self, pairs: Any = ()) -> OrderedDict[Any, Any]:
        made: OrderedDict[Any, Any] = OrderedDict()
        for key, value in pairs:  # a list of lists, of Python 2
            self.budget.hashed([key], len(made) + 1)
            made[key] = value
        return made

    def _made_deque(self, items: Any = (), length: int | None = None) -> deque[Any]:
        self.budget.spend(16)  # an empty one takes much memory
        made: deque[Any] = deque(maxlen=length)
        self.fill(made, list(items), "extend")
        return made

    def _made_defaultdict(self, factory: Any = None) -> defaultdict[Any, Any]:
        if factory is self._set:
            factory = set
        if factory is not None and factory is not set and factory not in NAMED:
            raise damaged("factory")
        return defaultdict(factory)


#: What may be filled in which way.
_FILLED: dict[str, set[type]] = {
    "extend": {list, deque},
    "update": {dict, OrderedDict, defaultdict, Counter},
    "add": {set},
}
