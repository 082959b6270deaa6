"""override_conf: where its values are in force, what it checks, and when it ends."""

from __future__ import annotations

import ast
import asyncio
import subprocess
import sys
import threading
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, render_template_string
from pages import sent
from states import commits, state_of, statements

from waffleconf_admin import (
    InvalidValue,
    Settings,
    WaffleAdmin,
    anyone,
    conf,
    conf_changed,
    setting,
)
from waffleconf_admin.testing import override_conf

MakeApp = Callable[..., Flask]


class Shop(Settings):
    SITENAME: str = setting("Waffle", max=20)


CONFS: dict[str, dict[str, Any]] = {
    "SITENAME": {"default": "Waffle", "max": 20},
    "SIZE": {"default": 10, "min": 1},
    "HOURS": {"default": {"mon": [9, 17]}},
    "TOKEN": {"default": "", "secret": True},
}


@pytest.fixture
def app(make_app: MakeApp, orm: str) -> Flask:
    app = make_app(CONFS, orm, history=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(can=anyone, api=True))
    app.add_url_rule("/", view_func=lambda: conf.SITENAME)
    state_of(app).update_conf()
    return app


def served(app: Flask, key: str = "SITENAME") -> list[Any]:
    """The value of a setting by every way of reading it."""
    with app.test_request_context():
        template = render_template_string("{{ config[key] | tojson }}", key=key)
        return [
            conf[key],
            app.config[key],
            state_of(app).parse_conf([key])[key],
            state_of(app).read()[key].value,
            app.json.loads(template),
            getattr(Shop.now(), key),
        ]


# What is served


def test_every_way_of_reading_gives_the_value_until_the_end(app: Flask) -> None:
    state_of(app).update_db({"SITENAME": "Stored"})
    with override_conf(SITENAME="x"):
        assert served(app) == ["x"] * 6
    assert served(app) == ["Stored"] * 6


def test_nothing_is_stored_and_nobody_is_notified(app: Flask) -> None:
    announced: list[Any] = []
    state = state_of(app)
    with (
        statements(app) as seen,
        conf_changed.connected_to(lambda *a, **k: announced.append(k), app),
        override_conf(SITENAME="x"),
    ):
        assert state.update_conf()
    assert commits(seen) == 0 and announced == []
    assert state.read()["SITENAME"].text is None


@pytest.mark.parametrize("before_load", [True, False])
def test_it_holds_through_reloads_of_what_others_save(make_app: MakeApp, before_load: bool) -> None:
    app, other = make_app(CONFS, WAFFLE_AUTOLOAD=False), make_app(CONFS)
    if not before_load:
        state_of(app).update_conf()
    with override_conf(app=app, SITENAME="x"):
        state_of(other).update_db({"SITENAME": "Stored", "SIZE": 20})
        assert state_of(app).update_conf()
        assert (app.config["SITENAME"], app.config["SIZE"]) == ("x", 20)
    assert app.config["SITENAME"] == "Stored"
    assert other.config["SITENAME"] == "Stored"


