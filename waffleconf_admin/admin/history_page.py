"""The history page: who changed what, and undo."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta

from flask import Response, flash, redirect, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..forms.form import ELSEWHERE
from ..forms.guard import Guard
from ..forms.tokens import FOREIGN, explain
from ..i18n import full_date, ngettext
from ..i18n import gettext as _
from ..state.change import Change
from ..state.history import History
from ..state.state import State
from . import csrf
from .change_sets import ChangeSetBuilder, ShownChangeSet
from .ends import open_ends
from .forbidden import forbidden_page
from .history_filter import HistoryFilter
from .links import history_links, page_links
from .messages import MESSAGES, has_session, shorten_label
from .options import PageOptions
from .permissions import Permissions
from .responses import render_page
from .texts import relative_time, source_names
from .unavailable import log_unreadable
from .undo import UndoButton, already_undone, quick_obstacle
from .zone import Zone

log = logging.getLogger(__name__)

PAGE = 50  #: changes on a page


def respond(options: PageOptions, state: State) -> BaseResponse:
    """Return the response to a GET of the history, or to a POST that undoes something."""
    permissions = Permissions(options, state.app, state.settings)
    if not permissions.with_history:
        return forbidden_page(options, permissions)
    if state.history is None:
        return _render(options, 404, enabled=False, links=page_links(state, permissions))
    page = HistoryPage(options, state, state.history, permissions)
    return page.undo() if request.method == "POST" else page.show(HistoryFilter(request.args))


class HistoryPage:
    """One request of the history.

    :param options: those of the page.
    :param state: the current app's state.
    :param history: that of the state.
    :param permissions: of a user who may see some of it.
    """

    def __init__(
        self,
        options: PageOptions,
        state: State,
        history: History,
        permissions: Permissions,
    ) -> None:
        self._options = options
        self._state = state
        self._history = history
        self._settings = permissions.with_history
        self._undoable = permissions.undoable
        self._covers_all = permissions.covers_removed_settings
        self._links = page_links(state, permissions)
        self._permissions = permissions
        self._one_group = permissions.one_group

    def _render(self, status: int, **context: object) -> Response:
        frame = {"links": self._links, "side": history_links(), "one_group": self._one_group}
        return _render(self._options, status, **frame, **context)

    # Showing

    def show(
        self,
        wanted: HistoryFilter,
        *,
        problems: Iterable[str] = (),
        status: int = 200,
        refusal: str = "",
    ) -> Response:
        """Return the page.

        :param wanted: the filter.
        :param problems: why nothing was undone.
        :param refusal: what `csrf.refusal` has returned.
        """
        zone = Zone()
        try:
            keys = wanted.keys(self._settings, removed=self._covers_all)
            changes = self._history.list(**wanted.arguments(keys, zone), limit=PAGE + 1)
            single = keys is not None and len(keys) == 1
            complete = [] if single else self._complete(changes, wanted)
            latest = self._history.latest({change.key for change in [*changes, *complete]})
            actors = self._history.actors(None if self._covers_all else self._settings)
        except StoreError as error:
            log_unreadable("history", error)
            return self._render(503, enabled=True, available=False, wanted=wanted)
        obstacle = quick_obstacle(self._history)
        fields = self._options.field_table
        ends = open_ends(self._state, self._permissions)
        builder = ChangeSetBuilder(
            self._settings, self._undoable, latest, obstacle, fields, zone, ends
        )
        change_sets = builder.build(changes[:PAGE], complete)
        older = changes[PAGE - 1].id if len(changes) > PAGE else None
        if older and change_sets[-1].name == changes[PAGE].change_set:
            change_sets[-1].continues = True
        return self._render(
            status,
            enabled=True,
            available=True,
            problems=list(problems),
            wanted=wanted,
            days=_by_day(change_sets),
            older=older,
            single=single,
            setting=self._settings.get(keys[0]) if keys and single else None,
            actors=actors,
            zone=zone.name,
            week_url=wanted.url(since=_week_ago(zone).isoformat(), until=""),
            settings=self._settings.values(),
            sources=source_names(),
            guard=Guard(refusal),
            ago=relative_time,
            full_date=full_date,
        )

    def _complete(self, changes: list[Change], wanted: HistoryFilter) -> list[Change]:
        """The changes of a page, and what its first and its last save changed on other pages."""
        names = [change.change_set for change in changes]
        cut = {names[0]} if names and wanted.before is not None else set()
        cut |= set(names[PAGE - 1 : PAGE]) & set(names[PAGE:])
        whole = [change for change in changes if change.change_set not in cut]
        return whole + [change for name in cut for change in self._history.of(name)]

    # Undo

    def undo(self) -> BaseResponse:
        """Undo a save, or its change of one setting, and lead back; or show why not."""
        if not self._undoable:  # so the form need not be read
            return self._not_allowed(HistoryFilter(request.args))
        refusal = csrf.refusal()
        if refusal == FOREIGN:  # nothing of it is shown
            problems = [explain(refusal)]
            return self.show(HistoryFilter({}), problems=problems, status=400, refusal=refusal)
        wanted = HistoryFilter(request.values)
        if refusal:
            return self.show(wanted, problems=[explain(refusal)], status=422, refusal=refusal)
        button = UndoButton.parse(request.form.get("undo", ""))
        try:
            changes = self._changes_of(button)
            if not any(change.key in self._undoable for change in changes):
                return self._not_allowed(wanted)
            restored = self._restore(button, changes)
        except (ConflictError, InvalidValue, StoreError) as error:
            return self._show_failure(wanted, error)
        if has_session():
            self._flash(changes, restored)
        to_settings = request.form.get("back") == "index"
        return redirect(url_for(".index") if to_settings else wanted.url(), 303)

    def _changes_of(self, button: UndoButton) -> list[Change]:
        return [
            change
            for change in self._history.of(button.change_set)
            if (self._covers_all or change.key in self._settings) and button.key in ("", change.key)
        ]

    def _restore(self, button: UndoButton, changes: list[Change]) -> Mapping[str, object]:
        """Undo those changes that this user may undo; return the restored values by key."""
        undoable = [change for change in changes if change.key in self._undoable]
        try:
            return self._history.undo(
                button.change_set,
                keys=[change.key for change in undoable],
                seen=button.seen,
                actor=self._options.current_actor(self._state.app),
            )
        except ConflictError:
            # Perhaps a second click on the same button, and all is restored.
            restored = already_undone(self._state, self._history, undoable)
            if not restored:
                raise
            return restored

    # Messages

    def _not_allowed(self, wanted: HistoryFilter) -> Response:
        return self.show(wanted, problems=[_("You may not undo this.")], status=403)

    def _show_failure(
        self, wanted: HistoryFilter, error: ConflictError | InvalidValue | StoreError
    ) -> Response:
        if isinstance(error, ConflictError):
            return self.show(wanted, problems=self._overtaken(error), status=409)
        if isinstance(error, InvalidValue):
            return self.show(wanted, problems=self._invalid(error), status=422)
        log.error("a save can't be undone", exc_info=error)
        problems = [_("Undo does not work at the moment. Please try again soon.")]
        return self.show(wanted, problems=problems, status=503)

    def _label(self, key: str) -> str:
        setting = self._settings.get(key)
        return shorten_label(setting.label if setting else key)

    def _overtaken(self, error: ConflictError) -> Iterator[str]:
        for key in error.keys:
            yield _(
                "%(label)s was changed again since, so nothing was undone. Look at its history.",
                label=self._label(key),
            )

    def _invalid(self, error: InvalidValue) -> Iterator[str]:
        yield from () if error.errors else [str(error)]
        for key, message in error.errors.items():
            if key in self._settings:
                yield f"{self._label(key)}: {message}"
        if not error.errors.keys() <= self._settings.keys():
            yield _(ELSEWHERE)

    def _flash(self, changes: list[Change], restored: Mapping[str, object]) -> None:
        for key in list(restored)[:MESSAGES]:
            flash(_("%(label)s has its old value again.", label=self._label(key)), "success")
        if len(restored) > MESSAGES:
            more = len(restored) - MESSAGES
            flash(ngettext("%(count)s more.", "%(count)s more.", more), "success")
        left_out = [change for change in changes if change.key not in restored]
        for change in left_out[:MESSAGES]:
            flash(f"{self._label(change.key)}: {self._why_left_out(change)}", "warning")
        if len(left_out) > MESSAGES:
            more = len(left_out) - MESSAGES
            flash(ngettext("%(count)s more left out.", "%(count)s more left out.", more), "warning")

    def _why_left_out(self, change: Change) -> str:
        if change.key in self._settings and change.key not in self._undoable:
            return _("You may not change it.")
        return self._history.obstacle(change) or _("It has that value already.")


def _render(options: PageOptions, status: int, **context: object) -> Response:
    context = {"heading": _("History"), "setting": None} | context
    return render_page(options, "waffleconf/history", status, **context)


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
