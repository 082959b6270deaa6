"""SettingsForm: settings as a WTForms form, with what was sent merged into it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flask import Flask, current_app
from markupsafe import Markup
from wtforms import Field
from wtforms.form import BaseForm

from ..calls import await_result
from ..contexts import context_of
from ..fields import FIELDS, BooleanField, SeveralField, binding, choose, describe
from ..fields.special import SecretField
from ..fields.widgets import attributes
from ..i18n import gettext, mark
from ..settings.equality import same
from ..settings.setting import Setting
from . import merge
from .check import check
from .guard import Guard
from .lazy import Fields
from .meta import Meta
from .submission import TOKEN, Names, Submission, seals
from .tokens import explain

#: Fields that send nothing when nothing is ticked.
SILENT = (BooleanField, SeveralField, *binding.SILENT)

NO_RIGHT = mark("You may see this setting, not change it.")
READ_ONLY = mark("This setting is read-only.")
OVERTAKEN = mark("Somebody else has changed this meanwhile. Save again to use yours instead.")
ELSEWHERE = mark("A rule about a setting that is not on this page does not allow this.")
LOCKED = mark("%(label)s can't be changed any more: what you wrote there is not saved.")
GONE = mark("A setting that you changed is not here any more: what you wrote there is not saved.")
AGAIN = mark("Nothing is saved yet, and a secret is not shown: write it again.")


class SettingsForm(BaseForm):
    """Settings as a form: iterating gives their fields, ``form["KEY"]`` one of them.

    Made by `build_form`. After `validate`, ``changes`` and ``expected`` are for ``update_db``.
    """

    #: ``{key: new value}`` of what people changed.
    changes: dict[str, Any]
    #: ``{key: value}`` as they were just read, of what people changed; of a secret its `Record`.
    expected: dict[str, Any]
    #: Keys where somebody else changed what this form changes.
    conflicts: list[str]
    #: What is wrong with the submission as a whole.
    form_errors: list[str]

    def __init__(
        self,
        settings: Mapping[str, Setting],
        records: Mapping[str, Any],
        *,
        editable: Callable[[Setting], bool] = lambda setting: True,
        fields: Mapping[type, Any] | None = None,
        formdata: Any = None,
        guard: Guard | None = None,
    ) -> None:
        super().__init__((), meta=Meta())
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._guard = guard
        self._settings = settings
        self._name_of = Names()
        self._records = dict(records)
        self._table = {**FIELDS, **(fields or {})}
        self._translations = self.meta.get_translations(self)
        self._fields = Fields(settings, self._make)
        self._kinds = Fields(settings, lambda key: choose(settings[key], self._table))
        self._reasons = {
            key: READ_ONLY
            if setting.readonly
            else ("" if await_result(self._app, editable, editable(setting)) else NO_RIGHT)
            for key, setting in settings.items()
        }
        self._decisions: dict[str, str] = {}
        self._resets: set[str] = set()
        self._in_vain: list[str] = []  # messages about what was typed and can't be saved any more
        self.changes, self.expected, self.conflicts = {}, {}, []
        self._seals = seals()
        self._submission = None if formdata is None else Submission(formdata, self._seals)
        if self._submission:
            self._merge(self._submission)

    def __len__(self) -> int:
        return len(self._fields)

    @property
    def errors(self) -> dict[str | None, Any]:
        """The messages by key; those of the whole form under ``""``."""
        made = self._fields.made
        found: dict[str | None, Any] = {key: made[key].errors for key in made if made[key].errors}
        return found | ({"": self.form_errors} if self.form_errors else {})

    def is_submitted(self) -> bool:
        """Whether there is a submission."""
        return self._submission is not None

    def reset(self, key: str) -> None:
        """Let a secret have its default, which no control shows; unless a new one was typed."""
        field = self[key]
        if self._submission and field.editable and key not in self._decisions:
            shown = self._submission.shown(key)
            stored = self._submission.digest(key, field.basis)
            self._decisions[key] = "write" if shown in (None, stored) else "conflict"
            self._resets.add(key)

    def is_reset(self, key: str) -> bool:
        """Whether a secret shall have its default."""
        return key in self._resets

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        return self.is_submitted() and self.validate(extra_validators)

    def validate(self, extra_validators: Mapping[str, Iterable[Any]] | None = None) -> bool:
        """Check what people changed, and only that; fill ``changes``, ``expected``, ``conflicts``.

        :param extra_validators: ``{key: validators}``, run after the declared ones.
        """
        with context_of(self._app):  # of a script, which goes on without one
            return self._validate(extra_validators or {})

    def _validate(self, extra_validators: Mapping[str, Iterable[Any]]) -> bool:
        refusal = self._guard.refusal if self._guard else ""
        unreadable = self._submission is not None and self._submission.unreadable
        problem = explain(refusal, unreadable=unreadable)
        self.form_errors = [*([problem] if problem else []), *self._in_vain]
        self.changes, self.expected, self.conflicts = {}, {}, []
        for key, decision in self._decisions.items():
            field = self[key]
            if key not in self._resets:
                check(self, field, extra_validators.get(key, ()))
            if decision == "conflict":
                self._mark(key)
            elif key in self._resets:
                default = field.setting.copy_default()
                self.changes[key], self.expected[key] = default, field.seen
            elif not field.errors:
                self.changes[key], self.expected[key] = field.data, field.seen
        return not self._fail()

    def add_errors(self, errors: Mapping[str, str]) -> None:
        """Show messages that a save came back with, ``{key: message}``."""
        for key, message in errors.items():
            if key in self._fields:
                self[key].errors = [*self[key].errors, message]
            elif (elsewhere := gettext(ELSEWHERE)) not in self.form_errors:
                # Who fills in this form may not be allowed to see that setting.
                self.form_errors.append(elsewhere)
        self._fail()

    def add_conflicts(self, keys: Iterable[str], records: Mapping[str, Any]) -> None:
        """Show that others were faster: what they have stored beside what was typed here.

        :param records: those keys as they stand in the database now.
        """
        for key in keys:
            if key in self._fields:
                self._records[key] = records[key]
                self._fields.made.pop(key, None)
                if self._submission and key in self._decisions:
                    binding.take(self[key], self._submission.sent.getlist(self._name_of(key)))
                    self._mark(key)
        self._fail()

    def hidden_tag(self, known: Mapping[str, str | None] | None = None) -> Markup:
        """Return the hidden inputs: CSRF token and merge token.

        :param known: ``{key: text}`` that controls show, where the caller knows it, so that their
            fields need not be made for it; None where there is no control.
        """
        html = self._guard.hidden_tag() if self._guard else Markup()
        if not self._seals:
            return html
        known = known or {}
        texts = {key: known[key] if key in known else self._basis(key) for key in self._fields}
        digest = self._seals[0].digest
        digests = {key: digest(key, text) for key, text in texts.items() if text is not None}
        token = attributes({"type": "hidden", "name": TOKEN, "value": self._seals[0].dump(digests)})
        return html + Markup(f"<input{token}>")

    def probe(self, key: str, value: Any) -> Any:
        """Return a plain field that holds a value from code, for the declared validators."""
        setting = self._settings[key]
        field = binding.construct(Field, setting, self._place | {"name": key, "id": key})
        field.process(None, value)
        # Validators ask here whether anything was given.
        field.setting, field.raw_data = setting, [describe(value)]
        return field

    # The fields

    @property
    def _place(self) -> dict[str, Any]:
        return {"_form": self, "_meta": self.meta, "_translations": self._translations}

    def _make(self, key: str) -> Any:
        with context_of(self._app):
            field = binding.bind(
                self._settings[key],
                self._records[key],
                self._kinds[key],
                name=self._name_of(key),
                reason=gettext(self._reasons[key]),
                **self._place,
            )
        # Without a control there is no way but this to a value that people can change again.
        field.resettable = not self._reasons[key] and (field.editable or not field.setting.confirm)
        field.kept, field.hidden = None, False  # the page may say otherwise
        return field

    def _basis(self, key: str) -> str | None:
        field = self[key]
        return field.basis if field.editable else None

    def _class(self, key: str) -> type:
        made = self._kinds[key]
        if self._settings[key].secret:
            return SecretField
        return made if isinstance(made, type) else type(None) if made is None else made.field_class

    # The submission

    def _merge(self, submission: Submission) -> None:
        """Find what people touched, and decide about each."""
        sent = submission.sent
        unticked = () if submission.from_page else self._unticked(sent)
        for key, setting in self._settings.items():
            name = self._name_of(key)
            if not (name in sent or key in unticked):
                continue
            raw = sent.getlist(name)
            kind = self._class(key)
            text = binding.sent_text(raw, kind)
            if setting.secret and not text:
                continue  # blank keeps it
            shown = submission.shown(key)
            new = submission.digest(key, binding.marked(text, kind))
            if new == shown:
                continue  # before its field is made, which costs more than all this
            if submission.from_page and any(
                submission.digest(key, other) == shown for other in binding.other_texts(raw)
            ):
                continue
            field = self[key]
            if not field.editable:
                if submission.had(key):
                    self._in_vain.append(gettext(LOCKED, label=setting.label))
                continue
            binding.take(field, raw)
            stored = submission.digest(key, field.basis)
            # Of a secret nobody is told that they have guessed it.
            typed = setting.secret and not field.clearing
            if not (typed or field.process_errors) and same(field.data, field.record.value):
                new = stored  # another way to write the same
            decision = merge.decide(shown, stored, new)
            if decision != "keep":
                self._decisions[key] = decision
        elsewhere = [key for key in submission if key not in self._settings]
        if any(self._is_touched(submission, key) for key in elsewhere):
            self._in_vain.append(gettext(GONE))

    def _is_touched(self, submission: Submission, key: str) -> bool:
        """Whether something was written for a setting that is not in this form any more."""
        raw = submission.sent.getlist(self._name_of(key))
        shown = submission.shown(key)
        return any(raw) and all(
            submission.digest(key, text) != shown for text in binding.other_texts(raw)
        )

    def _unticked(self, sent: Any) -> set[str]:
        """The boxes missing from a form that has all else: an empty one is not sent."""
        missing = [
            key
            for key, reason in self._reasons.items()
            if not reason and self._name_of(key) not in sent
        ]
        boxes = {key for key in missing if issubclass(self._class(key), SILENT)}
        anything = any(self._name_of(key) in sent for key in self._settings)
        whole = all(key in boxes or not self[key].editable for key in missing)
        return boxes if anything and whole else set()

    def _mark(self, key: str) -> None:
        field = self[key]
        field.theirs = field.shown_text
        field.errors = [*field.errors, gettext(OVERTAKEN)]
        self.conflicts.append(key)

    def _fail(self) -> bool:
        """Whether anything is wrong; then what was typed for a secret has to be typed again."""
        if not self.errors:
            return False
        for key in self._decisions:
            field = self[key]
            again = field.setting.secret and key not in self._resets
            if again and not (field.errors or field.clearing):
                field.errors = [gettext(AGAIN)]
        return True
