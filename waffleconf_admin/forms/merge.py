"""Three-way merge: what the page had shown, what is stored, and what was sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from ..fields.base import SettingField
from ..fields.binding import BoundField, process_values
from ..fields.value_text import join_values
from ..i18n import gettext, mark
from ..settings.equality import same
from .form_fields import FormFields
from .submission import Submission

LOCKED = mark("%(label)s can't be changed any more: your change was not saved.")
GONE = mark("A setting that you changed is not here any more: your change was not saved.")

#: In place of the digest of a typed secret: equal to no other, so that it is always written.
_TYPED = b"!"

Decision = Literal["keep", "write", "conflict"]


@dataclass
class Edit:
    """What a submission does to one setting."""

    conflict: bool  #: whether somebody else has changed it meanwhile
    new: Literal["typed", "default", "converted"] = "typed"  #: the value that it gets
    undecided: bool = False  #: whether an earlier page has shown the conflict already


class Merged(NamedTuple):
    """The result of a merge."""

    edits: dict[str, Edit]  #: what people touched, by key
    lost: list[str]  #: messages about what was typed and can't be saved any more


def decide(shown: bytes | None, stored: bytes, sent: bytes) -> Decision:
    """Decide about one setting of a submission, by the digests of three texts.

    :param shown: what its control showed; None when the sender saw no page, or one that can't be
        known, so that the last write wins; UNKNOWN when the page had no such control.
    :param stored: what it would show now.
    :param sent: what came back.
    """
    if sent in (shown, stored):
        return "keep"
    if shown is None or shown == stored:
        return "write"
    return "conflict"


def merge(submission: Submission, fields: FormFields) -> Merged:
    """Find what people touched, let those fields read it, and decide about each."""
    settings = fields.settings
    edits: dict[str, Edit] = {}
    lost: list[str] = []
    unticked = set() if submission.from_page else _unticked(submission, fields)
    touched = submission.touched(settings)
    if unticked:
        unticked.update(touched)
        touched = [key for key in settings if key in unticked]  # in the order of the page
    fields.load(touched)
    for key in touched:
        field, values = fields[key], submission.values(key)
        if not field.editable:
            if _is_refused(submission, field, values):
                lost.append(f"{gettext(LOCKED, label=field.setting.label)} {field.reason}")
            continue
        process_values(field, values)
        stored = submission.digest(key, field.merge_text)
        decision = decide(submission.shown(key), stored, _sent_digest(submission, field, stored))
        if decision != "keep":
            edits[key] = Edit(conflict=decision == "conflict")
    gone = [key for key in submission if key not in settings and _was_typed(submission, key)]
    # Of several without a text one message is enough.
    lost += dict.fromkeys(f"{gettext(GONE)} {_typed_text(submission, k)}".rstrip() for k in gone)
    return Merged(edits, lost)


def _is_refused(submission: Submission, field: BoundField, values: list[str]) -> bool:
    """Whether something was sent for a setting that nobody may change here, and is to be said."""
    setting = field.setting
    if setting.environment is None:
        return submission.had(setting.key)
    if setting.secret or not isinstance(editor := getattr(field, "editor", None), SettingField):
        return True
    try:
        value = editor.parse(editor.canonical(values))
    except ValueError:
        return True
    return not same(value, field.record.value)  # a form of all values still saves


def _sent_digest(submission: Submission, field: BoundField, stored: bytes) -> bytes:
    """Return the digest of what a field has read, or that of what is stored if it is the same."""
    # The response never reveals whether somebody has guessed a secret.
    is_guess = field.setting.secret and not getattr(field, "clearing", False)
    if not (is_guess or field.process_errors) and same(field.data, field.record.value):
        return stored  # another spelling of the same
    if field.setting.secret:
        return _TYPED
    values = submission.values(field.setting.key)
    if isinstance(field, SettingField):
        values = field.sent_values(field.text)  # in its spelling: browsers write times in many
    return submission.digest(field.setting.key, join_values(values))


def _was_typed(submission: Submission, key: str) -> bool:
    """Whether something was typed for a setting that is no longer in the form."""
    values = submission.values(key)
    return any(values) and submission.digest(key, join_values(values)) != submission.shown(key)


def _typed_text(submission: Submission, key: str) -> str:
    """What was typed for a setting that is no longer in the form, to be copied; of a secret
    nothing.
    """
    if submission.was_secret(key):
        return ""
    return f"{key}: {', '.join(filter(None, submission.values(key)))}"


def _unticked(submission: Submission, fields: FormFields) -> set[str]:
    """Return the boxes missing from a form that has all else: no browser sends an empty one."""
    missing = [key for key in fields if not fields.reason(key) and not submission.has(key)]
    boxes = {key for key in missing if fields.may_send_nothing(key)}
    if not boxes or not any(submission.has(key) for key in fields):
        return set()
    whole = all(key in boxes or not fields[key].editable for key in missing)
    return boxes if whole else set()
