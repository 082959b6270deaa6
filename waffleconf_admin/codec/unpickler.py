"""Unpickler: the standard library's, with allow-lists of opcodes, names and types, and limits.

Its version in Python is used, for what is risky in it can be overridden opcode by opcode: with the
one in C, all opcodes but those for names hash, copy, allocate and recurse as a text demands.
It takes two thirds of the time of a machine that is all our own, which was tried.
"""

from __future__ import annotations

import io
import pickle  # nosec B403 # with a table of what is allowed
import re
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pickle import UnpicklingError  # nosec B403 # with a table of what is allowed
from typing import Any

from .allowed import Allowed, Name, not_allowed
from .constructors import CONSTRUCTORS, Constructor
from .limits import (
    MAX_DIGITS,
    MAX_STEPS,
    Budget,
    check_value,
    too_large,
    too_many_digits,
)
from .objects import Objects
from .values import CONTAINERS, Internal

#: The opcodes that are carried out. Those for references to what is outside of a pickle are not:
#: PERSID, BINPERSID, EXT1, EXT2, EXT4, NEXT_BUFFER, READONLY_BUFFER; nor is one that Python adds.
OPCODES = frozenset(
    {
        "PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "DUP",
        "NONE", "NEWTRUE", "NEWFALSE",
        "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
        "STRING", "BINSTRING", "SHORT_BINSTRING",
        "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
        "SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8",
        "EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
        "EMPTY_LIST", "LIST", "APPEND", "APPENDS",
        "EMPTY_DICT", "DICT", "SETITEM", "SETITEMS", "EMPTY_SET", "ADDITEMS", "FROZENSET",
        "GET", "BINGET", "LONG_BINGET", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE",
        "GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD",
    }
)  # fmt: skip
_INTEGER = re.compile(rb"[+-]?[0-9]{1,%d}L?\n" % MAX_DIGITS)
_TOO_LONG = 10**MAX_DIGITS
_MAX_BYTES = _TOO_LONG.bit_length() // 8 + 1
_EMPTY_SET = 10  # steps: it takes some hundred bytes


@dataclass(frozen=True, slots=True)
class _Method(Internal):
    """A standard function that needs the unpickler to be carried out."""

    function: Callable[..., object]


@dataclass(frozen=True, slots=True)
class _Outer(Internal):
    """A class that is not allowed itself but has an allowed one inside: Shop of Shop.Theme."""

    module: str
    name: str


