"""WaffleAdmin: its addresses, options and groups."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Blueprint, Flask, request
from pages import (
    CONFS,
    HISTORY_CONFS,
    URL,
    MakeApp,
    row,
    sent,
    state_of,
    stored,
)
from wtforms import ColorField

from waffleconf_admin import WaffleAdmin, blueprint, build_form
from waffleconf_admin.admin.form_body import FORM_BYTES


@pytest.mark.parametrize("slash", ["", "/"])
def test_the_history_answers_with_and_without_a_slash(make_app: MakeApp, slash: str) -> None:
    app = make_app(CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    assert app.test_client().get(f"{URL}/history{slash}").status_code == 200


@pytest.mark.parametrize("prefix", [None, "/settings", "/a/b"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_the_page_answers_with_and_without_a_slash(
    make_app: MakeApp, prefix: str | None, slash: str
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(), **({"url_prefix": prefix} if prefix else {}))
    url = (prefix or URL) + slash
    client = app.test_client()
    assert client.get(url).status_code == 200
    response = client.post(url, data={"SITENAME": "New"})
    assert (response.status_code, response.location) == (303, f"{prefix or URL}#SITENAME")
    assert stored(app)["SITENAME"] == "New"


def test_the_ready_made_blueprint_can_be_nested_and_used_by_several_apps(make_app: MakeApp) -> None:
    for _ in range(2):
        app = make_app(CONFS)
        outer = Blueprint("outer", __name__, url_prefix="/outer")
        outer.register_blueprint(blueprint)
        app.register_blueprint(outer)
        page = app.test_client().get("/outer/admin/config").text
        asset = re.search(r'href="([^"]+\.css)"', page)
        assert asset
        with app.test_client().get(asset[1]) as response:
            assert response.status_code == 200


def test_a_page_can_be_registered_before_the_extension() -> None:
    from waffleconf_admin import WaffleConf, WaffleStore

    class Memory(WaffleStore):
        rows: dict[str, str] = {}

        def get(self, key: str) -> str | None:
            return self.rows.get(key)

        def put(self, key: str, value: str) -> None:
            self.rows[key] = value

        def delete(self, key: str) -> None:
            self.rows.pop(key, None)

        def commit(self) -> None:
            pass

    app = Flask("shop")
    app.config.from_mapping(TESTING=True, WTF_CSRF_ENABLED=False, WAFFLE_CONFS=CONFS)
    app.register_blueprint(WaffleAdmin())
    WaffleConf(app, Memory())
    assert app.test_client().get(URL).status_code == 200
    app.extensions["waffleconf"].stop()


def test_an_app_without_the_extension_gets_an_error_with_the_remedy() -> None:
    app = Flask("shop")
    app.config["TESTING"] = True
    app.register_blueprint(WaffleAdmin())
    with pytest.raises(RuntimeError, match="init_app"):
        app.test_client().get(URL)


def test_several_pages_on_one_app_show_their_groups(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin("shop", groups=["Shop"]), url_prefix="/shop")
    app.register_blueprint(WaffleAdmin("rest", groups=[""]), url_prefix="/rest")
    client = app.test_client()
    shop, rest = client.get("/shop").text, client.get("/rest").text
    assert ">OPEN</a>" in shop and ">OPEN</a>" not in rest
    assert ">SITENAME</a>" in rest and ">SITENAME</a>" not in shop
    assert client.post("/shop", data={"SITENAME": "hidden"}).status_code == 303
    assert stored(app)["SITENAME"] == "Waffle"


def test_page_of_no_groups_shows_nothing(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(groups=[]))
    response = app.test_client().get(URL)
    assert response.status_code == 403 and "There are no settings yet" in response.text
    assert "WAFFLE_CAN" not in response.text  # in tests everybody may see them


def test_page_of_a_group_that_nothing_is_in_is_logged_once(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(groups=["Nope"]))
    for _request in range(2):
        assert app.test_client().get(URL).status_code == 403
    assert caplog.text.count("'Nope'") == 1


@pytest.mark.parametrize(
    ("group", "hint"),
    [("Shp", "; did you mean 'Shop'?"), ("general", "; did you mean ''?"), ("X", "")],
)
def test_a_misspelt_group_is_named_in_the_log_and_in_debug_on_the_page(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, group: str, hint: str
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(groups=[group]))
    client = app.test_client()
    assert "declared them in WAFFLE_CONFS" in client.get(URL).text
    assert f"none is declared in the group '{group}'{hint}\n" in caplog.text
    app.debug = True
    text = unescape(client.get(URL).text)
    assert f"no setting is declared: '{group}'. Settings are declared in: '', 'Shop'." in text


def test_a_field_of_the_app_is_shown_and_saved(make_app: MakeApp) -> None:
    color = {"desc": "Colour", "default": "#ffffff", "field": ColorField}
    app = make_app({"COLOR": color})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get(URL).text, COLOR="#b00b1e")
    page = client.post(URL, data=form, follow_redirects=True).text
    assert "Colour: “#ffffff” → “#b00b1e”" in page
    assert 'type="color"' in row(page, "COLOR")


def test_fields_chooses_the_control_of_a_type(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(fields={str: ColorField}))
    assert 'type="color"' in row(app.test_client().get(URL).text, "SITENAME")


def test_actor_names_who_saves(make_app: MakeApp, caplog: pytest.LogCaptureFixture) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(actor=lambda: "ana"))
    with caplog.at_level("INFO"):
        app.test_client().post(URL, data={"SITENAME": "New"})
    assert "ana" in caplog.text and "page" in caplog.text


def test_a_view_of_the_app_can_use_the_form(orm_app: Flask) -> None:
    @orm_app.post("/mine")
    def mine() -> str:
        form = build_form(state_of(orm_app), keys=["SITENAME"])
        assert form.validate_on_submit()
        state_of(orm_app).update_db(form.changes)
        return "saved"

    orm_app.test_client().post("/mine", data={"SITENAME": "Mine"})
    assert stored(orm_app)["SITENAME"] == "Mine"


@pytest.mark.parametrize(
    ("url", "kind", "raised"),
    [
        (URL, "application/x-www-form-urlencoded", True),
        ("/admin/config/history/undo", "application/x-www-form-urlencoded", True),
        (URL, "multipart/form-data; boundary=x", False),  # there it is for each part
        ("/mine", "application/x-www-form-urlencoded", False),
    ],
)
def test_a_large_form_is_accepted_before_the_app_reads_it(
    make_app: MakeApp, url: str, kind: str, raised: bool
) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin())
    limits = []

    @app.before_request  # as the app's CSRF protection, which reads the form
    def look() -> str:
        limits.append(request.max_form_memory_size)
        return "read"

    @app.post("/mine")
    def mine() -> str:
        return ""

    class Request(app.request_class):  # type: ignore[name-defined, misc]
        max_form_memory_size = 500_000

    app.request_class = Request
    app.test_client().post(url, content_type=kind)
    assert limits == [FORM_BYTES if raised else 500_000]


@pytest.mark.parametrize("limit", [None, FORM_BYTES + 1])
def test_a_larger_limit_of_the_app_stays(make_app: MakeApp, limit: int | None) -> None:
    app = make_app(CONFS)

    class Request(app.request_class):  # type: ignore[name-defined, misc]
        max_form_memory_size = limit

    app.request_class = Request
    app.register_blueprint(WaffleAdmin())
    limits: list[int | None] = []
    app.before_request(lambda: limits.append(request.max_form_memory_size))
    app.test_client().post(URL, data={"SITENAME": "New"})
    assert limits == [limit]
    assert stored(app)["SITENAME"] == "New"


def test_without_actor_the_user_of_flask_login_is_named(make_app: MakeApp) -> None:
    from flask_login import LoginManager, UserMixin, login_user

    class User(UserMixin):
        id = "ana"

    app = make_app(HISTORY_CONFS, history=True)
    app.register_blueprint(WaffleAdmin())
    LoginManager(app).user_loader(lambda name: User())
    app.add_url_rule("/login", "login", lambda: str(login_user(User())))
    client = app.test_client()
    client.post(URL, data={"SIZE": "6"})
    client.get("/login")
    client.post(URL, data={"SIZE": "7"})
    changes = state_of(app).history.list()
    assert [(c.actor, c.source) for c in changes] == [("ana", "page"), ("", "page")]


def test_a_layout_that_there_is_not_is_refused_when_the_page_is_registered(
    make_app: MakeApp,
) -> None:
    with pytest.raises(ValueError, match="there is no such template"):
        make_app(CONFS).register_blueprint(WaffleAdmin(layout="nope.html"))
