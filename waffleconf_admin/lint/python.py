"""Python: what code says about settings, read by ``ast``."""

from __future__ import annotations

import ast
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from .calls import read_call
from .scope import Scope, called, text_of
from .source import Read, Source, Through

# Where code copies what it reads.
MODULE, CLASS, FACTORY = "at module level", "in a class body", "where the app is made"
DEFAULT, DECORATOR = "as a default argument", "as an argument of a decorator"
INTO = "into another configuration"
#: Functions that do that with what they get; "update" only of ``app.config``.
COPYING = {"config_from_object", "from_mapping", "from_object"}
#: Methods of ``app.config`` that read all of it.
ALL = {"copy", "items", "keys", "values"}
READABLE = ("conf", "config")


def read_python(source: Source) -> None:
    """Read the code of a source into it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code's own strings
            tree = ast.parse(source.text)
        _Reader(source).read(tree)
    except SyntaxError as error:
        source.problems.append((error.lineno or 0, f"not read, for this Python: {error.msg}"))
    except (ValueError, RecursionError, MemoryError) as error:
        source.problems.append((0, f"not read to its end: {error}"))


class _Reader(ast.NodeVisitor):
    """Reads a module in the order in which it runs: the bodies of functions last."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._scope = Scope()
        self._around = self._scope  # what functions see: not the names of a class body
        self._copied = MODULE  # "" inside functions, which run again
        self._functions: deque[tuple[Iterable[ast.AST], Scope]] = deque()

    def read(self, tree: ast.Module) -> None:
        self._visit_all(tree.body)
        while self._functions:
            body, self._scope = self._functions.popleft()
            self._around = self._scope
            with self._at(""):
                self._visit_all(body)

    def _visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    @contextmanager
    def _at(self, copied: str) -> Iterator[None]:
        before, self._copied = self._copied, copied
        yield
        self._copied = before

    # Names

    def _bind(self, name: str) -> None:
        self._scope.bind(name)
        self._source.assigned.add(name)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            self._scope.bind_import(node, alias)
            self._source.assigned.add(alias.asname or alias.name)

    visit_ImportFrom = visit_Import

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assign(node.targets, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self._assign([node.target], node.value)
            if self._copied == CLASS and isinstance(node.target, ast.Name):
                self._source.declared.setdefault(node.target.id, node.lineno)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign([node.target], node.value)

    def _assign(self, targets: list[ast.expr], value: ast.expr) -> None:
        meaning = self._scope.meaning(value)
        names = [target for target in targets if isinstance(target, ast.Name)]
        if meaning not in READABLE or len(names) < len(targets):  # else other names for the same
            into = any(self._is_config_key(target) for target in targets)
            with self._at(INTO if into else self._copied):
                self.visit(value)
        self._visit_all(targets)
        for name in names:
            self._scope.bind(name.id, meaning)
            if _declares(value):
                self._source.declared.setdefault(name.id, name.lineno)
        if called(value) == "Flask" and not self._copied:
            self._copied = FACTORY  # to the end of the function

    def _is_config_key(self, target: ast.expr) -> bool:
        return isinstance(target, ast.Subscript) and self._scope.meaning(target.value) == "config"

    # Where code runs

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node.decorator_list)
        self._bind(node.name)
        self._function(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node.args, [node.body])

    def _function(self, arguments: ast.arguments, body: Iterable[ast.AST]) -> None:
        with self._at(self._copied and DEFAULT):
            self._visit_all([*arguments.defaults, *arguments.kw_defaults])
        each = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        each += filter(None, (arguments.vararg, arguments.kwarg))
        self._functions.append((body, self._around.child(*(argument.arg for argument in each))))

    def _decorators(self, decorators: list[ast.expr]) -> None:
        with self._at(self._copied and DECORATOR):
            self._visit_all(decorators)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._decorators(node.decorator_list)
        self._visit_all([*node.bases, *node.keywords])
        self._bind(node.name)
        with self._inner_scope(), self._at(self._copied and CLASS):
            self._visit_all(node.body)

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        with self._inner_scope():
            self._visit_all([*node.generators, node.elt])

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        with self._inner_scope():
            self._visit_all([*node.generators, node.key, node.value])

    @contextmanager
    def _inner_scope(self) -> Iterator[None]:
        outer, self._scope = self._scope, self._scope.child()
        yield
        self._scope = outer

    def visit_If(self, node: ast.If) -> None:
        test = node.test.left if isinstance(node.test, ast.Compare) else None
        is_script = isinstance(test, ast.Name) and test.id == "__name__"
        with self._at("" if is_script else self._copied):
            self._visit_all([node.test, *node.body])
        self._visit_all(node.orelse)

    def visit_With(self, node: ast.With) -> None:
        # In a factory it pushes a context, to do something once.
        with self._at("" if self._copied == FACTORY else self._copied):
            self.generic_visit(node)

    # Reads

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)
        elif self._scope.meaning(node) in READABLE:  # all of it
            self._source.computed.append(node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = self._scope.meaning(node.value)
        self._source.mentioned.add(node.attr)
        if owner == "conf" and not node.attr.startswith("__"):
            self.add_read(node, node.attr, "conf")
        elif self._scope.meaning(node) in READABLE or (owner == "config" and node.attr in ALL):
            self._source.computed.append(node.lineno)
        elif owner not in READABLE:
            if called(node.value) == "now" and node.attr.isupper():  # Shop.now().SITENAME
                self.add_read(node, node.attr, "config")
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        meaning, name = self._scope.meaning(node.value), text_of(node.slice)
        if isinstance(node.ctx, ast.Load):
            if meaning == "conf" or meaning == "config":
                self.read_name(node, node.slice, meaning, required=True)
                return
        elif name is not None:
            self._source.assigned.add(name)
        if meaning not in READABLE:
            self.visit(node.value)
        self.visit(node.slice)

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            asks = isinstance(operator, ast.In | ast.NotIn)
            if asks and self._scope.meaning(operand) in READABLE:
                self._source.assigned.add(text_of(node.left) or "")  # somebody may set it
            else:
                self.visit(operand)

    def visit_Call(self, node: ast.Call) -> None:
        self.visit(node.func)
        arguments = read_call(self, self._scope, self._source, node)
        with self._at(INTO if self._copies(node) else self._copied):
            self._visit_all(arguments)
            for keyword in node.keywords:
                self._name_value(keyword.arg, keyword.value, keyword.lineno)

    def _copies(self, node: ast.Call) -> bool:
        if called(node) == "update" and isinstance(node.func, ast.Attribute):
            return self._scope.meaning(node.func.value) == "config"
        return called(node) in COPYING

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None and text_of(key) is None:
                self.visit(key)
            self._name_value(text_of(key), value, key.lineno if key else 0)

    def _name_value(self, name: str | None, value: ast.expr, line: int) -> None:
        """Read a value with a name: of a dict, or of a keyword."""
        if name is not None:
            self._source.assigned.add(name)
            if _declares(value):
                self._source.declared.setdefault(name, line)
        self.visit(value)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._source.mentioned.add(node.value)

    def read_name(
        self, node: ast.expr, name: ast.expr, through: Through, *, required: bool = False
    ) -> None:
        """Note a read at *node* of a name that is an expression."""
        if (text := text_of(name)) is not None:
            self.add_read(node, text, through, required=required)
        else:
            self._source.computed.append(node.lineno)
            self.visit(name)

    def add_read(
        self, node: ast.expr, name: str, through: Through, *, required: bool = False
    ) -> None:
        self._source.reads.append(Read(name, node.lineno, through, self._copied, required))


def _declares(node: ast.expr) -> bool:
    """Whether a value may be the declaration of a setting."""
    return isinstance(node, ast.Dict) or called(node) in ("dict", "setting")
