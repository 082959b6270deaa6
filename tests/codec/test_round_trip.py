"""Values of every type, through the page and back, in either format.

WAFFLE_ROUNDS multiplies the number of examples.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
from every_type import CONFS, VALUES, in_order
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from submissions import sent
from werkzeug.datastructures import MultiDict

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.codec import FORMATS, format_of
from waffleconf_admin.forms import show_text
from waffleconf_admin.settings.equality import same
from waffleconf_admin.state.form import parse_text

ROUNDS = int(os.environ.get("WAFFLE_ROUNDS", "1"))
PAGE = "/admin/config"
thorough = settings(
    max_examples=10 * ROUNDS,
    deadline=None,
    # A failure is named by its key; to make the other values smaller takes minutes.
    phases=[Phase.explicit, Phase.generate],
    # All examples of a test share a database, and each saves all that it reads.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture(params=FORMATS)
def app(request: pytest.FixtureRequest, make_app: Callable[..., Flask], orm: str) -> Flask:
    app = make_app(CONFS, orm=orm, WAFFLE_SERIALIZER=request.param)
    app.register_blueprint(WaffleAdmin())
    return app


def opened(app: Flask) -> MultiDict[str, str]:
    """Return what a browser sends of a page that nobody has touched."""
    answer = app.test_client().get(PAGE)
    assert answer.status_code == 200
    return MultiDict(sent(answer.text))


def posted(app: Flask, fields: MultiDict[str, str]) -> None:
    answer = app.test_client().post(PAGE, data=fields)
    assert answer.status_code == 303, answer.text


def save(app: Flask, values: dict[str, Any]) -> None:
    app.extensions["waffleconf"].update_db(values)


def differing(app: Flask, values: dict[str, Any]) -> dict[str, Any]:
    """Return the stored values that differ from *values*, down to the type of each part."""
    now = app.extensions["waffleconf"].parse_conf()
    pairs = {key: (in_order(key, now[key]), in_order(key, values[key])) for key in values}
    return {key: pair for key, pair in pairs.items() if not same(*pair)}


@thorough
@given(before=st.fixed_dictionaries(VALUES), after=st.fixed_dictionaries(VALUES))
def test_every_value_comes_back_unchanged(
    app: Flask, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Untouched, nothing is written; typed and saved, it is read back equal and of its type."""
    state = app.extensions["waffleconf"]
    save(app, after)
    typed = opened(app)
    save(app, before)
    page = opened(app)
    assert {key: before[key] for key in CONFS if key not in page} == {}  # a control for each
    texts = {key: record.text for key, record in state.read().items()}
    posted(app, page)
    assert {key: record.text for key, record in state.read().items()} == texts
    typed["waffle_token"] = page["waffle_token"]
    posted(app, typed)
    assert differing(app, after) == {}
    formats = {format_of(record.text) for record in state.read().values() if record.text}
    assert formats <= {app.config["WAFFLE_SERIALIZER"]}


@thorough
@given(values=st.fixed_dictionaries(VALUES))
def test_the_text_that_is_shown_is_read_as_that_value(app: Flask, values: dict[str, Any]) -> None:
    state = app.extensions["waffleconf"]
    for key, value in values.items():
        text = show_text(state.settings[key], value)
        read = parse_text(state, key, text)
        assert same(in_order(key, read), in_order(key, value)), (key, text)
