"""Page context: what the template of the settings page shows besides the form."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from flask import url_for

from ..exceptions import StoreError
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..i18n import gettext as _
from ..i18n import ngettext
from ..state.change import Change
from ..state.state import _WaffleState
from ..sync.health import Health, attention_sentence
from . import undo
from .permissions import Permissions
from .rows import Rows
from .settings_filter import GENERAL, SettingsFilter, group_label, group_name
from .submission import PageSubmission

log = logging.getLogger(__name__)


class Group(NamedTuple):
    """The settings of one group, hidden ones too."""

    name: str  #: in addresses
    label: str
    fields: list[BoundField]
    hidden: bool  #: whether the page hides all of them
    matching: int  #: how many match the search, whichever group is chosen
    selected: int  #: how many match the whole filter, its group too


class PageContext:
    """The variable ``page`` of the template.

    :param form: of the settings that the user may see.
    :param settings_filter: which settings the address asks for.
    :param sent: what was sent, if anything.
    :param notes: sentences to show on top.
    """

    def __init__(
        self,
        state: _WaffleState,
        permissions: Permissions,
        form: SettingsForm,
        settings_filter: SettingsFilter,
        sent: PageSubmission | None,
        notes: Iterable[str],
    ) -> None:
        self._form = form
        fields = list(form)
        self.filter = settings_filter
        self.total = len(fields)
        self.changed = sum(field.differs for field in fields)
        self.attention = sum(field.attention for field in fields)
        self.editable = sum(field.editable for field in fields)
        self.groups = self._grouped(fields)
        self.matching = sum(group.matching for group in self.groups)
        self.selected = sum(group.selected for group in self.groups)
        #: Secrets are left out: no control shows that one is to be reset.
        self.resets = (
            [key for key in sent.resets if key in form and not form[key].setting.secret]
            if sent
            else []
        )
        #: Why all this is changed, as written on the review page.
        self.note = (sent.note if sent else None) or ""
        has_history = state.history is not None and bool(permissions.with_history)
        self.history_url = url_for(".history") if has_history else None
        self.links = [(_("History"), self.history_url)] if self.history_url else []
        #: The last change of settings that differ from their default or are in conflict.
        self.latest = self._latest(state, permissions, fields)
        self.rows = Rows(form, self.resets, self.latest, self.history_url)
        #: The change set that the user may undo, right after saving it; and the form for that.
        self.undo = undo.take_offer(state, permissions)
        self.undo_form = Guard() if self.undo else None
        self.trouble = _trouble(state.health())
        self.notes = [*notes, *_permission_notes(permissions, self.editable)]

    def _grouped(self, fields: list[BoundField]) -> list[Group]:
        groups: dict[str, list[BoundField]] = {GENERAL: []}
        for field in fields:
            groups.setdefault(group_name(field.setting), []).append(field)
        return [self._group(name, members) for name, members in groups.items() if members]

    def _group(self, name: str, fields: list[BoundField]) -> Group:
        label = group_label(fields[0].setting)
        count = len(fields)
        if not self.filter:
            return Group(name, label, fields, False, count, count)
        matches = [self.filter.matches(field) for field in fields]
        is_chosen = self.filter.has_group(name)
        for field, is_match in zip(fields, matches, strict=True):
            # What is not saved yet stays visible.
            unsaved = field.errors or field.setting.key in self._form.changes
            field.hidden = not (is_match and is_chosen) and not unsaved
        hidden, matching = all(field.hidden for field in fields), sum(matches)
        return Group(name, label, fields, hidden, matching, matching if is_chosen else 0)

    def _latest(
        self, state: _WaffleState, permissions: Permissions, fields: list[BoundField]
    ) -> Mapping[str, Change]:
        conflicts = set(self._form.conflicts)
        keys = [
            field.setting.key
            for field in fields
            if (field.differs or field.setting.key in conflicts)
            and field.setting.key in permissions.with_history
        ]
        if not (keys and state.history):
            return {}
        try:
            return state.history.latest(keys)
        except StoreError:
            log.exception("the history can't be read")
            return {}


def _trouble(health: Health) -> str | None:
    """What is wrong with this process; what is wrong with stored values is shown in their rows."""
    only_values = health.trouble == attention_sentence(health.attention)
    return None if only_values else health.trouble


def _permission_notes(permissions: Permissions, editable: int) -> list[str]:
    # Read-only settings, and those that can only be changed from code, say so in their rows.
    refused = sum(not (s.readonly or permissions.may_edit(s)) for s in permissions.viewable)
    if not refused:
        return []
    if not editable:
        return [_("You may see these settings, but not change them.")]
    return [
        ngettext(
            "You may see %(count)s of these settings, but not change it.",
            "You may see %(count)s of these settings, but not change them.",
            refused,
        )
    ]
