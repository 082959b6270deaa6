"""Page context: what the template of the settings page shows besides the form."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

from ..exceptions import StoreError
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..forms.guard import Guard
from ..i18n import gettext as _
from ..i18n import ngettext
from ..permissions import Permissions
from ..state.change import Change
from ..state.ends import refused_sentence
from ..state.state import State
from ..sync.health import attention_sentence
from . import undo
from .conflicts import Conflict
from .ends import EndChoice, ShownEnds
from .found_settings import FoundSettings
from .links import Link, page_links
from .messages import take_message
from .moved_defaults import find_moved
from .notes import PageNotes
from .problems import log_unreadable
from .rows import PageRows
from .settings_filter import SettingsFilter
from .submission import ENDING, PageSubmission, Pairs
from .workers import Applied, applied, count_workers


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
        expired: bool,
        discarded: Pairs | None,
    ) -> None:
        self._state, self._permissions, self._form, self._sent = state, permissions, form, sent
        self.filter = settings_filter
        self.expired, self.discarded = expired, discarded
        fields = list(form)
        self.total = len(fields)
        self.editable = sum(field.editable for field in fields)
        self.has_history = state.history is not None and bool(permissions.with_history)
        #: The last change of settings that differ from their default or are in conflict; of all
        #: settings if the filter asks for it.
        self.latest = self._latest(fields)
        # Settings that nobody can change on a page say so in their rows.
        locked = [field.setting for field in fields if not field.editable]
        self._refused = {s.key for s in locked if not (s.readonly or permissions.may_edit(s))}
        self._unsaved = form.unsaved
        self.found = FoundSettings(
            fields, settings_filter, self._unsaved, self._refused, self.latest
        )
        self.groups = self.found.groups
        #: Whether, and when, the next save goes back.
        self.end = EndChoice.of(state.ends, sent)
        #: Whether that needs a date and time, and has none, or one that no clock shows.
        self.end_missing = self.end.is_wrong(form.form_errors)
        #: The saves that go back.
        self.ends = ShownEnds(state.ends, state.settings, permissions, form)
        self._workers = count_workers(state.workers, permissions, by_memory=True)
        self.rows = self._make_rows(conflicts)
        #: The change set that the user may undo, right after saving it.
        self.undo = undo.take_offer(state.history, permissions)
        #: The end of that save, whose buttons stand in place of Undo; None: it has none.
        self.new_end = next((e for e in self.ends.list if e.change_set == self.undo), None)
        #: What the save just before this page has written.
        self.message = take_message()

    @property
    def title(self) -> str:
        """The title of the page: what is not saved, the group, and what it is about."""
        count = len(self._unsaved)
        text = ngettext("%(count)s unsaved", "%(count)s unsaved", count)
        groups = [group.label for group in self.groups if group.name == self.filter.group]
        saved = [_("Saved")] if self.message and self.message.saved else []
        return " – ".join(saved + [text] * bool(count) + groups + [_("Settings")])

    @property
    def links(self) -> list[Link]:
        """The other pages."""
        return page_links(self._state.history, self._permissions)

    @property
    def note(self) -> str:
        """Why all this is changed, if that was written already."""
        return (self._sent.note if self._sent else None) or ""

    @property
    def problems(self) -> str:
        """The heading of what is wrong."""
        if self.message:  # it says what was done, so "nothing" would contradict it
            return _("Not saved yet")
        settles = self._sent is not None and self._sent.action in ENDING
        return _("Nothing was changed") if settles else _("Nothing was saved yet")

    @cached_property
    def focused(self) -> str | None:
        """The key of the only setting with a problem, if one control can have the focus."""
        wrong = list(self._form.errors)
        if self._form.conflicts or len(wrong) != 1 or not wrong[0]:
            return None
        field = self._form[wrong[0]]
        return wrong[0] if field.editable and not field.is_group else None

    @property
    def notes(self) -> list[str]:
        """What is to be said of the page as a whole."""
        if self._refused and not self.editable:
            return [_("You may see these settings, but not change them.")]
        return []

    @property
    def undo_form(self) -> Guard:
        """The form of the buttons in the message about what was just saved."""
        return Guard()

    @cached_property
    def trouble(self) -> str | None:
        """What is wrong with this process; the page shows elsewhere what is wrong with settings."""
        health = self._state.health()
        own = (attention_sentence(health.attention), refused_sentence(health.refused))
        return None if health.trouble in own else health.trouble

    @cached_property
    def applied(self) -> Applied | None:
        """How many processes apply the settings: after a save, and while one lags."""
        if self._workers is None:
            return None
        counted = applied(self._workers, self._permissions)
        is_news = not counted.is_complete or (self.message and self.message.saved)
        return counted if is_news else None

    def _make_rows(self, conflicts: Mapping[str, Conflict]) -> PageRows:
        count = self._workers
        notes = PageNotes(
            self._form,
            conflicts,
            self.latest,
            self._refused,
            self.ends.of_rows,
            find_moved(self._state.deployments, self._form),
            count.restart_sentence if count else lambda key: None,
        )
        history = self._permissions.with_history if self.has_history else ()
        return PageRows(notes, self.found, history, self.focused)

    def _latest(self, fields: list[BoundField]) -> Mapping[str, Change]:
        history = self._state.history
        if not history:
            return {}
        may_see = self._permissions.with_history
        conflicts, asks_all = set(self._form.conflicts), self.filter.asks_history
        keys = [
            key
            for field in fields
            if (asks_all or field.differs or field.setting.key in conflicts)
            and (key := field.setting.key) in may_see
        ]
        if not keys:
            return {}
        try:
            return history.latest(keys)
        except StoreError as error:
            log_unreadable("history", error)
            return {}
