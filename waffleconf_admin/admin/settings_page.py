"""The settings page: shows the settings, and reviews or saves what people change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from flask import Response, current_app, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import InvalidValue
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..forms.tokens import has_expired
from ..settings.record import Record
from ..settings.setting import Setting
from ..state.form import build_form
from ..state.state import State
from ..state.task import Origin
from . import undo
from .app_templates import warn_of_template
from .checks import Checks
from .conflicts import describe_conflicts
from .ends import EndChoice, settle
from .forbidden import forbidden_page, page_for_error, resubmission_of
from .links import filtered_url
from .messages import has_message, leave_message
from .moved_defaults import accept_new, keep_former
from .options import PageOptions
from .page import Page
from .page_context import PageContext
from .responses import lead_to
from .review import needs_review, reviewed_changes
from .saving import save_form
from .settings_filter import SettingsFilter, group_name
from .submission import ENDING, SHOWING, PageSubmission, Pairs
from .texts import anchor


class SettingsPage(Page):
    """One request of the settings page."""

    def __init__(self, options: PageOptions, state: State) -> None:
        super().__init__(options, state)
        self._checks = Checks(options, state.app, state.settings, self._permissions)
        #: What was sent; None on a GET, and of a form from another site.
        self._sent: PageSubmission | None = None

    def respond(self) -> BaseResponse:
        """Return the response to a GET or a POST."""
        try:
            return super().respond()
        except HTTPException as error:
            return page_for_error(self._options, self._permissions, error)

    def _forbidden(self) -> Response:
        typed = resubmission_of(self._permissions.declared)
        return forbidden_page(self._options, self._permissions, typed)

    def _typed(self) -> Pairs | None:
        return self._sent.everything(self._permissions.viewable) if self._sent else None

    def _get(self) -> Response:
        return self._show(self._form())

    def _refuse(self, problem: str, status: int) -> Response:
        return self._fail(self._form(), problem, status)

    def _take(self, form: MultiDict[str, str]) -> BaseResponse:
        """Do what a button asks for: as a rule, review or save what was typed."""
        self._sent = sent = PageSubmission(form, self._state.names.former)
        if sent.action == "discard" and not sent.key:
            return self._show_discarded(sent)
        settled = self._settle(sent) if sent.action in ENDING and not self._refusal else None
        merged = self._form(sent)  # current values, with what was sent merged in
        _apply(merged, sent, self._permissions.viewable)
        failure = "" if self._refusal else self._decide_default(merged, sent)
        valid = merged.validate()  # the CSRF token too
        if failure:
            return self._fail(merged, failure, 503)
        if sent.action == "test":
            return self._show(merged, 200 if self._checks.run(sent.key, merged) else 422)
        saves = not settled and sent.action not in SHOWING
        lost = [key for key in sent.secrets if key in merged and key not in merged.changes]
        if lost or not saves:
            merged.ask_for_secrets(lost)
        if sent.action == "discard" and not merged.unsaved:
            sent.drop_note_and_end()
        if settled:
            return self._show_settled(merged, *settled)
        if not valid or lost:
            return self._show(merged, 422)
        return self._review_or_save(merged, sent) if saves else self._show(merged)

    def _review_or_save(self, form: SettingsForm, sent: PageSubmission) -> BaseResponse:
        """Show what a valid form changes, if that was asked for or has to be; else save it."""
        end = EndChoice.of(self._state.ends, sent)
        try:
            until = end.end(self._state.ends)
        except InvalidValue as error:
            return self._fail(form, str(error), 422)
        asked = sent.action == "review" or needs_review(form)
        if form.changes and asked and sent.action != "confirm":
            again = sent.typed(self._permissions.viewable)
            return self._show_review(
                reviewed_changes(form, form.changes), again, sent.note, end=end
            )
        return self._save(form, sent, until)

    def _decide_default(self, form: SettingsForm, sent: PageSubmission) -> str:
        """Do what a button beside a moved default asks for, and return why it could not be done."""
        if sent.action == "keep":
            keep_former(self._state.deployments, form, sent.key)
        elif sent.action == "accept":
            return accept_new(self._state.deployments, form, sent.key, self._actor())
        return ""

    def _form(self, sent: PageSubmission | None = None) -> SettingsForm:
        return build_form(
            self._state,
            keys=[setting.key for setting in self._permissions.viewable],
            records=self._read,
            editable=self._permissions.may_edit,
            fields=self._options.fields,
            formdata=sent.settings if sent else None,
            guard=Guard(self._refusal),
        )

    def _read(self, keys: Collection[str]) -> Mapping[str, Record]:
        """Read what was changed; or all, to show the page, or to ask functions of the app.

        The process, which may have missed a save, serves from now on what the page shows, and what
        these functions find in the configuration.
        """
        settings = self._state.settings
        needs_all = len(keys) == len(self._permissions.viewable) or self._options.fields
        if needs_all or any(settings[key].asks_the_app for key in keys):
            return self._state.refresh()
        return self._state.read(keys)

    def _fail(self, form: SettingsForm, problem: str, status: int) -> Response:
        """Show a form with what is wrong with it as a whole."""
        form.form_errors.append(problem)
        form.add_errors({})  # marks secrets, which have to be typed again
        return self._show(form, status)

    def _show(
        self, form: SettingsForm, status: int = 200, *, discarded: Pairs | None = None
    ) -> Response:
        conflicts = {}
        if form.conflicts:
            actor = self._actor()
            undecided = self._sent.undecided if self._sent else {}
            conflicts = describe_conflicts(
                form, self._state.history, self._permissions, actor, undecided
            )
        page = PageContext(
            self._state,
            self._permissions,
            form,
            SettingsFilter(request.args),
            self._sent,
            conflicts=conflicts,
            expired=has_expired(self._refusal),
            discarded=discarded,
        )
        warn_of_template(self._state.app)
        template = current_app.config["WAFFLE_TEMPLATE"]
        return self._render(template, status, form=form, page=page, checks=self._checks.answers)

    def _show_discarded(self, sent: PageSubmission) -> Response:
        """Show the page as it is stored, with a button that brings back what was typed."""
        self._sent = None
        discarded = sent.with_note_and_end(self._permissions.viewable)
        return self._show(self._form(), discarded=discarded)

    # Saving all changes

    def _save(
        self, form: SettingsForm, sent: PageSubmission, until: datetime | None
    ) -> BaseResponse:
        origin = Origin(self._actor(), sent.note, "page", until)
        status, saved = save_form(self._state, form, origin)
        if status != 303:
            return self._show(form, status)
        # Where processes report, the next page counts those that have read it.
        says_when = saved and self._state.workers is None
        if saved or not has_message():  # a first click on the button may have saved
            promise = self._state.propagation() if says_when else None
            leave_message(form, form.changes, saved, promise)
        undo.offer(self._state.settings, saved)
        row = sent.row if sent.row in form else next(iter(saved), None)
        return lead_to(filtered_url() + (f"#{anchor(row)}" if row else ""))

    def _settle(self, sent: PageSubmission) -> tuple[int, str]:
        """Keep a save that has an end, or let it go back now; return as `settle` does."""
        state, actor = self._state, self._actor()
        settled = settle(state.ends, state.settings, self._permissions, sent, actor)
        if not settled[1]:
            sent.action = "edit"  # it is done; what was typed is shown again
        return settled

    def _show_settled(self, form: SettingsForm, status: int, problem: str) -> BaseResponse:
        """Show what is wrong; or reload the page, unless something was typed."""
        if problem:
            return self._fail(form, problem, status)
        if form.changes or form.errors:
            return self._show(form, 422 if form.errors else 200)
        return lead_to(filtered_url())


def _apply(form: SettingsForm, sent: PageSubmission, settings: Iterable[Setting]) -> None:
    """Let a form do what buttons ask for, on this page and on earlier ones."""
    for key in filter(form.__contains__, sent.resets):
        form.keep_reset(key)
    for key in filter(form.__contains__, sent.conversions):
        form.convert(key)
    if sent.action in ("reset", "convert") and sent.key in form:
        (form.reset if sent.action == "reset" else form.convert)(sent.key)
    elif sent.action == "reset-group":
        for setting in settings:
            if group_name(setting) == sent.key and form[setting.key].differs:
                form.reset(setting.key)
    for key in sent.undecided:
        form.keep_conflict(key)
