"""Compare page: the settings at two times, and the way back to the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from flask import Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import ConflictError, WaffleError
from ..forms.guard import Guard, field_name
from ..forms.tokens import explain
from ..i18n import gettext as _
from ..state.as_of import read_as_of
from ..state.form import build_form
from ..state.state import State
from ..state.task import Origin
from .compared_times import ComparedTimes
from .comparison import ComparedSetting, Comparison, Restore
from .history_page import HistoryPage
from .links import history_links, page_links
from .options import PageOptions
from .page import Page
from .past_values import PastValues
from .problems import why_not_saved
from .review import reviewed_changes
from .submission import ACTION, note_of, ticked
from .times import Zone


class ComparePage(Page):
    """One request of the comparison."""

    _subject = "history"

    def __init__(self, options: PageOptions, state: State) -> None:
        super().__init__(options, state)
        self._zone = Zone()
        self._times = ComparedTimes(request.args, self._zone)
        self._note: str | None = None  #: why settings are restored
        self._boxes: Mapping[str, str] | None = None  #: the version of each ticked setting, by key

    def respond(self) -> BaseResponse:
        """Return the response; without a history that of its page."""
        if self._state.history is None:
            return HistoryPage(self._options, self._state).respond()
        return super().respond()

    def _may_open(self) -> bool:
        return bool(self._permissions.with_history)

    def _get(self) -> Response:
        return self._show(self._compare())

    def _refused_unread(self) -> tuple[str, int] | None:
        if self._permissions.undoable:
            return None
        return _("You may see these settings, but not change them."), 403

    def _refuse(self, problem: str, status: int) -> Response:
        return self._show(self._compare(), [problem], status)

    def _take(self, form: MultiDict[str, str]) -> BaseResponse:
        """Review the restore of what is ticked, or save it."""
        self._note, self._boxes = note_of(form), ticked(form)
        comparison = self._compare()
        if self._refusal:
            return self._show(comparison, [explain(self._refusal)], 422)
        if form.get(ACTION) == "edit" or comparison is None:
            return self._show(comparison)
        restore = Restore(comparison, self._boxes)
        if not (restore.rows or restore.in_force or restore.overtaken):
            return self._show(comparison, [_("Nothing is ticked, so nothing was saved.")], 422)
        try:
            return self._restore(restore, form)
        except WaffleError as error:
            if isinstance(error, ConflictError):
                self._untick(error.keys)
                comparison = self._compare()
            found = why_not_saved(error, self._state.settings, self._permissions.viewable)
            return self._show(comparison, *found)

    def _compare(self) -> Comparison | None:
        """Read both times; None if the address does not name them."""
        times = self._times
        if times.since is None or times.problem:
            return None
        state = self._state
        read = partial(read_as_of, self._history, state.settings, state.read())
        second = read(times.until) if times.until else None
        values = PastValues(self._options.field_table)
        return Comparison(read(times.since), second, self._permissions, values)

    def _show(
        self, comparison: Comparison | None, problems: Iterable[str] = (), status: int = 200
    ) -> Response:
        """The page.

        :param problems: why nothing was restored.
        """
        return self._render(
            "waffleconf/compare",
            status,
            times=self._times,
            zone=self._zone,
            comparison=comparison,
            is_ticked=self._is_ticked,
            problems=list(problems),
            note=self._note or "",
            guard=Guard(self._refusal),
            heading=_("History"),
            links=page_links(self._state.history, self._permissions),
            side=history_links(),
        )

    def _is_ticked(self, row: ComparedSetting) -> bool:
        """Whether a setting is to be restored; before somebody has decided, each that can be."""
        return self._boxes is None or row.setting.key in self._boxes

    # Restoring

    def _restore(self, restore: Restore, form: MultiDict[str, str]) -> BaseResponse:
        """Review or save what is ticked, all or nothing.

        :raises ConflictError: some of it was saved since it was ticked.
        :raises InvalidValue: a rule does not allow it.
        :raises StoreError: the database can't be written.
        """
        if restore.overtaken:
            raise ConflictError(restore.overtaken)
        settings = build_form(
            self._state,
            keys=[*restore.wanted, *restore.in_force],
            records=restore.records,
            fields=self._options.fields,
            formdata=None,
            guard=Guard(),
        )
        self._state.check(restore.wanted)
        if form.get(ACTION) == "confirm":
            origin = Origin(self._actor(), self._note, "restore")
            saved = self._state.save(restore.wanted, restore.expected, origin)
            return self._lead_to_settings(settings, saved, restore.in_force)
        return self._show_review(
            reviewed_changes(settings, restore.new_values),
            [(field_name(), form.get(field_name(), "")), *restore.boxes],
            self._note,
            back=_("Back"),
        )

    def _untick(self, keys: Iterable[str]) -> None:
        """Take settings out of those that are ticked."""
        self._boxes = {key: box for key, box in (self._boxes or {}).items() if key not in keys}
