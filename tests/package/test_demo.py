"""The demo shop, served as scripts/demo serves it."""

from __future__ import annotations

import contextlib
import html
import http.client
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from browsing import follow, save
from programs import import_from
from servers import free_port

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "examples" / "demo"


class Answer(NamedTuple):
    status: int
    text: str
    cookie: str

    @property
    def pid(self) -> str:
        found = re.search(r'<span id="pid">(\d+)</span>', self.text)
        assert found, self.text
        return found[1]


class Shop:
    """A running demo, asked over HTTP with a new connection each time."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, path: str = "/", data: dict[str, str] | None = None, cookie: str = "") -> Answer:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, 30)) as client:
            headers = {"Cookie": cookie} if cookie else {}
            if data is None:
                client.request("GET", path, headers=headers)
            else:
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                client.request("POST", path, urllib.parse.urlencode(data), headers)
            response = client.getresponse()
            cookie = (response.getheader("Set-Cookie") or "").partition(";")[0]
            return Answer(response.status, response.read().decode(), cookie)

    def save(self, **values: str) -> None:
        """Change settings as the page's form does, with its tokens."""
        form = self.ask("/admin/config")
        tokens = {}
        for tag in re.findall(r"<input[^>]*>", form.text):
            attributes = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            if attributes["name"] in ("csrf_token", "waffle_token"):
                tokens[attributes["name"]] = html.unescape(attributes["value"])
        assert len(tokens) == 2
        answer = self.ask("/admin/config", {**tokens, **values}, form.cookie)
        assert answer.status == 303, answer.text

    def answers(self, count: int) -> list[Answer]:
        """That many front pages, asked for eight at a time."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(lambda _: self.ask(), range(count)))

    def answers_of(self, workers: int) -> list[Answer]:
        """Front pages until so many workers have served some."""
        answers: list[Answer] = []
        for _ in range(30):
            answers += self.answers(8 * workers)
            if len({answer.pid for answer in answers}) >= workers:
                return answers
        raise AssertionError(f"only { ({answer.pid for answer in answers}) } answered")


@contextlib.contextmanager
def installed() -> Iterator[Path]:
    """The virtual environment of the tests, as one in which all is installed for the demo."""
    with tempfile.TemporaryDirectory() as folder:
        for entry in Path(sys.prefix).iterdir():
            if not entry.name.startswith(".installed"):
                (Path(folder) / entry.name).symlink_to(entry)
        (Path(folder) / ".installed-demo").touch()
        yield Path(folder)


@contextlib.contextmanager
def serve(instance: Path, *options: str) -> Iterator[Shop]:
    shop = Shop(free_port())
    command = [str(ROOT / "scripts" / "demo"), "--port", str(shop.port), *options]
    with (
        installed() as venv,
        subprocess.Popen(
            command,
            env={
                **os.environ,
                "DEMO_INSTANCE": str(instance),
                "VENV": str(venv),
                "FLASK_DEBUG": "",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process,
    ):
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    shop.ask("/admin/config")
                    break
                except OSError:
                    if process.poll() is not None or time.monotonic() > deadline:
                        process.kill()
                        raise AssertionError(process.communicate()[0]) from None
                    time.sleep(0.05)
            yield shop
        finally:
            process.terminate()
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()


def test_a_save_shows_in_every_worker_at_the_very_next_request(tmp_path: Path) -> None:
    with serve(tmp_path, "--workers", "3", "--no-control-socket", "--preload") as shop:
        shop.answers_of(3)
        for name in ("Crêperie du Port", "Gaufres & fils"):
            shop.save(SITENAME=name)
            for answer in shop.answers_of(3):
                assert f"<title>{html.escape(name)}</title>" in answer.text


def test_four_workers_start_at_once_on_an_empty_folder_and_the_command_line_reaches_them(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "not" / "made" / "yet"
    with serve(folder, "--workers", "4", "--no-control-socket") as shop:
        assert {answer.status for answer in shop.answers_of(4)} == {200}
        assert (folder / "shop.db").exists()
        subprocess.run(
            [sys.executable, "-m", "flask", "--app", "shop", "waffle", "set", "MAINTENANCE", "on"],
            cwd=DEMO,
            env={**os.environ, "DEMO_INSTANCE": str(folder)},
            check=True,
            capture_output=True,
        )
        assert {answer.status for answer in shop.answers_of(4)} == {503}
        assert shop.ask("/admin/config").status == 200


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The demo's app in this process, with its own test client as app.client."""
    monkeypatch.setenv("DEMO_INSTANCE", str(tmp_path))
    import_from(DEMO, monkeypatch)
    from shop import create_app, db

    app = create_app()
    yield app
    app.extensions["waffleconf"].stop()
    with app.app_context():
        db.engine.dispose()


