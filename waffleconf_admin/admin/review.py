"""Review: what a form would change, old and new, to be shown before it is saved."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import NamedTuple

from ..fields.base import display_text
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..i18n import gettext as _
from .diff import Comparer, Differences, whole_text

log = logging.getLogger(__name__)


class ReviewedChange(NamedTuple):
    """One setting that a form would change; of a secret only that it does."""

    field: BoundField
    reset: bool = False  #: whether it would get its default
    old: str = ""
    new: str = ""
    differences: Differences = Differences()  #: of long texts
    consequence: str = ""  #: what the declaration says of such a change


def needs_review(form: SettingsForm) -> bool:
    """Whether a validated form changes a setting that is declared with ``confirm``."""
    return any(form[key].setting.confirm for key in form.changes)


def reviewed_changes(form: SettingsForm, values: Mapping[str, object]) -> list[ReviewedChange]:
    """Return what would be changed by giving settings of a form new values, by key."""
    comparer = Comparer()
    changes = []
    for key, value in values.items():
        field = form[key]
        secret = field.setting.secret
        change = ReviewedChange(field) if secret else reviewed_change(field, value, comparer)
        consequence = consequence_of(field, value)
        changes.append(change._replace(reset=form.is_reset(key), consequence=consequence))
    return changes


def consequence_of(field: BoundField, value: object) -> str:
    """Return what the declaration says of a change, with ``confirm``; blank if it says nothing."""
    setting = field.setting
    text = setting.confirm_text
    if not callable(text):
        return str(text)
    try:
        return str(setting.call(text, field.record.value, value) or "")
    except Exception as error:  # the change can be saved all the same
        log.exception("%s: confirm: the function has failed", setting.key)
        return _(
            "What this change means can’t be said at the moment (%(error)s).",
            error=type(error).__name__,
        )


def reviewed_change(field: BoundField, value: object, comparer: Comparer) -> ReviewedChange:
    """Return the change of a setting that is no secret to a new value."""
    whole = [whole_text(field, text) for text in (field.record.value, value)]
    new = display_text(field, value)
    return ReviewedChange(
        field, old=field.value_text, new=new, differences=comparer.compare(*whole)
    )


def version_of(displayed: str) -> str:
    """Return a short text that is another one for each text that a review may display."""
    return hashlib.sha256(displayed.encode("utf-8", "surrogatepass")).hexdigest()[:24]
