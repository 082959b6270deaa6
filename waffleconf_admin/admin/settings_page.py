"""The settings page: shows the settings, and saves, reviews or resets what people change."""

from __future__ import annotations

import logging

from flask import Response, current_app, redirect, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import StoreError
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..forms.submission import submitted_notation
from ..forms.tokens import FOREIGN, explain
from ..forms.values import control_texts
from ..i18n import gettext as _
from ..settings.equality import same
from ..settings.setting import Setting
from ..state.form import build_form
from ..state.save import Saved
from ..state.state import _WaffleState
from ..state.task import RESET, Origin
from . import csrf, undo
from .checks import Checks
from .forbidden import forbidden_page, page_for_error, resubmission_of
from .messages import flash_saved, saved_messages
from .options import PageOptions
from .page_context import PageContext
from .permissions import Permissions
from .responses import render_page
from .review import needs_review, review_page
from .saving import save_form
from .settings_filter import SettingsFilter
from .submission import PageSubmission, posted_form

log = logging.getLogger(__name__)


class SettingsPage:
    """One request of the settings page.

    :param options: those of the page.
    :param state: the current app's state.
    """

    def __init__(self, options: PageOptions, state: _WaffleState) -> None:
        self._options = options
        self._state = state
        self._permissions = Permissions(options, state.app, state.settings)
        self._checks = Checks(options, state.app, state.settings.values(), self._permissions)
        #: What was sent; None on a GET, and of a form from another site.
        self._sent: PageSubmission | None = None

    def respond(self) -> BaseResponse:
        """Return the response to a GET or a POST."""
        permissions = self._permissions
        try:
            if not permissions.viewable:
                typed = resubmission_of(permissions.declared)
                return forbidden_page(self._options, permissions, typed)
            return self._post() if request.method == "POST" else self._show(self._form())
        except HTTPException as error:
            return page_for_error(self._options, permissions, error)
        except StoreError:
            log.exception("the settings can't be read")
            again = self._sent.everything(permissions.viewable) if self._sent else None
            return render_page(self._options, "waffleconf/unavailable", 503, again=again)

    def _post(self) -> BaseResponse:
        """Save what was sent; or show it again, for a review or with what is wrong."""
        refusal = csrf.refusal()
        if refusal == FOREIGN:  # nothing of it is shown
            form = self._form(Guard(refusal))
            form.form_errors.append(explain(refusal))
            return self._show(form, 400)
        self._sent = sent = PageSubmission(posted_form())
        single = self._setting_of_button(sent)
        if single and sent.action == "reset" and not single.secret:
            self._send_default(sent, single)
        form = self._form(Guard(refusal), sent)  # current values, with what was sent merged in
        if sent.action != "edit":
            _reset_secrets(form, sent)
        valid = form.validate()  # the CSRF token too
        if sent.action == "test":
            return self._show(form, 200 if self._checks.run(sent.key, form) else 422)
        if single and not (sent.action == "reset" and _needs_review_of_reset(form[single.key])):
            return self._save_single(form, sent, single.key)
        if not valid:
            return self._show(form, 422)
        if sent.action == "edit":
            return self._show(form)
        reviewed = sent.action == "confirm"
        if form.changes and not reviewed and (sent.action == "review" or needs_review(form)):
            return review_page(self._options, form, sent, self._permissions.viewable)
        return self._save(form, sent)

    def _form(self, guard: Guard | None = None, sent: PageSubmission | None = None) -> SettingsForm:
        return build_form(
            self._state,
            keys=[setting.key for setting in self._permissions.viewable],
            # The process serves what the page shows: it may have missed a save.
            records=self._state.refresh(),
            editable=self._permissions.may_edit,
            fields=self._options.fields,
            formdata=sent.settings if sent else None,
            guard=guard or Guard(),
        )

    def _show(self, form: SettingsForm, status: int = 200, *notes: str) -> Response:
        settings_filter = SettingsFilter(request.args)
        page = PageContext(self._state, self._permissions, form, settings_filter, self._sent, notes)
        template = current_app.config["WAFFLE_TEMPLATE"]
        return render_page(
            self._options, template, status, form=form, page=page, checks=self._checks.answers
        )

    # Saving all changes

    def _save(self, form: SettingsForm, sent: PageSubmission) -> BaseResponse:
        resets = {key for key in sent.resets if key in form.changes and _is_default(form, key)}
        wanted = form.changes | dict.fromkeys(resets, RESET)
        status, saved = save_form(self._state, form, wanted, form.expected, self._origin(sent))
        if status != 303:
            return self._show(form, status)
        return self._redirect(form, list(wanted), saved)

    def _redirect(self, form: SettingsForm, wanted: list[str], saved: Saved) -> BaseResponse:
        """Lead to the page anew, with its filter, after a save."""
        flash_saved(form, wanted, saved, self._state.propagation() if saved else None)
        undo.offer(self._state, saved)
        query = request.query_string.decode("utf-8", "replace")
        return redirect(url_for(".index") + (f"?{query}" if query else ""), 303)

    def _origin(self, sent: PageSubmission) -> Origin:
        return Origin(self._options.current_actor(self._state.app), sent.note, "page")

    # Saving a single setting: its default, or its value converted to the declared type

    def _setting_of_button(self, sent: PageSubmission) -> Setting | None:
        if sent.action not in ("reset", "convert"):
            return None
        return next((s for s in self._permissions.viewable if s.key == sent.key), None)

    def _send_default(self, sent: PageSubmission, setting: Setting) -> None:
        """Do as if the default had been typed: then a reset is merged and checked as a change."""
        notation = submitted_notation(sent.settings)
        texts = control_texts(setting, setting.default, self._options.field_table, notation)
        # Boxes of which none is ticked send a blank; without one their setting would not change.
        sent.settings.setlist(sent.name_of(setting.key), texts or [""])

    def _save_single(self, form: SettingsForm, sent: PageSubmission, key: str) -> BaseResponse:
        """Save one setting; the other changes are neither saved nor lost."""
        field = form[key]
        if form.form_errors or key in form.conflicts or not field.resettable:
            return self._show(form, 422)
        wanted = {key: RESET if sent.action == "reset" else field.record.value}
        status, saved = save_form(
            self._state, form, wanted, {key: field.expected}, self._origin(sent)
        )
        if status != 303:
            return self._show(form, status)
        if set(form.errors) | set(form.changes) <= {key}:
            return self._redirect(form, [key], saved)
        sent.settings.poplist(sent.name_of(key))
        done = " ".join(saved_messages(form, [key], saved))
        rest = self._form(sent=sent)
        rest.validate()
        return self._show(rest, 200, done, _("Your other changes are not saved yet."))


def _reset_secrets(form: SettingsForm, sent: PageSubmission) -> None:
    """Reset secrets in the form: no text stands for the default of a secret."""
    for key in sent.resets:
        if key in form and form[key].setting.secret:
            form.reset(key)


def _is_default(form: SettingsForm, key: str) -> bool:
    """Whether a setting is to get its default; the result for a typed secret does not depend on
    what was typed.
    """
    setting = form[key].setting
    return form.is_reset(key) if setting.secret else same(form.changes[key], setting.default)


def _needs_review_of_reset(field: BoundField) -> bool:
    """Whether a reset has to be confirmed: not where the default is in use already."""
    return bool(field.setting.confirm and field.editable and field.record.served != "default")
