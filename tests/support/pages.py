"""What the tests of the pages share."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from flask import Flask

from waffleconf_admin import Can

CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "help": "Shown in the header"},
    "OPEN": {"desc": "Shop is open", "default": True, "group": "Shop"},
    "PAGE_SIZE": {"desc": "Page size", "default": 20, "min": 1, "max": 100, "group": "Shop"},
    "THEME": {"desc": "Theme", "default": "light", "choices": ["light", "dark"], "group": "Shop"},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18]}, "group": "Shop"},
    "TOKEN": {"desc": "Upload token", "default": "s3cr3t-default", "secret": True},
    "REGION": {"desc": "Region", "default": "eu-west-1", "readonly": True},
}


#: For tests that edit: what is declared beside it decides how a setting is saved.
EDITED_CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "OPEN": {"desc": "Shop is open", "default": True},
    "ABOUT": {"desc": "About us", "default": "one\ntwo\nthree", "multiline": True},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18], "tue": [9, 12], "wed": [9, 18]}},
    "TAX": {"desc": "Tax", "default": 21, "confirm": True, "min": 0},
    "TOKEN": {"desc": "Token", "default": "", "secret": True},
    "DSN": {"desc": "DSN", "default": "", "secret": True, "confirm": True},
    "LEGACY": {"desc": "Legacy", "default": "x", "readonly": True},
}

#: For tests of the history.
HISTORY_CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle"},
    "SIZE": {"desc": "Page size", "default": 20, "max": 100, "group": "Shop"},
    "HOURS": {"desc": "Opening hours", "default": {"mon": [9, 18]}, "group": "Shop"},
    "TOKEN": {"desc": "Upload token", "default": "", "secret": True},
    "REGION": {"desc": "Region", "default": "eu", "readonly": True},
}

#: For tests of the API.
API_CONFS: dict[str, Any] = {
    "SITENAME": {"desc": "Site name", "default": "Waffle", "max": 40},
    "PAGE_SIZE": {"desc": "Page size", "default": 20, "min": 1, "max": 100, "group": "Shop"},
    "THEME": {"default": "light", "choices": ["light", "dark"], "group": "Shop"},
    "HOURS": {"default": {"mon": [9, 18]}, "group": "Shop"},
    "TIMEOUT": {"default": timedelta(minutes=30)},
    "TOKEN": {"default": "factory-needle", "secret": True},
    "REGION": {"default": "eu", "readonly": True},
}

URL, HISTORY = "/admin/config", "/admin/config/history"

MakeApp = Callable[..., Flask]


def state_of(app: Flask) -> Any:
    return app.extensions["waffleconf"]


def change_can(app: Flask, can: Can) -> None:
    """Give the settings page of an app another ``can``."""
    page: Any = app.blueprints["waffleconf_admin"]
    page.options = dataclasses.replace(page.options, can=can)


def stored(app: Flask) -> dict[str, Any]:
    return {key: record.value for key, record in state_of(app).read().items()}


def sent(page: str, **changes: str) -> dict[str, str]:
    """What a browser would send for this page after somebody typed `changes`."""
    form = {}
    for tag in re.findall(r"<(?:input|textarea|select)\b[^>]*>(?:[^<]*</textarea>)?", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        text = re.search(r">\n?([^<]*)</textarea>", tag)
        if name and tag.startswith("<select"):
            inside = page.partition(tag)[2].partition("</select>")[0]
            value = re.search(r'<option(?=[^>]* selected)[^>]* value="([^"]*)"', inside)
        box = 'type="checkbox"' in tag or 'type="radio"' in tag
        if name and not (box and " checked" not in tag):
            form[name[1]] = html.unescape((text or value or ["", ""])[1])
    return form | changes


def row(page: str, key: str) -> str:
    """The part of the page that shows one setting."""
    before, _, after = page.partition(f">{key}</a>")
    return (
        before.rpartition('<div class="wf-row')[2]
        + re.split('<div class="wf-row|</section>', after)[0]
    )


def shown(page: str, confs: Mapping[str, Any]) -> set[str]:
    """The keys of the settings that a page doesn't hide, of all that it has."""
    rows = re.findall(r'<div class="wf-row[^"]*" id="([^"]*)"([^>]*)>', page)
    assert {key for key, _ in rows} == confs.keys()
    # Without values: one may have the word.
    return {key for key, rest in rows if "hidden" not in re.sub(r'"[^"]*"', "", rest).split()}


def words(page: str) -> str:
    """What the page's main part says, without tags."""
    body = page.partition('id="wf-main"')[2]
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", body).split()))


def undo(client: Any, value: str, **data: str) -> Any:
    return client.post(f"{HISTORY}/undo", data={"undo": value, **data})


def typed(client: Any, **changes: str) -> dict[str, str]:
    """What a browser would send after somebody opened the page and typed `changes`."""
    return sent(client.get(URL).text, **changes)


def buttons(page: str) -> list[str]:
    """What the undo buttons of a page send."""
    return [html.unescape(value) for value in re.findall(r'name="undo" value="([^"]*)"', page)]
