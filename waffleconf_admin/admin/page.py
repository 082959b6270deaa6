"""Page: what the template of the settings page shows besides the form."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from flask import url_for
from markupsafe import Markup

from ..exceptions import StoreError
from ..fields import SettingField
from ..fields.base import TEXT_LIMIT
from ..fields.temporal import DateField
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..i18n import gettext as _
from ..i18n import ngettext
from ..settings.setting import Setting
from ..sync.health import attention_sentence
from . import kept, saved
from .filter import GENERAL, Filter, group_label, group_name
from .permissions import Rights
from .relative_time import ago
from .submission import Sent

log = logging.getLogger(__name__)

#: Controls whose state one text tells.
_TOLD = (
    *("text", "textarea", "json", "number", "range", "color", "checkbox", "select", "radio"),
    *("checks", "date", "time", "datetime"),
)


def _text(field: Any, value: Any) -> str | None:
    """Return what the control of a field shows of a value; None: one text can't tell."""
    if not isinstance(field, SettingField) or field.control not in _TOLD:
        return None
    try:
        text = field.show(value)
    except ValueError:
        return None
    if isinstance(field, DateField):
        (now, beside), (local, zone) = field.parts(field._value()), field.parts(text)
        # The zone stands beside the control, and one for minutes may not take seconds.
        if now is None or local is None or zone != beside or local.count(":") > 1:
            return None
        text = local
    return text if len(text) <= TEXT_LIMIT else None


class Group(NamedTuple):
    """The settings of one group, those left out by the filter too."""

    name: str  #: in addresses
    label: str
    fields: list[Any]  #: fields of the form, or what stands for them
    found: int  #: how many the search finds, in whatever group somebody looks
    shown: bool  #: whether any of them is to be seen
    wanted: int  #: how many the whole filter finds


class Page:
    """The settings as they are laid out for one person.

    :param form: of the settings that this person may see.
    :param records: what the database has of them.
    :param keeper: of the rows that are kept.
    :param found: the filter.
    :param sent: what was sent besides the settings.
    :param notes: sentences to show on top.
    """

    def __init__(
        self,
        state: Any,
        rights: Rights,
        form: SettingsForm,
        records: Mapping[str, Any],
        keeper: kept.Keeper,
        found: Filter,
        sent: Sent,
        notes: list[str],
    ) -> None:
        self.filter = found
        self.notes = notes
        #: Secrets aside: no control shows that they are to be reset.
        self.resets = [key for key in sent.resets if key in form and not state.settings[key].secret]
        #: The texts that the controls of kept rows show.
        self.known: dict[str, str | None] = {}
        self._form = form
        self._keeper, self._rows = keeper, keeper.rows()
        self._rights = rights
        self._fresh = not form.is_submitted() and not found
        self._links = True  #: whether the rows say who changed them, where that is known
        fields = [self._field(setting, records[setting.key]) for setting in rights.viewable]
        self.total = len(fields)
        self.changed = sum(field.differs for field in fields)
        self.attention = sum(field.attention for field in fields)
        self.editable = sum(field.editable for field in fields)
        self.groups = self._grouped(fields)
        self.found = sum(group.found for group in self.groups)
        self.shown = sum(group.wanted for group in self.groups)
        self.latest = self._latest(state.history, rights, fields)
        self.history_url = url_for(".history") if self._sees_history(state, rights) else None
        self.links = [(_("History"), self.history_url)] if self.history_url else []
        #: The save to be undone, and the form that does it.
        self.undo = saved.undoable(state, rights)
        self.undo_form = Guard() if self.undo else None
        health = state.health()
        # What is wrong with what is stored is said beside each setting.
        said = health.trouble == attention_sentence(health.attention)
        self.trouble: str | None = None if said else health.trouble
        #: Why all this is changed, as it was written on the page that reviews it.
        self.note = sent.note or ""
        self.notes += self._refused(rights)

    def keep(self, field: Any, html: Markup) -> Markup:
        """Keep a row as it was rendered, if nobody has touched it, and return it."""
        if self._fresh and self._links and field.setting.key not in self.latest:
            self._keeper.keep(self._rows, field, self._rights, html)
        return html

    def by(self, change: Any) -> str:
        """Return in words who made a change, and when."""
        at: datetime = change.at
        return f"{change.actor}, {ago(at)}" if change.actor else ago(at)

    def reset_text(self, field: Any) -> str | None:
        """Return what a control shows of the default, for the script; None: it can't know."""
        return _text(field, field.setting.default)

    def stored_text(self, field: Any) -> str | None:
        """Return what the control of an unsaved setting showed at first; None: as above."""
        return None if field.setting.key in self.resets else _text(field, field.record.value)

    def _field(self, setting: Setting, record: Any) -> Any:
        """The field of a setting, or what stands for it as long as its row is kept."""
        row = kept.find(self._rows, setting, record, self._rights) if self._fresh else None
        if row is None:
            return self._form[setting.key]
        self.known[setting.key] = row.basis
        return kept.Row(self._form, row)

    def _grouped(self, fields: list[Any]) -> list[Group]:
        groups: dict[str, list[Any]] = {GENERAL: []}
        for field in fields:
            groups.setdefault(group_name(field.setting), []).append(field)
        return [self._group(name, members) for name, members in groups.items() if members]

    def _group(self, name: str, fields: list[Any]) -> Group:
        label = group_label(fields[0].setting)
        if not self.filter:
            return Group(name, label, fields, len(fields), True, len(fields))
        found, shown, here = 0, False, self.filter.has_group(name)
        for field in fields:
            finds = self.filter.finds(field)
            unsaved = field.errors or field.setting.key in self._form.changes
            # What is not saved yet is never out of sight.
            field.hidden = not (finds and here) and not unsaved
            found += finds
            shown |= not field.hidden
        return Group(name, label, fields, found, shown, found if here else 0)

    def _sees_history(self, state: Any, rights: Rights) -> bool:
        return state.history is not None and any(
            rights.allows("history", setting) for setting in rights.viewable
        )

    def _latest(self, history: Any, rights: Rights, fields: list[Any]) -> Mapping[str, Any]:
        """Who changed last what differs from its default, or is in conflict here, where somebody
        keeps that.
        """
        conflicts = set(self._form.conflicts)
        told = [
            field.setting
            for field in fields
            if history and (field.differs or field.setting.key in conflicts)
        ]
        keys = [setting.key for setting in told if rights.allows("history", setting)]
        try:
            return history.latest(keys) if keys else {}
        except StoreError:
            log.exception("the history can't be read")
            self._links = False
            return {}

    def _refused(self, rights: Rights) -> list[str]:
        # What nobody can change here, read-only or changed from code, says so itself.
        refused = sum(not (s.readonly or rights.may_edit(s)) for s in rights.viewable)
        if refused and not self.editable:
            return [_("You may see these settings, but not change them.")]
        text = ngettext(
            "You may see %(count)s of these settings, but not change it.",
            "You may see %(count)s of these settings, but not change them.",
            refused,
        )
        return [text] if refused else []
