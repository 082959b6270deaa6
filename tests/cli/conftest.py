"""An app with settings and a history, and its command line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from commands import CONFS, Run
from flask import Flask


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(CONFS, history=True, WAFFLE_STORE_DEFAULTS=False)


@pytest.fixture
def run(app: Flask) -> Run:
    def run(*args: str, stdin: str | bytes | None = None) -> Result:
        result = app.test_cli_runner().invoke(args=["waffle", *args], input=stdin)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    return run
