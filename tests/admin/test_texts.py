"""Texts of the pages: limits and relative times."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pages import URL, MakeApp

from waffleconf_admin import WaffleAdmin
from waffleconf_admin.admin.times import relative_time, time_until


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ({"default": 5, "min": 1}, "whole number, at least 1"),
        ({"default": 5.5, "max": 9.0}, "at most 9"),
        ({"default": 0.5, "min": 0.0, "max": 100.5}, "0 to 100.5"),
        ({"default": 5.5, "unit": "seconds"}, "seconds"),
        ({"default": 5.5, "min": 0.5, "unit": "<s>"}, "&lt;s&gt;, at least 0.5"),
        ({"default": "a", "max": 9}, "at most 9 characters"),
        ({"default": ["a"], "min": 1, "max": 2}, "1 to 2 items"),
    ],
)
def test_limits_of_each_type(make_app: MakeApp, conf: dict[str, Any], words: str) -> None:
    app = make_app({"KEY": conf})
    app.register_blueprint(WaffleAdmin())
    assert f">{words}</p>" in app.test_client().get(URL).text


@pytest.mark.parametrize(
    ("back", "text"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(minutes=-2), "2026-03-01"),  # a clock that is ahead
        (timedelta(days=-2), "2026-03-03"),
        (timedelta(seconds=59), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(minutes=59), "59 minutes ago"),
        (timedelta(hours=1), "1 hour ago"),
        (timedelta(hours=23), "23 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=40), "2026-01-20"),
    ],
)
def test_relative_times(back: timedelta, text: str) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert relative_time(now - back, now) == text


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(seconds=-5), "in 1 minute"),  # it goes back any time now
        (timedelta(minutes=9, seconds=59), "in 10 minutes"),
        (timedelta(hours=1), "in 60 minutes"),
        (timedelta(hours=2, minutes=20), "in 2 hours"),
        (timedelta(days=2), "in 2 days"),
    ],
)
def test_times_to_come(left: timedelta, text: str) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert time_until(now + left, now) == text
