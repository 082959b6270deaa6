"""The files page: settings to download as a file, and the import of a file, with a review."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flask import Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import ConflictError, InvalidValue, WaffleError
from ..files import (
    ALL,
    FileValues,
    export_values,
    find_problems,
    load_values,
    make_plan,
    write_document,
)
from ..forms.guard import Guard
from ..forms.tokens import explain
from ..i18n import gettext as _
from ..i18n import mark
from ..state.form import build_form
from ..state.task import Origin
from .file_submission import FileSubmission, drop_if_too_large, too_large
from .import_review import ImportReview
from .links import page_links
from .page import Page
from .problems import by_key, why_not_saved

NO_SETTING = mark("There is no setting of that name.")
SECRET = mark("It is a secret, and files have none: change it on the page of settings.")


class FilesPage(Page):
    """One request of the page for files."""

    def download(self) -> BaseResponse:
        """Return the file; with ``?all=1`` it has the settings that have their default, too."""
        return self._answer(self._file)

    # Export

    def _file(self) -> BaseResponse:
        records = self._state.read([setting.key for setting in self._permissions.viewable])
        file_values = FileValues(self._state.app, self._state.settings)
        export = export_values(file_values, records, defaults=request.args.get("all") == "1")
        response = Response(write_document(export.values), mimetype="application/json")
        response.headers.set("Content-Disposition", "attachment", filename="settings.json")
        return response

    def _get(self) -> Response:
        return self._show()

    def _show(
        self, problems: Iterable[str] = (), status: int = 200, *, unchanged: bool = False
    ) -> Response:
        """The page with the links and the form.

        :param problems: why nothing was imported.
        :param unchanged: whether a file had nothing that is not in force.
        """
        return self._render(
            "waffleconf/files",
            status,
            guard=Guard(self._refusal) if self._can_import else None,
            problems=list(problems),
            unchanged=unchanged,
            heading=_("Import, export"),
            links=page_links(self._state.history, self._permissions),
        )

    # Import

    @property
    def _can_import(self) -> bool:
        return any(
            not (setting.secret or setting.readonly) and self._permissions.may_edit(setting)
            for setting in self._permissions.viewable
        )

    def _refused_unread(self) -> tuple[str, int] | None:
        if not self._can_import:
            return _("You may see these settings, but not change them."), 403
        return (too_large(), 422) if drop_if_too_large() else None

    def _refuse(self, problem: str, status: int) -> Response:
        return self._show([problem], status)

    def _take(self, form: MultiDict[str, str]) -> BaseResponse:
        """Review the values of a file, or save those that were chosen in the review."""
        try:
            return self._import(FileSubmission(form, request.files, self._state.names))
        except InvalidValue as error:
            return self._show(_problems(error), 422)

    def _import(self, sent: FileSubmission) -> BaseResponse:
        """Review what was sent, or save it.

        :raises InvalidValue: the file can't be used.
        """
        values, problems = self._load(sent.document)
        review = self._review(sent, values, problems)
        if not review.plan.changes and not sent.chosen:
            return self._show(unchanged=True)
        if self._refusal:
            return self._show_import(review, [explain(self._refusal)], 422)
        try:
            if sent.is_reviewed:
                return self._save(review, sent)
            self._state.check(review.chosen.wanted)
        except WaffleError as error:
            if isinstance(error, ConflictError):
                sent.untick(error.keys)
                review = self._review(sent, values, {})
            found = why_not_saved(error, self._state.settings, self._permissions.viewable)
            return self._show_import(review, *found)
        return self._show_import(review)

    def _load(self, document: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
        """The values of a document, and what is wrong with the others, by key.

        Settings that the user may not see are unknown.
        """
        viewable = {setting.key: setting for setting in self._permissions.viewable}
        problems = {key: _(NO_SETTING) for key in document if key not in viewable}
        problems |= {s.key: _(SECRET) for s in viewable.values() if s.secret and s.key in document}
        values: dict[str, object] = {}
        try:
            others = {key: part for key, part in document.items() if key not in problems}
            values = load_values(self._state, others)
        except InvalidValue as error:
            problems |= error.errors
            readable = {key: part for key, part in others.items() if key not in error.errors}
            values = load_values(self._state, readable)
        return values, problems

    def _review(
        self,
        sent: FileSubmission,
        values: Mapping[str, object],
        problems: dict[str, str],
    ) -> ImportReview:
        """Decide what an import would change, by what the database has now.

        :param problems: why there are no other values, by key.
        :raises InvalidValue: there are problems, or the user may not change some of it; `errors`
            names all in the order of the file.
        """
        plan = make_plan(self._state, values, take_over=ALL)
        form = build_form(
            self._state,
            keys=[step.key for step in plan.changes + plan.unchanged],
            records=plan.records,
            editable=self._permissions.may_edit,
            fields=self._options.fields,
            formdata=None,
            guard=Guard(self._refusal),
        )
        locked = {step.key: step.reason for step in plan.steps if step.reason}
        fields = (form[step.key] for step in plan.changes)
        locked |= {field.setting.key: field.reason for field in fields if not field.editable}
        if wrong := locked | problems:
            wrong = {**find_problems(self._state, values), **wrong}
            raise InvalidValue({key: wrong[key] for key in sent.document if key in wrong})
        return ImportReview(self._permissions, plan, form, sent)

    def _show_import(
        self, review: ImportReview, problems: Iterable[str] = (), status: int = 200
    ) -> Response:
        """The page that displays what the file would change.

        :param problems: why nothing was saved.
        """
        steps = review.steps()
        return self._render(
            "waffleconf/import_review",
            status,
            form=review.form,
            problems=list(problems),
            document=review.document,
            steps=steps,
            drifted=any(step.drift for step in steps),
            note=review.note,
            heading=_("Review the import"),
        )

    def _save(self, review: ImportReview, sent: FileSubmission) -> BaseResponse:
        """Save what is ticked, all or nothing.

        :raises ConflictError: some of it was saved since the review displayed it.
        :raises InvalidValue: a rule does not allow it.
        :raises StoreError: the database can't be written.
        """
        if not sent.chosen:
            return self._show_import(review, [_("Nothing is ticked, so nothing was saved.")], 422)
        if overtaken := review.overtaken():
            raise ConflictError(overtaken)
        chosen, origin = review.chosen, Origin(self._actor(), sent.note, "import")
        saved = self._state.save(chosen.wanted, chosen.expected, origin)
        return self._lead_to_settings(review.form, saved, review.in_force)


def _problems(error: InvalidValue) -> list[str]:
    """What is wrong with a file."""
    return [*by_key(error.errors)] or [str(error)]
