"""Python: what code says about settings, read by ``ast``."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from .calls import MUTATING, read_call
from .scope import Meaning, called, is_current_config, text_of
from .source import Source, Through
from .walk import CLASS, Walk

#: Where a value is copied that goes to one of these functions; "update" only of ``app.config``.
INTO = "into another configuration"
COPYING = {"config_from_object", "from_mapping", "from_object"}
#: Methods of ``app.config`` that read all of it.
ALL = {"copy", "items", "keys", "values"}
READABLE = ("conf", "config")
#: What has settings as attributes, and as keys.
_ATTRIBUTES: dict[Meaning, Through] = {"conf": "conf", "typed": "typed"}
_KEYS: dict[Meaning, Through] = {"conf": "conf", "config": "config", "parsed": "conf"}


def read_python(source: Source, typed: Collection[str]) -> None:
    """Read the code of a source into it.

    :param typed: classes of settings that the app declares, such as "shop.settings.Shop".
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the code's own strings
            tree = ast.parse(source.text)
        _Reader(source, typed).read(tree)
    except SyntaxError as error:
        source.problems.append((error.lineno or 0, f"not read, for this Python: {error.msg}"))
    except (ValueError, RecursionError, MemoryError) as error:
        source.problems.append((0, f"not read to its end: {error}"))


