"""One field and its control."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from flask import Flask

from waffleconf_admin import fields
from waffleconf_admin.fields.factory import standalone_field
from waffleconf_admin.forms.form import SettingsForm
from waffleconf_admin.settings.declarations import declare
from waffleconf_admin.settings.record import Record
from waffleconf_admin.settings.setting import Setting


def setting(key: str = "KEY", /, **entry: Any) -> Setting:
    return declare({key: entry})[key]


def read(text: str, **entry: Any) -> Any:
    made = setting(**entry)
    return standalone_field(made, fields.choose_source(made)).read(text)


def field(value: Any = ..., key: str = "KEY", /, **entry: Any) -> Any:
    """The field of a setting in a form, outside a request."""
    made = setting(key, **entry)
    value = made.default if value is ... else value
    with Flask(__name__).app_context():
        return SettingsForm({key: made}, {key: Record("stored", value)})[key]


class Tags(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        self.found.append((tag, dict(attrs)))


def tags(html: Any) -> list[tuple[str, dict[str, str | None]]]:
    return Tags(str(html)).found


def control(made: Any) -> dict[str, str | None]:
    """The attributes of the last tag of a control; of a secret's the first."""
    return tags(made())[0 if made.control == "secret" else -1][1]
