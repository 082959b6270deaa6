"""Page template: whether a template of the app displays the settings at all."""

from __future__ import annotations

import logging
import weakref
from pathlib import Path

import jinja2
from flask import Flask
from jinja2 import meta

from .app_templates import file_of

log = logging.getLogger(__name__)

#: The variables that have the settings.
_VARIABLES = {"form", "page"}
#: The folder of our templates, which use them: parsing one takes the first request 10 ms.
_OURS = Path(__file__).parents[1] / "templates"

_checked: weakref.WeakSet[Flask] = weakref.WeakSet()


def template_problem(app: Flask) -> str | None:
    """Return what is wrong with the template of the page, and the remedy; None: nothing.

    An app that comes from Flask-WaffleConf may have a template of its own views under the name of
    ours. It renders without an error, but knows none of our variables: the page looks empty.
    """
    name = file_of(app.config["WAFFLE_TEMPLATE"])
    try:
        if _may_use_variables(app.jinja_env, name):
            return None
    except jinja2.TemplateError:  # the page itself raises it
        return None
    return (
        f"templates/{name} of your app replaces the template of the settings page, but shows no "
        "setting, for it uses neither form nor page. Delete it; or rename it, if a view of yours "
        "uses it; or write a new one: docs/templates.md."
    )


def _may_use_variables(environment: jinja2.Environment, name: str) -> bool:
    """Whether a template, or one that it extends or includes, uses a variable of the page."""
    todo, done = [name], set[str]()
    while todo:
        done.add(name := todo.pop())
        if environment.loader is None:
            return False
        source, path, _ = environment.loader.get_source(environment, name)
        if path and Path(path).is_relative_to(_OURS):
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


def warn_once(app: Flask) -> None:
    """Log what `template_problem` returns, once for each app."""
    if app not in _checked:
        _checked.add(app)
        if problem := template_problem(app):
            log.warning("%s", problem)
