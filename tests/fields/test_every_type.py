"""Each kind of setting: how people may write it, what is refused, and what it is called."""

from __future__ import annotations

import ipaddress
import pathlib
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
import wtforms
from controls import control, field, read, setting, tags
from every_type import BERLIN, CONFS, EVERY_KIND, Level, Rights, Size, Theme
from flask import Flask
from submissions import Page, sent
from werkzeug.datastructures import MultiDict

from waffleconf_admin import WaffleAdmin, fields
from waffleconf_admin.exceptions import InvalidValue
from waffleconf_admin.fields import binding
from waffleconf_admin.forms import show_text
from waffleconf_admin.settings import value_types
from waffleconf_admin.settings.equality import same
from waffleconf_admin.state.form import parse_text

PAGE = "/admin/config"
HOUR = timedelta(hours=1)
NOON = datetime(2026, 1, 31, 12, 0)


@pytest.mark.parametrize("key", EVERY_KIND)
def test_every_kind_has_a_control_that_gives_its_default_back(key: str) -> None:
    made = field(**CONFS[key])
    assert made.editable, made.reason
    fresh = field(**CONFS[key])
    raw = [value for name, value in sent(str(made())) if name == "KEY"]
    binding.take(fresh, raw)
    assert same(fresh.data, fresh.setting.default), (raw, fresh.process_errors)


@pytest.mark.parametrize(
    ("declared", "name"),
    [
        ({"default": Level.INFO}, "ChoiceField"),
        ({"default": Size.SMALL}, "ChoiceField"),
        ({"default": Rights.READ}, "FlagField"),
        ({"default": NOON}, "DateTimeField"),
        ({"default": NOON.date()}, "DateField"),
        ({"default": True}, "BooleanField"),
        ({"default": ipaddress.ip_interface("::1/64")}, "NetField"),
        ({"default": ["a"], "choices": ["a"]}, "SeveralField"),
        ({"default": Rights.READ, "choices": [Rights.READ]}, "FlagField"),
        ({"default": 1, "type": "range", "min": 0, "max": 2}, "WholeRangeField"),
        ({"default": 1.0, "type": "range", "min": 0, "max": 2}, "RangeField"),
        ({"default": "", "type": "email"}, "EmailField"),
    ],
)
def test_the_nearest_type_in_the_table_wins(declared: dict[str, Any], name: str) -> None:
    assert fields.choose(setting(**declared)).__name__ == name


@pytest.mark.parametrize(
    ("declared", "text", "value"),
    [
        ({"default": HOUR}, "1 h 30 min", timedelta(minutes=90)),
        ({"default": HOUR}, "1h30m", timedelta(minutes=90)),
        ({"default": HOUR}, "1.5 hours", timedelta(minutes=90)),
        ({"default": HOUR}, "PT1H30M", timedelta(minutes=90)),
        ({"default": HOUR}, "P1DT0.5S", timedelta(days=1, microseconds=500_000)),
        ({"default": HOUR}, "-P2W", timedelta(days=-14)),
        ({"default": HOUR}, "2 weeks, 1 day", timedelta(days=15)),
        ({"default": HOUR}, "- 10 ms", timedelta(milliseconds=-10)),
        ({"default": 1, "type": "filesize"}, "10 MB", 10_000_000),
        ({"default": 1, "type": "filesize"}, "10mib", 10 * 2**20),
        ({"default": 1, "type": "filesize"}, "1.5 GB", 1_500_000_000),
        ({"default": 1, "type": "filesize"}, "1024", 1024),
        ({"default": Decimal(1)}, " 1.10 ", Decimal("1.10")),
        ({"default": Decimal(1)}, "1e-30", Decimal("1E-30")),
        ({"default": Decimal("NaN")}, "Infinity", Decimal("Infinity")),
        ({"default": NOON}, "2026-01-31 12:00", NOON),
        ({"default": NOON}, "2026-01-31T12:00:00.000", NOON),
        ({"default": NOON.replace(tzinfo=UTC)}, "2026-01-31 12:00", NOON.replace(tzinfo=UTC)),
        ({"default": NOON.replace(tzinfo=UTC)}, "2026-01-31T13:00+01:00", NOON.replace(tzinfo=UTC)),
        (
            {"default": NOON.replace(tzinfo=BERLIN)},
            "2026-01-31 11:00Z",
            NOON.replace(tzinfo=BERLIN),
        ),
        (
            {"default": NOON.replace(tzinfo=UTC)},
            "2026-01-31 12:00 Europe/Berlin",
            NOON.replace(tzinfo=BERLIN),
        ),
        (
            {"default": NOON.replace(tzinfo=UTC)},
            "2026-10-25 02:30+01:00 Europe/Berlin",
            datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=1),
        ),
        (
            {"default": None, "type": datetime},
            "2026-01-31 12:00-05:30",
            NOON.replace(tzinfo=timezone(timedelta(hours=-5, minutes=-30))),
        ),
        ({"default": time(12)}, "23:59:59.5", time(23, 59, 59, 500_000)),
        ({"default": UUID(int=1)}, "{00000000-0000-0000-0000-00000000000a}", UUID(int=10)),
        ({"default": ["a"], "choices": list("abc")}, "c, a", ["c", "a"]),
        ({"default": ["a"], "choices": list("abc")}, "", []),
        ({"default": Rights.READ}, "READ|WRITE", Rights.READ | Rights.WRITE),
        ({"default": Theme.LIGHT}, "DARK", Theme.DARK),
        ({"default": b""}, "AAEC /w==\n", b"\0\1\2\xff"),
        ({"default": ()}, "[[1], 2]", ([1], 2)),
        ({"default": set()}, '[1, "1"]', {1, "1"}),
        ({"default": pathlib.PureWindowsPath("a")}, "C:/b", pathlib.PureWindowsPath("C:/b")),
        ({"default": BERLIN}, "Asia/Tokyo", ZoneInfo("Asia/Tokyo")),
    ],
)
def test_a_text_is_read(declared: dict[str, Any], text: str, value: Any) -> None:
    assert same(read(text, **declared), value)


