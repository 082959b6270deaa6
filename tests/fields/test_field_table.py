"""The table from type to field, and declared types."""

from __future__ import annotations

import ipaddress
import pathlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import wtforms
from controls import field, setting
from every_type import CONFS, EVERY_TYPE, Level, Rights, Size, Theme
from flask import Flask
from submissions import sent
from wtforms.fields.core import Flags, Label
from wtforms.meta import DefaultMeta

from waffleconf_admin import WaffleAdmin, fields
from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.fields.binding import process_values
from waffleconf_admin.forms import show_text
from waffleconf_admin.settings import value_types
from waffleconf_admin.settings.equality import same
from waffleconf_admin.state.form import parse_text

PAGE = "/admin/config"
HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, 0)


@pytest.mark.parametrize("key", EVERY_TYPE)
def test_every_type_has_a_control_that_sends_its_default_back(key: str) -> None:
    made = field(**CONFS[key])
    assert made.editable, made.reason
    fresh = field(**CONFS[key])
    raw = [value for name, value in sent(str(made())) if name == "KEY"]
    process_values(fresh, raw)
    assert same(fresh.data, fresh.setting.default), (raw, fresh.process_errors)


@pytest.mark.parametrize("key", ["BOOL", "INT", "STR", "CHOICE_FEW", "DATETIME", "LIST"])
def test_a_field_has_the_attributes_that_wtforms_would_give_it(key: str) -> None:
    source = fields.choose_source(setting(**CONFS[key]))
    given = {"label": "Name", "description": "Help", "name": "KEY", "id": "a", "_prefix": ""}
    given |= {"_form": None, "_meta": DefaultMeta(), "_translations": None}
    made, by_wtforms = source(**given), source(**given, filters=())  # WTForms' own constructor
    for name in {*vars(by_wtforms), "flags"} - {"_flags"}:
        value, wanted = getattr(made, name), getattr(by_wtforms, name)
        if isinstance(wanted, (Flags, Label)):
            value, wanted = vars(value), vars(wanted)
        assert value == wanted, name


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ({"default": Level.INFO}, "ChoiceField"),
        ({"default": Size.SMALL}, "ChoiceField"),
        ({"default": Rights.READ}, "FlagField"),
        ({"default": NOON}, "DateTimeField"),
        ({"default": NOON.date()}, "DateField"),
        ({"default": True}, "BooleanField"),
        ({"default": ipaddress.ip_interface("::1/64")}, "IPAddressField"),
        ({"default": ["a"], "choices": ["a"]}, "MultipleChoiceField"),
        ({"default": Rights.READ, "choices": [Rights.READ]}, "FlagField"),
        ({"default": 1, "type": "range", "min": 0, "max": 2}, "WholeRangeField"),
        ({"default": 1.0, "type": "range", "min": 0, "max": 2}, "RangeField"),
        ({"default": "", "type": "email"}, "EmailField"),
    ],
)
def test_the_nearest_type_in_the_table_wins(declared: dict[str, Any], name: str) -> None:
    assert fields.choose_source(setting(**declared)).__name__ == name


class Cents(int):
    pass


def test_what_inherits_finds_the_field_of_its_base() -> None:
    assert fields.choose_source(setting(default=Cents(5))) is fields.IntegerField
    assert fields.choose_source(setting(default=True)) is fields.BooleanField
    assert fields.choose_source(setting(default=None, type=bool)) is fields.OptionalBooleanField


@pytest.mark.parametrize("name", ["email", "url", "color", "range", "filesize", "timezone", "int"])
def test_a_named_type_has_a_noun_and_a_field(name: str) -> None:
    assert value_types.noun(value_types.TYPES[name])[0].islower()
    assert value_types.TYPES[name] in fields.FIELDS


NO_URL = "Enter a web address with http:// or https://, such as https://example.org."


