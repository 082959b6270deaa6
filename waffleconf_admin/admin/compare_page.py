"""Compare page: the settings at two times, and the way back to the first of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Response, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..forms import SettingsForm
from ..forms.guard import Guard, field_name
from ..forms.tokens import FOREIGN, can_be_renewed, explain
from ..i18n import gettext as _
from ..state.form import build_form
from ..state.history import History
from ..state.state import State
from ..state.task import Origin
from . import csrf, undo
from .compared_times import ComparedTimes
from .comparison import ComparedSetting, Comparison
from .fetch import is_fetch, lead_to, renew_token
from .forbidden import forbidden_page
from .links import history_links, page_links
from .messages import has_message, leave_message
from .options import PageOptions
from .past_values import PastValues
from .permissions import Permissions
from .problems import not_allowed, saved_meanwhile
from .responses import render_page
from .restore import Restore
from .review import review_page, reviewed_changes
from .submission import ACTION, note_of, posted_form, ticked
from .unavailable import log_unreadable, unavailable_page
from .zone import Zone


def respond(options: PageOptions, state: State) -> BaseResponse:
    """Return the response to a GET of the comparison, or to a POST that restores settings."""
    permissions = Permissions(options, state.app, state.settings)
    if not permissions.with_history or state.history is None:
        return forbidden_page(options, permissions)
    page = ComparePage(options, state, state.history, permissions)
    try:
        return page.post() if request.method == "POST" else page.show()
    except StoreError as error:
        log_unreadable("history", error)
        return unavailable_page(options, permissions, error)


class ComparePage:
    """One request of the comparison.

    :param options: those of the page.
    :param state: the current app's state.
    :param history: that of the state.
    :param permissions: of a user who may see some of it.
    """

    def __init__(
        self, options: PageOptions, state: State, history: History, permissions: Permissions
    ) -> None:
        self._options = options
        self._state = state
        self._history = history
        self._permissions = permissions
        self._zone = Zone()
        self._times = ComparedTimes(request.args, self._zone)
        self._refusal = ""  #: what `csrf.refusal` has returned
        self._note: str | None = None  #: why settings are restored
        self._boxes: Mapping[str, str] | None = None  #: the version of each ticked setting, by key

    def show(self, problems: Iterable[str] = (), status: int = 200) -> Response:
        """Return the page.

        :param problems: why nothing was restored.
        """
        return self._render(self._compare(), problems, status)

    def post(self) -> BaseResponse:
        """Review the restore of what is ticked, or save it."""
        if not self._permissions.undoable:  # so the form need not be read
            return self.show([_("You may see these settings, but not change them.")], 403)
        self._refusal = refusal = csrf.refusal()
        if refusal == FOREIGN:  # nothing of it is shown
            return self.show([explain(refusal)], 400)
        if is_fetch() and can_be_renewed(refusal):
            return renew_token()
        form = posted_form()
        self._note, self._boxes = note_of(form), ticked(form)
        comparison = self._compare()
        if refusal:
            return self._render(comparison, [explain(refusal)], 422)
        if form.get(ACTION) == "edit" or comparison is None:
            return self._render(comparison)
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

    def _render(
        self, comparison: Comparison | None, problems: Iterable[str] = (), status: int = 200
    ) -> Response:
        return render_page(
            self._options,
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
            one_group=self._permissions.one_group,
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
            return self._render(comparison, [_("Nothing is ticked, so nothing was saved.")], 422)
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
                return self._save(restore, settings)
        except InvalidValue as error:
            problems = not_allowed(error, self._permissions.viewable)
            return self._render(comparison, problems, 422)
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

    def _save(self, restore: Restore, settings: SettingsForm) -> BaseResponse:
        """Save it, and lead to the settings.

        :raises InvalidValue: a rule does not allow it.
        :raises ConflictError: some of it was saved since.
        :raises StoreError: the database can't be written.
        """
        origin = Origin(self._options.current_actor(self._state.app), self._note, "restore")
        saved = self._state.save(restore.wanted, restore.expected, origin)
        done = restore.in_force | saved  # a first click on the button may have saved
        if saved or not has_message():
            leave_message(settings, done, done, self._state.propagation())
        undo.offer(self._state, saved)
        return lead_to(url_for(".index"))

    def _overtaken(self, comparison: Comparison, keys: Iterable[str]) -> Response:
        self._boxes = {key: box for key, box in (self._boxes or {}).items() if key not in keys}
        problems = saved_meanwhile(self._state.settings[key] for key in keys)
        return self._render(comparison, problems, 409)
