"""Apps of other shapes: the code of docs/apps.md, and a walk through the page of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from documentation import Block, block
from flask import Blueprint, Flask, Response, current_app, stream_with_context
from pages import stored
from walk import Walk
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.test import Client

from waffleconf_admin import conf

PAGE = "docs/apps.md"


class Documented:
    """The names of the page's code, and the apps that it makes, with tables and a SECRET_KEY."""

    def __init__(self, folder: Path) -> None:
        self.names: dict[str, Any] = {"can": lambda action, setting: True}
        self.apps: list[Flask] = []
        self.folder = folder
        self.run(block(PAGE, "def create_app("))
        create = self.names["create_app"]

        def create_app(name: str, *args: Any, **options: Any) -> Flask:
            app: Flask = create(name, *args, **options)
            app.config["SECRET_KEY"] = f"of {name}"
            with app.app_context():
                self.names["db"].create_all()
            self.apps.append(app)
            return app

        self.names["create_app"] = create_app

    def run(self, block: Block) -> Any:
        """Run a block; return its `app`, if it makes one."""
        exec(block.code.replace("sqlite:///", f"sqlite:///{self.folder}/"), self.names)
        return self.names.get("app")

    def end(self) -> None:
        for app in self.apps:
            app.extensions["waffleconf"].stop()
            with app.app_context():
                self.names["db"].engine.dispose()


@pytest.fixture
def docs(tmp_path: Path) -> Iterator[Documented]:
    documented = Documented(tmp_path)
    yield documented
    documented.end()


# Each gives the walks to make.


def below_a_dispatcher(docs: Documented) -> list[Walk]:
    docs.run(block(PAGE, "DispatcherMiddleware("))
    site, apps = docs.names["application"], docs.names["apps"]
    return [Walk(apps[at], f"{at}/admin/config", site=site, cookies=at) for at in apps]


def below_script_name(docs: Documented) -> list[Walk]:
    """As gunicorn and mod_wsgi have it."""
    app = docs.names["with_page"](docs.names["create_app"]("shop"))
    return [Walk(app, "/below/it/admin/config", base="http://localhost/below/it")]


def below_the_prefix_of_a_proxy(docs: Documented) -> list[Walk]:
    app = docs.names["with_page"](docs.names["create_app"]("shop", "/shop"))
    app.wsgi_app = ProxyFix(app.wsgi_app, x_prefix=1)

    def site(environ: Any, start_response: Any) -> Any:
        environ["PATH_INFO"] = environ["PATH_INFO"].removeprefix("/shop")
        return app(environ | {"HTTP_X_FORWARDED_PREFIX": "/shop"}, start_response)

    return [Walk(app, "/shop/admin/config", site=site, cookies="/shop")]


def several_pages(docs: Documented) -> list[Walk]:
    app = docs.run(block(PAGE, "groups=["))
    with app.test_request_context():
        assert app.url_for("staff.index") == "/staff/settings"
    uploads = Client(app).get("/uploads/settings").text
    assert ">QUOTA</a>" in uploads and ">SITENAME</a>" not in uploads
    return [Walk(app, "/admin/config"), Walk(app, "/staff/settings")]


def one_page_twice_with_hidden_values(docs: Documented) -> list[Walk]:
    app = docs.names["create_app"]("shop")
    for section in ("help", "faq"):
        options = {"url_prefix": f"/{section}", "url_defaults": {"section": section}}
        app.register_blueprint(docs.names["page"], name=section, **options)
    return [Walk(app, "/help"), Walk(app, "/faq")]


def in_blueprints_that_are_registered_twice(docs: Documented) -> list[Walk]:
    app = docs.names["create_app"]("shop")
    inner, outer = Blueprint("inner", __name__), Blueprint("outer", __name__)
    inner.register_blueprint(docs.names["page"], url_prefix="/settings")
    outer.register_blueprint(inner, url_prefix="/inner")
    app.register_blueprint(outer, url_prefix="/one")
    app.register_blueprint(outer, url_prefix="/two", name="two")
    return [Walk(app, "/one/inner/settings"), Walk(app, "/two/inner/settings")]


def on_a_subdomain(docs: Documented) -> list[Walk]:
    app = docs.run(block(PAGE, "subdomain_matching"))
    assert Client(app).get("/admin/config", base_url="http://example.org").status_code == 404
    return [Walk(app, "/admin/config", base="http://admin.example.org")]


def on_a_host(docs: Documented) -> list[Walk]:
    app = docs.run(block(PAGE, "host_matching=True"))
    return [Walk(app, "/admin/config", base="http://example.org")]


def in_a_subclass(docs: Documented) -> list[Walk]:
    """With a response of its own, and the views' dicts as JSON, as the talk has it."""

    class OwnResponse(Response):
        pass

    class OwnFlask(Flask):
        response_class = OwnResponse

        def make_response(self, rv: Any) -> Any:
            return super().make_response(rv.to_json() if hasattr(rv, "to_json") else rv)

    app = docs.names["with_page"](docs.names["create_app"]("own", cls=OwnFlask))
    return [Walk(app, "/admin/config")]


SHAPES: list[Callable[[Documented], list[Walk]]] = [
    below_a_dispatcher,
    below_script_name,
    below_the_prefix_of_a_proxy,
    several_pages,
    one_page_twice_with_hidden_values,
    in_blueprints_that_are_registered_twice,
    on_a_subdomain,
    on_a_host,
    in_a_subclass,
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_each_page_works_whatever_the_shape_of_its_app(
    docs: Documented, shape: Callable[[Documented], list[Walk]]
) -> None:
    for walk in shape(docs):
        walk.all_of_it()
        walk.app.extensions["waffleconf"].reset(["SITENAME"])


def test_apps_at_one_address_keep_their_values_and_their_sessions_apart(docs: Documented) -> None:
    shop, staff = below_a_dispatcher(docs)
    staff.client = shop.client  # one browser
    for number in range(2):
        shop.save(f"Crêperie {number}")
        staff.save(f"Kitchen {number}")
    assert stored(shop.app)["SITENAME"] == "Crêperie 1"


def test_a_request_to_another_app_within_one_reads_the_values_of_each(docs: Documented) -> None:
    """Contexts are a stack: an internal redirect, and a response that is streamed later."""
    shop, staff = (docs.names["create_app"](name) for name in ("shop", "staff"))
    for app in (shop, staff):
        app.extensions["waffleconf"].update_db({"SITENAME": app.name})

    def view() -> str:
        inner = Client(staff).get("/").text if current_app.name == "shop" else ""
        state = docs.names["waffle"].state
        return f"{conf.SITENAME} {current_app.config['SITENAME']} {state.app.name} {inner}"

    def stream() -> Response:
        def lines() -> Iterator[str]:
            yield view()
            current_app.extensions["waffleconf"].update_db({"SITENAME": "streamed"})
            yield conf.SITENAME

        return Response(stream_with_context(lines()))

    for app in (shop, staff):
        app.add_url_rule("/", view_func=view)
        app.add_url_rule("/stream", view_func=stream)
    assert Client(shop).get("/").text == "shop shop shop staff staff staff "
    assert Client(shop).get("/stream").text == "shop shop shop staff staff staff streamed"
    assert (conf_of(shop), conf_of(staff)) == ("streamed", "staff")


def conf_of(app: Flask) -> Any:
    with app.app_context():
        return conf.SITENAME