@pytest.mark.parametrize(
    ("declared", "value", "problem"),
    [
        ("email", "", None),
        ("email", "anna@localhost", None),
        ("email", "anna", "Enter an e-mail address, such as anna@example.org."),
        ("email", "a@b@c", "Enter an e-mail address, such as anna@example.org."),
        ("email", "a b@example.org", "Enter an e-mail address, such as anna@example.org."),
        ("email", 5, "This must be an e-mail address, not int."),
        ("url", "https://example.org/ä?b#c", None),
        ("url", "HTTP://example.org", None),
        ("url", "javascript://example.org/%0aalert(1)", NO_URL),
        ("url", "ftp://example.org", NO_URL),
        ("url", "example.org", NO_URL),
        ("color", "#abc", None),
        ("color", "red", "Enter a colour such as #0a5bd6."),
        ("timezone", "Europe/Berlin", None),
        ("timezone", "Mars", "Enter the name of a time zone, such as Europe/Berlin."),
        ("filesize", 5, None),
        ("filesize", -5, "At least 0 B."),
        ("filesize", True, "This must be a number of bytes, not bool."),
        (date, NOON, "This must be a date, not datetime."),
        (datetime, NOON, None),
        (Decimal, 1, "This must be a number (a Decimal), not int."),
        (pathlib.PurePath, pathlib.Path("a"), None),
        (Theme, "light", "This must be of type Theme, not str."),
        (Level, 10, "This must be of type Level, not int."),
    ],
)
def test_a_declared_type_holds_on_every_way_in(
    declared: Any, value: Any, problem: str | None
) -> None:
    assert setting(default=None, type=declared).problem(value) == problem


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({"default": 5, "type": "range"}, "declare both"),
        ({"default": "anna", "type": "email"}, "Enter an e-mail address"),
        ({"default": 5, "type": "url"}, "a web address"),
        ({"default": Theme.LIGHT, "max": 5}, "take them out"),
        ({"default": NOON, "min": date(2026, 1, 1)}, "a date and time, like its default"),
        ({"default": NOON, "max": NOON.replace(tzinfo=UTC)}, "like its default"),
        ({"default": HOUR, "min": 5}, "a length of time, like its default"),
        ({"default": HOUR, "max": HOUR / 2}, "at most 30 min"),
        ({"default": 2000, "type": "filesize", "max": 1000}, "at most 1 kb"),
        ({"default": Decimal("sNaN"), "min": 1}, "like its default"),
        ({"default": b"abc", "max": 2}, "at most 2 bytes"),
        ({"default": 1, "type": "mail"}, "'email'"),
        ({"default": "x", "unit": "seconds"}, "unit: it stands beside a number"),
        ({"default": 1, "type": "filesize", "unit": "MB"}, "unit: it stands beside a number"),
        ({"default": 1, "unit": 5}, "unit: write a text"),
    ],
)
def test_a_mistake_in_a_declaration_is_named(declared: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        setting(**declared)
    assert problem in str(caught.value)


def test_an_enum_that_is_declared_may_be_stored(make_app: Callable[..., Flask]) -> None:
    app = make_app({"THEME": {"default": None, "type": Theme}})
    state = app.extensions["waffleconf"]
    state.update_db({"THEME": parse_text(state, "THEME", "DARK")})
    assert state.parse_conf() == {"THEME": Theme.DARK}
    assert show_text(state.settings["THEME"], Theme.DARK) == "DARK"


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    __hash__ = object.__hash__


class MoneyField(fields.SettingField):
    widget = wtforms.widgets.TextInput()

    def format(self, value: Money) -> str:
        return f"{value.cents / 100:.2f}"

    def parse(self, text: str) -> Money:
        return Money(round(float(text) * 100))


def test_the_command_line_uses_the_fields_of_the_page(make_app: Callable[..., Flask]) -> None:
    app = make_app({"PRICE": {"default": Money(990)}})
    app.register_blueprint(WaffleAdmin(fields={Money: MoneyField}))
    result = app.test_cli_runner().invoke(args=["waffle", "set", "PRICE", "12.50"])
    assert result.exit_code == 0, result.output
    assert app.extensions["waffleconf"].parse_conf()["PRICE"] == Money(1250)
    assert 'value="12.50"' in app.test_client().get(PAGE).text
    assert app.test_cli_runner().invoke(args=["waffle", "get", "PRICE"]).output == "12.50\n"
