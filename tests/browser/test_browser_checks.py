"""The test of a group's values in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from browsing import FULL_SHOP, SIZES, arriving, row, state_of
from flask import Flask

from waffleconf_admin import InvalidValue, WaffleAdmin


def send_mail(values: Mapping[str, object]) -> str:
    if values["SMTP_HOST"] == "nowhere.example":
        raise InvalidValue("Nobody answers there.")
    return f"Sent by {values['SMTP_HOST']} with {values['SMTP_PASSWORD']}".replace("s3cr3t", "•")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(FULL_SHOP, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False)
    app.register_blueprint(WaffleAdmin(checks={"Integrations": send_mail}))
    return app


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_values_are_tested_and_nothing_typed_is_lost(
    app: Flask, open_page: Callable[..., Any], script: bool
) -> None:
    page = open_page(java_script_enabled=script, viewport=SIZES["wide" if script else "narrow"])
    button = page.get_by_role("button", name="Test these values")
    answer = page.locator(".wf-check [role=status]")

    def answered(text: str) -> None:
        with arriving(page, leaves=not script):
            button.click()
        answer.get_by_text(text).wait_for()

    page.get_by_label("Site name").fill("Typed")
    answered("Sent by None with •")
    host = row(page, "SMTP_HOST").get_by_role("textbox")
    host.fill("mail.example")
    answered("enter “Password of the mail server” again")
    row(page, "SMTP_PASSWORD").locator("summary").click()
    secret = row(page, "SMTP_PASSWORD").locator("input:not([type=hidden])").first
    secret.fill("typed")
    answered("Sent by mail.example with typed")
    assert host.input_value() == "mail.example"
    assert page.get_by_label("Site name").input_value() == "Typed"
    # No page sends a secret back: without the script it says so.
    assert secret.input_value() == ("typed" if script else "")
    said = page.get_by_text("Nothing is saved yet, and a secret is not shown: enter it again.")
    assert said.count() == (0 if script else 2)
    if not script:
        assert button.evaluate("e => e.getBoundingClientRect().top < innerHeight")
        return
    host.fill("nowhere.example")
    answered("Nobody answers there.")
    assert Axe().run(page).response["violations"] == []
    # What the server says instead of an answer is a page.
    app.config["WTF_CSRF_TIME_LIMIT"] = 0
    with arriving(page):
        button.click()
    assert page.get_by_role("alert").is_visible()
    assert host.input_value() == "nowhere.example"
    assert state_of(app).read()["SMTP_HOST"].text is None
