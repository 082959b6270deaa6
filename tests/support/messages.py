"""Messages: the texts that the package raises, logs at WARNING and above, or reports as a trouble.

They are read from its source. What is filled in later is "…" in them.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import waffleconf_admin
from waffleconf_admin.exceptions import WaffleError

PACKAGE = Path(waffleconf_admin.__file__).parent

#: Methods of loggers whose lines people should see, and what else takes a text for people.
LOGGED = {"warning", "error", "exception", "critical", "log"}
#: Calls that name a text for people: the name, and the position of the text.
TEXTS = {"Trouble": 1, "_Fault": 2, "Finding": 2}
#: Levels of lines that nobody needs to look up.
QUIET = {"INFO", "DEBUG"}
#: Characters from which on a text that a function makes and returns is a message.
LONG = 80
TRANSLATED = {"_", "gettext", "ngettext", "mark"}


class Message(NamedTuple):
    """A text, and where the source has it."""

    path: str  #: below the package
    line: int
    raised: str  #: the class of the error; "" for a line of the log and for a trouble
    text: str


def messages() -> list[Message]:
    """Return all messages of the package that have a text of their own."""
    return [message for path in sorted(PACKAGE.rglob("*.py")) for message in _Reader(path).read()]


def without_places(text: str) -> str:
    """Return a text with … in each place that is filled in, and without quotes and line ends."""
    text = re.sub(r"%(\(\w+\))?[srgd]", "…", text)
    text = re.sub(r"""["'`“”]""", "", text)
    return re.sub(r"\s+", " ", text).strip()


class _Reader:
    """Reads one module."""

    def __init__(self, path: Path) -> None:
        self.path = path.relative_to(PACKAGE).as_posix()
        self.tree = ast.parse(path.read_text())
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts).removesuffix(".__init__")
        self.module: ModuleType = importlib.import_module(name)

    def read(self) -> Iterator[Message]:
        yield from self._of_scope(self.tree, {})

    def _of_scope(self, scope: ast.AST, names: dict[str, list[ast.expr]]) -> Iterator[Message]:
        """The messages of a module or function; *names* are the local variables around it."""
        inside = [*_inside(scope)]
        names = dict(names)
        for node in inside:
            for name, value in _assigned(node):
                names.setdefault(name, []).append(value)
        for node in inside:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from self._of_scope(node, names)
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.JoinedStr):
                text = next(self._texts(node.value, {}))
                if len(text) > LONG and "<" not in text:  # HTML is for the page
                    yield Message(self.path, node.lineno, "", without_places(text))
            elif isinstance(node, ast.Call):
                for raised, text in self._of_call(node):
                    for found in self._texts(text, names):
                        yield Message(self.path, node.lineno, raised, without_places(found))

    def _of_call(self, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
        """What is given to an error or the log as its text, with the class of the error."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else _id(call.func)
        if any(isinstance(arg, ast.Attribute) and arg.attr in QUIET for arg in call.args):
            return
        if name == "__init__" and self.path == "exceptions.py" and call.args:
            yield "", call.args[0]
        elif name in TEXTS and len(call.args) > TEXTS[name]:
            yield "", call.args[TEXTS[name]]
        elif name in LOGGED and call.args:
            yield "", call.args[name == "log"]
        elif len(call.args) > 2 and re.search("log_?once", ast.unparse(call.func), re.I):
            yield "", call.args[2]
        elif name.endswith("Error") or self._is_error(call.func):
            for arg in call.args:
                yield name, arg

    def _is_error(self, func: ast.expr) -> bool:
        found = self._value(func)
        return isinstance(found, type) and issubclass(found, BaseException)

    def _value(self, node: ast.expr) -> object:
        """What a name stands for in the module; None: nothing that is known here."""
        if isinstance(node, ast.Name):
            return getattr(self.module, node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            owner = self._value(node.value)
            if isinstance(owner, ModuleType | tuple):  # a proxy of Flask's needs a context
                return getattr(owner, node.attr, None)
        return None

    def _texts(self, node: ast.expr, names: dict[str, list[ast.expr]]) -> Iterator[str]:
        """The texts that an expression may stand for."""
        match node:
            case ast.Constant(value=str(text)):
                yield text
            case ast.JoinedStr():
                parts = (p.value if isinstance(p, ast.Constant) else "…" for p in node.values)
                yield "".join(map(str, parts))
            case ast.BinOp(left=left, op=ast.Mod()):
                yield from self._texts(left, names)
            case ast.BinOp(left=left, right=right, op=ast.Add()):
                for begin in [*self._texts(left, names)] or ["…"]:
                    for end in [*self._texts(right, names)] or ["…"]:
                        yield begin + end
            case ast.IfExp():
                yield from self._texts(node.body, names)
                yield from self._texts(node.orelse, names)
            case ast.Dict():
                for value in node.values:
                    yield from self._texts(value, names)
            case ast.Call(func=func, args=[text, *_]) if _id(func) in TRANSLATED:
                yield from self._texts(text, names)
            case ast.Call(func=ast.Attribute(attr="fromkeys"), args=[_, text]):
                yield from self._texts(text, names)
            case ast.Name(id=name) if name in names:
                for value in names[name]:
                    yield from self._texts(value, {**names, name: []})
            case ast.Subscript(value=of) if isinstance(found := self._value(of), dict):
                yield from (text for text in found.values() if isinstance(text, str))
            case _:
                found = self._value(node)
                if isinstance(found, str):
                    yield found


def _inside(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope, and functions in it, but not what is inside of those."""
    waiting = [*ast.iter_child_nodes(scope)]
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def _assigned(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a statement gives values, with each value."""
    match node:
        case ast.Assign(targets=targets, value=value):
            for target in targets:  # a dict of messages by key, too
                of = target.value if isinstance(target, ast.Subscript) else target
                yield _id(of), value
        case ast.For(target=ast.Tuple(elts=targets), iter=ast.Tuple(elts=rows)):
            for row in rows:
                if isinstance(row, ast.Tuple):
                    yield from (
                        (_id(name), value) for name, value in zip(targets, row.elts, strict=False)
                    )


def _id(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""


def error_classes() -> set[str]:
    """Return the names of the errors that are documented as ours."""
    found, waiting = set[str](), [WaffleError]
    while waiting:
        cls = waiting.pop()
        waiting += cls.__subclasses__()
        if cls.__module__ == WaffleError.__module__:
            found.add(cls.__name__)
    return found
