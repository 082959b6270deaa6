"""Time zones on a machine that has no data of them."""

from __future__ import annotations

import logging
import sys
import zoneinfo
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from controls import read
from flask import Flask
from pages import sent, state_of, stored

from waffleconf_admin import InvalidValue, WaffleAdmin, time_zones
from waffleconf_admin.codec import makers
from waffleconf_admin.state.form import parse_text

MakeApp = Callable[..., Flask]

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
CONFS: dict[str, Any] = {
    "SITENAME": {"default": "Waffle"},
    "HOME": {"default": "Europe/Berlin", "type": "timezone"},
    "AWAY": {"default": "UTC", "type": "timezone"},
    "ZONE": {"default": None, "type": ZoneInfo},
    "AT": {"default": NOON},
    "WHENEVER": {"default": None, "type": datetime},
}


#: A zone that no other test has; `same` goes by identity, so the others stay in the cache.
CHATHAM = "Pacific/Chatham"


def forget() -> None:
    ZoneInfo.clear_cache(only_keys=["UTC", CHATHAM])
    time_zones._installed_zones.cache_clear()
    time_zones._report_missing_zones.cache_clear()
    makers._known_zone.cache_clear()


@pytest.fixture
def lose_zones(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A function that takes the machine's data away."""

    def lose() -> None:
        monkeypatch.setitem(sys.modules, "tzdata", None)
        zoneinfo.reset_tzpath(to=[])
        forget()

    yield lose
    monkeypatch.undo()
    zoneinfo.reset_tzpath()
    forget()


@pytest.fixture
def no_zones(lose_zones: Callable[[], None]) -> None:
    lose_zones()
    assert not zoneinfo.available_timezones()


def test_the_app_starts_and_the_log_says_once_what_is_missing(
    make_app: MakeApp, no_zones: None, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app({**CONFS, "OTHER": CONFS["HOME"]}, history=True, WTF_CSRF_ENABLED=True)
    app.register_blueprint(WaffleAdmin())
    client = app.test_client()
    form = sent(client.get("/admin/config").text, SITENAME="Crêperie", AT="2026-02-01T13:00")
    assert (form["HOME"], form["AWAY"]) == ("Europe/Berlin", "UTC")
    assert client.post("/admin/config", data=form | {"HOME": "UTC"}).status_code == 303
    assert client.get("/admin/config/history").status_code == 200
    now = stored(app)
    assert (now["SITENAME"], now["HOME"]) == ("Crêperie", "UTC")
    errors = [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]
    assert len(errors) == 1 and "install tzdata" in errors[0]


@pytest.mark.parametrize("name", ["Europe/Berlin", "Europe/Nowhere", "UTC"])
def test_a_name_that_cannot_be_looked_up_is_taken(
    make_app: MakeApp, no_zones: None, name: str
) -> None:
    state = state_of(make_app(CONFS))
    assert state.update_db({"HOME": name}).keys() <= {"HOME"}
    assert stored(state.app)["HOME"] == name
    assert parse_text(state, "AWAY", name) == name


@pytest.mark.parametrize("name", ["in Berlin", "Europe/", "../etc/passwd"])
def test_what_is_no_name_is_refused_all_the_same(
    make_app: MakeApp, no_zones: None, name: str
) -> None:
    state = state_of(make_app(CONFS))
    with pytest.raises(InvalidValue, match="Enter the name of a time zone"):
        state.update_db({"HOME": name})
    with pytest.raises(InvalidValue):
        parse_text(state, "AWAY", name)
    with pytest.raises(InvalidValue, match="Enter the name of a time zone"):
        make_app({"HOME": {"default": name, "type": "timezone"}})


@pytest.mark.parametrize(
    ("declared", "text"),
    [
        ({"default": None, "type": ZoneInfo}, "UTC"),
        ({"default": None, "type": ZoneInfo}, CHATHAM),
        ({"default": None, "type": datetime}, f"2026-01-31 12:00 {CHATHAM}"),
    ],
)
def test_what_needs_the_data_says_what_to_install(
    no_zones: None, declared: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match="install tzdata"):
        read(text, **declared)


@pytest.mark.parametrize("text", ["2026-01-31 12:00 UTC", "2026-01-31T12:00Z"])
def test_utc_needs_none(no_zones: None, text: str) -> None:
    assert read(text, default=None, type=datetime) == NOON


@pytest.mark.parametrize(
    ("key", "made"), [("ZONE", lambda zone: zone), ("WHENEVER", NOON.astimezone)]
)
def test_a_stored_zone_that_cannot_be_loaded_costs_its_own_setting_and_says_why(
    make_app: MakeApp,
    lose_zones: Callable[[], None],
    caplog: pytest.LogCaptureFixture,
    key: str,
    made: Callable[[ZoneInfo], Any],
) -> None:
    value = made(ZoneInfo.no_cache(CHATHAM))
    state_of(make_app(CONFS)).update_db({key: value, "SITENAME": "Crêperie", "HOME": "Asia/Tokyo"})
    lose_zones()
    app = make_app(CONFS)
    assert state_of(app).update_conf()
    assert (app.config[key], app.config["SITENAME"]) == (None, "Crêperie")
    assert app.config["HOME"] == "Asia/Tokyo"
    lines = [r.getMessage() for r in caplog.records if key in r.getMessage()]
    assert lines and "install tzdata" in lines[0] and "Chatham" not in lines[0]
    assert state_of(app).read([key])[key].text  # the row stays


def test_data_that_is_installed_later_is_found(
    lose_zones: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_zones()
    assert time_zones.time_zones() == ("UTC",)
    monkeypatch.delitem(sys.modules, "tzdata")
    zoneinfo.reset_tzpath()
    assert CHATHAM in time_zones.time_zones()
