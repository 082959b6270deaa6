"""Compare page: the settings at two times, and the way back to the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..forms import SettingsForm
from ..forms.guard import Guard, field_name
from ..forms.tokens import FOREIGN, can_be_renewed, explain
from ..i18n import gettext as _
from ..state.form import build_form
from ..state.state import State
from ..state.task import Origin
from . import csrf
from .compared_times import ComparedTimes
from .comparison import ComparedSetting, Comparison
from .fetch import is_fetch, renew_token
from .forbidden import forbidden_page
from .links import history_links, page_links
from .options import PageOptions
from .page import Page
from .past_values import PastValues
from .problems import not_allowed, saved_meanwhile
from .restore import Restore
from .review import review_page, reviewed_changes
from .saving import explain_failure
from .submission import ACTION, note_of, posted_form, ticked
from .zone import Zone


class ComparePage(Page):
    """One request of the comparison."""

    def __init__(self, options: PageOptions, state: State) -> None:
        super().__init__(options, state)
        self._zone = Zone()
        self._times = ComparedTimes(request.args, self._zone)
        self._refusal = ""  #: what `csrf.refusal` has returned
        self._note: str | None = None  #: why settings are restored
        self._boxes: Mapping[str, str] | None = None  #: the version of each ticked setting, by key

    def respond(self) -> BaseResponse:
        """Return the response to a GET, or to a POST that restores settings."""
        if not self._permissions.with_history or self._state.history is None:
            return forbidden_page(self._options, self._permissions)
        try:
            return self._post() if request.method == "POST" else self._show(self._compare())
        except StoreError as error:
            return self._unavailable("history", error)

    def _post(self) -> BaseResponse:
        """Review the restore of what is ticked, or save it."""
        if not self._permissions.undoable:  # so the form need not be read
            problem = _("You may see these settings, but not change them.")
            return self._show(self._compare(), [problem], 403)
        self._refusal = refusal = csrf.refusal()
        if refusal == FOREIGN:  # the response has nothing of it
            return self._show(self._compare(), [explain(refusal)], 400)
        if is_fetch() and can_be_renewed(refusal):
            return renew_token()
        form = posted_form()
        self._note, self._boxes = note_of(form), ticked(form)
        comparison = self._compare()
        if refusal:
            return self._show(comparison, [explain(refusal)], 422)
        if form.get(ACTION) == "edit" or comparison is None:
            return self._show(comparison)
        return self._restore(comparison, form)

    def _compare(self) -> Comparison | None:
        """Read both times; None if the address does not name them."""
        times = self._times
        if times.since is None or times.problem:
            return None
        values = PastValues(self._options.field_table)
        return Comparison(
            self._state, self._history, self._permissions, values, times.since, times.until
        )

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
            links=page_links(self._state, self._permissions),
            side=history_links(),
        )

    def _is_ticked(self, row: ComparedSetting) -> bool:
        """Whether a setting is to be restored; before somebody has decided, each that can be."""
        return self._boxes is None or row.setting.key in self._boxes

    # Restoring

    def _restore(self, comparison: Comparison, form: MultiDict[str, str]) -> BaseResponse:
        """Review or save what is ticked, all or nothing."""
        restore = Restore(comparison, self._boxes or {})
        if restore.overtaken:
            return self._overtaken(comparison, restore.overtaken)
        if not (restore.rows or restore.in_force):
            return self._show(comparison, [_("Nothing is ticked, so nothing was saved.")], 422)
        settings = build_form(
            self._state,
            keys=[*restore.wanted, *restore.in_force],
            records=comparison.first.records,
            fields=self._options.fields,
            formdata=None,
            guard=Guard(),
        )
        try:
            self._state.check(restore.wanted)
            if form.get(ACTION) == "confirm":
                return self._save(comparison, restore, settings)
        except InvalidValue as error:
            problems = not_allowed(error, self._permissions.viewable)
            return self._show(comparison, problems, 422)
        except ConflictError as error:
            return self._overtaken(self._compare() or comparison, error.keys)
        return review_page(
            self._options,
            reviewed_changes(settings, restore.new_values),
            [(field_name(), form.get(field_name(), "")), *restore.boxes],
            self._note,
            one_group=self._permissions.one_group,
            back=_("Back"),
        )

    def _save(
        self, comparison: Comparison, restore: Restore, settings: SettingsForm
    ) -> BaseResponse:
        """Save it, and lead to the settings.

        :raises InvalidValue: a rule does not allow it.
        :raises ConflictError: some of it was saved since.
        """
        origin = Origin(self._actor(), self._note, "restore")
        try:
            saved = self._state.save(restore.wanted, restore.expected, origin)
        except StoreError:
            return self._show(comparison, [explain_failure()], 503)
        return self._lead_to_settings(settings, saved, restore.in_force)

    def _overtaken(self, comparison: Comparison, keys: Iterable[str]) -> Response:
        self._boxes = {key: box for key, box in (self._boxes or {}).items() if key not in keys}
        problems = saved_meanwhile(self._state.settings[key] for key in keys)
        return self._show(comparison, problems, 409)
