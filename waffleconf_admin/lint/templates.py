"""Templates: what they say about settings, read by Jinja's parser."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Config
from jinja2 import Environment, TemplateSyntaxError, nodes

from .python import ALL
from .source import Read, Source


def read_template(source: Source, environment: Environment, text: str, before: int = 0) -> None:
    """Read a template into a source.

    :param environment: that of the app, whose extensions say what can be parsed.
    :param text: the template.
    :param before: the number of lines of the source before it.
    """
    if "{" not in text:
        return
    try:
        _read(source, environment.parse(text), before)
    except TemplateSyntaxError as error:
        source.problems.append((error.lineno + before, f"not a template: {error.message}"))
    except Exception as error:  # whatever an extension raises
        source.problems.append((before, f"not read to its end: {error}"))


def _read(source: Source, tree: nodes.Template, before: int) -> None:
    left: list[nodes.Node] = [tree]
    config_is_the_app_s = not any(_binds_config(node) for node in _walk(tree))
    while left:
        node = left.pop()
        found = _read_of(node) if config_is_the_app_s else None
        if found is not None:
            name, fallback, rest = found
            left += rest
            if name is None:
                source.computed.append(node.lineno + before)
            else:
                line = node.lineno + before
                source.reads.append(Read(name, line, "config", fallback=fallback))
            continue
        if isinstance(node, nodes.Getattr):
            source.mentioned.add(node.attr)
        elif isinstance(node, nodes.Name):
            source.mentioned.add(node.name)
        elif isinstance(node, nodes.Const) and isinstance(node.value, str):
            source.mentioned.add(node.value)
        left += node.iter_child_nodes()


def _walk(tree: nodes.Node) -> Iterator[nodes.Node]:
    left = [tree]
    while left:
        node = left.pop()
        yield node
        left += node.iter_child_nodes()


def _is_config(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == "config"


def _binds_config(node: nodes.Node) -> bool:
    """Whether this gives the name "config" to something else."""
    if isinstance(node, nodes.Import):
        return node.target == "config"
    if isinstance(node, nodes.FromImport):
        return "config" in {each if isinstance(each, str) else each[1] for each in node.names}
    return isinstance(node, nodes.Name) and node.name == "config" and node.ctx != "load"


def _read_of(node: nodes.Node) -> tuple[str | None, bool, list[nodes.Node]] | None:
    """Return the key of ``config`` that a node reads, None if it is computed there, whether it says
    what to use without it, and what of the node is left to be read; None of any other node.
    """
    if isinstance(node, nodes.Filter) and node.name in ("d", "default") and node.node:
        if found := _read_of(node.node):
            name, _, rest = found
            return name, True, [*rest, *node.args, *node.kwargs]
    elif isinstance(node, nodes.Call):
        function = node.node
        if isinstance(function, nodes.Getattr) and _is_config(function.node):
            rest = [*node.args, *node.kwargs]
            if function.attr == "get" and node.args:
                return _key(node.args[0]), len(rest) > 1, rest
            return None, False, rest
    elif isinstance(node, nodes.Getattr) and _is_config(node.node):
        return (None if node.attr in ALL or hasattr(Config, node.attr) else node.attr), False, []
    elif isinstance(node, nodes.Getitem) and _is_config(node.node):
        return _key(node.arg), False, [node.arg]
    elif _is_config(node):
        return None, False, []
    return None


def _key(node: nodes.Node) -> str | None:
    value = node.value if isinstance(node, nodes.Const) else None
    return value if isinstance(value, str) else None
