"""An app for the tests of forms."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from submissions import CONFS


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app(CONFS)
