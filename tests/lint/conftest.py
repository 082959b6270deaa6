"""What the tests of lint share."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import flask_sqlalchemy.extension  # noqa: F401 - a package that reads settings
import pytest
from flask import Flask
from jinja2 import Environment

from waffleconf_admin.lint import AppNames, Report, lint

#: Names that most tests go by.
NAMES = AppNames(
    settings=frozenset({"SITENAME", "PAGE_SIZE", "API_TOKEN", "WORKERS"}),
    config=frozenset({"SITENAME", "PAGE_SIZE", "API_TOKEN", "WORKERS", "SECRET_KEY"}),
    former={"SHOPNAME": "SITENAME"},
    restart=frozenset({"WORKERS"}),
    typed={"shop.Shop": frozenset({"SITENAME", "PAGE_SIZE", "now", "title", "SUFFIX"})},
)


@pytest.fixture(scope="session")
def environment() -> Environment:
    """That of an app's templates."""
    app = Flask("shop")
    app.jinja_env.add_extension("jinja2.ext.i18n")
    return app.jinja_env


@pytest.fixture
def check(tmp_path: Path, environment: Environment) -> Callable[..., Report]:
    """A function that writes files, such as ``{"shop.py": "…"}``, and returns what lint says."""

    def check(files: dict[str, str | bytes], names: AppNames = NAMES, whole: bool = True) -> Report:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        packages = [sys.modules[name] for name in ("flask.app", "flask_sqlalchemy.extension")]
        return lint(tmp_path, names, environment, packages=packages, whole=whole)

    return check
