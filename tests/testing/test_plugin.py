"""The fixture and the marker: which app they take, when they hold, and what a mistake says."""

from __future__ import annotations

import textwrap
from collections.abc import Callable

import pytest

# pytester would import it anew for each suite, and the rest of the package not.
import waffleconf_admin.testing.override  # noqa: F401

pytest_plugins = "pytester"

Run = Callable[[str, str], pytest.RunResult]

CONFTEST = """
    import pytest
    from flask import Flask
    from waffleconf_admin import WaffleConf, WaffleStore

    class Store(WaffleStore):
        get = put = delete = lambda self, *row: None
        commit = lambda self: None

    @pytest.fixture(autouse=True)
    def last():
        return make_app()

    @pytest.fixture
    def made(app):
        return app.config["SITENAME"]

    def make_app():
        app = Flask("shop")
        app.config["WAFFLE_CONFS"] = {"SITENAME": {"default": "Waffle", "max": 9}}
        WaffleConf(app, Store())
        return app
"""
APP = """
    @pytest.fixture
    def app():
        return make_app()
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def run(conftest: str, tests: str) -> pytest.RunResult:
        pytester.makeconftest(textwrap.dedent(CONFTEST) + textwrap.dedent(conftest))
        pytester.makepyfile("import pytest\n" + textwrap.dedent(tests))
        plugin = ("-p", "waffleconf_admin.testing.plugin")
        return pytester.runpytest_inprocess(*plugin, "--strict-markers", "-p", "no:cacheprovider")

    return run


def test_they_hold_for_the_app_of_the_suite_and_before_the_fixtures_of_the_test(run: Run) -> None:
    tests = """
        @pytest.mark.override_conf(SITENAME="x")
        def test_marker(made, app, last):
            assert (made, app.config["SITENAME"], last.config["SITENAME"]) == ("x", "x", "Waffle")

        marked = pytest.mark.override_conf({"SITENAME": "x"})

        @pytest.mark.parametrize("name", [pytest.param("x", marks=marked), "Waffle"])
        def test_case(name, app):
            assert app.config["SITENAME"] == name

        def test_fixture(app, last, override_conf):
            with override_conf(SITENAME="x"):
                assert app.config["SITENAME"] == "x"
            assert app.config["SITENAME"] == "Waffle"
            override_conf(SITENAME="y")
            override_conf(SITENAME="z", app=last)
            assert (app.config["SITENAME"], last.config["SITENAME"]) == ("y", "z")
    """
    run(APP, tests).assert_outcomes(passed=4)


def test_without_a_fixture_app_they_hold_for_the_last_one(run: Run) -> None:
    tests = """
        from waffleconf_admin import WaffleConf

        def current():
            return WaffleConf.latest().app

        @pytest.mark.override_conf(SITENAME="x")
        def test_marker():
            assert current().config["SITENAME"] == "x"

        def test_fixture(override_conf):
            override_conf(SITENAME="x")
            assert current().config["SITENAME"] == "x"
    """
    run("", tests).assert_outcomes(passed=2)


def test_a_mistake_is_an_error_of_the_test_that_says_so(run: Run) -> None:
    tests = """
        @pytest.mark.override_conf(SITENAM="x")
        def test_name(): pass

        @pytest.mark.override_conf(SITENAME="x" * 10)
        def test_value(): pass
    """
    result = run(APP, tests)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(["*Did you mean SITENAME?", "*SITENAME: At most 9*"])


def test_a_fixture_app_that_fails_is_an_error_of_its_own(run: Run) -> None:
    broken = "@pytest.fixture\ndef app(nothing):\n    pass\n"
    result = run(broken, "def test_it(override_conf): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'nothing' not found*"])