def test_a_save_writes_to_the_database_and_takes_effect_at_the_end(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    state = state_of(app)
    announced: list[Any] = []
    with override_conf(SITENAME="x"):
        with conf_changed.connected_to(lambda *a, **k: announced.append(k["changes"]), app):
            assert state.update_db({"SITENAME": "y", "SIZE": 20}, expected={"SITENAME": "x"})
            assert state.update_db({"SITENAME": "y"}) == {}
        assert announced == [{"SITENAME": ("Waffle", "y"), "SIZE": (10, 20)}]
        assert served(app) == ["x"] * 6 and app.config["SIZE"] == 20
        assert "SITENAME takes effect when override_conf ends" in caplog.text
    assert served(app) == ["y"] * 6
    with override_conf(SITENAME="y"):
        assert state.reset(["SITENAME"]) == {"SITENAME": "Waffle"}
    assert served(app) == ["Waffle"] * 6


def test_rules_across_settings_get_the_values_in_force(make_app: MakeApp) -> None:
    given: list[Any] = []
    app = make_app(CONFS, validate=lambda values: given.append(values["SITENAME"]))
    with override_conf(SITENAME="x"):
        state_of(app).update_db({"SIZE": 20})
    assert given == ["x"]


def test_a_visit_to_the_page_shows_the_layer_and_stores_nothing(app: Flask) -> None:
    client, state = app.test_client(), state_of(app)
    state.update_db({"SITENAME": "Stored"})
    with override_conf(SITENAME="x"):
        page = client.get("/admin/config").text
        assert 'value="x"' in page and "A test overrides it." in page
        assert "Stored, and not in use: “Stored”." in page
        assert client.post("/admin/config", data=sent(page)).status_code == 303
        assert state.read()["SITENAME"].stored.value == "Stored"
        changed = sent(page, SITENAME="y")
        assert client.post("/admin/config", data=changed).status_code == 303
        assert client.get("/").text == "x"
    assert client.get("/").text == "y"
    assert "A test overrides it." not in client.get("/admin/config").text


def test_commands_and_the_api_name_the_layer(app: Flask) -> None:
    runner = app.test_cli_runner()
    with override_conf(SITENAME="x"):
        explained = runner.invoke(args=["waffle", "explain", "SITENAME"]).stdout
        facts = app.test_client().get("/admin/config/api/settings/SITENAME").json
    lines = [" ".join(line.split()) for line in explained.splitlines()]
    assert lines[1:5] == [
        "value x (override)",
        "layers override x (override_conf)",
        "database - (no change in the history)",
        "default Waffle (code)",
    ]
    assert facts and facts["layer"] == "override"
    assert "override" not in runner.invoke(args=["waffle", "explain", "SITENAME"]).stdout


def test_it_is_above_the_environment(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_SITENAME", "Env")
    app = make_app(CONFS, WAFFLE_ENV_PREFIX="APP_")
    with override_conf(SITENAME="x"):
        assert state_of(app).update_conf() and served(app) == ["x"] * 6
        assert state_of(app).read()["SITENAME"].stored.value == "Waffle"
    assert served(app) == ["Env"] * 6


def test_no_view_can_change_the_value_in_place(app: Flask) -> None:
    given = {"mon": [8]}
    with override_conf(HOURS=given):
        given["mon"].append(9)
        app.config["HOURS"]["mon"].append(10)
        assert state_of(app).update_conf() and app.config["HOURS"] == {"mon": [8]}


def test_it_holds_in_all_threads_and_in_the_request_that_has_begun(app: Flask) -> None:
    read: list[str] = []
    with app.test_request_context():
        assert conf.SITENAME == "Waffle"
        with override_conf(SITENAME="x"):
            thread = threading.Thread(target=lambda: read.append(app.test_client().get("/").text))
            thread.start()
            thread.join()
            assert conf.SITENAME == "x"
        assert conf.SITENAME == "Waffle"
    assert read == ["x"]


# One in another


def test_overrides_nest_and_end_in_any_order(app: Flask) -> None:
    outer, inner = override_conf(SITENAME="outer", SIZE=1), override_conf(SITENAME="inner")
    with outer:
        with inner:
            assert served(app) == ["inner"] * 6 and app.config["SIZE"] == 1
        assert served(app) == ["outer"] * 6
    outer.__enter__()
    inner.__enter__()
    outer.__exit__()
    assert served(app) == ["inner"] * 6 and app.config["SIZE"] == 10
    inner.__exit__()
    assert served(app) == ["Waffle"] * 6


def test_two_threads_may_not_override_the_same_setting(app: Flask) -> None:
    failed: list[str] = []

    def override() -> None:
        with override_conf(SIZE=20):
            pass
        try:
            with override_conf(SIZE=20, SITENAME="theirs"):
                pass
        except RuntimeError as error:
            failed.append(str(error))

    with override_conf(SITENAME="mine"):
        thread = threading.Thread(target=override)
        thread.start()
        thread.join()
        assert (app.config["SITENAME"], app.config["SIZE"]) == ("mine", 10)
    (message,) = failed
    assert message.startswith("SITENAME: the thread 'MainThread' overrides it")


def test_an_error_in_the_block_ends_it(app: Flask) -> None:
    with pytest.raises(ZeroDivisionError), override_conf(SITENAME="x"):
        raise ZeroDivisionError
    assert served(app) == ["Waffle"] * 6


# What is refused


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"SITENAM": "x"}, "SITENAM: There is no setting of that name. Did you mean SITENAME?"),
        ({"qqqq": "x"}, "qqqq: There is no setting of that name."),
        ({"SITENAME": "x" * 21}, "SITENAME: At most 20"),
        ({"SITENAME": 5}, "SITENAME: This must be"),
        ({"SIZE": 0, "SITENAME": "fine"}, "SIZE: At least 1"),
        ({"HOURS": object()}, "HOURS: "),
    ],
)
def test_a_name_or_value_that_a_save_would_refuse_is_refused(
    app: Flask, values: dict[str, object], message: str
) -> None:
    with pytest.raises(InvalidValue) as caught, override_conf(values):
        pass
    assert str(caught.value).startswith(message)
    assert served(app) == ["Waffle"] * 6