class Unpickler(pickle._Unpickler):
    """Makes the value of a pickle without running anything that its classes don't bring along.

    :param raw: the pickle.
    :param allowed: the classes that it may name besides the standard ones.
    """

    # What the standard library's class has and its stubs do not say. Any: parts of any value.
    memo: dict[int, object]
    stack: list[Any]
    metastack: list[list[object]]
    pop_mark: Callable[[], list[object]]

    def __init__(self, raw: bytes, allowed: Allowed) -> None:
        self._file = io.BytesIO(raw)
        self._length = len(raw)
        super().__init__(self._file, encoding="utf-8")
        self._allowed = allowed
        self._budget = Budget()
        self._objects = Objects(allowed.classes, self._budget)

    def load(self) -> object:
        """Return the value.

        :raises InvalidValue: it names something that is not allowed, or is too large.
        :raises Exception: others, for a damaged one; their texts may quote it.
        """
        # Without the standard library's reader of frames: it costs a call for each read.
        self.read, self.readline = self._file.read, self._file.readline
        self.stack, self.metastack = [], []
        self.append = self.stack.append
        read, steps = self.read, _STEPS
        try:
            for _ in range(MAX_STEPS):
                steps[read(1)[0]](self)
        except pickle._Stop as stop:  # type: ignore[attr-defined]
            check_value(stop.value, self._allowed.classes)
            return stop.value
        raise too_large()

    # Opcodes for bytes and numbers

    def load_frame(self) -> None:
        if int.from_bytes(self.read(8), "little") > self._length:
            raise UnpicklingError("a frame beyond the end")

    def load_int(self) -> None:
        line = self.readline()
        if line in (b"00\n", b"01\n"):
            self.append(line == b"01\n")
        elif _INTEGER.fullmatch(line):
            self.append(int(line.rstrip(b"L\n")))
        else:
            raise UnpicklingError("not a number, or a long one")

    load_long = load_int

    def load_long4(self) -> None:
        size = int.from_bytes(self.read(4), "little")
        if size > _MAX_BYTES:
            raise too_many_digits()
        number = int.from_bytes(self.read(size), "little", signed=True)
        if not -_TOO_LONG < number < _TOO_LONG:
            raise too_many_digits()
        self.append(number)

    def load_bytearray8(self) -> None:
        self.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    # Opcodes for the memo: its indices have no gaps, so no text can choose ones that collide

    def load_put(self) -> None:
        self._put(int(self.readline()))

    def load_long_binput(self) -> None:
        self._put(int.from_bytes(self.read(4), "little"))

    def _put(self, index: int) -> None:
        if not 0 <= index <= len(self.memo) + 1:
            raise UnpicklingError("a gap in the memo")
        self.memo[index] = self.stack[-1]

    # Opcodes for containers

    def load_empty_set(self) -> None:
        self._budget.spend(_EMPTY_SET)
        self.append(set())

    def load_frozenset(self) -> None:
        items = self.pop_mark()
        self._budget.check_keys(items, len(items))
        self.append(frozenset(items))

    def load_dict(self) -> None:
        items = self.pop_mark()
        self.append({})
        self._update(items)

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self._update([key, value])

    def load_setitems(self) -> None:
        self._update(self.pop_mark())

    def _update(self, items: list[object]) -> None:
        target, keys, values = self.stack[-1], items[::2], items[1::2]
        self._check_fills(target, _DICTS)
        self._budget.check_keys(keys, len(target) + len(keys))
        if isinstance(target, defaultdict):
            self._budget.check_nested(values)
        for key, value in zip(keys, values, strict=True):
            target[key] = value

    def load_additems(self) -> None:
        items, target = self.pop_mark(), self.stack[-1]
        self._check_fills(target, _SETS)
        self._budget.check_keys(items, len(target) + len(items))
        for item in items:
            target.add(item)

    def load_append(self) -> None:
        item = self.stack.pop()
        self._extend([item])

    def load_appends(self) -> None:
        self._extend(self.pop_mark())

    def _extend(self, items: list[object]) -> None:
        target = self.stack[-1]
        self._check_fills(target, _LISTS)
        if isinstance(target, deque):
            self._budget.check_nested(items)
        target.extend(items)

    def _check_fills(self, target: object, types: frozenset[type]) -> None:
        cls = type(target)
        if cls not in types and (cls not in self._allowed.classes or isinstance(target, Enum)):
            raise UnpicklingError("no container")

    # Opcodes for names, calls and objects

    def find_class(self, module: str, name: str) -> object:
        """Resolve a name by tables only: nothing is imported, no attribute is looked up."""
        wanted = module, name
        found = _NAMES.get(wanted) or self._allowed.find(wanted)
        if found is not None:
            return found
        if self._allowed.has_inside(wanted):
            return _Outer(*wanted)
        raise not_allowed(module, name)

    def load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self._call(self.stack[-1], args)

    def load_newobj(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = self._new(self.stack[-1], args, {})

    def load_newobj_ex(self) -> None:
        named, args = self.stack.pop(), self.stack.pop()
        self.stack[-1] = self._new(self.stack[-1], args, named)

    def _instantiate(self, cls: object, args: list[object]) -> None:
        """Carry out INST and OBJ."""
        self.append(self._call(cls, tuple(args)) if args else self._new(cls, (), {}))

    def load_build(self) -> None:
        state = self.stack.pop()
        self._objects.set_state(self.stack[-1], state)

    def _call(self, callee: object, args: object) -> object:
        if type(args) is not tuple:
            raise UnpicklingError("no arguments")
        self._budget.spend_arguments(args)
        if isinstance(callee, Constructor):
            return callee.call(self._budget, args)
        if isinstance(callee, _Method):
            return callee.function(self, *args)
        return self._objects.call(callee, args)

    def _new(self, callee: object, args: object, named: object) -> object:
        if type(args) is not tuple or type(named) is not dict:
            raise UnpicklingError("no arguments")
        self._budget.spend_arguments((*args, *named, *named.values()))
        return self._objects.new(callee, args, named)

    def _reconstruct(self, callee: object, base: object, state: object) -> object:
        """Stands for copyreg._reconstructor."""
        return self._objects.reconstruct(callee, base, state)

    def _attribute(self, owner: object, name: object) -> object:
        """Stands for getattr: how protocols 0 to 3 name a class in a class."""
        if type(name) is str and isinstance(owner, _Outer):
            return self.find_class(owner.module, f"{owner.name}.{name}")
        if type(name) is str and isinstance(owner, type):
            return self.find_class(owner.__module__, f"{owner.__qualname__}.{name}")
        raise UnpicklingError("no name in a class")


_LISTS = frozenset({list, deque})
_DICTS = frozenset(cls for cls in CONTAINERS if issubclass(cls, dict))
_SETS = frozenset({set})
_PYTHON_3: dict[Name, object] = {
    **CONSTRUCTORS,
    ("builtins", "getattr"): _Method(Unpickler._attribute),
    ("copyreg", "_reconstructor"): _Method(Unpickler._reconstruct),
    ("zoneinfo", "ZoneInfo"): _Outer("zoneinfo", "ZoneInfo"),
}
_OLD_MODULES = {"builtins": "__builtin__", "copyreg": "copy_reg"}
_NAMES = {
    **_PYTHON_3,
    **{(_OLD_MODULES.get(module, module), name): it for (module, name), it in _PYTHON_3.items()},
    # What Python 2 called them, and so do protocols 0 to 2.
    ("__builtin__", "xrange"): CONSTRUCTORS["builtins", "range"],
    ("__builtin__", "long"): int,
    ("__builtin__", "unicode"): str,
}
_STEPS: dict[int, Callable[[Unpickler], None]] = {
    code: getattr(Unpickler, pickle._Unpickler.dispatch[code].__name__)
    for code in (getattr(pickle, name)[0] for name in OPCODES)
}