def test_a_table_that_another_worker_makes_meanwhile_is_no_trouble(
    shop: Any, tmp_path: Path
) -> None:
    from sqlalchemy import event, text

    from shop import create_tables, db

    def be_faster(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().startswith("CREATE TABLE"):
            with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as other:
                other.execute(
                    "CREATE TABLE IF NOT EXISTS confs (id INTEGER PRIMARY KEY, key, value)"
                )

    with shop.app_context():
        db.drop_all()
        event.listen(db.engine, "before_cursor_execute", be_faster)
        create_tables(shop)
        event.remove(db.engine, "before_cursor_execute", be_faster)
        made = db.session.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'confs'"))
    assert made == "CREATE TABLE confs (id INTEGER PRIMARY KEY, key, value)"  # the other's
    state = shop.extensions["waffleconf"]
    state.update_db({"SITENAME": "Crêperie"})
    assert "Crêperie" in front(shop) and len(state.history.list()) == 1


def front(app: Any, path: str = "/") -> str:
    return str(app.test_client().get(path).text)


def cards(app: Any, path: str = "/") -> list[str]:
    products = front(app, path).split('id="products"')[1]
    return re.findall(r"<h3>(.*?)</h3>", products)


# What a visitor sees of each setting: {key: (value, text that appears, text that disappears)}.
SEEN: dict[str, tuple[Any, str, str]] = {
    "SITENAME": ("Crêperie", "Welcome to Crêperie", "Welcome to Waffle"),
    "TAGLINE": ("Hot & crisp", "Hot &amp; crisp", "slow mornings"),
    "THEME": ("night", 'data-theme="night"', 'data-theme="honey"'),
    "BANNER": ("", "", 'class="banner"'),
    "WELCOME": ("Bonjour", "Bonjour", "since 1987"),
    "OPENING_HOURS": ({"Mon": [["08:00", "09:00"]]}, "08:00–09:00", "14:00–18:00"),
    "PAGE_SIZE": (48, "Vanilla extract", 'aria-label="Pages"'),
    "FEATURED": ([], "", "Our favourites"),
    "CURRENCY": ("CHF", "CHF ", "€"),
    "TAX_PERCENT": (0.0, "€9.80", "€11.86"),
    "FREE_DELIVERY_FROM": (0, "", "Free delivery"),
    "SEARCH": (False, "", 'type="search"'),
    "SHOW_STARS": (False, "", 'class="stars"'),
    "SHOW_STOCK": (False, "", "In stock"),
    "LOW_STOCK": (200, "Only 9 left", "In stock"),
    "NEWSLETTER": (True, "A recipe a month", ""),
    "PAYMENT_KEY": ("pk-1", "", "The till is closed"),
    "CONTACT_EMAIL": ("ana@waffle.example", "mailto:ana@waffle.example", "hello@"),
    "ANALYTICS_ID": ("W-1", 'content="W-1"', ""),
    "REGION": ("us-east-1", "Region us-east-1", "eu-west-1"),
    "MAINTENANCE": (True, "Closed for a moment", "Everything"),
}


@pytest.mark.parametrize("key", SEEN)
def test_the_shop_uses_the_setting(shop: Any, key: str) -> None:
    value, appears, disappears = SEEN[key]
    before = front(shop)
    assert not appears or appears not in before
    assert disappears in before
    shop.extensions["waffleconf"].update_db({key: value})
    after = front(shop)
    assert appears in after
    assert not disappears or disappears not in after


def test_the_settings_cover_what_is_tested_here(shop: Any) -> None:
    elsewhere = {"SORT_BY", "MAINTENANCE_TEXT"}
    assert set(shop.extensions["waffleconf"].settings) == set(SEEN) | elsewhere


def test_page_size_and_order_cut_the_list(shop: Any) -> None:
    state = shop.extensions["waffleconf"]
    state.update_db({"PAGE_SIZE": 3, "SORT_BY": "cheapest"})
    assert cards(shop) == ["Pearl sugar", "Spelt flour", "Sour cherry jam"]
    state.update_db({"SORT_BY": "best"})
    assert cards(shop)[0] in ("Maple syrup", "Pearl sugar")
    assert cards(shop, "/?q=syrup") == ["Maple syrup", "Birch syrup"]
    assert len(cards(shop, "/?page=6")) == 1
    state.update_db({"SEARCH": False})
    assert len(cards(shop, "/?q=syrup")) == 3


def test_maintenance_leaves_the_settings_open(shop: Any) -> None:
    shop.extensions["waffleconf"].update_db({"MAINTENANCE": True, "MAINTENANCE_TEXT": "Back at 9"})
    client = shop.test_client()
    assert client.get("/").status_code == 503
    assert "Back at 9" in client.get("/").text
    assert client.get("/admin/config").status_code == 200
    with client.get("/static/shop.css") as answer:
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "value", [{"Someday": []}, {"Mon": "9-5"}, {"Mon": [["9", "17:00"]]}, {"Mon": [["09:00"]]}]
)
def test_opening_hours_that_would_break_the_front_page_are_refused(shop: Any, value: Any) -> None:
    with pytest.raises(ValueError, match="OPENING_HOURS"):
        shop.extensions["waffleconf"].update_db({"OPENING_HOURS": value})


