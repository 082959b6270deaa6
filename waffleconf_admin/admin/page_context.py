"""Page context: what the template of the settings page shows besides the form."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from ..exceptions import StoreError
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..i18n import gettext as _
from ..state.change import Change
from ..state.ends import refused_sentence
from ..state.state import State
from ..sync.health import Health, attention_sentence
from . import undo
from .conflicts import Conflict
from .ends import EndChoice, ShownEnds
from .found_settings import FoundSettings
from .links import page_links
from .messages import take_message
from .moved_defaults import find_moved
from .permissions import Permissions
from .rows import Rows
from .settings_filter import SettingsFilter
from .submission import ENDING, PageSubmission, Pairs
from .workers import applied, count_workers

log = logging.getLogger(__name__)


class PageContext:
    """The variable ``page`` of the template.

    :param form: of the settings that the user may see.
    :param settings_filter: which settings the address asks for.
    :param sent: what was sent, if anything.
    :param conflicts: what is to be said of the conflicts of the form, by key.
    :param expired: whether the form is refused only because it is old.
    :param discarded: what was typed before a click on Discard, to be brought back.
    """

    def __init__(
        self,
        state: State,
        permissions: Permissions,
        form: SettingsForm,
        settings_filter: SettingsFilter,
        sent: PageSubmission | None,
        *,
        conflicts: Mapping[str, Conflict],
        expired: bool = False,
        discarded: Pairs | None = None,
    ) -> None:
        self._form = form
        fields = list(form)
        self.filter = settings_filter
        self.total = len(fields)
        self.editable = sum(field.editable for field in fields)
        self.links = page_links(state, permissions)
        self.has_history = state.history is not None and bool(permissions.with_history)
        #: The last change of settings that differ from their default or are in conflict; of all
        #: settings if the filter asks for it.
        self.latest = self._latest(state, permissions, fields)
        # Settings that nobody can change on a page say so in their rows.
        refused = {
            s.key for s in permissions.viewable if not (s.readonly or permissions.may_edit(s))
        }
        self._unsaved = (form.errors.keys() | form.changes.keys()) - {""}
        self.found = FoundSettings(fields, settings_filter, self._unsaved, refused, self.latest)
        self.groups = self.found.groups
        #: Why all this is changed, if that was written already.
        self.note = (sent.note if sent else None) or ""
        #: Whether, and when, the next save goes back.
        self.end = EndChoice.of(state, sent)
        #: The saves that go back.
        self.ends = ShownEnds(state, permissions, form)
        self.expired = expired
        settles = sent is not None and sent.action in ENDING
        #: The heading of what is wrong.
        self.problems = _("Nothing was changed") if settles else _("Nothing was saved yet")
        self.discarded = discarded
        count = count_workers(state, permissions, by_memory=True)
        self.rows = Rows(
            form,
            conflicts,
            self.latest,
            permissions.with_history if self.has_history else (),
            self.found,
            self.ends.of_rows,
            find_moved(state, form),
            count.restart_sentence if count else lambda key: None,
        )
        #: The change set that the user may undo, right after saving it; and the form for that.
        self.undo = undo.take_offer(state, permissions)
        self.undo_form = Guard() if self.undo else None
        self.trouble = _trouble(state.health())
        #: What the save just before this page has written.
        self.message = take_message()
        #: How many processes apply the settings: after a save, and while one lags.
        self.applied = applied(count, permissions) if count else None
        if self.applied and self.applied.is_complete and not (self.message and self.message.saved):
            self.applied = None
        self.notes = []
        if refused and not self.editable:
            self.notes.append(_("You may see these settings, but not change them."))

    @property
    def title(self) -> str:
        """The title of the page: what is not saved, the group, and what it is about."""
        count = len(self._unsaved)
        text = _("1 unsaved") if count == 1 else _("# unsaved").replace("#", str(count))
        groups = [group.label for group in self.groups if group.name == self.filter.group]
        saved = [_("Saved")] if self.message and self.message.saved else []
        return " – ".join(saved + [text] * bool(count) + groups + [_("Settings")])

    def _latest(
        self, state: State, permissions: Permissions, fields: list[BoundField]
    ) -> Mapping[str, Change]:
        conflicts = set(self._form.conflicts)
        keys = [
            field.setting.key
            for field in fields
            if (self.filter.asks_history or field.differs or field.setting.key in conflicts)
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
    """What is wrong with this process; the page shows elsewhere what is wrong with settings."""
    own = (attention_sentence(health.attention), refused_sentence(health.refused))
    return None if health.trouble in own else health.trouble
