"""The pictures of the documentation: each is of a page that shows what it is for.

`scripts/docs --pictures` writes them to docs/images, which it names in WAFFLE_PICTURES.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from browsing import follow, row, save, serving, state_of
from flask import Flask
from programs import import_from
from reports import report
from sqlalchemy import update

from waffleconf_admin import WaffleAdmin, anyone, conf_changed

ROOT = Path(__file__).parents[2]
FOLDER = os.environ.get("WAFFLE_PICTURES")
#: Of a value at the start of a process that is not the one of now.
ANOTHER_DIGEST = "00000000"

#: What a picture has to show, before it is taken.
Scene = Callable[[Flask, Any], None]


def settings_page(app: Flask, page: Any) -> None:
    page.get_by_role("radio", name="Mint").check()
    page.get_by_label("Banner").fill("Closed for the holidays")
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    assert page.locator(".wf-bar").get_by_text("2 unsaved").is_visible()


def review(app: Flask, page: Any) -> None:
    page.get_by_label("Shop name").fill("Crêperie")
    page.get_by_label("Tax").fill("7")
    page.get_by_label("Welcome text").fill("We have baked waffles since 1987.\nAnd crêpes.")
    row(page, "PAYMENT_KEY").get_by_text("Set", exact=False).last.click()
    page.get_by_label("Payment key", exact=True).fill("t0ken")
    follow(page, page.get_by_role("button", name="Review"))
    assert page.get_by_text("4 changes, not saved yet").is_visible()


def conflict(app: Flask, page: Any) -> None:
    page.get_by_label("Shop name").fill("Bakery")
    page.get_by_label("Tagline").fill("Irons, mixes and toppings")
    state_of(app).update_db({"SITENAME": "Crêperie"}, actor="ben", source="page")
    save(page)
    assert page.get_by_text("Use mine").is_visible()


def ends(app: Flask, page: Any) -> None:
    values = {"BANNER": "Sale until Sunday", "TAX_PERCENT": 7.0}
    until = datetime.now(UTC) + timedelta(days=2)
    state_of(app).update_db(values, actor="ana", until=until, source="page")
    page.goto(page.url)
    page.get_by_label("Shop name").fill("Crêperie")
    page.locator("select.wf-until").select_option(label="For 10 minutes")
    page.evaluate("document.activeElement.blur(), scrollTo(0, 0)")
    assert page.get_by_role("button", name="Go back now").is_visible()


def compare(app: Flask, page: Any) -> None:
    now = datetime.now(UTC)
    shop = sys.modules["shop"]
    with app.app_context():  # the changes of ana were made days ago
        shop.db.session.execute(update(shop.ConfChange).values(at=now - timedelta(days=5)))
        shop.db.session.commit()
    welcome = "We have baked waffles since 1987.\nCome and see us at the harbour."
    values = {"BANNER": "Closed on Monday", "WELCOME": welcome, "PAGE_SIZE": 24}
    state_of(app).update_db(values, actor="ben", source="page")
    page.goto(f"{page.url}/history/compare")
    page.get_by_label("From").fill(f"{now - timedelta(days=1):%Y-%m-%dT09:00}")
    follow(page, page.get_by_role("button", name="Compare"))
    assert page.get_by_text("3 settings differ.").is_visible()
    assert page.get_by_role("button", name="Review what is ticked").is_visible()


def workers(app: Flask, page: Any) -> None:
    def apply(app: Flask, **event: Any) -> None:
        for host, pid in (("web-1", 31), ("web-1", 32), ("web-2", 57)):
            report(app, host=host, pid=pid, restart_digests=ANOTHER_DIGEST)

    page.get_by_label("Delivery price").fill("5.9")
    with conf_changed.connected_to(apply, app):
        save(page)
    assert page.get_by_text("Applied by 3 of 4 processes.").first.is_visible()
    assert page.get_by_text("4 of 4 processes run with the former value").is_visible()


@pytest.fixture
def demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """The demo shop, of which ana has changed some settings."""
    monkeypatch.setenv("DEMO_INSTANCE", str(tmp_path))
    import_from(ROOT / "examples" / "demo", monkeypatch)
    shop = importlib.import_module("shop")
    app: Flask = shop.create_app()
    values = {"SITENAME": "Crêperie du Port", "PAGE_SIZE": 12, "SHOW_STOCK": False}
    state_of(app).update_db(values, actor="ana")
    yield app
    state_of(app).stop()
    with app.app_context():
        shop.db.engine.dispose()
    del sys.modules["shop"]


def file_name(scene: Scene) -> str:
    return f"{scene.__name__.replace('_', '-')}.png"


def take(browser: Any, app: Flask, scene: Scene, height: int) -> None:
    """Show a scene, and take its picture if they are wanted."""
    with serving(app) as url:
        context = browser.new_context(viewport={"width": 1200, "height": height})
        page = context.new_page()
        page.goto(url)
        scene(app, page)
        if FOLDER:
            page.screenshot(path=f"{FOLDER}/{file_name(scene)}")
        context.close()


#: The scenes of the demo, and the heights of their pictures.
SCENES = [(settings_page, 1000), (review, 760), (conflict, 900), (ends, 860), (compare, 560)]


@pytest.mark.parametrize(
    ("scene", "height"), SCENES, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_picture_shows_the_demo(browser: Any, demo: Flask, scene: Scene, height: int) -> None:
    take(browser, demo, scene, height)


def test_a_picture_shows_a_process_that_lags(browser: Any, make_app: Callable[..., Flask]) -> None:
    confs = {
        "DELIVERY": {"desc": "Delivery price", "default": 4.9, "unit": "€", "group": "Prices"},
        "MAIL_SENDER": {
            "desc": "Mail sender",
            "default": "shop@example.org",
            "help": "Who customers write back to.",
            "group": "Mail",
        },
        "POOL_SIZE": {
            "desc": "Connections",
            "default": 5,
            "help": "To the database, of each process.",
            "min": 1,
            "max": 50,
            "restart": True,
            "group": "Database",
        },
    }
    app = make_app(confs, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False, workers=True)
    app.register_blueprint(WaffleAdmin(can=anyone, actor=lambda: "ana"))
    report(app, seconds=42, host="web-2", pid=58, restart_digests=ANOTHER_DIGEST)
    state_of(app).update_db({"POOL_SIZE": 20}, actor="ben")
    take(browser, app, workers, 790)


def test_every_picture_is_shown_on_a_page_and_taken_here() -> None:
    docs = ROOT / "docs"
    texts = [path.read_text() for path in (*docs.glob("*.md"), ROOT / "README.md")]
    shown = {name for text in texts for name in re.findall(r"images/([\w.-]+)", text)}
    assert shown == {path.name for path in (docs / "images").iterdir()}
    photographs = {name for name in shown if name.endswith(".png")}
    assert photographs == {file_name(scene) for scene in (*dict(SCENES), workers)}
    charts = "".join(path.read_text() for path in (ROOT / "benchmarks").glob("*.py"))
    assert all(name in charts for name in shown - photographs)
