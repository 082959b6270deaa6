"""The history page: who changed what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from flask import Response, request
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import StoreError
from ..forms.guard import Guard
from ..i18n import full_date
from ..i18n import gettext as _
from ..state.change import Change
from ..state.state import State
from .change_sets import ChangeSetBuilder, ShownChangeSet
from .history_filter import HistoryFilter
from .links import history_links, page_links
from .options import PageOptions
from .page import Page
from .problems import log_unreadable
from .texts import source_names
from .times import Zone, relative_time

PAGE = 50  #: changes on a page


class HistoryPage(Page):
    """One request of the history."""

    _subject = "history"

    def __init__(self, options: PageOptions, state: State) -> None:
        super().__init__(options, state)
        self._settings = self._permissions.with_history
        self._covers_all = self._permissions.covers_removed_settings

    def respond(self) -> BaseResponse:
        """Return the response, where this user may see some of the history."""
        if self._settings and self._state.history is None:
            return self._render_history(404, enabled=False)
        return super().respond()

    def _may_open(self) -> bool:
        return bool(self._settings)

    def _get(self) -> Response:
        return self._show(HistoryFilter(request.args))

    def _show(
        self, wanted: HistoryFilter, problems: Iterable[str] = (), status: int = 200
    ) -> Response:
        """The page.

        :param wanted: the filter.
        :param problems: why nothing was undone.
        """
        zone = Zone()
        try:
            found = self._find(wanted, zone)
        except StoreError as error:
            log_unreadable("history", error)
            return self._render_history(503, enabled=True, available=False, wanted=wanted)
        return self._render_history(
            status,
            enabled=True,
            available=True,
            problems=list(problems),
            wanted=wanted,
            **found,
            zone=zone.name,
            week_url=wanted.url(since=_week_ago(zone).isoformat(), until=""),
            settings=self._settings.values(),
            sources=source_names(),
            guard=Guard(self._refusal),
            ago=relative_time,
            full_date=full_date,
        )

    def _render_history(self, status: int, **context: object) -> Response:
        links = page_links(self._state.history, self._permissions)
        side = history_links() if self._state.history else ()
        frame = {"heading": _("History"), "links": links, "side": side, "setting": None}
        return self._render("waffleconf/history", status, **frame | context)

    def _find(self, wanted: HistoryFilter, zone: Zone) -> dict[str, object]:
        """Read the changes; return what the template knows of them.

        :raises StoreError: the database can't be read.
        """
        keys = wanted.keys(self._settings, removed=self._covers_all)
        changes = wanted.find(self._history, keys, zone, PAGE + 1)
        single = keys is not None and len(keys) == 1
        complete = [] if single else self._complete(changes, wanted)
        builder = ChangeSetBuilder(
            self._history,
            self._permissions,
            self._history.latest({change.key for change in [*changes, *complete]}),
            self._options.field_table,
            zone,
            self._state.ends.open,
        )
        change_sets = builder.build(changes[:PAGE], complete)
        older = changes[PAGE - 1].id if len(changes) > PAGE else None
        if older and change_sets[-1].name == changes[PAGE].change_set:
            change_sets[-1].continues = True
        return {
            "days": _by_day(change_sets),
            "older": older,  # the id of the last change; None: there are no older ones
            "single": single,
            "setting": self._settings.get(keys[0]) if keys and single else None,
            "actors": self._history.actors(None if self._covers_all else self._settings),
        }

    def _complete(self, changes: list[Change], wanted: HistoryFilter) -> list[Change]:
        """The changes of a page, and what its first and its last save changed on other pages."""
        names = [change.change_set for change in changes]
        cut = {names[0]} if names and wanted.before is not None else set()
        cut |= set(names[PAGE - 1 : PAGE]) & set(names[PAGE:])
        whole = [change for change in changes if change.change_set not in cut]
        return whole + [change for name in cut for change in self._history.of(name)]


def _week_ago(zone: Zone) -> date:
    """Return the first of the last seven days."""
    return zone.local(datetime.now(UTC)).date() - timedelta(days=6)


def _by_day(change_sets: list[ShownChangeSet]) -> list[tuple[date, list[ShownChangeSet]]]:
    days: list[tuple[date, list[ShownChangeSet]]] = []
    for change_set in change_sets:
        day = change_set.at.date()
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(change_set)
    return days
