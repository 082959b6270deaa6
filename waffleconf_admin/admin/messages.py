"""Messages: what a save has written, for the next page."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from flask import current_app, session

from ..fields.base import display_text
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import ngettext
from ..settings.known_keys import RESTART, RESTART_OF
from ..settings.setting import Setting
from .texts import shorten

#: Settings that a message names, and characters of a label or a value: the session may be a
#: cookie, which holds 4 kB, most of them for the app.
MESSAGES, LENGTH = 5, 30

#: In the session: the message of the save just before the next settings page.
_MESSAGE = "waffle_saved"


class SaveMessage(NamedTuple):
    """The message of one save."""

    saved: bool  #: whether anything was written
    lines: list[str]


def leave_message(
    form: SettingsForm, wanted: Collection[str], saved: Mapping[str, object], promise: str | None
) -> None:
    """Leave a message about a save for the next settings page.

    :param wanted: the keys of what was to be saved.
    :param saved: the new values by key.
    :param promise: when other processes will have them; None: nothing to say.
    """
    if has_session():
        settings = [form[key].setting for key in wanted if key in saved]
        lines = [*_describe_save(form, wanted, saved), *_describe_effect(settings, promise)]
        session[_MESSAGE] = [bool(saved), *lines]


def leave_lines(lines: Iterable[str]) -> None:
    """Leave a message of these lines for the next settings page."""
    if has_session():
        listed = list(lines)
        more = len(listed) - MESSAGES
        rest = [ngettext("%(count)s more.", "%(count)s more.", more)] if more > 0 else []
        session[_MESSAGE] = [True, *listed[:MESSAGES], *rest]


def has_message() -> bool:
    """Whether a message is left for the next settings page."""
    return has_session() and _MESSAGE in session


def take_message() -> SaveMessage | None:
    """Return the message of the save just before this page, once."""
    found = session.pop(_MESSAGE, None) if has_session() else None
    return SaveMessage(found[0], found[1:]) if found else None


def _describe_save(
    form: SettingsForm, wanted: Iterable[str], saved: Mapping[str, object]
) -> Iterator[str]:
    """Lines about what was saved; parameters as for `leave_message`."""
    keys = [key for key in wanted if key in saved]
    if not keys:
        yield _("Nothing to save: no setting was changed.")
    for key in keys[:MESSAGES]:
        field = form[key]
        label, new = shorten_label(field.setting.label), display_text(field, saved[key])
        if field.setting.secret and not form.is_reset(key) and _has_outer_blanks(saved[key]):
            yield _("%(label)s saved, with a blank at its beginning or end.", label=label)
        elif field.setting.secret or field.value_text == new:
            yield _("%(label)s saved.", label=label)
        else:
            texts = {"old": quoted_text(field.value_text, field), "new": quoted_text(new, field)}
            yield _("%(label)s: %(old)s → %(new)s", label=label, **texts)
    if len(keys) > MESSAGES:
        yield ngettext("%(count)s more saved.", "%(count)s more saved.", len(keys) - MESSAGES)


def _has_outer_blanks(value: object) -> bool:
    return isinstance(value, str) and value.strip() != value


def _describe_effect(settings: list[Setting], promise: str | None) -> Iterator[str]:
    """Say when saved settings take effect."""
    waiting = [setting for setting in settings if setting.restart]
    if waiting and waiting == settings:
        yield _(RESTART)
        return
    yield from [promise] if promise else []
    for setting in waiting[:MESSAGES]:
        yield _(RESTART_OF, label=shorten_label(setting.label))


def shorten_label(label: object) -> str:
    """Return a label as messages have it."""
    return shorten(label, LENGTH)


def quoted_text(text: str, field: BoundField) -> str:
    """Return the text of a value as messages have it, in quotes where the field says so."""
    if not text:
        return _("empty")
    text = shorten(text, LENGTH)
    return _("“%(text)s”", text=text) if field.quoted else text


def has_session() -> bool:
    """Whether anything can be stored in the session: not in an app without SECRET_KEY."""
    return not current_app.session_interface.is_null_session(session)
