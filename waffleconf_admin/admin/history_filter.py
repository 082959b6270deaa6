"""History filter: which changes the address of the history asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypedDict

from flask import url_for


class ListArguments(TypedDict):
    """Arguments of `History.list`."""

    key: list[str] | None
    actor: str | None
    source: str | None
    since: datetime | None
    until: datetime | None
    before: int | None


class HistoryFilter:
    """What was asked for with ``?key=``, ``?actor=``, ``?source=``, ``?day=`` and ``?before=``.

    :param query: the parameters of the address; of an undo, what its form has sent.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.key = query.get("key", "")
        self.actor = query.get("actor", "").strip()
        self.source = query.get("source", "")
        self.day = _day(query.get("day", ""))
        self.is_invalid = bool(query.get("day")) and self.day is None  #: nothing matches it
        self.before = number(query.get("before", ""))  #: the id of the last change of another page

    def __bool__(self) -> bool:
        """Whether anything but a page is asked for."""
        return bool(self.key or self.actor or self.source or self.day or self.is_invalid)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address, but for the page."""
        day = self.day.isoformat() if self.day else ""
        query = {"key": self.key, "actor": self.actor, "source": self.source, "day": day}
        return {name: text for name, text in query.items() if text}

    def arguments(self, keys: list[str] | None) -> ListArguments:
        """Return the arguments for `History.list`.

        :param keys: the settings to list; None: all there ever were.
        """
        start = datetime.combine(self.day, datetime.min.time(), UTC) if self.day else None
        return {
            "key": keys,
            "actor": self.actor or None,
            "source": self.source or None,
            "since": start,
            "until": start + timedelta(days=1) if start else None,
            "before": self.before,
        }

    def url(self, **changes: str | int) -> str:
        """Return the address of the history with this filter, but for some changes."""
        query = {**self.query, **changes}
        given: dict[str, Any] = {name: value for name, value in query.items() if value}
        return url_for(".history", **given)


def number(text: str) -> int | None:
    """Return an id; None for a text that can't be one."""
    # The largest number that every database takes.
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None