@pytest.fixture
def screenshots(tmp_path: Path) -> Callable[[Any, str], None]:
    folder = Path(os.environ.get("WAFFLE_SCREENSHOTS") or tmp_path)

    def take(page: Any, name: str) -> None:
        # Else what nobody has scrolled to is an empty place in the picture.
        page.evaluate(
            """document.querySelectorAll(".wf-group").forEach(
                group => { group.style.contentVisibility = "visible" })"""
        )
        page.screenshot(path=folder / f"{name}.png", full_page=True)

    return take


def test_three_settings_edited_in_a_browser_change_the_front_page(
    browser: Any, tmp_path: Path, screenshots: Callable[[Any, str], None]
) -> None:
    with serve(tmp_path / "instance") as shop:
        context = browser.new_context(viewport={"width": 1200, "height": 900})
        page = context.new_page()
        problems: list[str] = []
        page.on("console", lambda m: m.type in ("error", "warning") and problems.append(m.text))
        page.on("pageerror", lambda error: problems.append(str(error)))

        page.goto(shop.url)
        assert page.title() == "Waffle"
        assert page.locator("#products li").count() == 8
        screenshots(page, "shop-before")

        follow(page, page.get_by_role("link", name="Settings"))
        screenshots(page, "settings-before")
        page.get_by_label("Shop name").fill("Crêperie du Port")
        page.get_by_role("radio", name="Mint").check()
        page.get_by_label("Products per page").fill("4")
        screenshots(page, "settings-edited")
        save(page)
        assert page.get_by_label("Shop name").input_value() == "Crêperie du Port"
        screenshots(page, "settings-after")

        page.goto(shop.url)
        assert page.title() == "Crêperie du Port"
        assert page.locator("html").get_attribute("data-theme") == "mint"
        assert page.locator("#products li").count() == 4
        screenshots(page, "shop-after")
        context.close()
        assert problems == []
