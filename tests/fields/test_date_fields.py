"""Dates and times with time zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from controls import field, read, tags
from every_type import BERLIN
from submissions import sent

from waffleconf_admin.fields.binding import process_values

NOON = datetime(2026, 1, 31, 12, 0)


def test_the_zone_stands_beside_the_control_and_is_sent_with_it() -> None:
    made = field(default=NOON.replace(tzinfo=BERLIN), min=NOON.replace(tzinfo=UTC, month=1, day=1))
    html = str(made(**{"aria-describedby": "help"}))
    assert sent(html) == [("KEY", "2026-01-31T12:00"), ("KEY", "Europe/Berlin")]
    assert made.sent_values(made.text) == ["2026-01-31T12:00", "Europe/Berlin"]
    assert ">Europe/Berlin</span>" in html
    attrs = tags(html)[0][1]
    assert attrs["aria-describedby"] == "help waffle-KEY-zone"
    assert attrs["min"] == "2026-01-01T13:00"


@pytest.mark.parametrize(
    ("fold", "wanted"),
    [
        (0, ("text", "2026-10-25T02:30+02:00 Europe/Berlin")),
        (1, ("text", "2026-10-25T02:30+01:00 Europe/Berlin")),
    ],
)
def test_a_time_that_comes_twice_has_its_offset(fold: int, wanted: tuple[str, str]) -> None:
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
    process_values(made, [text])
    assert made.process_errors == ["There is no such day or time."]
    assert 'type="text"' in made()
