"""What a browser sends of a form, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import Any

from flask import Flask
from werkzeug.datastructures import MultiDict

from waffleconf_admin.exceptions import ConflictError
from waffleconf_admin.forms import SettingsForm
from waffleconf_admin.state.form import build_form

CONFS: dict[str, dict[str, Any]] = {
    "NAME": {"default": "Waffle", "max": 20},
    "SIZE": {"default": 10, "min": 1, "max": 100},
    "OPEN": {"default": True},
    "RATE": {"default": 1.5},
    "THEME": {"default": "light", "choices": ["light", "dark"]},
    "TEXT": {"default": "a\nb"},
    "HOURS": {"default": {"mon": [9, 18]}},
    "TOKEN": {"default": "hunter2", "secret": True},
    "NOTE": {"default": None},
    "FIXED": {"default": 1, "readonly": True},
    "PAIR": {"default": 1 + 2j},
}
#: The settings that the page has a control for.
EDITABLE = ["NAME", "SIZE", "OPEN", "RATE", "THEME", "TEXT", "HOURS", "TOKEN", "NOTE"]


@contextmanager
def posted(app: Flask, data: Any, **options: Any) -> Iterator[SettingsForm]:
    """The form of a POST request with *data*."""
    with app.test_request_context(method="POST", data=data):
        yield build_form(app.extensions["waffleconf"], **options)


def stored(app: Flask) -> dict[str, Any]:
    """The values in the database."""
    return {key: r.value for key, r in app.extensions["waffleconf"].read().items()}


def store(app: Flask, **values: Any) -> None:
    """Save values from code, as somebody else does meanwhile."""
    app.extensions["waffleconf"].update_db(values)


class Page:
    """One person with the page: what a browser holds between a GET and the POST."""

    def __init__(self, app: Flask, **options: Any) -> None:
        self.app, self.options = app, options
        self.state = app.extensions["waffleconf"]
        self.form = self.open()

    def open(self) -> SettingsForm:
        with self.app.test_request_context():
            form = build_form(self.state, **self.options)
            self.keep(form)
        return form

    def keep(self, form: SettingsForm) -> None:
        """Hold what a browser would send of the form as it is rendered, untouched."""
        source = str(form.hidden_tag()) + "".join(str(field()) for field in form)
        self.fields = MultiDict(sent(source))

    def send(self, drop: tuple[str, ...] = (), /, **changes: Any) -> SettingsForm:
        """Submit what the page holds, with changes; keep the page that comes back."""
        data = self.fields.copy()
        for name in drop:
            data.poplist(name)
        for name, value in changes.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        with self.app.test_request_context(method="POST", data=data):
            form = build_form(self.state, **self.options)
            if form.validate():
                try:
                    self.state.update_db(form.changes, expected=form.expected)
                except ConflictError as error:
                    form.add_conflicts(error.keys, self.state.read(error.keys))
            self.keep(form)
        return form


class Browser(HTMLParser):
    """Collects what a browser would send of some HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, str]] = []
        self.area = self.select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "input":
            off = given["type"] in ("checkbox", "radio") and "checked" not in given
            if not off and "name" in given:
                self.sent.append((given["name"], given.get("value", "")))
        elif tag == "textarea":
            self.area = given["name"]
            self.sent.append((self.area, ""))
        elif tag == "select":
            self.select = given["name"]
        elif tag == "option" and "selected" in given:
            self.sent.append((self.select, given["value"]))

    def handle_data(self, data: str) -> None:
        if self.area:
            name, before = self.sent.pop()
            self.sent.append((name, before + data))

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            name, text = self.sent.pop()
            self.sent.append((name, text.removeprefix("\n").replace("\n", "\r\n")))
            self.area = ""


def sent(source: str) -> list[tuple[str, str]]:
    browser = Browser()
    browser.feed(source)
    browser.close()
    return browser.sent
