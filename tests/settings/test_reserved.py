"""Keys of Flask and of extensions that can't be settings, or have to be secret."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.known_keys import DATABASE_KEYS, find_copied

ADDRESS = "postgresql://shop:hunter2@db/shop"


@pytest.mark.parametrize("key", sorted(DATABASE_KEYS))
@pytest.mark.parametrize("more", [{}, {"restart": True}], ids=["", "restart"])
def test_where_the_settings_are_stored_is_left_out_with_an_error(
    key: str, more: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    confs = {key: {"default": ADDRESS, **more}, "SITENAME": {"default": "Waffle"}}
    assert list(declare(confs)) == ["SITENAME"]
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert f"{key} is left out: it says where the settings are stored" in caplog.text
    assert "hunter2" not in caplog.text and not find_copied(confs)


@pytest.mark.parametrize("key", ["SECRET_KEY", "MAIL_PASSWORD"])
@pytest.mark.parametrize(
    ("more", "warned"), [({}, True), ({"secret": False}, True), ({"secret": True}, False)]
)
def test_a_secret_of_flask_that_is_not_declared_as_one_is_a_warning(
    key: str, more: dict[str, Any], warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    declare({key: {"default": "hunter2", "restart": False, **more}})
    assert (f"{key} is not declared as a secret" in caplog.text) is warned
    assert "hunter2" not in caplog.text
