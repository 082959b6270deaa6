"""Scope: what the names of a piece of code stand for, as far as settings are concerned."""

from __future__ import annotations

import ast
import re
from collections import ChainMap
from typing import Literal

PACKAGE = "waffleconf_admin"
#: `conf`, `app.config`, an app, our package; None: something else.
Meaning = Literal["conf", "config", "app", "package"] | None
#: Names that apps have by convention, wherever they come from.
_APP = re.compile(r"(.*_)?app(lication)?", re.I)


class Scope:
    """The names of a module, a function or a class, and those around it."""

    def __init__(self, names: ChainMap[str, Meaning] | None = None) -> None:
        self._names = ChainMap() if names is None else names

    def child(self, *names: str) -> Scope:
        """Return a scope inside this one, with names that stand for something else there."""
        return Scope(self._names.new_child(dict.fromkeys(names)))

    def bind(self, name: str, meaning: Meaning = None) -> None:
        self._names[name] = meaning

    def bind_import(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> None:
        """Bind what one name of an import stands for."""
        if isinstance(node, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
            self.bind(name, "package" if alias.name == PACKAGE else None)
        else:
            ours = not node.level and (node.module or "").partition(".")[0] == PACKAGE
            meaning: Meaning = "conf" if ours and alias.name == "conf" else None
            self.bind(alias.asname or alias.name, meaning)

    def meaning(self, node: ast.AST) -> Meaning:
        """Return what an expression stands for."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id) or _app(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.meaning(node.value)
            return _ATTRIBUTES.get((owner, node.attr)) or _app(node.attr)
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute) and node.func.attr == "_get_current_object":
                return self.meaning(node.func.value)
            return "app" if called(node) == "Flask" else _app(called(node))
        return None


_ATTRIBUTES: dict[tuple[Meaning, str], Meaning] = {
    ("app", "config"): "config",
    ("package", "conf"): "conf",
}


def _app(name: str) -> Meaning:
    return "app" if _APP.fullmatch(name) else None


def called(node: ast.AST) -> str:
    """Return the last name of the function that a call calls; "" of anything else."""
    function = node.func if isinstance(node, ast.Call) else None
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def text_of(node: ast.AST | None) -> str | None:
    """Return the text of a string in the code; None of anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None
