"""The count of the processes that apply a save, in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from browsing import Open, save, state_of
from flask import Flask
from reports import report

from waffleconf_admin import WaffleAdmin, anyone


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    confs = {"SITENAME": {"desc": "Site name", "default": "Waffle"}}
    app = make_app(confs, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False, workers=True)
    app.register_blueprint(WaffleAdmin(can=anyone))
    return app


def test_the_page_asks_again_until_all_processes_apply_a_save(app: Flask, open_page: Open) -> None:
    report(app)
    page = open_page()
    page.get_by_label("Site name").fill("Crêperie")
    with page.expect_response(lambda response: response.status == 202):
        save(page)
    line = page.locator("li[data-count]")
    assert line.inner_text().startswith("Applied by 0 of 1 process. Not yet by process ")
    state_of(app)._worker.report()
    page.get_by_text("Applied by 1 of 1 process.", exact=True).wait_for()
    with app.app_context():
        assert page.request.get(f"{page.url.partition('#')[0]}/workers").status == 200


def test_a_count_that_fails_leaves_the_line_as_it_is(app: Flask, open_page: Open) -> None:
    report(app)
    page = open_page()
    page.route("**/workers", lambda route: route.fulfill(status=503, body="down"))
    page.get_by_label("Site name").fill("Crêperie")
    with page.expect_response("**/workers") as response:
        save(page)
    response.value.finished()
    page.evaluate("() => new Promise((resolve) => setTimeout(resolve))")
    assert page.locator("li[data-count]").inner_text().startswith("Applied by 0 of 1 process.")
