"""What was saved, in words."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import current_app, flash, session

from ..exceptions import StoreError
from ..fields.binding import words
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import ngettext
from . import undo
from .permissions import Rights

log = logging.getLogger(__name__)

# A cookie session holds 4 kB, and the app wants most of them.
SHOWN = 5
LENGTH = 30

#: In the session: the name of the save that the next page offers to undo.
UNDO = "waffle_undo"


def tell(form: SettingsForm, wanted: Iterable[str], saved: Any, state: Any) -> None:
    """Keep for the next page what was saved.

    :param wanted: the keys of what was to be saved.
    :param saved: what ``state.save`` returned.
    """
    if _is_without_session():
        return
    for message in messages(form, wanted, saved):
        flash(message, "success")
    if saved and (promise := state.notice()):
        flash(promise, "info")
    # Of secrets alone nothing can be undone, and who reads a cookie is told nothing of them either.
    if saved.change_set and not all(form[key].setting.secret for key in saved):
        session[UNDO] = saved.change_set


def messages(form: SettingsForm, wanted: Iterable[str], saved: Mapping[str, Any]) -> Iterator[str]:
    """What was saved in words, short enough for a cookie session.

    :param wanted: the keys of what was to be saved.
    :param saved: the new values by key.
    """
    told = [key for key in wanted if key in saved]
    if not told:
        yield _("Nothing to save: no setting was changed.")
    for key in told[:SHOWN]:
        field = form[key]
        label = shorten(field.setting.label)
        if field.setting.secret or field.shown_text == words(field, saved[key]):
            yield _("%(label)s saved.", label=label)
        else:
            old, new = (_quoted(t, field) for t in (field.shown_text, words(field, saved[key])))
            yield _("%(label)s saved: %(old)s → %(new)s", label=label, old=old, new=new)
    if len(told) > SHOWN:
        yield ngettext("%(count)s more saved.", "%(count)s more saved.", len(told) - SHOWN)


def _quoted(text: str, field: Any) -> str:
    if not text:
        return _("empty")
    return _("“%(text)s”", text=shorten(text)) if field.quoted else shorten(text)


def undoable(state: Any, rights: Rights) -> str | None:
    """Return the save that was made just before this page, once, if all of it can be undone."""
    change_set = None if _is_without_session() else session.pop(UNDO, None)
    if not (change_set and state.history):
        return None
    history, keys = state.history, undo.undoable(rights)
    try:
        changes = [change for change in history.of(change_set) if change.key in keys]
        latest = history.latest(change.key for change in changes)
    except StoreError:
        log.exception("the history can't be read")
        return None
    found = undo.outcome(changes, latest, undo.quick(history))
    return change_set if found == "undone" else None


def _is_without_session() -> bool:
    """Whether there is no session that could keep anything: the app has no SECRET_KEY."""
    return current_app.session_interface.is_null_session(session)


def shorten(text: Any, length: int = LENGTH) -> str:
    """``text`` on one line, of so many characters at most."""
    line = " ".join(str(text).split())
    return line if len(line) <= length else line[: length - 1] + "…"