@pytest.mark.parametrize(
    ("declared", "text", "message"),
    [
        ({"default": HOUR}, "90", "Write a length of time, such as 1 h 30 min."),
        ({"default": HOUR}, "P1M", "Write a length of time, such as 1 h 30 min."),
        ({"default": HOUR}, "0.0000001 s", "This is finer than a millionth of a second."),
        ({"default": HOUR}, "99999999999 d", "This length of time is too large."),
        ({"default": 1, "type": "filesize"}, "10 XB", "Write a size, such as 10 MB"),
        ({"default": 1, "type": "filesize"}, "1.2345 kB", "This is not a whole number of bytes."),
        ({"default": Decimal(1)}, "1,5", "Write a point before the decimals"),
        ({"default": Decimal(1)}, "NaN", "Write a number that has an end"),
        ({"default": date(2026, 1, 1)}, "31.1.2026", "Write a date, such as 2026-01-31."),
        ({"default": date(2026, 1, 1)}, "2026-02-30", "There is no such day."),
        ({"default": NOON}, "2026-01-31", "Write a date and time, such as 2026-01-31 18:30."),
        ({"default": NOON}, "2026-01-31 25:00", "There is no such day or time."),
        ({"default": NOON}, "2026-01-31 12:00 UTC", "Write it without a time zone."),
        ({"default": time(12)}, "2026-01-31 12:00", "Write a time of day, such as 18:30."),
        (
            {"default": NOON.replace(tzinfo=UTC)},
            "2026-01-31 12:00 Mars/Olympus",
            "There is no time zone “Mars/Olympus”: write one such as Europe/Berlin.",
        ),
        (
            {"default": NOON.replace(tzinfo=BERLIN)},
            "2026-03-29 02:30",
            "In Europe/Berlin the clocks skip this time: write another.",
        ),
        (
            {"default": NOON.replace(tzinfo=BERLIN)},
            "2026-01-31 12:00+05:00 Europe/Berlin",
            "At that time Europe/Berlin is +01:00 from UTC.",
        ),
        ({"default": UUID(int=1)}, "12", "Write a UUID, such as"),
        ({"default": pathlib.Path("/")}, "a\0", "Write a path, such as /srv/uploads."),
        (
            {"default": ipaddress.ip_address("::1")},
            "192.0.2.1",
            "Write an IPv6 address, such as 2001:db8::1.",
        ),
        (
            {"default": ipaddress.ip_network("192.0.2.0/24")},
            "192.0.2.1/24",
            "This is an address in a network, not a network",
        ),
        ({"default": b""}, "é", "Write bytes as base64"),
        ({"default": ["a"], "choices": ["a"]}, "a,z", "“z” is not one of the choices."),
        ({"default": Rights.READ}, "FLY", "“FLY” is not one of the choices."),
        ({"default": Theme.LIGHT}, "NEON", "This is not one of the choices."),
        ({"default": set()}, "[1, 1]", "Something in this is there twice: take one out."),
        ({"default": set()}, "[[1]]", "In this list there can't be lists or names with values."),
        ({"default": ()}, "{}", "Write a list, in square brackets"),
        ({"default": BERLIN}, "Mars/Olympus", "This is not one of the choices."),
    ],
)
def test_a_text_that_is_no_value_gets_a_clear_message(
    declared: dict[str, Any], text: str, message: str
) -> None:
    with pytest.raises(ValueError) as caught:
        read(text, **declared)
    assert str(caught.value).startswith(message)


