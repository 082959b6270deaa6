"""Calls: which calls read settings by name, name them, or change their values."""

from __future__ import annotations

import ast
from collections.abc import Callable

from .scope import Meaning, called, text_of
from .walk import Walk

#: Notes what a call reads or names, and returns the arguments that are left.
Handler = Callable[[Walk, ast.Call], list[ast.expr]]

#: Methods that change a list, a dict or a set in place.
MUTATING = {
    "add", "append", "clear", "difference_update", "discard", "extend", "insert",
    "intersection_update", "pop", "popitem", "remove", "reverse", "setdefault", "sort",
    "symmetric_difference_update", "update",
}  # fmt: skip


def read_call(walk: Walk, node: ast.Call) -> list[ast.expr]:
    """Note what a call reads by name; return the arguments that are left to be read."""
    name = called(node)
    owner: Meaning = None
    if isinstance(node.func, ast.Attribute):
        owner = walk.scope.meaning(node.func.value)
    elif name in _OF_CONF and node.args[1:] and walk.scope.meaning(node.args[0]) == "conf":
        owner = "conf"
    if not node.args and name not in _WITHOUT_ARGUMENTS:
        return []
    handle = _HANDLERS.get((owner, name)) or _HANDLERS.get((None, name))
    return handle(walk, node) if handle else node.args


def _get(walk: Walk, node: ast.Call) -> list[ast.expr]:
    name, *rest = node.args
    walk.read_name(node, name, "config", fallback=bool(rest))
    return rest


def _setdefault(walk: Walk, node: ast.Call) -> list[ast.expr]:
    walk.source.assigned.add(text_of(node.args[0]) or "")
    return _get(walk, node)


def _get_namespace(walk: Walk, node: ast.Call) -> list[ast.expr]:
    prefix, *rest = node.args
    if (text := text_of(prefix)) is None:
        walk.source.computed.append(node.lineno)
        return node.args
    walk.source.prefixes.add(text)
    return rest


def _getattr(walk: Walk, node: ast.Call) -> list[ast.expr]:
    _, name, *default = node.args
    optional = default or called(node) == "hasattr"
    walk.read_name(node, name, "config" if optional else "conf")
    return default


def _parse_conf(walk: Walk, node: ast.Call) -> list[ast.expr]:
    keys = node.args[0] if node.args else None
    if not isinstance(keys, _LISTS):
        walk.source.computed.append(node.lineno)
        return node.args
    for key in keys.elts:
        walk.read_name(key, key, "conf")
    return node.args[1:]


def _name(walk: Walk, node: ast.Call) -> list[ast.expr]:
    """Note settings that a call names, and whose values it doesn't read."""
    left: list[ast.expr] = []
    names: list[ast.expr | None] = []
    for argument in node.args:
        if isinstance(argument, ast.Dict):
            names += argument.keys
            left += argument.values
        else:
            names += argument.elts if isinstance(argument, _LISTS) else [argument]
            left.append(argument)
    for name in names:
        if name is not None and (text := text_of(name)) is not None:
            walk.add_read(name, text, "name")
    return left


def _override_conf(walk: Walk, node: ast.Call) -> list[ast.expr]:
    for keyword in node.keywords:
        if keyword.arg not in (None, "app"):
            walk.add_read(keyword.value, keyword.arg or "", "name")
    return _name(walk, node)


def _render_template_string(walk: Walk, node: ast.Call) -> list[ast.expr]:
    template, *rest = node.args
    text = text_of(template)
    if text is None:
        return node.args
    walk.source.templates.append((template.lineno - 1, text))
    return rest


_OF_CONF = ("getattr", "hasattr")
_LISTS = (ast.List, ast.Set, ast.Tuple)
_WITHOUT_ARGUMENTS = ("override_conf", "parse_conf")
#: By what the method belongs to, and its name; None: anything.
_HANDLERS: dict[tuple[Meaning, str], Handler] = {
    ("config", "get"): _get,
    ("config", "pop"): _get,
    ("config", "setdefault"): _setdefault,
    ("config", "get_namespace"): _get_namespace,
    ("conf", "getattr"): _getattr,
    ("conf", "hasattr"): _getattr,
    ("extension", "on_change"): _name,
    ("state", "reset"): _name,
    ("state", "update_db"): _name,
    (None, "override_conf"): _override_conf,
    (None, "parse_conf"): _parse_conf,
    (None, "render_template_string"): _render_template_string,
}
