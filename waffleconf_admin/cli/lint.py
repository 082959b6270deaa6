"""Lint: ``flask waffle lint``."""

from __future__ import annotations

import sys
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from flask import Flask, current_app

from ..settings.typed import Settings, as_declarations
from .group import ERROR, waffle
from .options import examples, json_option
from .output import counted, current_state, print_json, printable, say

if TYPE_CHECKING:
    from ..lint import AppNames


@waffle.command("lint", epilog=examples("lint", "lint . --json"))
@click.argument("path", required=False, type=click.Path(exists=True, path_type=Path))
@json_option
def lint_code(path: Path | None, as_json: bool) -> None:
    """Find reads of settings that can't be right, in code and templates.

    Reports names that are not declared, former names, settings that nothing
    reads, settings that code assigns, and values that are copied where they can't
    follow changes. PATH is a folder or a file: by default the current folder, if
    the app is in it, else the folder of the app. Tests, hidden folders and
    virtual environments are left out. Files are read, not run.

    For CI: the exit code is 1 if something is found. A comment, # waffle: ignore
    or # waffle: ignore[copied], leaves out what is found on its line. What is
    uncertain is said on standard error, and changes no exit code.
    """
    from ..lint import lint  # every app imports the commands; few run this one

    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    app_folder = Path(app.root_path)
    root = path or _default_path(app_folder)
    report = lint(
        root,
        _names(app),
        app.jinja_env,
        template_folders=_template_folders(app),
        packages=[*sys.modules.values()],
        whole=app_folder.resolve().is_relative_to(root.resolve()),
    )
    if as_json:
        print_json(
            {
                "findings": [finding._asdict() for finding in report.findings],
                "remarks": [remark._asdict() for remark in report.remarks],
            }
        )
    else:
        for finding in report.findings:
            click.echo(f"{_line(finding.path, finding.line, finding.text)} [{finding.rule}]")
    for remark in report.remarks:
        say(_line(remark.path, remark.line, remark.text))
    say(f"{counted(len(report.findings), 'finding')} in {counted(report.files, 'file')}.")
    if report.findings:
        raise click.exceptions.Exit(ERROR)


def _default_path(app_folder: Path) -> Path:
    here = Path()
    return here if app_folder.resolve().is_relative_to(here.resolve()) else app_folder


def _names(app: Flask) -> AppNames:
    """The names that an app knows."""
    from ..lint import AppNames

    settings = current_state().settings
    return AppNames(
        settings.keys(),
        config=app.config.keys(),
        former={old: key for key, s in settings.items() for old in s.was},
        restart={key for key, s in settings.items() if s.restart},
        typed=_typed_classes(settings.keys()),
    )


def _template_folders(app: Flask) -> list[Path]:
    """The folders of the templates of an app and of its blueprints."""
    loaders = [app.jinja_loader, *(blueprint.jinja_loader for blueprint in app.iter_blueprints())]
    return [Path(path) for loader in loaders for path in getattr(loader, "searchpath", ())]


def _typed_classes(keys: Set[str]) -> dict[str, Set[str]]:
    """The classes of settings that an app declares, with their attributes, by each dotted name that
    a module has for them.
    """
    left: list[type[Settings]] = [Settings]
    found: list[type[Settings]] = []
    while left:
        subclasses = left.pop().__subclasses__()
        left += subclasses
        found += [cls for cls in subclasses if _keys(cls) <= keys]
    return {
        f"{module.__name__}.{name}": {*dir(cls)}
        for cls in found
        for module in [*sys.modules.values()]
        for name, value in [*vars(module).items()]
        if value is cls
    }


def _keys(cls: type[Settings]) -> Set[str]:
    return cast("dict[str, object]", as_declarations(cls)).keys()


def _line(path: str, line: int, text: str) -> str:
    place = f"{path}:{line}: " if line else f"{path}: " if path else ""
    return printable(place + text)