NO_URL = "Write a web address with http:// or https://, such as https://example.org."


@pytest.mark.parametrize(
    ("kind", "value", "problem"),
    [
        ("email", "", None),
        ("email", "anna@localhost", None),
        ("email", "anna", "Write an e-mail address, such as anna@example.org."),
        ("email", "a@b@c", "Write an e-mail address, such as anna@example.org."),
        ("email", "a b@example.org", "Write an e-mail address, such as anna@example.org."),
        ("email", 5, "This must be an e-mail address, not int."),
        ("url", "https://example.org/ä?b#c", None),
        ("url", "HTTP://example.org", None),
        ("url", "javascript://example.org/%0aalert(1)", NO_URL),
        ("url", "ftp://example.org", NO_URL),
        ("url", "example.org", NO_URL),
        ("color", "#abc", None),
        ("color", "red", "Write a colour such as #0a5bd6."),
        ("timezone", "Europe/Berlin", None),
        ("timezone", "Mars", "Write the name of a time zone, such as Europe/Berlin."),
        ("filesize", 5, None),
        ("filesize", True, "This must be a number of bytes, not bool."),
        (date, NOON, "This must be a date, not datetime."),
        (datetime, NOON, None),
        (Decimal, 1, "This must be a number (a Decimal), not int."),
        (pathlib.PurePath, pathlib.Path("a"), None),
        (Theme, "light", "This must be of type Theme, not str."),
        (Level, 10, "This must be of type Level, not int."),
    ],
)
def test_a_declared_kind_holds_on_every_way_in(kind: Any, value: Any, problem: str | None) -> None:
    assert setting(default=None, type=kind).problem(value) == problem


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        ({"default": 5, "type": "range"}, "declare both"),
        ({"default": "anna", "type": "email"}, "Write an e-mail address"),
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
    ],
)
def test_a_mistake_in_a_declaration_is_told(declared: dict[str, Any], problem: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        setting(**declared)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("value", "declared"),
    [
        ({1: "a"}, {"default": {}}),
        ({"a": (1,)}, {"default": {}}),
        ((1, (2,)), {"default": ()}),
        ({(1, 2)}, {"default": set()}),
        (["a", "a"], {"default": [], "choices": ["a"]}),
        (time(1, fold=1), {"default": time(1)}),
        (NOON.replace(fold=1), {"default": NOON}),
        (ipaddress.ip_address("::1"), {"default": ipaddress.ip_address("192.0.2.1")}),
        (pathlib.Path("a\nb"), {"default": pathlib.Path("/")}),
        (pathlib.Path(" a"), {"default": pathlib.Path("/")}),
        (pathlib.PurePosixPath("a"), {"default": pathlib.Path("/")}),
        (b"x" * 2**21, {"default": b""}),
        (10**5000, {"default": 1, "type": "filesize"}),
        ("UTC", {"default": BERLIN}),
        (object(), {"default": 1}),
    ],
    ids=lambda case: type(case).__name__,
)
def test_what_is_not_given_back_is_read_only_with_the_reason(
    value: Any, declared: dict[str, Any]
) -> None:
    made = field(value, **declared)
    assert (made.control, made.editable) == ("static", False)
    assert made.reason.startswith("It is changed from code: ")
    assert made.shown_text == fields.describe(value)


# In HTML


