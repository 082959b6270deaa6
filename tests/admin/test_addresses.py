"""The page at addresses with variables of the app's own, such as a tenant or a language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, g, request, url_for
from pages import state_of
from walk import Walk

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]

CONFS: dict[str, Any] = {"SITENAME": {"default": "Waffle"}, "SIZE": {"default": 20}}


def with_url_defaults(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(), url_defaults={"tenant": "north", "number": 5})
    return "/admin/config"


def with_variables(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(), url_prefix="/<tenant>/<int:number>/settings")
    return "/north/5/settings"


def with_variables_and_defaults(app: Flask) -> str:
    prefix = "/<tenant>/settings"
    app.register_blueprint(WaffleAdmin(), url_prefix=prefix, url_defaults={"page": "settings"})
    return "/north/settings"


def in_another_blueprint(app: Flask) -> str:
    tenants = Blueprint("tenants", "tenants", url_prefix="/<tenant>")
    tenants.register_blueprint(WaffleAdmin(), url_prefix="/settings")
    app.register_blueprint(tenants)
    return "/north/settings"


def with_a_language(app: Flask) -> str:
    """As Flask's documentation does it."""

    @app.url_defaults
    def add_language(endpoint: str, values: dict[str, Any]) -> None:
        if "lang_code" not in values and app.url_map.is_endpoint_expecting(endpoint, "lang_code"):
            values["lang_code"] = g.lang_code

    @app.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.lang_code = (values or {}).pop("lang_code", None)

    app.register_blueprint(WaffleAdmin(), url_prefix="/<lang_code>/settings")
    return "/de/settings"


def with_a_language_of_the_page_alone(app: Flask) -> str:
    page = WaffleAdmin()

    @page.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
        assert values is not None
        g.lang_code = values.pop("lang_code")

    app.register_blueprint(page, url_prefix="/<lang_code>/settings")
    return "/de/settings"


def with_values_of_a_preprocessor(app: Flask) -> str:
    @app.url_value_preprocessor
    def add(endpoint: str | None, values: dict[str, Any] | None) -> None:
        (values or request.view_args or {}).update(user="ana")
        if request.view_args is not None:
            request.view_args["self"] = "whatever"

    app.register_blueprint(WaffleAdmin())
    return "/admin/config"


WAYS = [
    with_url_defaults,
    with_variables,
    with_variables_and_defaults,
    in_another_blueprint,
    with_a_language,
    with_a_language_of_the_page_alone,
    with_values_of_a_preprocessor,
]


@pytest.mark.parametrize("register", WAYS, ids=lambda way: way.__name__)
def test_every_page_and_link_keeps_what_is_in_the_address(
    make_app: MakeApp, register: Callable[[Flask], str]
) -> None:
    app = make_app(CONFS, history=True, WTF_CSRF_ENABLED=True)
    Walk(app, register(app)).all_of_it()


def test_a_subdomain_may_be_a_variable(make_app: MakeApp) -> None:
    app = make_app(CONFS, history=True, SERVER_NAME="example.org")
    app.subdomain_matching = True
    app.url_map.default_subdomain = ""
    app.register_blueprint(WaffleAdmin(), subdomain="<tenant>")
    client = app.test_client()
    page = client.get("/admin/config", base_url="http://north.example.org")
    assert page.status_code == 200
    assert 'href="/admin/config/history"' in page.text


def test_can_sees_the_variables(make_app: MakeApp) -> None:
    def can(action: str, setting: Any) -> bool:
        return (request.view_args or {}).get("tenant") == "north"

    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(can=can), url_prefix="/<tenant>/settings")
    client = app.test_client()
    assert client.get("/north/settings").status_code == 200
    assert client.get("/south/settings").status_code == 403


def test_a_view_that_the_app_adds_to_the_page_has_variables_of_its_own(make_app: MakeApp) -> None:
    app, page = make_app(CONFS), WaffleAdmin()
    page.add_url_rule("/about/<thing>", "about", lambda tenant, thing: url_for(".index"))
    app.register_blueprint(page, url_prefix="/<tenant>/settings")
    assert app.test_client().get("/north/settings/about/this").text == "/north/settings"


def test_other_addresses_of_the_app_get_nothing_from_us(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(), url_prefix="/<tenant>/settings")
    app.add_url_rule("/<tenant>/shop", "shop", lambda tenant: "")
    with app.test_request_context("/north/settings"):
        with pytest.raises(Exception, match="tenant"):
            app.url_for("shop")
        assert app.url_for("waffleconf_admin.index") == "/north/settings"
        assert app.url_for("waffleconf_admin.index", tenant="south") == "/south/settings"
    with app.test_request_context("/north/shop"), pytest.raises(Exception, match="tenant"):
        app.url_for("waffleconf_admin.index")
    assert state_of(app)
