"""Messages: what was saved, as flash messages for the next page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from flask import current_app, flash, session

from ..fields.base import display_text
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import ngettext
from .texts import shorten

#: Messages of one save, and characters of a label or a value: the session may be a cookie, which
#: holds 4 kB, most of them for the app.
MESSAGES, LENGTH = 5, 30


def flash_saved(
    form: SettingsForm, wanted: Iterable[str], saved: Mapping[str, object], promise: str | None
) -> None:
    """Flash what was saved.

    :param wanted: the keys of what was to be saved.
    :param saved: the new values by key.
    :param promise: when other processes will have them; None: nothing to say.
    """
    if not has_session():
        return
    for message in saved_messages(form, wanted, saved):
        flash(message, "success")
    if promise:
        flash(promise, "info")


def saved_messages(
    form: SettingsForm, wanted: Iterable[str], saved: Mapping[str, object]
) -> Iterator[str]:
    """Return messages about what was saved; parameters as for `flash_saved`."""
    keys = [key for key in wanted if key in saved]
    if not keys:
        yield _("Nothing to save: no setting was changed.")
    for key in keys[:MESSAGES]:
        field = form[key]
        label, new = shorten_label(field.setting.label), display_text(field, saved[key])
        if getattr(field, "has_outer_blanks", False):
            yield _("%(label)s saved, with a blank at its beginning or end.", label=label)
        elif field.setting.secret or field.value_text == new:
            yield _("%(label)s saved.", label=label)
        else:
            texts = {"old": _quote(field.value_text, field), "new": _quote(new, field)}
            yield _("%(label)s saved: %(old)s → %(new)s", label=label, **texts)
    if len(keys) > MESSAGES:
        yield ngettext("%(count)s more saved.", "%(count)s more saved.", len(keys) - MESSAGES)


def shorten_label(label: object) -> str:
    """Return a label as messages have it."""
    return shorten(label, LENGTH)


def has_session() -> bool:
    """Whether anything can be stored in the session: not in an app without SECRET_KEY."""
    return not current_app.session_interface.is_null_session(session)


def _quote(text: str, field: BoundField) -> str:
    if not text:
        return _("empty")
    text = shorten(text, LENGTH)
    return _("“%(text)s”", text=text) if field.quoted else text
