"""The examples of docs/hooks.md."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from documentation import blocks
from states import MakeApp, state_of

from waffleconf_admin import WaffleConf, conf_changed

LEVEL, CLIENT, SIGNAL = blocks("docs/hooks.md", "python")


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    yield logging.getLogger("shop")
    logging.getLogger("shop").setLevel(logging.NOTSET)


def test_the_log_level_is_right_from_the_start_on(
    make_app: MakeApp, logger: logging.Logger
) -> None:
    elsewhere = state_of(make_app({"LOG_LEVEL": {"default": "INFO"}}, "peewee"))
    first = LEVEL.run()["create_app"](elsewhere.configstore)
    assert logger.level == logging.INFO
    elsewhere.update_db({"LOG_LEVEL": "DEBUG"})
    assert state_of(first).update_conf() and logger.level == logging.DEBUG
    logger.setLevel(logging.NOTSET)
    LEVEL.run()["create_app"](elsewhere.configstore)  # of a process that starts now
    assert logger.level == logging.DEBUG


class MailClient:
    def __init__(self, host: str, port: int) -> None:
        if host == "nowhere":
            raise OSError("no such host")
        self.address = host, port


def test_the_client_is_made_anew_unless_it_can_not_be(make_app: MakeApp) -> None:
    confs = {"MAIL_HOST": {"default": "localhost"}, "MAIL_PORT": {"default": 25}}
    app = make_app(confs)
    state = state_of(app)
    assert isinstance(state.extension, WaffleConf)
    names = CLIENT.run(waffle=state.extension, MailClient=MailClient)
    with app.app_context():
        names["connect"]()
    for values, address in [
        ({}, ("localhost", 25)),
        ({"MAIL_HOST": "mail", "MAIL_PORT": 587}, ("mail", 587)),
        ({"MAIL_HOST": "nowhere"}, ("mail", 587)),
    ]:
        state.update_db(values)
        assert app.extensions["mail client"].address == address


def test_the_receiver_logs_who_has_changed_what(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app({"SITENAME": {"default": "Waffle"}})
    receiver = SIGNAL.run(app=app)["log_changes"]
    app.logger.setLevel(logging.INFO)
    state_of(app).update_db({"SITENAME": "A"}, actor="ana")
    conf_changed.disconnect(receiver, app)
    assert "ana changed SITENAME" in caplog.messages
