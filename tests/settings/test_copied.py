"""Settings that Flask or an extension copies when the app starts, and `restart`."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from documentation import block
from flask import Flask, current_app
from flask_babel import Babel, get_locale
from pages import sent
from states import MakeApp

from waffleconf_admin import WaffleAdmin, WaffleConf, anyone
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.known_keys import COPIED


def warnings(caplog: pytest.LogCaptureFixture, confs: dict[str, dict[str, Any]]) -> list[str]:
    caplog.clear()
    declare(confs)
    return [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]


@pytest.mark.parametrize(
    ("key", "package"),
    [
        ("MAIL_SERVER", "Flask-Mail"),
        ("SQLALCHEMY_ECHO", "Flask-SQLAlchemy"),
        ("BABEL_DEFAULT_LOCALE", "Flask-Babel"),
        ("SESSION_TYPE", "Flask-Session"),
        ("CACHE_TYPE", "Flask-Caching"),
        ("RATELIMIT_DEFAULT", "Flask-Limiter"),
        ("CELERY", "Celery"),
        ("TEMPLATES_AUTO_RELOAD", "Flask"),
    ],
)
def test_a_key_that_is_copied_is_named(
    key: str, package: str, caplog: pytest.LogCaptureFixture
) -> None:
    (warning,) = warnings(caplog, {key: {"default": None, "type": str}})
    assert f"A change of {key} ({package}) has no effect while a process runs" in warning
    assert 'Declare "restart": True, or' in warning and "docs/declarations.md" in warning


def test_one_warning_names_all(caplog: pytest.LogCaptureFixture) -> None:
    confs = {key: {"default": ""} for key in ("MAIL_SERVER", "SITENAME", "BABEL_DOMAIN")}
    (warning,) = warnings(caplog, confs)
    assert "MAIL_SERVER (Flask-Mail), BABEL_DOMAIN (Flask-Babel)" in warning


@pytest.mark.parametrize("restart", [True, False])
def test_who_declares_restart_knows(restart: bool, caplog: pytest.LogCaptureFixture) -> None:
    assert not warnings(caplog, {"MAIL_SERVER": {"default": "", "restart": restart}})


@pytest.mark.parametrize(
    "key",
    [
        *("SECRET_KEY", "SERVER_NAME", "APPLICATION_ROOT", "MAX_CONTENT_LENGTH", "DEBUG"),
        *("PERMANENT_SESSION_LIFETIME", "SESSION_COOKIE_NAME", "REMEMBER_COOKIE_DURATION"),
        *("WTF_CSRF_TIME_LIMIT", "COMPRESS_LEVEL", "MAIL_HOST", "MAIL_FROM", "CACHE_SECONDS"),
    ],
)
def test_a_key_that_is_read_where_it_is_used_is_not_named(
    key: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert key not in COPIED
    assert not warnings(caplog, {key: {"default": "", "secret": True}})


def test_flask_and_flask_babel_do_copy_what_the_table_says() -> None:
    app = Flask("shop")
    app.config.update(TEMPLATES_AUTO_RELOAD=True, BABEL_DEFAULT_LOCALE="de")
    Babel(app)
    assert app.jinja_env.auto_reload
    app.config.update(TEMPLATES_AUTO_RELOAD=False, BABEL_DEFAULT_LOCALE="fr")
    with app.test_request_context():
        assert str(get_locale()) == "de" and app.jinja_env.auto_reload


def test_flask_sqlalchemy_does_copy_what_the_table_says(make_app: MakeApp) -> None:
    app = make_app({})
    with app.app_context():
        url = app.waffle_db.engine.url  # type: ignore[attr-defined]
        app.config["SQLALCHEMY_DATABASE_URI"] = "sqlite://"
        assert app.waffle_db.engine.url == url  # type: ignore[attr-defined]


# The ways that the documentation shows

PAGE = "docs/declarations.md"


class Mail:
    """Copies its host as Flask-Mail does."""

    def init_app(self, app: Flask) -> None:
        self.host = app.config["MAIL_SERVER"]


def test_a_handler_copies_anew(make_app: MakeApp) -> None:
    confs = {key: {"default": "", "restart": False} for key in ("MAIL_SERVER", "MAIL_PORT")}
    mail, app = Mail(), make_app(confs)
    code = block(PAGE, "@waffle.on_change(")
    code.run(current_app=current_app, waffle=app.waffle, mail=mail)  # type: ignore[attr-defined]
    app.extensions["waffleconf"].update_db({"MAIL_SERVER": "mail.example.org"})
    assert mail.host == "mail.example.org"


def test_the_stored_value_is_there_before_it_is_copied(make_app: MakeApp) -> None:
    confs = {"MAIL_SERVER": {"default": "", "restart": True}}
    mail, app = Mail(), make_app(confs)
    state = app.extensions.pop("waffleconf")
    state.update_db({"MAIL_SERVER": "mail.example.org"})
    app.config.pop("MAIL_SERVER")
    code = block(PAGE, "waffle.state.update_conf()")
    code.run(waffle=WaffleConf(), app=app, store=state.configstore, mail=mail)
    assert mail.host == "mail.example.org"


# What is said of a setting that takes effect with a restart

CONFS: dict[str, Any] = {
    "MAIL_SERVER": {"default": "localhost", "restart": True},
    "SITENAME": {"default": "Waffle"},
    "MAIL_PORT": {"default": 25},
}


AT_ONCE = "The whole site uses the new values at once."
RESTART = "Takes effect when the processes are restarted."
OF_SERVER = "MAIL_SERVER: takes effect when the processes are restarted."


@pytest.mark.parametrize(
    ("typed", "sentences"),
    [
        ({"MAIL_SERVER": "mail"}, [RESTART]),
        ({"SITENAME": "New"}, [AT_ONCE]),
        ({"SITENAME": "New", "MAIL_SERVER": "mail"}, [AT_ONCE, OF_SERVER]),
    ],
)
def test_a_save_says_when_it_takes_effect(
    make_app: MakeApp, typed: dict[str, str], sentences: list[str]
) -> None:
    app = make_app(CONFS, history=True, WAFFLE_MULTIPROC=True)
    app.register_blueprint(WaffleAdmin(can=anyone))
    client, cli = app.test_client(), app.test_cli_runner()
    form = sent(client.get("/admin/config").text, **typed)
    page = client.post("/admin/config", data=form, follow_redirects=True).text
    message = page.partition("wf-messages")[2].partition("</ul>")[0]
    message = message.replace("Mail server:", "MAIL_SERVER:")
    assert re.findall("<li>([^<]*restarted[.]|The whole[^<]*)</li>", message) == sentences
    (change, *_) = app.extensions["waffleconf"].history.list()
    result = cli.invoke(args=["waffle", "undo", change.change_set])
    assert result.exit_code == 0 and result.stderr.splitlines() == sentences


def test_the_page_the_api_and_the_command_line_say_it(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(can=anyone, api=True))
    client, cli = app.test_client(), app.test_cli_runner()
    page = client.get("/admin/config").text
    assert page.count("Takes effect when the processes are restarted.") == 1
    assert page.index('id="MAIL_SERVER"') < page.index("Takes effect") < page.index('id="SITENAME"')
    settings = client.get("/admin/config/api/settings").json["settings"]
    assert [settings[key]["restart"] for key in CONFS] == [True, False, False]
    explained = cli.invoke(args=["waffle", "explain", "MAIL_SERVER"]).output
    assert "restart: takes effect when the processes are restarted" in explained
    checked = cli.invoke(args=["waffle", "check"])
    assert checked.exit_code == 0
    assert 'MAIL_PORT  Flask-Mail copies it at the start: declare "restart"' in checked.output
