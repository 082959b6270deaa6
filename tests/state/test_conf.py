"""`conf`: one consistent set of values for a request, the newest elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, current_app
from states import statements

from waffleconf_admin import conf
from waffleconf_admin.contexts import quiet_context

CONFS = {"A": {"default": "a"}, "B": {"default": [1]}}


@pytest.fixture
def app(make_app: Callable[..., Flask], orm: str) -> Flask:
    return make_app(CONFS, orm)


def save(app: Flask, values: dict[str, Any]) -> None:
    """As another process would, past this request."""
    app.extensions["waffleconf"].update_db(values)


def test_attributes_and_items_read_the_value(app: Flask) -> None:
    with app.app_context():
        assert conf.A == conf["A"] == "a"
        assert "A" in conf
        assert "NOPE" not in conf
        assert (list(conf), len(conf)) == (["A", "B"], 2)
        assert "A" in dir(conf)


def test_the_first_read_in_a_process_loads(app: Flask, make_app: Any, orm: str) -> None:
    other = make_app(CONFS, orm)
    with quiet_context(other):
        save(app, {"A": "stored"})
        assert other.config["A"] == "a"
        assert conf.A == "stored"
        with statements(other) as seen:
            assert conf.A == "stored"
        assert seen == []


@pytest.mark.parametrize("key", ["NOPE", "SECRET_KEY", "WAFFLE_CONFS"])
def test_undeclared_names_are_errors_that_name_them(app: Flask, key: str) -> None:
    with app.app_context():
        with pytest.raises(AttributeError, match=f"{key} is not declared"):
            getattr(conf, key)
        with pytest.raises(KeyError, match=f"{key} is not declared"):
            conf[key]


def test_requests_in_one_pushed_context_see_what_is_new(app: Flask) -> None:
    app.add_url_rule("/", view_func=lambda: conf.A)
    client = app.test_client()
    with app.app_context():
        assert client.get("/").text == "a"
        save(app, {"A": "new"})
        assert client.get("/").text == "new"


def test_a_request_sees_one_set_of_values_though_others_save(app: Flask) -> None:
    def view() -> str:
        before = conf.A
        with app.app_context():  # another request's
            save(app, {"A": "new"})
        return f"{before} {conf.A} {current_app.config['A']}"

    app.add_url_rule("/", view_func=view)
    assert app.test_client().get("/").text == "a a new"
    assert app.test_client().get("/").text == "new new new"


def test_a_request_sees_what_it_saved_itself(app: Flask) -> None:
    def view() -> str:
        before = conf.A
        save(app, {"A": "new"})
        return f"{before} {conf.A}"

    app.add_url_rule("/", view_func=view)
    assert app.test_client().get("/").text == "a new"


def test_outside_a_request_it_is_the_newest(app: Flask) -> None:
    with app.app_context():
        assert conf.A == "a"
        save(app, {"A": "new"})
        assert conf.A == "new"


def test_each_app_has_its_own(app: Flask, make_app: Any, orm: str) -> None:
    other = make_app({"A": {"default": "other"}}, orm, WAFFLE_AUTOLOAD=False)
    with app.test_request_context():
        assert conf.A == "a"
        with other.app_context():
            assert conf.A == "other"
        assert conf.A == "a"


@pytest.mark.parametrize("name", ["__html__", "__wrapped__", "__deepcopy__"])
def test_tools_may_look_at_it_without_a_context(name: str) -> None:
    assert not hasattr(conf, name)


def test_it_cannot_be_written_and_says_how_to(app: Flask) -> None:
    with app.app_context(), pytest.raises(AttributeError, match="update_db"):
        conf.A = "x"


def test_an_app_without_the_extension_is_told_so() -> None:
    with Flask("bare").app_context(), pytest.raises(RuntimeError, match="has no WaffleConf"):
        _ = conf.A


def test_its_repr_shows_no_values(app: Flask) -> None:
    with app.app_context():
        assert "a" not in repr(conf).removeprefix("<waffleconf_admin.conf>")


@pytest.mark.parametrize("read", [lambda: conf.A, lambda: conf["A"], lambda: len(conf)])
def test_a_read_at_import_says_where_to_read_instead(read: Callable[[], object]) -> None:
    with pytest.raises(RuntimeError, match="read it where it is used") as caught:
        read()
    assert "app_context" not in str(caught.value) and caught.value.__suppress_context__
