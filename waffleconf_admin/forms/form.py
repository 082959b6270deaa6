"""SettingsForm: settings as a WTForms form, with what was sent merged into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from flask import Flask, current_app
from markupsafe import Markup
from werkzeug.datastructures import MultiDict
from wtforms.form import BaseForm

from ..contexts import context_of
from ..fields import FIELDS, FieldFactory
from ..fields.base import SettingField
from ..fields.binding import BoundField, process_values, show_value
from ..fields.value_text import ONLY_IN_CODE, join_values
from ..fields.widgets import attributes
from ..i18n import gettext, mark
from ..settings.equality import same
from ..settings.notation import Notation, reader_notation
from ..settings.record import Record
from ..settings.setting import Setting
from .form_fields import FormFields, Meta, ReadRecords
from .guard import Guard
from .merge import Edit, Merged, merge
from .merge_token import signers
from .submission import TOKEN, Submission
from .tokens import explain
from .validation import ask_again, mark_conflict, validate_field

ELSEWHERE = mark("A rule about a setting that is not on this page does not allow this.")


class FormChange(NamedTuple):
    """What a form changes of one setting."""

    expected: object  #: the value that was just read; of a secret its record
    new: object


class SettingsForm(BaseForm):
    """Settings as a form: iterating gives their fields, ``form["KEY"]`` one of them.

    Made by `build_form`. After `validate`, ``changes`` and ``expected`` are for ``update_db``.
    """

    #: Keys where somebody else changed what this form changes.
    conflicts: list[str]
    #: What is wrong with the submission as a whole.
    form_errors: list[str]

    def __init__(
        self,
        settings: Mapping[str, Setting],
        records: Mapping[str, Record] | ReadRecords,
        *,
        editable: Callable[[Setting], bool] = lambda setting: True,
        fields: Mapping[type, FieldFactory] | None = None,
        formdata: MultiDict[str, str] | None = None,
        guard: Guard | None = None,
        former: Mapping[str, str] | None = None,
    ) -> None:
        self._signers = signers()
        self._submission = None if formdata is None else Submission(formdata, self._signers, former)
        meta = Meta()
        meta.notation = self._submission.notation if self._submission else reader_notation()
        super().__init__((), meta=meta)
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._guard = guard
        read = records if callable(records) else lambda _keys: records
        self._fields = FormFields(self, settings, read, {**FIELDS, **(fields or {})}, editable)
        self._changes: dict[str, FormChange] = {}
        self.conflicts = []
        self._edits, self._lost = (
            merge(self._submission, self._fields) if self._submission else Merged({}, [])
        )

    def __len__(self) -> int:
        return len(self._fields)

    def __iter__(self) -> Iterator[BoundField]:
        return iter(self._fields.all())

    def __contains__(self, name: object) -> bool:
        return name in self._fields.settings

    def __getitem__(self, name: str) -> BoundField:
        return self._fields[self._fields.settings[name].key]  # a former name has its setting

    @property
    def notation(self) -> Notation:
        """How its fields write and read numbers: as in the page that has sent it, if one has."""
        notation: Notation = self.meta.notation
        return notation

    @property
    def field_options(self) -> dict[str, object]:
        """What WTForms passes to each field of a form."""
        return self._fields.options

    @property
    def changes(self) -> dict[str, object]:
        """``{key: new value}`` of what people changed."""
        return {key: change.new for key, change in self._changes.items()}

    @property
    def expected(self) -> dict[str, object]:
        """``{key: value}`` as just read, of what people changed; of a secret its record."""
        return {key: change.expected for key, change in self._changes.items()}

    @property
    def errors(self) -> dict[str | None, object]:
        """The messages by key; those of the whole form under ``""``."""
        made = self._fields.made
        found: dict[str | None, object] = {
            key: field.errors for key, field in made.items() if field.errors
        }
        return found | ({"": self.form_errors} if self.form_errors else {})

    @property
    def unsaved(self) -> set[str | None]:
        """The keys of what people changed, whether it can be saved or not."""
        return {*self.errors, *self._changes} - {""}

    def is_submitted(self) -> bool:
        """Whether there is a submission."""
        return self._submission is not None

    def reset(self, key: str) -> None:
        """Let a setting have its default, whatever was typed for it."""
        field = self[key]
        if self._submission is None or not field.resettable:
            return
        self._edits[key] = Edit(self._was_changed(key), "default")
        show_value(field, field.setting.copy_default())

    def keep_reset(self, key: str) -> None:
        """Reset a setting as an earlier page has shown it, unless something was typed since."""
        field = self[key]
        is_default = not field.process_errors and same(field.data, field.setting.default)
        if key not in self._edits or (is_default and not field.setting.secret):
            self.reset(key)

    def convert(self, key: str) -> None:
        """Let the value in force of a setting be stored, as it was converted when it was read;
        unless something was typed.
        """
        field = self[key]
        if self._submission and field.resettable and key not in self._edits:
            self._edits[key] = Edit(self._was_changed(key), "converted")

    def fill_in(self, key: str, value: object) -> None:
        """Let a setting get a value as if it had been typed, if its control can show it."""
        field = self[key]
        if self._submission and field.editable and show_value(field, value):
            self._edits[key] = Edit(self._was_changed(key))

    def is_reset(self, key: str) -> bool:
        """Whether a setting shall have its default."""
        return key in self._edits and self._edits[key].new == "default"

    def is_converted(self, key: str) -> bool:
        """Whether the value in force of a setting shall be stored."""
        return key in self._edits and self._edits[key].new == "converted"

    def keep_conflict(self, key: str) -> None:
        """Let a setting stay in conflict: nobody has decided between the two values yet."""
        if key in self._edits:
            self._edits[key].conflict = self._edits[key].undecided = True

    def was_displayed(self, key: str, value: object) -> bool:
        """Whether this is the value of a setting that the page had displayed; no secret is."""
        field = self[key]
        if self._submission is None or field.setting.secret or not isinstance(field, SettingField):
            return False
        try:
            text = join_values(field.sent_values(field.format(value)))
        except ValueError:
            return False
        return self._submission.digest(key, text) == self._submission.shown(key)

    def ask_for_secrets(self, keys: Iterable[str]) -> None:
        """Say of the secrets that were typed, and of these, that they have to be typed again.

        For a page that is shown though nothing is wrong: no page sends a secret back.
        """
        ask_again(self[key] for key in dict.fromkeys([*self._typed(), *keys]))

    def validate_on_submit(
        self, extra_validators: Mapping[str, Iterable[object]] | None = None
    ) -> bool:
        """Whether there is a submission, and `validate` finds nothing wrong with it."""
        return self.is_submitted() and self.validate(extra_validators)

    def validate(self, extra_validators: Mapping[str, Iterable[object]] | None = None) -> bool:
        """Check what people changed, and only that; fill ``changes``, ``expected``, ``conflicts``.

        :param extra_validators: ``{key: validators}``, run after the declared ones.
        """
        with context_of(self._app):  # a script may have left its context
            self.form_errors = self._submission_errors()
            self._changes, self.conflicts = {}, []
            for key, edit in self._edits.items():
                self._validate_edit(key, edit, (extra_validators or {}).get(key, ()))
            return not self._close_errors()

    def add_errors(self, errors: Mapping[str, str]) -> None:
        """Show messages that a save came back with, ``{key: message}``."""
        for key, message in errors.items():
            if key in self._fields:
                self[key].errors = [*self[key].errors, message]
            elif (elsewhere := gettext(ELSEWHERE)) not in self.form_errors:
                # Who fills in this form may not be allowed to see that setting.
                self.form_errors.append(elsewhere)
        self._close_errors()

    def add_conflicts(self, keys: Iterable[str], records: Mapping[str, Record]) -> None:
        """Show that others were faster: what they have stored beside what was typed here.

        :param records: those keys as they stand in the database now.
        """
        for key in keys:
            if key in self._fields:
                field = self._fields.renew(key, records[key])
                if self._submission and key in self._edits:
                    process_values(field, self._submission.values(key))
                    self._add_conflict(key)
        self._close_errors()

    def hidden_tag(self) -> Markup:
        """Return the hidden inputs: CSRF token and merge token."""
        html = self._guard.hidden_tag() if self._guard else Markup()
        if not self._signers:
            return html
        fields = [field for field in self if field.editable]
        texts = {field.setting.key: field.merge_text for field in fields}
        secrets = {field.setting.key for field in fields if field.setting.secret}
        token = self._signers[0].dump(self.notation.locale, texts, secrets)
        hidden = attributes({"type": "hidden", "name": TOKEN, "value": token})
        return html + Markup(f"<input{hidden}>")  # nosec B704 # its texts are escaped

    def _submission_errors(self) -> list[str]:
        """Return what is wrong with the tokens, and what was typed in vain."""
        refusal = self._guard.refusal if self._guard else ""
        unreadable = self._submission is not None and self._submission.unreadable
        problem = explain(refusal, unreadable=unreadable)
        return [*([problem] if problem else []), *self._lost]

    def _validate_edit(self, key: str, edit: Edit, extra_validators: Iterable[object]) -> None:
        field = self[key]
        new = field.record.value
        if edit.new == "default":
            new = field.setting.copy_default()
        elif edit.new == "typed":
            validate_field(self, field, extra_validators)
            new = field.data
            if not field.errors and (why := self._fields.find_misreading(key)):
                field.errors = [gettext(ONLY_IN_CODE, why=why)]
        if edit.conflict:
            self._add_conflict(key)
        elif not field.errors:
            self._changes[key] = FormChange(field.expected, new)

    def _add_conflict(self, key: str) -> None:
        mark_conflict(self[key], undecided=self._edits[key].undecided)
        self.conflicts.append(key)

    def _close_errors(self) -> bool:
        """Whether anything is wrong; then typed secrets have to be typed again."""
        if not self.errors:
            return False
        ask_again(self[key] for key in self._typed())
        return True

    def _typed(self) -> list[str]:
        """The keys of what was typed."""
        return [key for key, edit in self._edits.items() if edit.new == "typed"]

    def _was_changed(self, key: str) -> bool:
        """Whether somebody has changed a setting since the page was shown."""
        field, submission = self[key], self._submission
        if submission is None or not field.editable:
            return False
        return submission.shown(key) not in (None, submission.digest(key, field.merge_text))
