"""Opcodes: what a pickle would do, followed without doing it."""

from __future__ import annotations

import pickletools
from collections.abc import Callable, Container
from typing import Any, NamedTuple

from .exceptions import InvalidValue

#: A module and a dotted name in it, as pickles name classes and functions.
Name = tuple[str, str]

GETATTR: Name = ("builtins", "getattr")  #: how protocols 0 to 3 name a class in a class
RECONSTRUCTOR: Name = ("copyreg", "_reconstructor")  #: how protocols 0 and 1 make objects
_OLD_MODULES = {"__builtin__": "builtins", "copy_reg": "copyreg"}  # of Python 2
_OLD_NAMES = {("builtins", "xrange"): ("builtins", "range")}
_GETATTR = ("builtins", "getattr")  # how protocols 0 to 3 name a class in a class
_RECONSTRUCTOR = ("copyreg", "_reconstructor")
_UUID = ("uuid", "UUID")


def modern(module: str, name: str) -> Name:
    """The name that Python 3 has for a class or function of Python 2."""
    new = _OLD_MODULES.get(module, module), name
    return _OLD_NAMES.get(new, new)


def refused(name: Name) -> InvalidValue:
    """The error for a name that is not allowed, fit for a log line."""
    return InvalidValue(f"class {plain('.'.join(name))} is not allowed")


def plain(text: str) -> str:
    """A bounded text without control characters of what stands in a stored text."""
    return ascii(text)[1:-1][:100]


class _Ref(NamedTuple):
    """What stands for a class or function while the opcodes are followed."""

    name: Name


class _Made(NamedTuple):
    """What stands for the result of a call."""

    name: Name


_MARK = object()
_VALUE = object()
_REFUSED = frozenset(
    ["EXT1", "EXT2", "EXT4", "PERSID", "BINPERSID", "NEXT_BUFFER", "READONLY_BUFFER"]
)  # extension codes can come from a cache, past find_class
_PUTS = frozenset(["PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"])
_GETS = frozenset(["GET", "BINGET", "LONG_BINGET"])
_TUPLES = {"EMPTY_TUPLE": 0, "TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def follow(raw: bytes, may_call: Container[Name], may_set: Container[Name]) -> None:
    """Follow the opcodes of a pickle on a stack of stand-ins, and refuse what no pickler writes.

    Known afterwards: all that is called is in *may_call*; state is set on objects of *may_set*
    alone, so never on a class or a function; the memo has no holes (an index of two thousand
    millions makes pickle ask for gigabytes); no length reaches beyond the text.

    :raises InvalidValue: one of these does not hold.
    :raises Exception: others, for texts that are no pickle.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def pop(count: int) -> list[Any]:
        taken = stack[len(stack) - count :] if count else []
        if len(taken) < count or _MARK in taken:
            raise InvalidValue("the stored text is damaged (stack)")
        del stack[len(stack) - count :]
        return taken

    def pop_to_mark() -> list[Any]:
        at = len(stack) - 1 - stack[::-1].index(_MARK)
        taken = stack[at + 1 :]
        del stack[at:]
        return taken

    def call(callee: Any, args: Any) -> Any:
        if not isinstance(callee, _Ref):
            raise InvalidValue("the stored text is damaged (call)")
        name = callee.name
        if name == GETATTR:
            owner, attribute = args
            return _Ref((owner.name[0], f"{owner.name[1]}.{attribute}"))
        if name == RECONSTRUCTOR:
            return _Made(args[0].name)
        if name not in may_call:
            raise refused(name)
        return _Made(name)

    arg: Any
    for opcode, arg, _ in pickletools.genops(raw):
        code = opcode.name
        if code in _REFUSED:
            raise InvalidValue(f"the stored text uses {code}, which is not allowed")
        if code in _PUTS:
            index = len(memo) if code == "MEMOIZE" else arg
            if index > len(memo) + 1:
                raise InvalidValue("the stored text is damaged (memo)")
            memo[index] = stack[-1]
        elif code in _GETS:
            stack.append(memo[arg])
        elif code == "MARK":
            stack.append(_MARK)
        elif code == "DUP":
            stack.append(stack[-1])
        elif code == "POP_MARK":
            pop_to_mark()
        elif code in _TUPLES:
            stack.append(tuple(pop(_TUPLES[code])))
        elif code == "TUPLE":
            stack.append(tuple(pop_to_mark()))
        elif code == "GLOBAL":
            stack.append(_Ref(modern(*arg.split(" ", 1))))
        elif code == "STACK_GLOBAL":
            stack.append(_Ref(modern(*pop(2))))
        elif code == "INST":
            pop_to_mark()
            stack.append(call(_Ref(modern(*arg.split(" ", 1))), ()))
        elif code == "OBJ":
            callee, *args = pop_to_mark()
            stack.append(call(callee, args))
        elif code in ("REDUCE", "NEWOBJ"):
            stack.append(call(*pop(2)))
        elif code == "NEWOBJ_EX":
            callee, args, _ = pop(3)
            stack.append(call(callee, args))
        elif code == "BUILD":
            pop(1)
            target = stack[-1]
            if not isinstance(target, _Made) or target.name not in may_set:
                raise InvalidValue("the stored text is damaged (state)")
        else:
            _generic(opcode, arg, stack, pop, pop_to_mark)


def _generic(
    opcode: pickletools.OpcodeInfo,
    arg: Any,
    stack: list[Any],
    pop: Callable[[int], list[Any]],
    pop_to_mark: Callable[[], list[Any]],
) -> None:
    """Opcodes that make plain values, or fill the container below (which stays what it is)."""
    before, after = opcode.stack_before, opcode.stack_after
    if pickletools.stackslice in before:
        pop_to_mark()
        before = before[: before.index(pickletools.markobject)]
    taken = pop(len(before))
    for position in range(len(after)):
        if position < len(taken):
            stack.append(taken[position])
        else:
            stack.append(arg if isinstance(arg, str) else _VALUE)
