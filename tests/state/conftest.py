"""Apps with settings."""

from __future__ import annotations

import pytest
from flask import Flask
from states import CONFS, MakeApp, state_of

from waffleconf_admin.state.state import State


@pytest.fixture(params=[None, ":memory:"], ids=["file", "memory"])
def url(request: pytest.FixtureRequest) -> str | None:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def app(make_app: MakeApp, orm: str, url: str | None) -> Flask:
    return make_app(CONFS, orm, url=url)


@pytest.fixture
def state(app: Flask) -> State:
    return state_of(app)
