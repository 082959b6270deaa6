"""Objects: how those of declared classes are made, each as the standard library would."""

from __future__ import annotations

from enum import Enum
from pickle import UnpicklingError  # nosec B403 # the exception alone
from typing import Any
from uuid import UUID, SafeUUID

from ..exceptions import InvalidValue
from ..i18n import mark
from .allowed import no_member
from .constructors import FACTORIES
from .limits import MAX_ITEMS, NEW_FLAGS_COST, Budget
from .values import CONTAINERS, SCALARS

_DECODING: tuple[object, ...] = (str.__new__, bytes.__new__, bytearray.__new__)


class Objects:
    """Makes objects of declared classes, and UUIDs, which are made in the same ways.

    Each method refuses other classes and Enum members that are not there, and raises `InvalidValue`
    or another exception. What a class itself does in its constructor or ``__setstate__`` is run.

    :param declared: the classes.
    :param budget: what the arguments count for.
    """

    def __init__(self, declared: frozenset[type], budget: Budget) -> None:
        self._classes = declared
        self._budget = budget

    def call(self, callee: object, args: tuple[object, ...]) -> object:
        """Return what the class gives for these arguments."""
        cls = self._declared(callee)
        if issubclass(cls, Enum):
            return self._member(cls, *args)
        self._check_arguments(cls, args)
        return cls(*args)

    def new(self, callee: object, args: tuple[object, ...], named: dict[str, object]) -> object:
        """Return a new object without calling its ``__init__``."""
        if callee is UUID:
            return UUID(int=0)  # its number comes as its state
        cls = self._declared(callee)
        if issubclass(cls, Enum):
            return self._member(cls, *args)
        self._check_arguments(cls, (*args, *named.values()))
        return cls.__new__(cls, *args, **named)

    def reconstruct(self, callee: object, base: object, state: object) -> object:
        """Return a new object as copyreg._reconstructor does: so do protocols 0 and 1."""
        if callee is UUID:
            return UUID(int=0)
        cls = self._declared(callee)
        if issubclass(cls, Enum):  # its members are not made one by one
            raise UnpicklingError("a member of an Enum")
        if base is object:
            return object.__new__(cls)
        if base not in FACTORIES or type(state) is not base:
            raise UnpicklingError("another base")
        builtin: Any = base
        made = builtin.__new__(cls, state)
        if builtin.__init__ is not object.__init__:
            builtin.__init__(made, state)
        return made

    # Any: of a class of the app, with whatever it keeps as its state.
    def set_state(self, target: Any, state: Any) -> None:
        """Give an object its attributes."""
        if type(target) is UUID:
            number = state["int"]
            if type(number) is not int or not 0 <= number < 2**128:
                raise UnpicklingError("no UUID")
            object.__setattr__(target, "int", number)
            object.__setattr__(target, "is_safe", SafeUUID.unknown)
            return
        if type(target) not in self._classes or isinstance(target, Enum):
            raise UnpicklingError("no object")
        self._budget.spend_arguments(state if type(state) is tuple else (state,))
        if hasattr(target, "__setstate__"):
            target.__setstate__(state)
            return
        attributes, slots = state if type(state) is tuple else (state, None)
        for name in (*(attributes or ()), *(slots or ())):
            if type(name) is not str or name.startswith("__"):
                raise UnpicklingError("no attribute")
        if attributes:
            target.__dict__.update(attributes)
        for name, value in (slots or {}).items():
            setattr(target, name, value)

    def _declared(self, callee: object) -> type:
        if not isinstance(callee, type):
            raise UnpicklingError("a call of a value")
        if callee not in self._classes:
            name = callee.__qualname__[:100]
            raise InvalidValue(mark("a call of %(name)s is refused", name=name))
        return callee

    def _member(self, cls: type[Enum], value: object) -> object:
        """A member by value. Only for scalars is the class called: its error prints the value."""
        if type(value) not in SCALARS:
            for member in cls:
                if member.value == value:
                    return member
            raise no_member(cls)
        if value not in cls._value2member_map_:
            self._budget.spend(NEW_FLAGS_COST)
        try:
            return cls(value)
        except ValueError:  # it prints the value, too
            raise no_member(cls) from None

    def _check_arguments(self, cls: type, args: tuple[Any, ...]) -> None:
        """Refuse what a constructor inherited from a builtin would import, iterate or allocate."""
        if len(args) > 1 and cls.__new__ in _DECODING:
            raise UnpicklingError("an encoding, whose module would be imported")
        for arg in args:
            if isinstance(arg, range) and arg[MAX_ITEMS:]:
                raise UnpicklingError("a long range")
            if issubclass(cls, (bytes, bytearray)) and isinstance(arg, int):
                raise UnpicklingError("a size")
            if issubclass(cls, str) and type(arg) not in SCALARS:
                raise UnpicklingError("no text")
            if issubclass(cls, (set, frozenset, dict)) and type(arg) in CONTAINERS:
                self._budget.check_keys(arg, len(arg))