class _Reader(Walk):
    """Notes what a module reads, names, assigns and changes in place."""

    _declaring = False  # in the declaration of a setting, whose default may be a constant

    # Names that get a value

    def visit_Assign(self, node: ast.Assign) -> None:
        self._assign(node.targets, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self._assign([node.target], node.value)
            if self.copied == CLASS and isinstance(node.target, ast.Name):
                self.source.declared.setdefault(node.target.id, node.lineno)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._assign([node.target], node.value)

    def _assign(self, targets: list[ast.expr], value: ast.expr) -> None:
        meaning, reads = self.scope.meaning(value), len(self.source.reads)
        names = [target for target in targets if isinstance(target, ast.Name)]
        if meaning not in READABLE or len(names) < len(targets):  # else other names for the same
            into = any(self._is_config_key(target) for target in targets)
            with self.at(INTO if into else self.copied):
                self.visit(value)
        self.visit_all(targets)
        for name in names:
            is_constant = self.owner and meaning is None and len(self.source.reads) == reads
            origin = f"{self.owner}.{name.id}" if self.owner == self.source.module else ""
            self.scope.bind(name.id, meaning, origin if is_constant else "")
            if _declares(value):
                self.source.declared.setdefault(name.id, name.lineno)
            elif is_constant:
                self.source.constants[self.owner, name.id] = name.lineno
        if called(value) == "Flask" and not self.copied:
            self.enter_factory()

    def _is_config_key(self, target: ast.expr) -> bool:
        return isinstance(target, ast.Subscript) and self.scope.meaning(target.value) == "config"

    def _name_value(self, name: str | None, value: ast.expr, line: int) -> None:
        """Read a value with a name: of a dict, or of a keyword."""
        if name is not None:
            self.source.assigned.add(name)
            if _declares(value):
                self.source.declared.setdefault(name, line)
        self.visit(value)

    # Expressions

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.bind(node.id)
        elif self.scope.meaning(node) in READABLE:  # all of it
            self.source.computed.append(node.lineno)
        elif self.runs_again or self.scope.origin(node) != f"{self.source.module}.{node.id}":
            self._note_constant(node)  # a module may build its constants of one another

    def visit_Attribute(self, node: ast.Attribute) -> None:
        owner = self.scope.meaning(node.value)
        through = _ATTRIBUTES.get(owner)
        if origin := self.scope.origin(node):
            self.source.attributes.add(origin)
        else:
            self.source.mentioned.add(node.attr)
        if through and not node.attr.startswith("__"):
            if isinstance(node.ctx, ast.Store):
                self.source.assignments.append((node.lineno, node.attr))
            self.add_read(node, node.attr, through)
            return
        if isinstance(node.ctx, ast.Load):
            self._note_constant(node)
        if self.scope.meaning(node) in READABLE or (owner == "config" and node.attr in ALL):
            self.source.computed.append(node.lineno)
        elif owner not in READABLE:
            if called(node.value) == "now" and node.attr.isupper():  # Shop.now().SITENAME
                self.add_read(node, node.attr, "config")
            self.visit(node.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        meaning, name = self.scope.meaning(node.value), text_of(node.slice)
        if isinstance(node.ctx, ast.Load):
            if through := _KEYS.get(meaning):
                if meaning == "parsed":
                    call = node.value
                    is_all = isinstance(call, ast.Call) and not call.args
                    self.visit_all(ast.iter_child_nodes(call) if is_all else [call])
                self.read_name(node, node.slice, through, required=True)
                return
        else:
            self._note_mutation(node, node.value)
            self.source.assigned.add(name or "")
            if name and isinstance(node.ctx, ast.Store) and self._assigns_setting(node.value):
                self.source.assignments.append((node.lineno, name))
        if meaning not in READABLE:
            self.visit(node.value)
        self.visit(node.slice)

    def _assigns_setting(self, owner: ast.expr) -> bool:
        """Whether a key that is assigned can't be meant as configuration: an app is configured
        where it is made.
        """
        return self.scope.meaning(owner) == "conf" or (self.runs_again and is_current_config(owner))

    def visit_Compare(self, node: ast.Compare) -> None:
        self.visit(node.left)
        for operator, operand in zip(node.ops, node.comparators, strict=True):
            asks = isinstance(operator, ast.In | ast.NotIn)
            if asks and self.scope.meaning(operand) in READABLE:
                self.source.assigned.add(text_of(node.left) or "")  # somebody may set it
            else:
                self.visit(operand)

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Attribute) and node.func.attr in MUTATING:
            self._note_mutation(node, node.func.value)
        with self._declaration(called(node) in ("dict", "setting")):
            self._visit_call(node)

    def _visit_call(self, node: ast.Call) -> None:
        self.visit(node.func)
        arguments = read_call(self, node)
        with self.at(INTO if self._copies(node) else self.copied):
            self.visit_all(arguments)
            for keyword in node.keywords:
                self._name_value(keyword.arg, keyword.value, keyword.lineno)

    def _copies(self, node: ast.Call) -> bool:
        if called(node) == "update" and isinstance(node.func, ast.Attribute):
            return self.scope.meaning(node.func.value) == "config"
        return called(node) in COPYING

    def visit_Dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is not None and text_of(key) is None:
                self.visit(key)
            with self._declaration(text_of(key) == "default"):
                self._name_value(text_of(key), value, key.lineno if key else 0)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.source.mentioned.add(node.value)

    @contextmanager
    def _declaration(self, starts: bool) -> Iterator[None]:
        before, self._declaring = self._declaring, self._declaring or starts
        yield
        self._declaring = before

    # What is noted

    def _note_constant(self, node: ast.expr) -> None:
        """Note that *node* may read a constant."""
        if (origin := self.scope.origin(node)) and not self._declaring:
            self.source.constant_reads.append((node.lineno, origin))

    def _note_mutation(self, node: ast.expr, changed: ast.expr) -> None:
        """Note that *node* changes a value, if it is that of a setting or a part of it."""
        while isinstance(changed, ast.Subscript) and not self._has_settings(changed.value):
            changed = changed.value
        name = None
        if isinstance(changed, ast.Attribute) and self.scope.meaning(changed.value) in _ATTRIBUTES:
            name = changed.attr
        elif isinstance(changed, ast.Subscript):
            name = text_of(changed.slice)
        elif isinstance(changed, ast.Call) and called(changed) == "get" and changed.args:
            of = changed.func
            if isinstance(of, ast.Attribute) and self._has_settings(of.value):
                name = text_of(changed.args[0])
        if name is not None:
            self.source.mutations.append((node.lineno, name))

    def _has_settings(self, owner: ast.expr) -> bool:
        """Whether the keys of this are settings, and no configuration of an app to come."""
        return self.scope.meaning(owner) == "parsed" or self._assigns_setting(owner)


def _declares(node: ast.expr) -> bool:
    """Whether a value may be the declaration of a setting."""
    return isinstance(node, ast.Dict) or called(node) in ("dict", "setting")
