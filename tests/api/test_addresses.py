"""Where the API is: other prefixes, nested blueprints, subdomains, variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Blueprint, Flask, g
from pages import state_of, stored

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]
CONFS = {"SITENAME": {"default": "Waffle"}, "A/B é": {"default": 1}}


def plain(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(api=True), url_prefix="/settings")
    return "/settings"


def at_the_root(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(api=True), url_prefix="/")
    return ""


def nested(app: Flask) -> str:
    outer = Blueprint("outer", __name__, url_prefix="/outer")
    outer.register_blueprint(WaffleAdmin("inner", api=True))
    app.register_blueprint(outer, url_prefix="/most")
    return "/most/admin/config"


def renamed(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(api=True), name="other")
    return "/admin/config"


def tenants(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(api=True), url_prefix="/<tenant>/settings")
    return "/acme/settings"


def key_as_a_variable(app: Flask) -> str:
    app.register_blueprint(WaffleAdmin(api=True), url_prefix="/<key>/settings")
    return "/acme/settings"


def languages(app: Flask) -> str:
    @app.url_value_preprocessor
    def take_language(endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.lang = (values or {}).pop("lang", None)

    app.register_blueprint(WaffleAdmin(api=True), url_prefix="/<lang>/settings")
    return "/es/settings"


def subdomain(app: Flask) -> str:
    app.config["SERVER_NAME"] = "shop.test"
    app.url_map.default_subdomain = "admin"
    app.register_blueprint(WaffleAdmin(api=True), subdomain="admin")
    return "/admin/config"


@pytest.mark.parametrize(
    "place",
    [plain, at_the_root, nested, renamed, tenants, key_as_a_variable, languages, subdomain],
)
def test_the_api_works_wherever_its_page_is(
    make_app: MakeApp, place: Callable[[Flask], str]
) -> None:
    app = make_app(CONFS, history=True)
    prefix, base = place(app), "http://admin.shop.test" if place is subdomain else None
    client: Any = app.test_client()
    here = {"base_url": base} if base else {}
    document = client.get(f"{prefix}/api/openapi.json", **here).json
    assert document["servers"] == [{"url": f"{prefix}/api"}]
    url = document["servers"][0]["url"]
    assert client.get(f"{url}/settings", **here).json["settings"].keys() == CONFS.keys()
    for _ in range(2):
        value = 5 if stored(app)["A/B é"] == 1 else 6
        answer = client.patch(f"{url}/settings/A%2FB%20%C3%A9", json={"value": value}, **here)
        assert answer.status_code == 200 and stored(app)["A/B é"] == value
    listed = client.get(f"{url}/history?limit=1", **here).json
    assert client.get(listed["next"], **here).json["changes"][0]["new"] == 5
    assert client.get(f"{url}/settings/", **here).status_code == 404


def test_pages_of_one_app_have_an_api_or_none(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin("one", actor=lambda: "one", api=True), url_prefix="/one")
    app.register_blueprint(WaffleAdmin("two"), url_prefix="/two")
    client = app.test_client()
    assert client.get("/one/api/settings").status_code == 200
    assert client.get("/two/api/settings").status_code == 404


def test_an_asynchronous_can_and_actor_are_awaited(make_app: MakeApp) -> None:
    async def can(action: str, setting: Any) -> bool:
        return True

    async def actor() -> str:
        return "ana"

    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin(can=can, actor=actor, api=True))
    answer = app.test_client().patch("/admin/config/api/settings/SITENAME", json={"value": "New"})
    assert answer.status_code == 200
    assert state_of(app).history.list()[0].actor == "ana"
