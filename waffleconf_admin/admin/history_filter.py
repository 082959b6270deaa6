"""History filter: which changes the address of the history asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import url_for

from ..settings.setting import Setting
from ..state.change import Change
from ..state.history import History
from .times import Zone


class HistoryFilter:
    """What was asked for with ``?key=``, ``?actor=``, ``?source=``, ``?since=``, ``?until=`` and
    ``?before=``.

    :param query: the parameters of the address; of an undo, what its form has sent.
    """

    def __init__(self, query: Mapping[str, str]) -> None:
        self.key = query.get("key", "").strip()  #: a key, or a part of a key or a label
        self.actor = query.get("actor", "").strip()  #: a part of a name
        self.source = query.get("source", "")
        days = [query.get(name, "") for name in ("since", "until")]
        self.since, self.until = map(_day, days)  #: the first day and the last
        #: Whether nothing can match.
        self.is_invalid = any(text and _day(text) is None for text in days)
        self.before = number(query.get("before", ""))  #: the id of the last change of another page

    def __bool__(self) -> bool:
        """Whether anything but a page is asked for."""
        return bool(self.query) or self.is_invalid

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address, but for the page."""
        query = {
            "key": self.key,
            "actor": self.actor,
            "source": self.source,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {name: text for name, text in query.items() if text}

    def keys(self, settings: Mapping[str, Setting], *, removed: bool) -> list[str] | None:
        """Return the keys of the settings to list; None: all there ever were.

        :param settings: those whose history the user may see.
        :param removed: whether those that are no longer declared may be listed too.
        """
        if self.is_invalid:
            return []
        if not self.key:
            return None if removed else list(settings)
        if self.key in settings:
            return [self.key]
        part = self.key.casefold()
        texts = {key: (key.casefold(), str(s.label).casefold()) for key, s in settings.items()}
        found = [key for key, names in texts.items() if part in names]
        found = found or [key for key, names in texts.items() if any(part in n for n in names)]
        return found or ([self.key] if removed else [])

    def find(self, history: History, keys: list[str] | None, zone: Zone, most: int) -> list[Change]:
        """Return the changes that are asked for, the last one first.

        :param keys: the settings to list; None: all there ever were.
        :param zone: whose days are meant.
        :param most: how many to return.
        :raises StoreError: the database can't be read.
        """
        return history.list(
            keys,
            actor_part=self.actor or None,
            source=self.source or None,
            since=zone.start_of(self.since) if self.since else None,
            until=zone.start_of(self.until + timedelta(days=1)) if self.until else None,
            before=self.before,
            limit=most,
        )

    def url(self, **changes: str | int) -> str:
        """Return the address of the history with this filter, but for some changes."""
        query = {**self.query, **changes}
        # Any: among the keywords of url_for are options of other types.
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
