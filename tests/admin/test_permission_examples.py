"""The examples of docs/permissions.md, with the real libraries."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from documentation import Block, blocks
from flask import Flask, Response, session
from pages import undo, words
from werkzeug.security import check_password_hash, generate_password_hash

from waffleconf_admin import WaffleAdmin

SECTIONS: dict[str, list[Block]] = {}
for each in blocks("docs/permissions.md", "python"):
    SECTIONS.setdefault(each.section, []).append(each)
CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle", "group": "Storefront"},
    "QUOTA": {"default": 20, "group": "Uploads"},
    "TOKEN": {"default": "t0ken", "secret": True, "group": "Uploads"},
}
URL = "/admin/config"


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(CONFS, history=True, TESTING=False)
    app.add_url_rule("/session", "session", _set_session)
    app.extensions["waffleconf"].update_db({"SITENAME": "Bar", "QUOTA": 5, "TOKEN": "n3w"})
    return app


def _set_session() -> str:
    from flask import request

    session.update(request.args)
    return ""


def example(app: Flask, section: str, number: int = 0, **names: Any) -> None:
    """Runs an example in an app."""
    SECTIONS[section][number].run(app=app, WaffleAdmin=WaffleAdmin, **names)


def values(app: Flask) -> dict[str, Any]:
    return {key: record.value for key, record in app.extensions["waffleconf"].read().items()}


def last(app: Flask) -> tuple[str, Any, str]:
    change = app.extensions["waffleconf"].history.list(limit=1)[0]
    return change.key, change.new, change.actor


def save(client: Any, **changes: Any) -> Response:
    response: Response = client.post(URL, data=changes)
    return response


def test_every_example_is_tested_here() -> None:
    source = Path(__file__).read_text()
    assert [name for name in SECTIONS if f'"{name}"' not in source] == []
    assert sum(len(blocks) for blocks in SECTIONS.values()) == 9


def test_visitors_are_sent_to_the_log_in(app: Flask) -> None:
    example(app, "Permissions")
    client = app.test_client()
    assert client.get(URL).location == f"/login?next={URL}"
    client.get("/session?user=bob")
    assert client.get(URL).status_code == 403
    client.get("/session?user=ana")
    assert client.get(URL).status_code == 200


def test_flask_login_with_roles(app: Flask) -> None:
    from flask_login import LoginManager, UserMixin, login_user

    class User(UserMixin):
        def __init__(self, name: str, *roles: str) -> None:
            self.id, self.name, self.roles = name[0], name, roles

    users = {"ana": User("ana", "admin"), "eve": User("eve", "editor"), "bob": User("bob")}
    LoginManager(app).user_loader({user.id: user for user in users.values()}.get)
    app.add_url_rule("/login", "login", lambda: "")
    app.add_url_rule("/login/<name>", "as", lambda name: str(login_user(users[name])))
    example(app, "Flask-Login, with roles")

    client = app.test_client()
    for path in (URL, f"{URL}/history"):
        response = client.get(path)
        assert (response.status_code, response.location) == (302, f"/login?next={path}")
    client.get("/login/bob")
    assert client.get(URL).status_code == client.get(f"{URL}/history").status_code == 403
    client.get("/login/eve")
    assert "TOKEN" not in client.get(URL).text + client.get(f"{URL}/history").text
    save(client, SITENAME="Eve's", TOKEN="stolen")
    assert values(app)["TOKEN"] == "n3w" and last(app) == ("SITENAME", "Eve's", "eve")
    client.get("/login/ana")
    save(client, TOKEN="ana's")
    assert values(app)["TOKEN"] == "ana's" and last(app) == ("TOKEN", None, "ana")


@pytest.mark.skipif(
    version("Flask-Security").startswith("5.6."),
    reason="the last release for Flask 3.0 imports pkg_resources, which setuptools has no more",
)
def test_flask_security(app: Flask) -> None:
    from flask_security import Security, SQLAlchemyUserDatastore, login_user
    from flask_security.models import fsqla_v3

    db: Any = app.waffle_db  # type: ignore[attr-defined]
    fsqla_v3.FsModels.set_db_info(db)
    Role = type("Role", (db.Model, fsqla_v3.FsRoleMixin), {})
    User = type("User", (db.Model, fsqla_v3.FsUserMixin), {})
    app.config.update(SECURITY_PASSWORD_SALT="salt", SECURITY_PASSWORD_HASH="plaintext")
    app.config.update(SECURITY_PASSWORD_SCHEMES=["plaintext"])
    store = SQLAlchemyUserDatastore(db, User, Role)
    Security(app, store)
    with app.app_context():
        db.create_all()
        admin = store.create_role(name="admin")
        store.create_user(email="ana@example.org", password="secret", roles=[admin])
        store.create_user(email="bob@example.org", password="secret")
        db.session.commit()

    def log_in(name: str) -> str:
        return str(login_user(store.find_user(email=f"{name}@example.org")))

    app.add_url_rule("/as/<name>", "as", log_in)
    example(app, "Flask-Security")

    client = app.test_client()
    response = client.get(URL)
    assert response.status_code == 302 and response.location.startswith("/login?next=")
    client.get("/as/bob")
    assert client.get(URL).status_code == 403
    other = app.test_client()
    other.get("/as/ana")
    assert save(other, SITENAME="Ana's").status_code == 303
    assert last(app) == ("SITENAME", "Ana's", "ana@example.org")


def test_flask_httpauth(app: Flask) -> None:
    names = {
        "ADMINS": {"ana"},
        "PASSWORDS": {name: generate_password_hash(f"{name}'s") for name in ("ana", "bob")},
        "check_password_hash": check_password_hash,
    }
    example(app, "Flask-HTTPAuth", **names)
    client = app.test_client()
    for auth in (None, ("ana", "wrong"), ("eve", "eve's")):
        response = client.get(URL, auth=auth)
        assert response.status_code == 401 and "Basic" in response.headers["WWW-Authenticate"]
    assert client.get(URL, auth=("bob", "bob's")).status_code == 403
    assert client.post(URL, data={"QUOTA": "7"}, auth=("ana", "ana's")).status_code == 303
    assert last(app) == ("QUOTA", 7, "ana")


def test_header_of_a_proxy(app: Flask) -> None:
    example(app, "A header of your proxy")
    client = app.test_client()
    assert client.get(URL).status_code == 403
    assert client.get(URL, headers={"X-Forwarded-Groups": "shop,devops"}).status_code == 403
    headers = {"X-Forwarded-Groups": "shop,ops", "X-Forwarded-Email": "ana@example.org"}
    assert client.post(URL, data={"QUOTA": "7"}, headers=headers).status_code == 303
    assert last(app) == ("QUOTA", 7, "ana@example.org")


def test_auditor_sees_all_and_changes_nothing(app: Flask) -> None:
    example(app, "A read-only auditor")
    client = app.test_client()
    assert client.get(URL).status_code == 403
    client.get("/session?role=auditor")
    page, history = client.get(URL).text, client.get(f"{URL}/history").text
    assert all(key in page and key in history for key in CONFS)
    assert "t0ken" not in page + history and "n3w" not in page + history
    assert 'name="SITENAME"' not in page and 'name="undo"' not in history
    before = values(app)
    save(client, SITENAME="mine")
    change_set = app.extensions["waffleconf"].history.list()[0].change_set
    assert undo(client, change_set).status_code == 403
    assert values(app) == before
    client.get("/session?role=admin")
    assert undo(client, change_set).status_code == 303
    assert values(app)["SITENAME"] == "Waffle"


def test_group_of_a_team(app: Flask) -> None:
    example(app, "One group for one team")
    client = app.test_client()
    assert client.get(URL).status_code == 403
    client.get("/session?team=shop")
    for path in (URL, f"{URL}/history"):
        said = words(client.get(path).text)
        assert "SITENAME" in said and "QUOTA" not in said and "TOKEN" not in said
    save(client, SITENAME="ours", QUOTA="9")
    assert (values(app)["SITENAME"], values(app)["QUOTA"]) == ("ours", 5)


def test_page_of_a_team(app: Flask) -> None:
    example(app, "One group for one team", 1)
    client = app.test_client()
    assert client.get("/shop/settings").status_code == 403
    client.get("/session?team=shop")
    for path in ("/shop/settings", "/shop/settings/history"):
        said = words(client.get(path).text)
        assert "SITENAME" in said and "QUOTA" not in said


def test_an_editor_sees_everything_and_edits_one_group(app: Flask) -> None:
    example(app, "See everything, edit one group")
    client = app.test_client()
    assert client.get(URL).status_code == 403
    client.get("/session?role=editor")
    assert all(f">{key}</a>" in client.get(URL).text for key in CONFS)
    save(client, SITENAME="Eve's", QUOTA="6")
    assert (values(app)["SITENAME"], values(app)["QUOTA"]) == ("Eve's", 5)
    client.get("/session?role=admin")
    save(client, QUOTA="6")
    assert values(app)["QUOTA"] == 6
