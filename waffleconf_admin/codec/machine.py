"""Opcodes: the machine that carries out a pickle's, and has nothing in reach but what it is given.

Not `pickle.Unpickler`: that one hashes, copies and recurses as a text tells it to, for ever if need
be, and can't be made to count.
"""

from __future__ import annotations

import codecs
import re
import struct
from collections.abc import Callable
from typing import Any

from ..exceptions import InvalidValue
from ..i18n import mark
from .limits import MAX_DIGITS, MAX_STEPS, Budget, damaged, too_long

#: A module and a dotted name in it, as pickles name classes and functions.
Name = tuple[str, str]

_MAX_BYTES = 1786  # those of a number of 4300 digits
_TOO_LONG = 10**MAX_DIGITS
_INTEGER = re.compile(rb"[+-]?[0-9]{1,%d}L?" % MAX_DIGITS)
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # of Python 2
_OLD_NAMES = {("builtins", "xrange"): ("builtins", "range")}


def modern(module: str, name: str) -> Name:
    """The name that Python 3 has for a class or function of Python 2."""
    new = _OLD_MODULES.get(module, module), name
    return _OLD_NAMES.get(new, new)


class Machine:
    """Carries out the opcodes of a pickle on a stack. A subclass knows names and objects.

    :param raw: the pickle.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._at = 0
        self._stack: list[Any] = []
        self._below: list[list[Any]] = []  # the stacks below the open marks
        self._memo: dict[int, Any] = {}
        self.budget = Budget(len(raw))

    def load(self) -> Any:
        """Return the value.

        :raises InvalidValue: it asks for what is not allowed, or for too much.
        :raises Exception: others, for a damaged one; their texts may quote it.
        """
        for _ in range(MAX_STEPS):
            code = self._take(1)
            if code == b".":
                return self._stack.pop()
            if (step := _STEPS.get(code)) is None:
                told = mark("the stored text uses opcode %(code)s, not allowed", code=repr(code))
                raise InvalidValue(told)
            step(self)
        raise InvalidValue(mark("the value is too large"))

    # What a subclass knows

    def find(self, module: str, name: str) -> Any:
        """Return what stands for a class or function."""
        raise NotImplementedError

    def call(self, callee: Any, args: tuple[Any, ...]) -> Any:
        """Return what a call gives."""
        raise NotImplementedError

    def make(self, kind: Any, args: tuple[Any, ...], named: dict[str, Any]) -> Any:
        """Return a new object of a class, whose ``__init__`` is not called."""
        raise NotImplementedError

    def build(self, target: Any, state: Any) -> None:
        """Give an object its state."""
        raise NotImplementedError

    def fill(self, target: Any, items: list[Any], how: str) -> None:
        """Fill a container: *how* is "extend", "update" (pairs, one after the other) or "add"."""
        raise NotImplementedError

    # Bytes, stack and memo

    def _take(self, count: int) -> bytes:
        taken = self._raw[self._at : self._at + count]
        if len(taken) < count:
            raise damaged("end")
        self._at += count
        return taken

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "little")

    def _counted(self, size: int) -> bytes:
        return self._take(self._number(size))

    def _line(self) -> bytes:
        end = self._raw.index(b"\n", self._at)
        line = self._raw[self._at : end]
        self._at = end + 1
        return line

    def _pop(self, count: int) -> list[Any]:
        taken = self._stack[len(self._stack) - count :]
        if len(taken) < count:
            raise damaged("stack")
        del self._stack[len(self._stack) - count :]
        return taken

    def _pop_to_mark(self) -> list[Any]:
        taken, self._stack = self._stack, self._below.pop()
        return taken

    def _mark(self) -> None:
        self._below.append(self._stack)
        self._stack = []

    def _put(self, index: int) -> None:
        if index > len(self._memo) + 1:  # other readers would ask for the memory up to there
            raise damaged("memo")
        self._memo[index] = self._stack[-1]

    def _get(self, index: int) -> None:
        self._stack.append(self._memo[index])

    # Steps with more to them

    def _integer_of(self, raw: bytes) -> int:
        if len(raw) > _MAX_BYTES:
            raise too_long()
        number = int.from_bytes(raw, "little", signed=True)
        if not -_TOO_LONG < number < _TOO_LONG:
            raise too_long()
        return number

    def _integer_line(self) -> int:
        line = self._line()
        if line in (b"00", b"01"):
            return line == b"01"
        if not _INTEGER.fullmatch(line):
            raise damaged("number")
        return int(line.rstrip(b"L"))

    def _python_2_text(self) -> str:
        line = self._line()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[:1] != line[-1:]:
            raise damaged("text")
        decoded: bytes = codecs.escape_decode(line[1:-1])[0]
        return decoded.decode()

    def _fill(self, how: str, items: list[Any]) -> None:
        if how == "update":
            if len(items) % 2:
                raise damaged("pairs")
            self._hashed(items[::2])
        elif how == "add":
            self._hashed(items)
        self.fill(self._stack[-1], items, how)

    def _hashed(self, keys: list[Any]) -> None:
        """Count what the container on the stack is about to be filled with."""
        target = self._stack[-1]
        size = len(target) if isinstance(target, (dict, set)) else 0
        self.budget.hashed(keys, size + len(keys))

    def _empty_set(self) -> set[Any]:
        self.budget.spend(8)  # an empty one takes much memory
        return set()

    def _frozen(self) -> frozenset[Any]:
        items = self._pop_to_mark()
        self.budget.hashed(items, len(items))
        return frozenset(items)

    def _dict(self) -> dict[Any, Any]:
        items = self._pop_to_mark()
        self.budget.hashed(items[::2], len(items) // 2)
        return dict(zip(items[::2], items[1::2], strict=True))

    def _name(self, module: Any, name: Any) -> Any:
        if type(module) is not str or type(name) is not str:
            raise damaged("name")
        return self.find(module, name)

    def _called(self, callee: Any, args: Any) -> Any:
        if type(args) is not tuple:
            raise damaged("arguments")
        return self.call(callee, args)

    def _made(self, kind: Any, args: Any, named: Any = None) -> Any:
        named = named or {}
        if type(args) is not tuple or type(named) is not dict:
            raise damaged("arguments")
        return self.make(kind, args, named)

    def _old_instance(self, kind: Any, args: list[Any]) -> Any:
        return self.call(kind, tuple(args)) if args else self.make(kind, (), {})

    def _object(self) -> Any:
        kind, *args = self._pop_to_mark()
        return self._old_instance(kind, args)

    def _build(self) -> None:
        (state,) = self._pop(1)
        self.build(self._stack[-1], state)

    def _frame(self) -> None:
        if self._number(8) > len(self._raw) - self._at:
            raise damaged("frame")


def _pushing(give: Callable[[Machine], Any]) -> Callable[[Machine], None]:
    def step(machine: Machine) -> None:
        value = give(machine)  # which may exchange the stack
        machine._stack.append(value)

    return step


def _text(size: int) -> Callable[[Machine], Any]:
    return lambda m: m._counted(size).decode("utf-8", "surrogatepass")


#: What pushes a value.
_GIVE: dict[bytes, Callable[[Machine], Any]] = {
    b"N": lambda m: None,
    b"\x88": lambda m: True,
    b"\x89": lambda m: False,
    b"K": lambda m: m._number(1),
    b"M": lambda m: m._number(2),
    b"J": lambda m: m._integer_of(m._take(4)),
    b"\x8a": lambda m: m._integer_of(m._counted(1)),
    b"\x8b": lambda m: m._integer_of(m._counted(4)),
    b"I": Machine._integer_line,
    b"L": Machine._integer_line,
    b"F": lambda m: float(m._line()),
    b"G": lambda m: struct.unpack(">d", m._take(8))[0],
    b"S": Machine._python_2_text,
    b"V": lambda m: m._line().decode("raw-unicode-escape"),
    b"U": lambda m: m._counted(1).decode(),
    b"T": lambda m: m._counted(4).decode(),
    b"\x8c": _text(1),
    b"X": _text(4),
    b"\x8d": _text(8),
    b"C": lambda m: m._counted(1),
    b"B": lambda m: m._counted(4),
    b"\x8e": lambda m: m._counted(8),
    b"\x96": lambda m: bytearray(m._counted(8)),
    b"]": lambda m: [],
    b"}": lambda m: {},
    b")": lambda m: (),
    b"\x8f": Machine._empty_set,
    b"\x85": lambda m: tuple(m._pop(1)),
    b"\x86": lambda m: tuple(m._pop(2)),
    b"\x87": lambda m: tuple(m._pop(3)),
    b"t": lambda m: tuple(m._pop_to_mark()),
    b"l": Machine._pop_to_mark,
    b"d": Machine._dict,
    b"\x91": Machine._frozen,
    b"2": lambda m: m._stack[-1],
    b"c": lambda m: m._name(m._line().decode(), m._line().decode()),
    b"\x93": lambda m: m._name(*m._pop(2)),
    b"R": lambda m: m._called(*m._pop(2)),
    b"\x81": lambda m: m._made(*m._pop(2)),
    b"\x92": lambda m: m._made(*m._pop(3)),
    b"i": lambda m: m._old_instance(
        m._name(m._line().decode(), m._line().decode()), m._pop_to_mark()
    ),
    b"o": Machine._object,
}
_STEPS: dict[bytes, Callable[[Machine], Any]] = {
    **{code: _pushing(give) for code, give in _GIVE.items()},
    b"\x80": lambda m: m._take(1),
    b"\x95": Machine._frame,
    b"(": Machine._mark,
    b"0": lambda m: m._pop(1),
    b"1": Machine._pop_to_mark,
    b"p": lambda m: m._put(m._integer_line()),
    b"q": lambda m: m._put(m._number(1)),
    b"r": lambda m: m._put(m._number(4)),
    b"\x94": lambda m: m._put(len(m._memo)),
    b"g": lambda m: m._get(m._integer_line()),
    b"h": lambda m: m._get(m._number(1)),
    b"j": lambda m: m._get(m._number(4)),
    b"a": lambda m: m._fill("extend", m._pop(1)),
    b"e": lambda m: m._fill("extend", m._pop_to_mark()),
    b"s": lambda m: m._fill("update", m._pop(2)),
    b"u": lambda m: m._fill("update", m._pop_to_mark()),
    b"\x90": lambda m: m._fill("add", m._pop_to_mark()),
    b"b": Machine._build,
}