def test_without_values_in_brackets_the_decorator_says_how_to_write_it() -> None:
    with pytest.raises(TypeError, match=r"Write override_conf\(SITENAME=…\)"):
        override_conf(test_nothing_is_stored_and_nobody_is_notified)  # type: ignore[arg-type]


def test_a_repr_has_no_values(app: Flask) -> None:
    override = state_of(app).overrides.add({"TOKEN": "needle"})
    assert repr(override) == "<Override of TOKEN>"
    state_of(app).overrides.remove(override)


# Which app


def test_it_is_the_current_app_or_the_named_one_or_the_last(make_app: MakeApp) -> None:
    apps = first, second = make_app(CONFS), make_app(CONFS)

    def names() -> list[str]:
        return [app.config["SITENAME"] for app in apps]

    with override_conf(SITENAME="x"):
        assert names() == ["Waffle", "x"]
    with first.app_context(), override_conf(SITENAME="x"):
        assert names() == ["x", "Waffle"]
    with second.app_context(), override_conf(SITENAME="x", app=first):
        assert names() == ["x", "Waffle"]
    with Flask("other").app_context(), pytest.raises(RuntimeError, match="name it with app="):
        override_conf(SITENAME="x").__enter__()


# The decorator


@override_conf(SITENAME="x")
def read_in_function(app: Flask) -> str:
    return str(app.config["SITENAME"])


@override_conf(SITENAME="x")
async def read_in_coroutine(app: Flask) -> str:
    await asyncio.sleep(0)
    return str(app.config["SITENAME"])


@override_conf(SITENAME="x")
def read_in_generator(app: Flask) -> Iterator[str]:
    yield str(app.config["SITENAME"])


def test_a_decorated_function_has_the_values_each_time(app: Flask) -> None:
    for _ in range(2):
        assert read_in_function(app) == "x"
        assert asyncio.run(read_in_coroutine(app)) == "x"
        assert list(read_in_generator(app)) == ["x"]
        assert app.config["SITENAME"] == "Waffle"
    assert read_in_function.__name__ == "read_in_function"


def test_of_a_decorated_class_each_test_has_the_values_after_setup(app: Flask) -> None:
    read: list[object] = []

    @override_conf(SITENAME="x")
    class Case(unittest.TestCase):
        def setUp(self) -> None:
            read.append(app.config["SITENAME"])

        def test_it(self) -> None:
            read.append(app.config["SITENAME"])

        tearDown = setUp

    result = Case("test_it").run()
    assert result and result.wasSuccessful()
    assert read == ["Waffle", "x", "Waffle"]


def test_an_asynchronous_generator_is_refused_with_the_remedy() -> None:
    async def generate() -> Any:
        yield

    with pytest.raises(TypeError, match="inside it"):
        override_conf(SITENAME="x")(generate)


# The plugin


def test_the_plugin_imports_neither_flask_nor_the_rest_of_the_package() -> None:
    code = (
        "import sys, waffleconf_admin.testing.plugin\n"
        "print([n for n in sys.modules if n == 'flask' or n.startswith('waffleconf_admin.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == [
        "waffleconf_admin.testing",
        "waffleconf_admin.testing.plugin",
    ]
