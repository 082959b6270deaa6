"""What the tests in a browser share."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask
from werkzeug.serving import make_server

from waffleconf_admin import WaffleAdmin

HOURS = {"mon": [["09:00", "18:00"]], "sat": [["10:00", "14:00"]]}


SHOP: dict[str, dict[str, Any]] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "help": "Shown in the header"},
    "BANNER": {"desc": "Banner", "default": "", "help": "One line above the shop; may be empty"},
    "THEME": {"desc": "Theme", "default": "light", "choices": ["light", "dark", "high contrast"]},
    "PAGE_SIZE": {"desc": "Products on a page", "default": 24, "min": 4, "max": 96},
    "MAINTENANCE": {
        "desc": "Maintenance mode",
        "default": False,
        "help": "Visitors see a notice instead of the shop",
    },
    "HOURS": {"desc": "Opening hours", "default": HOURS, "help": "From and to, for each day"},
    "ABOUT": {
        "desc": "About us",
        "default": "Waffles since 1987.\nCome and see us at the harbour.",
        "multiline": True,
    },
    "MAX_FILESIZE": {
        "desc": "Max filesize",
        "default": 1000,
        "min": 1,
        "help": "In bytes",
        "group": "Uploads",
    },
    "UPLOAD_TOKEN": {
        "desc": "Upload token",
        "default": "",
        "secret": True,
        "help": "Key of the storage service",
        "group": "Uploads",
    },
    "FILE_TYPES": {"desc": "File types", "default": ["jpg", "png"], "group": "Uploads"},
    "REGION": {
        "desc": "Region",
        "default": "eu-west-1",
        "readonly": True,
        "help": "Where files are kept",
        "group": "Uploads",
    },
    "REVIEWS": {"desc": "Customer reviews", "default": True, "group": "Features"},
    "WISHLIST": {"desc": "Wish lists", "default": True, "group": "Features"},
    "GIFT_CARDS": {"desc": "Gift cards", "default": False, "group": "Features"},
    "DISCOUNT": {
        "desc": "Discount",
        "default": 9.5,
        "min": 0,
        "max": 100,
        "help": "In per cent, for everybody who has an account",
        "group": "Features",
    },
    "CURRENCY": {
        "desc": "Currency",
        "default": "EUR",
        "choices": [
            ("EUR", "Euro"),
            ("GBP", "Pound"),
            ("USD", "US dollar"),
            ("CHF", "Franc"),
            "JPY",
        ],
        "group": "Features",
    },
    "MAIL_FROM": {
        "desc": "Sender of mails",
        "default": "shop@example.org",
        "group": "Integrations",
    },
    "SMTP_HOST": {"desc": "Mail server", "default": None, "group": "Integrations"},
    "SMTP_PASSWORD": {
        "desc": "Password of the mail server",
        "default": "s3cr3t",
        "secret": True,
        "needs": "SMTP_HOST",
        "group": "Integrations",
    },
    "WEBHOOKS": {
        "desc": "Webhooks",
        "default": {},
        "help": "Addresses that are told of each order, by name",
        "group": "Integrations",
    },
}

for _setting in list(SHOP.values())[:7]:
    _setting["group"] = "Storefront"

LONG = "A very long name of a setting that somebody wrote without thinking of narrow screens"
#: With a setting that has to be reviewed, and one with a long name.
FULL_SHOP: dict[str, dict[str, Any]] = SHOP | {
    "TAX": {
        "desc": "Tax",
        "default": 21,
        "confirm": True,
        "group": "Features",
        "help": "In per cent",
    },
    "A_VERY_LONG_KEY_OF_A_SETTING_THAT_DOES_NOT_FIT_ANYWHERE": {
        "desc": LONG,
        "default": "x" * 300,
        "group": "Integrations",
        "help": f"{LONG}. {LONG}.",
    },
}
#: What is stored of it.
STORED = {"SITENAME": "Crêperie du Port", "PAGE_SIZE": 48, "GIFT_CARDS": True, "SMTP_PASSWORD": "x"}

SIZES = {"wide": {"width": 1200, "height": 980}, "narrow": {"width": 390, "height": 844}}

#: The fixture that opens the page.
Open = Callable[..., Any]


@contextlib.contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serves the app on a free port; gives the address of its settings page."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/admin/config"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def make_shop(make_app: Callable[..., Flask], confs: Any, stored: dict[str, Any]) -> Flask:
    """An app whose settings ben has changed and ana, who may do everything, sees on the page."""
    app = make_app(confs, WTF_CSRF_ENABLED=True, WAFFLE_STORE_DEFAULTS=False, history=True)
    app.register_blueprint(WaffleAdmin(can=lambda action, setting: True, actor=lambda: "ana"))
    state_of(app).update_db(stored, actor="ben")
    return app


def state_of(app: Flask) -> Any:
    return app.extensions["waffleconf"]


def arriving(page: Any, *, leaves: bool = True) -> contextlib.AbstractContextManager[Any]:
    """Wait for the page that the block leads to; not where the script answers and nobody *leaves*.

    A click alone doesn't wait, and a navigation is also what the script writes into the address.
    """
    return page.expect_event("load") if leaves else contextlib.nullcontext()


def follow(page: Any, target: Any) -> None:
    """Click what leads to another page, and be there."""
    with arriving(page):
        target.click()


def dialogs(page: Any) -> list[str]:
    """What the page asks from now on, as it comes; each question is answered with yes."""
    asked: list[str] = []

    def answer(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    return asked


def save(page: Any) -> None:
    follow(page, page.get_by_role("button", name="Save", exact=True))


def row(page: Any, key: str) -> Any:
    return page.locator(".wf-row").filter(has=page.get_by_text(key, exact=True))


def visible_keys(page: Any) -> list[str]:
    ids: list[str] = page.eval_on_selector_all(
        ".wf-row:not([hidden])", "rows => rows.map(r => r.id)"
    )
    return ids


def search(page: Any) -> Any:
    return page.get_by_role("searchbox")


def declared_anew(app: Flask, page: Any) -> None:
    """What is stored does not fit what is declared since."""
    state_of(app).update_db({"WISHLIST": True, "MAIL_FROM": "nobody", "BANNER": "25"})
    anew = {
        "BANNER": {"default": 10, "type": int, "help": "Lines"},
        "PAGE_SIZE": {"default": 8, "max": 24},
        "SITENAME": {"default": 1, "type": int},
        "SMTP_PASSWORD": {"default": 1, "type": int},
        "MAIL_FROM": {"default": "shop@example.org", "type": "email"},
        "CURRENCY": {"default": "de", "choices": {"Europe": [("de", "Euro"), ("gb", "Pound")]}},
    }
    confs = {key: {**entry, **anew.get(key, {})} for key, entry in FULL_SHOP.items()}
    app.config["WAFFLE_CONFS"] = confs
    page.goto(page.url)