@pytest.mark.parametrize(
    ("declared", "value", "wanted"),
    [
        ({"default": NOON.date(), "max": date.max}, ..., {"type": "date", "max": "9999-12-31"}),
        ({"default": NOON.date(), "max": NOON.date()}, date(2027, 1, 1), {"max": None}),
        ({"default": time(12)}, time(12, 0, 1), {"type": "time", "step": "any"}),
        ({"default": time(12)}, time(12, 0, 0, 1), {"type": "text", "value": "12:00:00.000001"}),
        ({"default": NOON}, ..., {"type": "datetime-local", "value": "2026-01-31T12:00"}),
        ({"default": Decimal("1.1"), "min": Decimal("0.1")}, ..., {"type": "text"}),
        ({"default": "", "type": "email"}, "a@b.org", {"type": "email"}),
        ({"default": "", "type": "email"}, "ä@b.org", {"type": "text", "inputmode": "email"}),
        ({"default": "", "type": "url"}, "redis://a", {"type": "text", "inputmode": "url"}),
        ({"default": "", "type": "color"}, "#abcdef", {"type": "color"}),
        ({"default": "", "type": "color"}, "#ABCDEF", {"type": "text"}),
        ({"default": "", "type": "email", "max": 50}, ..., {"maxlength": "50"}),
    ],
)  # fmt: skip
def test_a_control_is_one_that_the_browser_does_not_spoil(
    declared: dict[str, Any], value: Any, wanted: dict[str, Any]
) -> None:
    attrs = control(field(value, **declared))
    assert {name: attrs.get(name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("low", "high", "value", "step"),
    [
        (0, 10, 5, None),
        (0.0, 1.0, 0.5, "0.01"),
        (0.0, 1.0, 0.333, "0.001"),
        (0.0, 100.0, 21.0, "1"),
        (-0.5, 0.5, 0.25, "0.01"),
        (0.1, 0.7, 0.3, "0.001"),
        (1.0, 5000.0, 2.0, "1"),
        (0.0, 1.0, 0.123456789, "any"),
    ],
)
def test_a_slider_has_steps_that_reach_both_ends_and_its_value(
    low: float, high: float, value: float, step: str | None
) -> None:
    html = str(field(value, default=value, type="range", min=low, max=high)())
    attrs = dict(re.findall(r' (\w+)="([^"]*)"', html.partition("<output")[0]))
    assert (attrs["type"], attrs.get("step")) == ("range", step)


def test_the_zone_stands_beside_the_control_and_is_sent_with_it() -> None:
    made = field(default=NOON.replace(tzinfo=BERLIN), min=NOON.replace(tzinfo=UTC, month=1, day=1))
    html = str(made(**{"aria-describedby": "help"}))
    assert sent(html) == [("KEY", "2026-01-31T12:00"), ("KEY", "Europe/Berlin")]
    assert ">Europe/Berlin</span>" in html
    attrs = tags(html)[0][1]
    assert attrs["aria-describedby"] == "help waffle-KEY-zone"
    assert attrs["min"] == "2026-01-01T13:00"


@pytest.mark.parametrize(
    ("fold", "wanted"),
    [
        (0, ("datetime-local", "2026-10-25T02:30")),
        (1, ("text", "2026-10-25T02:30+01:00 Europe/Berlin")),
    ],
)
def test_of_two_times_that_the_clocks_show_the_second_has_its_offset(
    fold: int, wanted: tuple[str, str]
) -> None:
    made = field(datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold), default=None)
    assert not made.editable  # nothing says that it is a time
    made = field(default=datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN, fold=fold))
    attrs = tags(made())[0][1]
    assert (attrs["type"], attrs["value"]) == wanted


FIRST, LAST = (limit.replace(tzinfo=UTC, microsecond=0) for limit in (datetime.min, datetime.max))


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_limits_that_no_clock_of_the_zone_shows_are_not_in_the_html(zone: str) -> None:
    made = field(default=NOON.replace(tzinfo=ZoneInfo(zone)), min=FIRST, max=LAST)
    html = str(made())
    assert made.editable
    shown = {name for name in ("min", "max") if name in tags(html)[0][1]}
    assert shown == ({"min"} if zone == "Europe/Berlin" else {"max"})


@pytest.mark.parametrize("text", ["9999-12-31T23:59Z", "9999-12-31T23:59 Z"])
def test_a_time_that_no_clock_of_the_zone_shows_gets_a_clear_message(text: str) -> None:
    with pytest.raises(ValueError, match=r"There is no such day or time\."):
        read(text, default=NOON.replace(tzinfo=BERLIN))
    made = field(default=NOON.replace(tzinfo=BERLIN))
    binding.take(made, [text])
    assert made.process_errors == ["There is no such day or time."]
    assert 'type="text"' in made()


def test_a_slider_has_its_value_beside_it() -> None:
    html = str(field(default=5, type="range", min=0, max=10)())
    assert 'type="range"' in html
    assert html.endswith('<output for="waffle-KEY" class="wf-slid">5</output>')


# Several choices


def test_several_choices_keep_their_order_and_new_ones_follow() -> None:
    made = field(["c", "a"], default=[], choices=list("abcd"))
    assert [attrs["type"] for _, attrs in tags(made()) if "type" in attrs] == [
        "hidden", "checkbox", "checkbox", "checkbox", "checkbox",
    ]  # fmt: skip
    assert made.display(made.data) == "c, a"
    binding.take(made, ["", "a", "b", "c"])
    assert made.data == ["c", "a", "b"]


