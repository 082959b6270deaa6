"""Scope: what the names of a piece of code stand for, as far as settings are concerned."""

from __future__ import annotations

import ast
import re
from collections import ChainMap
from collections.abc import Collection, Mapping
from typing import Literal, cast

PACKAGE = "waffleconf_admin"
#: `conf`, `app.config`, an app, our package, a class of settings or its `now()`, what `parse_conf`
#: returns, the extension, its state; None: something else.
Meaning = (
    Literal["conf", "config", "app", "package", "typed", "parsed", "extension", "state"] | None
)


class Scope:
    """The names of a module, a function or a class, and those around it.

    :param typed: the dotted names of the classes of settings.
    """

    def __init__(
        self,
        typed: Collection[str],
        names: ChainMap[str, Meaning] | None = None,
        origins: ChainMap[str, str] | None = None,
    ) -> None:
        self._typed = typed
        self._names = ChainMap() if names is None else names
        self._origins = ChainMap() if origins is None else origins

    def child(self, names: Mapping[str, Meaning] | None = None) -> Scope:
        """Return a scope inside this one, with what names stand for there."""
        names = dict(names or {})
        origins = self._origins.new_child(dict.fromkeys(names, ""))
        return Scope(self._typed, self._names.new_child(names), origins)

    def bind(self, name: str, meaning: Meaning = None, origin: str = "") -> None:
        """Bind a name.

        :param origin: the dotted name of the module, class or constant that it stands for.
        """
        self._names[name] = meaning
        self._origins[name] = origin

    def bind_module(self, alias: ast.alias) -> None:
        """Bind the name of a module that is imported."""
        name = alias.asname or alias.name.partition(".")[0]
        meaning: Meaning = "package" if alias.name == PACKAGE else None
        self.bind(name, meaning, alias.name if alias.asname else name)

    def bind_import(self, module: str, alias: ast.alias) -> None:
        """Bind a name that is imported from a module."""
        meaning: Meaning = None
        if alias.name == "conf" and module.partition(".")[0] == PACKAGE:
            meaning = "conf"
        elif self.is_typed(module, alias.name):
            meaning = "typed"
        self.bind(alias.asname or alias.name, meaning, f"{module}.{alias.name}")

    def origin(self, node: ast.AST) -> str:
        """Return the dotted name of what an expression stands for; "" if it is not known."""
        if isinstance(node, ast.Attribute):
            owner = self.origin(node.value)
            return owner and f"{owner}.{node.attr}"
        return self._origins.get(node.id, "") if isinstance(node, ast.Name) else ""

    def is_typed(self, module: str, name: str) -> bool:
        """Whether a name of a module is a class of settings."""
        dotted = f".{module}.{name}"
        return any(dotted.endswith(f".{each}") for each in self._typed)

    def annotated(self, annotation: ast.expr | None) -> Meaning:
        """Return what an argument stands for, if its type is a class of settings."""
        return "typed" if annotation and self.meaning(annotation) == "typed" else None

    def meaning(self, node: ast.AST) -> Meaning:
        """Return what an expression stands for."""
        if isinstance(node, ast.Name):
            return self._names.get(node.id) or _NAMES.get(node.id) or _by_convention(node.id)
        if isinstance(node, ast.Attribute):
            owner = self.meaning(node.value)
            return _ATTRIBUTES.get((owner, node.attr)) or _by_convention(node.attr)
        if isinstance(node, ast.Subscript):
            return "state" if text_of(node.slice) == "waffleconf" else None  # app.extensions[…]
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Attribute):
                owner = self.meaning(node.func.value)
                if node.func.attr == "_get_current_object" or (owner, called(node)) == _NOW:
                    return owner
            return _CALLS.get(called(node)) or _by_convention(called(node))
        return None


_ATTRIBUTES: dict[tuple[Meaning, str], Meaning] = {
    ("app", "config"): "config",
    ("package", "conf"): "conf",
    ("extension", "state"): "state",
}
#: A name only: `self.state` may be anything.
_NAMES: dict[str, Meaning] = {"state": "state"}
_NOW: tuple[Meaning, str] = ("typed", "now")
_CALLS: dict[str, Meaning] = {"Flask": "app", "WaffleConf": "extension", "parse_conf": "parsed"}
#: Names by convention, wherever they come from: each group is a meaning.
_CONVENTION = re.compile(
    r"(?:.*_)?(?:(?P<app>app(?:lication)?)|(?P<extension>waffle(?:_?conf)?)|(?P<state>waffle_state))",
    re.I,
)
_LOG = re.compile(r"_*(.*_)?log(ger|ging)?", re.I)
_LOG_METHODS = {"critical", "debug", "error", "exception", "info", "log", "warning"}


def _by_convention(name: str) -> Meaning:
    found = _CONVENTION.fullmatch(name)
    return cast("Meaning", found.lastgroup) if found else None


def is_log(node: ast.expr) -> bool:
    """Whether an expression prints or logs something, which nothing keeps."""
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute):
        return node.func.attr in _LOG_METHODS and bool(_LOG.fullmatch(_last_name(node.func.value)))
    return called(node) == "print"


def is_current_config(node: ast.expr) -> bool:
    """Whether an expression is ``current_app.config``."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "config"
        and _last_name(node.value) == "current_app"
    )


def _last_name(node: ast.AST) -> str:
    """Return the last name of a dotted one; "" of anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def called(node: ast.AST) -> str:
    """Return the last name of the function that a call calls; "" of anything else."""
    return _last_name(node.func) if isinstance(node, ast.Call) else ""


def text_of(node: ast.AST | None) -> str | None:
    """Return the text of a string in the code; None of anything else."""
    value = node.value if isinstance(node, ast.Constant) else None
    return value if isinstance(value, str) else None
