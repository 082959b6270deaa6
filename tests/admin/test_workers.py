"""What the settings page and the API say of the processes that apply a save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from pages import sent
from reports import report
from states import state_of

from waffleconf_admin import WaffleAdmin

MakeApp = Callable[..., Flask]
CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "POOL": {"default": 5, "restart": True},
}
PAGE = "/admin/config"
LAGS = {"texts_digest": "0" * 32, "host": "web-2", "pid": 4711}


def make(make_app: MakeApp, allowed: str = "view edit history", **options: Any) -> Flask:
    app = make_app(CONFS, workers=True, WAFFLE_STORE_DEFAULTS=False, WAFFLE_MULTIPROC=True)
    state_of(app).stop()  # only the test reports
    admin = WaffleAdmin(can=lambda action, _: action in allowed.split(), api=True, **options)
    app.register_blueprint(admin)
    return app


def save(client: Any, name: str) -> Any:
    """Save a name of the site on the page."""
    return client.post(PAGE, data=sent(client.get(PAGE).text, SITENAME=name))


def test_the_page_counts_who_applies_a_save_until_all_do(make_app: MakeApp) -> None:
    app = make(make_app)
    client = app.test_client()
    report(app, host="web-2", pid=4711)
    report(app)
    assert "Applied by" not in client.get(PAGE).text
    assert save(client, "Crêperie").status_code == 303
    page = client.get(PAGE).text
    assert "Applied by 0 of 2 processes. Not yet by process" in page
    assert f'data-count="{PAGE}/workers"' in page
    assert "notified" not in page and "whole site" not in page
    state_of(app)._worker.report()  # type: ignore[union-attr]
    page = client.get(PAGE).text  # without the script it is loaded again
    assert "Applied by 1 of 2 processes. Not yet by process 4711 on web-2, last seen " in page
    response = client.get(f"{PAGE}/workers")
    assert response.status_code == 202 and response.mimetype == "text/plain"
    assert response.text.startswith("Applied by 1 of 2 processes. Not yet by process 4711")


def test_all_apply_a_save(make_app: MakeApp) -> None:
    app = make(make_app)
    client = app.test_client()
    assert save(client, "Crêperie").status_code == 303
    report(app)
    report(app, keys_digest="0" * 32)
    page = client.get(PAGE).text
    assert "Applied by 1 of 1 process. 1 runs other code." in page and "data-count" not in page
    assert client.get(f"{PAGE}/workers").status_code == 200
    assert "Applied by" not in client.get(PAGE).text


@pytest.mark.parametrize(
    ("allowed", "counts", "names"),
    [
        ("view", False, False),
        ("view history", False, False),
        ("view edit", True, False),
        ("view edit history", True, True),
    ],
)
def test_who_may_edit_sees_the_count_and_who_may_see_the_history_the_names(
    make_app: MakeApp, allowed: str, counts: bool, names: bool
) -> None:
    app = make(make_app, allowed)
    report(app)
    report(app, **LAGS)
    client = app.test_client()
    page, line = client.get(PAGE).text, client.get(f"{PAGE}/workers")
    answer = client.get(f"{PAGE}/api/workers")
    assert ("Applied by 1 of 2" in page) is counts
    assert line.status_code == (202 if counts else 404)
    assert answer.status_code == (200 if counts else 403)
    for text in (page, line.text, answer.text):
        assert ("web-2" in text and "4711" in text) is names
        assert "0" * 32 not in text


def test_a_page_of_some_groups_names_no_process(make_app: MakeApp) -> None:
    app = make(make_app)
    app.register_blueprint(
        WaffleAdmin("other", can=lambda *_: True, groups=[""], url_prefix="/other")
    )
    report(app, **LAGS)
    assert "web-2" not in app.test_client().get("/other/workers").text


def test_a_row_says_how_many_processes_need_a_restart(make_app: MakeApp) -> None:
    app = make(make_app)
    client = app.test_client()
    report(app)
    assert "Takes effect when the processes are restarted." in client.get(PAGE).text
    state_of(app).update_db({"POOL": 20})
    report(app)
    page = client.get(PAGE).text
    assert "2 of 2 processes run with the former value; restart them." in page
    answer = client.get(f"{PAGE}/api/workers").json
    assert answer["restart"] == {"POOL": 2} and len(answer["processes"]) == 2


def test_without_the_table_the_page_works_as_ever(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make(make_app)
    with app.app_context():
        db = app.waffle_db  # type: ignore[attr-defined]
        db.metadata.tables["conf_workers"].drop(db.engine)
    client = app.test_client()
    assert save(client, "Crêperie").status_code == 303
    assert "Crêperie" in client.get(PAGE).text
    assert "the workers can't be read" in caplog.text
    assert client.get(f"{PAGE}/api/workers").status_code == 503


def test_without_a_model_nothing_is_said(make_app: MakeApp) -> None:
    app = make_app(CONFS)
    app.register_blueprint(WaffleAdmin(api=True))
    client = app.test_client()
    assert save(client, "Crêperie").status_code == 303
    assert "Applied by" not in client.get(PAGE).text
    assert client.get(f"{PAGE}/workers").status_code == 404
    assert client.get(f"{PAGE}/api/workers").status_code == 404
