"""Walk: goes through the code of a module; knows what names stand for and where it copies."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager

from .scope import Meaning, Scope, is_log, text_of
from .source import Read, Source, Through

# Where code copies what it reads.
MODULE, CLASS, FACTORY = "at module level", "in a class body", "where the app is made"
DEFAULT, DECORATOR = "as a default argument", "as an argument of a decorator"


class Walk(ast.NodeVisitor):
    """Goes through a module in the order in which it runs: the bodies of functions last.

    :param source: notes the names that the code gives to things, and those that it reads.
    :param typed: classes of settings that the app declares, such as "shop.settings.Shop".
    """

    def __init__(self, source: Source, typed: Collection[str]) -> None:
        self.source = source
        self.scope = Scope(typed)
        self.copied = MODULE  # "" in code that runs again, or that keeps nothing
        self.owner = source.module  # the module or class whose names are bound; "" in functions
        self.runs_again = False  # inside functions, but not where the app is made
        self._around = self.scope  # what functions see: not the names of a class body
        self._functions: deque[tuple[Iterable[ast.AST], Scope]] = deque()

    def read(self, tree: ast.Module) -> None:
        self.visit_all(tree.body)
        while self._functions:
            body, self.scope = self._functions.popleft()
            self._around = self.scope
            self.runs_again, self.owner = True, ""
            with self.at(""):
                self.visit_all(body)

    def visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        for node in nodes:
            if node is not None:
                self.visit(node)

    @contextmanager
    def at(self, copied: str) -> Iterator[None]:
        """Go through a part of the code that copies elsewhere."""
        before, self.copied = self.copied, copied
        yield
        self.copied = before

    def enter_factory(self) -> None:
        """Take the code from here to the end of the function for what makes the app."""
        self.copied, self.runs_again = FACTORY, False

    def bind(self, name: str, meaning: Meaning = None, origin: str = "") -> None:
        self.scope.bind(name, meaning, origin)
        self.source.assigned.add(name)

    def read_name(
        self,
        node: ast.expr,
        name: ast.expr,
        through: Through,
        *,
        required: bool = False,
        fallback: bool = False,
    ) -> None:
        """Note a read at *node* of a name that is an expression."""
        if (text := text_of(name)) is not None:
            self.add_read(node, text, through, required=required, fallback=fallback)
        else:
            self.source.computed.append(node.lineno)
            self.visit(name)

    def add_read(
        self,
        node: ast.expr,
        name: str,
        through: Through,
        *,
        required: bool = False,
        fallback: bool = False,
    ) -> None:
        is_read = through != "name" and not isinstance(getattr(node, "ctx", None), ast.Store)
        copied = self.copied if is_read else ""
        self.source.reads.append(Read(name, node.lineno, through, copied, required, fallback))

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.scope.bind_module(alias)
            self.source.assigned.add(alias.asname or alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        package = self.source.package(node.level)
        module = ".".join(filter(None, (package, node.module)))
        for alias in node.names:
            self.scope.bind_import(module, alias)
            self.source.assigned.add(alias.asname or alias.name)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._decorators(node.decorator_list)
        self.bind(node.name)
        self._function(node.args, node.body)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._function(node.args, [node.body])

    def _function(self, arguments: ast.arguments, body: Iterable[ast.AST]) -> None:
        with self.at(self.copied and DEFAULT):
            self.visit_all([*arguments.defaults, *arguments.kw_defaults])
        each = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        each += filter(None, (arguments.vararg, arguments.kwarg))
        names = {argument.arg: self.scope.annotated(argument.annotation) for argument in each}
        self._functions.append((body, self._around.child(names)))

    def _decorators(self, decorators: list[ast.expr]) -> None:
        with self.at(self.copied and DECORATOR):
            self.visit_all(decorators)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._decorators(node.decorator_list)
        self.visit_all([*node.bases, *node.keywords])
        is_typed = self.copied == MODULE and self.scope.is_typed(self.source.module, node.name)
        outer, inner = self.owner, self.owner and f"{self.owner}.{node.name}"
        self.bind(node.name, "typed" if is_typed else None, inner)
        self.owner = inner
        with self._inner_scope(), self.at(self.copied and CLASS):
            self.visit_all(node.body)
        self.owner = outer

    def visit_ListComp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp) -> None:
        with self._inner_scope():
            self.visit_all([*node.generators, node.elt])

    visit_SetComp = visit_GeneratorExp = visit_ListComp

    def visit_DictComp(self, node: ast.DictComp) -> None:
        with self._inner_scope():
            self.visit_all([*node.generators, node.key, node.value])

    @contextmanager
    def _inner_scope(self) -> Iterator[None]:
        outer, self.scope = self.scope, self.scope.child()
        yield
        self.scope = outer

    def visit_If(self, node: ast.If) -> None:
        test = node.test.left if isinstance(node.test, ast.Compare) else None
        is_script = isinstance(test, ast.Name) and test.id == "__name__"
        with self.at("" if is_script else self.copied):
            self.visit_all([node.test, *node.body])
        self.visit_all(node.orelse)

    def visit_With(self, node: ast.With) -> None:
        # In a factory it pushes a context, to do something once.
        with self.at("" if self.copied == FACTORY else self.copied):
            self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        with self.at(""):
            self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        with self.at("" if is_log(node.value) else self.copied):
            self.generic_visit(node)
