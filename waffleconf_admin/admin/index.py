"""The settings page: shows the settings, and saves, reviews or resets what people change."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import current_app, redirect, request, url_for
from werkzeug.wrappers import Response

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..fields import FIELDS
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..forms.tokens import FOREIGN, explain
from ..forms.values import sent_texts
from ..i18n import gettext as _
from ..settings.equality import same
from ..settings.setting import Setting
from ..state.form import build_form
from ..state.save import RESET, Origin
from . import csrf, review, saved
from .filter import Filter
from .page import Page
from .permissions import Rights
from .submission import Sent, posted

if TYPE_CHECKING:
    from . import WaffleAdmin

log = logging.getLogger(__name__)


class SettingsPage:
    """One request of the page.

    :param admin: its blueprint.
    :param state: the app's state.
    :param rights: what this person may do.
    """

    def __init__(self, admin: WaffleAdmin, state: Any, rights: Rights) -> None:
        self.admin = admin
        self.state = state
        self.rights = rights
        self.refusal = csrf.refusal() if request.method == "POST" else ""
        #: Whether there is a submission; what another site sends is none, and nothing of it shown.
        self.submitted = request.method == "POST" and self.refusal != FOREIGN
        self.sent = Sent(posted() if self.submitted else None)

    def answer(self) -> Response:
        """Answer a GET or POST."""
        try:
            return self._answer()
        except StoreError:
            log.exception("the settings can't be read")
            sent = self.sent.all_again(self.rights.viewable) if self.submitted else None
            return self.admin.page("waffleconf/unavailable", 503, sent=sent)

    def _answer(self) -> Response:
        action, key = self.sent.action, self.sent.key
        setting = next((s for s in self.rights.viewable if s.key == key), None)
        alone = action in ("reset", "convert") and setting is not None
        if alone and action == "reset" and setting and not setting.secret:
            self._put_default(setting)
        form = self._form()
        if self.refusal == FOREIGN:
            form.form_errors.append(explain(FOREIGN))
            return self._show(form, 400)
        if not form.is_submitted():
            return self._show(form)
        if action != "edit":
            self._reset_secrets(form)
        valid = form.validate()
        if alone and (action == "convert" or not _is_reviewed(form[key])):
            value = RESET if action == "reset" else form[key].record.value
            return self._save_alone(form, key, value)
        if not valid:
            return self._show(form, 422)
        if action == "edit":
            return self._show(form)
        if form.changes and action != "confirm" and (action == "review" or _asked(form)):
            return self._review(form)
        return self._save(form)

    @cached_property
    def url(self) -> str:
        """The address of the page, with its filter."""
        query = request.query_string.decode("utf-8", "replace")
        return url_for(".index") + (f"?{query}" if query else "")

    def _form(self) -> SettingsForm:
        keys = [setting.key for setting in self.rights.viewable]
        # What the page shows, this process serves: it may have missed a save of the command line.
        self.records = self.state.refresh()
        return build_form(
            self.state,
            keys=keys,
            records=self.records,
            editable=self.rights.may_edit,
            fields=self.admin.fields,
            formdata=self.sent.settings if self.submitted else None,
            guard=Guard(self.refusal),
        )

    def _show(self, form: SettingsForm, status: int = 200, *notes: str) -> Response:
        keeper, found = self.admin.keeper, Filter(request.args)
        page = Page(
            self.state, self.rights, form, self.records, keeper, found, self.sent, list(notes)
        )
        template = current_app.config["WAFFLE_TEMPLATE"]
        return self.admin.page(template, status, form=form, page=page)

    def _review(self, form: SettingsForm) -> Response:
        return self.admin.page(
            "waffleconf/review",
            form=form,
            changes=review.changes(form),
            again=list(self.sent.again(self.rights.viewable)),
            asked=_asked(form),
            note=self.sent.note or "",
            heading=_("Review changes"),
        )

    def _save(self, form: SettingsForm) -> Response:
        wanted = form.changes | {
            key: RESET for key in self.sent.resets if key in form.changes and _is_default(form, key)
        }
        status, written = self._write(form, wanted, form.expected)
        if status != 303:
            return self._show(form, status)
        saved.tell(form, wanted, written, self.state)
        return redirect(self.url, status)

    # One setting: back to its default, or converted to the type that is declared

    def _put_default(self, setting: Setting) -> None:
        """As if the default had been typed: so a reset is merged and checked like any change."""
        texts = sent_texts(setting, setting.default, {**FIELDS, **(self.admin.fields or {})})
        # No box ticked: of such a control a blank is sent, or it would be left as it is.
        self.sent.settings.setlist(self.sent.name_of(setting.key), texts or [""])

    def _reset_secrets(self, form: SettingsForm) -> None:
        """No text stands for the default of a secret, so these are resets and nothing else."""
        for key in self.sent.resets:
            if key in form and form[key].setting.secret:
                form.reset(key)

    def _save_alone(self, form: SettingsForm, key: str, value: Any) -> Response:
        """Save one setting; what else was typed is neither saved nor lost."""
        field = form[key]
        if form.form_errors or key in form.conflicts or not field.resettable:
            return self._show(form, 422)
        status, written = self._write(form, {key: value}, {key: field.seen})
        if status != 303:
            return self._show(form, status)
        if set(form.errors) | set(form.changes) <= {key}:
            saved.tell(form, [key], written, self.state)
            return redirect(self.url, status)
        self.sent.settings.poplist(self.sent.name_of(key))
        done = " ".join(saved.messages(form, [key], written))
        rest = self._form()
        rest.validate()
        return self._show(rest, 200, done, _("What else you have changed is not saved yet."))

    def _write(
        self, form: SettingsForm, wanted: Mapping[str, Any], expected: Mapping[str, Any]
    ) -> tuple[int, Any]:
        """Write, or tell the form why not: the status of the answer, and what was written."""
        try:
            try:
                return 303, self._written(form, wanted, expected)
            except ConflictError as error:
                form.add_conflicts(error.keys, self.state.read(error.keys))
                return 422, {}
        except InvalidValue as error:
            form.form_errors += [] if error.errors else [str(error)]
            form.add_errors(error.errors)
            return 422, {}
        except StoreError:
            log.exception("the settings can't be saved")
            form.form_errors.append(_("Saving does not work at the moment. Please try again soon."))
            form.add_errors({})  # says beside a secret that it has to be typed again
            return 503, {}

    def _written(
        self, form: SettingsForm, wanted: Mapping[str, Any], expected: Mapping[str, Any]
    ) -> Any:
        """Write. What somebody has just given the value that it shall have is done too: a second
        click on Save, most likely, while another worker answers the first.
        """
        actor, note = self.admin.who(), self.sent.note
        done: dict[str, Any] = {}
        while True:
            left = {key: value for key, value in wanted.items() if key not in done}
            seen = {key: value for key, value in expected.items() if key not in done}
            try:
                written = self.state.save(left, seen, Origin(actor, note, "page"))
            except ConflictError as error:
                records = self.state.read(error.keys)
                agreed = {
                    key: record.value
                    for key, record in records.items()
                    if same(record.value, _value(form[key].setting, wanted[key]))
                    # Of a secret nobody is told that they have guessed it.
                    and not form[key].setting.secret
                }
                if not agreed:
                    raise
                done |= agreed
            else:
                written.update(done)
                return written


def _is_default(form: SettingsForm, key: str) -> bool:
    """Whether a setting shall have its default; of a typed secret nobody is told that it is."""
    setting = form[key].setting
    return form.is_reset(key) if setting.secret else same(form.changes[key], setting.default)


def _value(setting: Setting, wanted: Any) -> Any:
    return setting.default if wanted is RESET else wanted


def _is_reviewed(field: Any) -> bool:
    """Whether a reset has to be looked at twice: not where the default is in use already."""
    return bool(field.setting.confirm and field.editable and field.record.served != "default")


def _asked(form: SettingsForm) -> bool:
    """Whether one of the changes has to be looked at twice."""
    return any(form[key].setting.confirm for key in form.changes)
