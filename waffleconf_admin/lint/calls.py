"""Calls: which calls read settings by name."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Protocol

from .scope import Meaning, Scope, called, text_of
from .source import Source, Through


class Reader(Protocol):
    """What notes a read."""

    def read_name(
        self, node: ast.expr, name: ast.expr, through: Through, *, required: bool = False
    ) -> None: ...


#: Notes what a call reads, and returns the arguments that are left.
Handler = Callable[[Reader, Source, ast.Call], list[ast.expr]]


def read_call(reader: Reader, scope: Scope, source: Source, node: ast.Call) -> list[ast.expr]:
    """Note what a call reads by name; return the arguments that are left to be read."""
    if not node.args:
        return []
    owner: Meaning = None
    if isinstance(node.func, ast.Attribute):
        owner = scope.meaning(node.func.value)
    elif called(node) in _OF_CONF and scope.meaning(node.args[0]) == "conf" and node.args[1:]:
        owner = "conf"
    handle = _HANDLERS.get((owner, called(node))) or _HANDLERS.get((None, called(node)))
    return handle(reader, source, node) if handle else node.args


def _get(reader: Reader, source: Source, node: ast.Call) -> list[ast.expr]:
    name, *rest = node.args
    reader.read_name(node, name, "config")
    return rest


def _setdefault(reader: Reader, source: Source, node: ast.Call) -> list[ast.expr]:
    source.assigned.add(text_of(node.args[0]) or "")
    return _get(reader, source, node)


def _get_namespace(reader: Reader, source: Source, node: ast.Call) -> list[ast.expr]:
    prefix, *rest = node.args
    if (text := text_of(prefix)) is None:
        source.computed.append(node.lineno)
        return node.args
    source.prefixes.add(text)
    return rest


def _getattr(reader: Reader, source: Source, node: ast.Call) -> list[ast.expr]:
    _, name, *default = node.args
    optional = default or called(node) == "hasattr"
    reader.read_name(node, name, "config" if optional else "conf")
    return default


def _parse_conf(reader: Reader, source: Source, node: ast.Call) -> list[ast.expr]:
    keys, *rest = node.args
    if not isinstance(keys, ast.List | ast.Tuple):
        source.computed.append(node.lineno)
        return node.args
    for key in keys.elts:
        reader.read_name(key, key, "conf")
    return rest


def _render_template_string(reader: Reader, source: Source, node: ast.Call) -> list[ast.expr]:
    template, *rest = node.args
    text = text_of(template)
    if text is None:
        return node.args
    source.templates.append((template.lineno - 1, text))
    return rest


_OF_CONF = ("getattr", "hasattr")
#: By what the method belongs to, and its name; None: anything.
_HANDLERS: dict[tuple[Meaning, str], Handler] = {
    ("config", "get"): _get,
    ("config", "pop"): _get,
    ("config", "setdefault"): _setdefault,
    ("config", "get_namespace"): _get_namespace,
    ("conf", "getattr"): _getattr,
    ("conf", "hasattr"): _getattr,
    (None, "parse_conf"): _parse_conf,
    (None, "render_template_string"): _render_template_string,
}
