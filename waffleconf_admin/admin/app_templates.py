"""App templates: those of the app that a page needs, and whether they can show what it has."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Iterator
from pathlib import Path

from flask import Flask
from jinja2 import Environment, TemplateError, TemplateNotFound, TemplateSyntaxError, meta, nodes

log = logging.getLogger(__name__)

#: The block of a layout that the page fills.
BLOCK = "content"

_OURS = "waffleconf/waffle_form"
#: The variables that have the settings.
_VARIABLES = {"form", "page"}
#: The folder of our templates, which use them: parsing one takes the first request 10 ms.
_FOLDER = Path(__file__).parents[1] / "templates"

_checked: weakref.WeakSet[Flask] = weakref.WeakSet()


def require_layout(app: Flask, layout: str | None) -> None:
    """Check that a layout exists and has the block that the page fills.

    :raises ValueError: it does not.
    """
    if layout is None:
        return
    _require(app, layout, f"layout={layout!r}")
    # The app's own template may fill another block: the review and the history do not.
    blocks = _blocks(app, layout)
    if blocks is not None and BLOCK not in blocks:
        known = ", ".join(map(repr, sorted(blocks))) or "none"
        block = f"{{% block {BLOCK} %}}{{% endblock %}}"
        own = app.config.get("WAFFLE_TEMPLATE", _OURS) not in (_OURS, file_of(_OURS))
        blank = "the review, the history and the files" if own else "every page"
        raise ValueError(
            f"layout={layout!r}: there is no block {BLOCK!r}, so {blank} would be blank; add "
            f"{block}, or put it into another block in a layout in between (blocks: {known})"
        )


def require_template(app: Flask) -> None:
    """Check that the template exists that ``WAFFLE_TEMPLATE`` names.

    :raises ValueError: it does not.
    """
    name = app.config.get("WAFFLE_TEMPLATE")
    if isinstance(name, str):  # init_app refuses anything else
        _require(app, file_of(name), f"WAFFLE_TEMPLATE={name!r}")


def file_of(template: str) -> str:
    """Return the file name of a template that is named with or without ``.html``."""
    return template.removesuffix(".html") + ".html"


def template_problem(app: Flask) -> str | None:
    """Return what is wrong with the template of the page, and the remedy; None: nothing.

    An app that comes from Flask-WaffleConf may have a template of its own views under the name of
    ours. It renders without an error, but knows none of our variables: the page looks empty.
    """
    name = file_of(app.config["WAFFLE_TEMPLATE"])
    try:
        if _may_use_variables(app.jinja_env, name):
            return None
    except TemplateError:  # the page itself raises it
        return None
    return (
        f"templates/{name} of your app replaces the template of the settings page, but shows no "
        "setting, for it uses neither form nor page. Delete it; or rename it, if a view of yours "
        "uses it; or write a new one: docs/templates.md."
    )


def warn_of_template(app: Flask) -> None:
    """Log what `template_problem` returns, once for each app."""
    if app not in _checked:
        _checked.add(app)
        if problem := template_problem(app):
            log.warning("%s", problem)


def _require(app: Flask, name: str, option: str) -> None:
    loader = app.jinja_env.loader
    if loader is None:
        return
    try:
        loader.get_source(app.jinja_env, name)
    except TemplateNotFound as error:
        raise ValueError(
            f"{option}: there is no such template; if a blueprint of yours has it, "
            "register that one first"
        ) from error


def _blocks(app: Flask, name: str) -> set[str] | None:
    """The blocks of a template that its page displays; None: that is not certain.

    The templates are parsed and not compiled: filters may be registered later.
    """
    overrides: dict[str, list[nodes.Block]] = {}  # by name, those of the last template first
    read: set[object] = set()
    while name not in read:
        read.add(name)
        tree = _parse(app, name)
        if tree is None:
            return None
        for block in tree.find_all(nodes.Block):
            overrides.setdefault(block.name, []).append(block)
        extended = [each.template for each in tree.find_all(nodes.Extends)]
        if not extended:
            return set(_displayed(tree, overrides))
        if len(extended) > 1 or not isinstance(extended[0], nodes.Const):
            return None  # the page decides what it extends
        name = extended[0].value
    return None


def _parse(app: Flask, name: str) -> nodes.Template | None:
    env = app.jinja_env
    try:
        return env.parse(env.loader.get_source(env, name)[0]) if env.loader else None
    except (TemplateNotFound, TemplateSyntaxError):  # a later blueprint or extension may have it
        return None


def _displayed(node: nodes.Node, overrides: dict[str, list[nodes.Block]]) -> Iterator[str]:
    """The blocks in a part of a template, and those in what overrides these."""
    for child in node.iter_child_nodes():
        if not isinstance(child, nodes.Block):
            yield from _displayed(child, overrides)
            continue
        yield child.name
        for block in overrides[child.name]:
            yield from _displayed(block, overrides)
            if not any(_is_super(call) for call in block.find_all(nodes.Call)):
                break


def _is_super(call: nodes.Call) -> bool:
    return isinstance(call.node, nodes.Name) and call.node.name == "super"


def _may_use_variables(environment: Environment, name: str) -> bool:
    """Whether a template, or one that it extends or includes, uses a variable of the page."""
    todo, done = [name], set[str]()
    while todo:
        done.add(name := todo.pop())
        if environment.loader is None:
            return False
        source, path, _ = environment.loader.get_source(environment, name)
        if path and Path(path).is_relative_to(_FOLDER):
            return True
        parsed = environment.parse(source)
        if meta.find_undeclared_variables(parsed) & _VARIABLES:
            return True
        for other in meta.find_referenced_templates(parsed):
            if other is None:  # a variable names it
                return True
            if other not in done:
                todo.append(other)
    return False