def test_a_choice_without_a_text_has_a_label() -> None:
    made = field(default="", choices=["", " ", "a"])
    assert [label for _, label in made.options()] == ["(blank)", "(blank)", "a"]


def test_what_is_no_choice_any_more_is_kept_or_unticked() -> None:
    made = field(["a", "old"], default=["a"], choices=["a", "b"])
    assert [button.label.text for button in made] == ["a", "b", "old (no longer a choice)"]
    assert [button.checked for button in made] == [True, False, True]
    binding.take(made, ["", "a", "b", "old"])
    assert made.process_errors == ["“old” is not one of the choices."]
    binding.take(made, ["", "a", "b"])
    assert made.data == ["a", "b"]


def test_choices_are_asked_at_each_request(make_app: Callable[..., Flask]) -> None:
    choices = ["a", "b"]
    app = make_app({"KEY": {"default": "a", "choices": lambda: list(choices)}})
    page = Page(app)
    choices[:] = ["b", "c"]
    assert page.send(KEY="a").errors == {}  # untouched: kept, though it is none any more
    assert [text for text, _ in Page(app).form["KEY"].options()] == ["b", "c", "a"]
    assert page.send(KEY="c").changes == {"KEY": "c"}
    choices[:] = ["b"]
    assert Page(app).send(KEY="a").errors == {"KEY": ["This is not one of the choices."]}
    assert app.extensions["waffleconf"].parse_conf() == {"KEY": "c"}


# Other ways in


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and other.cents == self.cents

    __hash__ = object.__hash__


class MoneyField(fields.SettingField):
    widget = wtforms.widgets.TextInput()

    def show(self, value: Money) -> str:
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


@pytest.mark.parametrize("name", ["email", "url", "color", "range", "filesize", "timezone", "int"])
def test_a_kind_has_a_noun_and_a_field(name: str) -> None:
    assert value_types.noun(value_types.TYPES[name])[0].islower()
    assert value_types.TYPES[name] in fields.FIELDS


def test_an_enum_that_is_declared_may_be_stored(make_app: Callable[..., Flask]) -> None:
    app = make_app({"THEME": {"default": None, "type": Theme}})
    state = app.extensions["waffleconf"]
    state.update_db({"THEME": parse_text(state, "THEME", "DARK")})
    assert state.parse_conf() == {"THEME": Theme.DARK}
    assert show_text(state.settings["THEME"], Theme.DARK) == "DARK"


# A deployment between page and submission


def changed_kinds() -> list[tuple[str, dict[str, Any]]]:
    return [
        (key, {**declared, "secret": False})
        for key, declared in CONFS.items()
        if key
        in ("BOOL", "INT", "STR", "CHOICE_FEW", "SEVERAL_LIST", "DATETIME_UTC", "LIST", "BYTES")
    ]


@pytest.mark.parametrize(("old_key", "old"), changed_kinds())
@pytest.mark.parametrize(("new_key", "new"), changed_kinds())
def test_a_changed_kind_makes_no_change_of_what_nobody_touched(
    make_app: Callable[..., Flask], old_key: str, old: Any, new_key: str, new: Any
) -> None:
    app = make_app({"KEY": old, "NAME": {"default": "x"}}, WAFFLE_STORE_DEFAULTS=False)
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"KEY": new, "NAME": {"default": "x"}}
    form = page.send(NAME="y")
    assert (form.errors, form.changes) == ({}, {"NAME": "y"})


def test_a_change_of_a_changed_kind_is_saved_or_shown_never_guessed(
    make_app: Callable[..., Flask],
) -> None:
    app = make_app({"KEY": {"default": 10}}, WAFFLE_STORE_DEFAULTS=False)
    page = Page(app)
    app.config["WAFFLE_CONFS"] = {"KEY": {"default": timedelta(seconds=10)}}
    assert list(page.send(KEY="20").errors) == ["KEY"]
    page.send(KEY="20 s")
    assert app.extensions["waffleconf"].parse_conf() == {"KEY": timedelta(seconds=20)}


# Size


def test_5000_settings_open_and_save_at_flasks_limits(make_app: Callable[..., Flask]) -> None:
    app = make_app({f"KEY_{number}": {"default": f"value {number}"} for number in range(5000)})
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    data = MultiDict(sent(client.get(PAGE).text))
    assert len(data) > 5000
    data["KEY_4999"] = "new"
    assert client.post(PAGE, data=data).status_code == 303
    values = app.extensions["waffleconf"].parse_conf()
    assert [key for key in values if not values[key].startswith("value")] == ["KEY_4999"]
