"""Conflicts: who has changed a setting since the page was opened, from what and to what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import NamedTuple

from ..exceptions import StoreError
from ..fields.base import display_text
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..permissions import Permissions
from ..settings.setting import Setting
from ..state.change import Change
from ..state.history import History
from .diff import Comparer, Differences, whole_text
from .problems import log_unreadable
from .times import relative_time

#: Changes, and choices, among which the value that the page had displayed is searched.
CHANGES, CHOICES = 20, 100


class Conflict(NamedTuple):
    """What the page shows of a setting in conflict, besides both values."""

    by: str  #: who has saved the stored value, and when
    original: str | None  #: what the first page had displayed; None: that is not known
    differences: Differences  #: of the stored value and the typed one, where they are long


def describe_conflicts(
    form: SettingsForm,
    history: History | None,
    permissions: Permissions,
    actor: str | None,
    undecided: Mapping[str, str | None],
) -> dict[str, Conflict]:
    """Describe the conflicts of a validated form, by key.

    :param history: None: the app keeps none.
    :param permissions: of the user; others' changes are described only to users who may see them.
    :param actor: the user, as the history names them.
    :param undecided: the value before both changes, by key, of conflicts that an earlier page has
        described: what that page had displayed is no longer the value before.
    """
    comparer = Comparer()
    found = {}
    for key in form.conflicts:
        readable = history is not None and key in permissions.with_history
        changes = _changes(history, key) if history and readable else []
        found[key] = Conflict(
            _by(changes[0] if changes else None, actor),
            undecided[key] if key in undecided else _original(form, key, changes),
            _differences(form[key], comparer),
        )
    return found


def _changes(history: History, key: str) -> list[Change]:
    try:
        return [c for c in history.list(key, limit=CHANGES) if not c.notes_default]
    except StoreError as error:
        log_unreadable("history", error)
        return []


def _by(change: Change | None, actor: str | None) -> str:
    if change is None:
        return _("changed since you opened this page")
    when = relative_time(change.at)
    if not change.actor:
        return when
    if change.actor == actor:
        return _("saved by you in another window, %(when)s", when=when)
    return f"{change.actor}, {when}"


def _original(form: SettingsForm, key: str, changes: list[Change]) -> str | None:
    field = form[key]
    setting = field.setting
    past = (setting.default if change.old_text is None else change.old for change in changes)
    for value in chain(past, _likely(setting)):
        if form.was_displayed(key, value):
            return display_text(field, value)
    return None


def _likely(setting: Setting) -> Iterator[object]:
    """Yield values among which the former one is found without a history, of most settings."""
    yield setting.default
    if setting.value_type is bool:
        yield from (True, False)
    if not callable(setting.choices):  # a function could take its time
        yield from (choice.value for choice in (setting.choices or ())[:CHOICES])
    yield from setting.members


def _differences(field: BoundField, comparer: Comparer) -> Differences:
    if field.setting.secret or field.process_errors:
        return Differences()
    return comparer.compare(whole_text(field, field.record.value), whole_text(field, field.data))
