"""The undo page: takes a save back, or shows on the history page why not."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping

from flask import Response, flash, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..forms.form import ELSEWHERE
from ..forms.tokens import explain
from ..i18n import gettext as _
from ..i18n import mark, ngettext
from ..state.change import Change
from ..state.open_ends import dropped_ends
from .history_filter import HistoryFilter
from .history_page import HistoryPage
from .links import filtered_url
from .messages import MESSAGES, has_session, shorten_label
from .responses import lead_to
from .times import Zone
from .undo import UndoButton, already_undone

log = logging.getLogger(__name__)

NOT_ALLOWED = mark("You may not undo this.")


class UndoPage(HistoryPage):
    """One request that undoes a save, or its change of one setting."""

    def _refused_unread(self) -> tuple[str, int] | None:
        return None if self._permissions.undoable else (_(NOT_ALLOWED), 403)

    def _refuse(self, problem: str, status: int) -> Response:
        return self._show(HistoryFilter({}), [problem], status)

    def _take(self, form: MultiDict[str, str]) -> BaseResponse:
        """Undo, and lead back to the history or the settings; or show why not."""
        wanted = HistoryFilter(request.values)
        if self._refusal:
            return self._show(wanted, [explain(self._refusal)], 422)
        button = UndoButton.parse(form.get("undo", ""))
        try:
            changes = self._changes_of(button)
            if not any(change.key in self._permissions.undoable for change in changes):
                return self._show(wanted, [_(NOT_ALLOWED)], 403)
            restored = self._restore(button, changes)
        except (ConflictError, InvalidValue, StoreError) as error:
            return self._show(wanted, *self._why_not_undone(error))
        if has_session():
            self._flash(changes, restored)
        return lead_to(filtered_url() if form.get("back") == "index" else wanted.url())

    def _changes_of(self, button: UndoButton) -> list[Change]:
        return [
            change
            for change in self._history.of(button.change_set)
            if (self._covers_all or change.key in self._settings) and button.key in ("", change.key)
        ]

    def _restore(self, button: UndoButton, changes: list[Change]) -> Mapping[str, object]:
        """Undo those changes that this user may undo; return the restored values by key."""
        undoable = [change for change in changes if change.key in self._permissions.undoable]
        try:
            return self._history.undo(
                button.change_set,
                keys=[change.key for change in undoable],
                seen=button.seen,
                actor=self._actor(),
            )
        except ConflictError:
            # Perhaps a second click on the same button, and all is restored.
            restored = already_undone(self._state, self._history, undoable)
            if not restored:
                raise
            return restored

    # Messages

    def _why_not_undone(
        self, error: ConflictError | InvalidValue | StoreError
    ) -> tuple[Iterable[str], int]:
        """What to say of an error, and the status of the response."""
        if isinstance(error, ConflictError):
            return self._overtaken(error), 409
        if isinstance(error, InvalidValue):
            return self._invalid(error), 422
        log.error("a save can't be undone", exc_info=error)
        return [_("Undo does not work at the moment. Please try again soon.")], 503

    def _label(self, key: str) -> str:
        setting = self._settings.get(key)
        return shorten_label(setting.label if setting else key)

    def _overtaken(self, error: ConflictError) -> Iterator[str]:
        for key in error.keys:
            yield _(
                "%(label)s was changed again since, so nothing was undone. Look at its history.",
                label=self._label(key),
            )

    def _invalid(self, error: InvalidValue) -> Iterator[str]:
        yield from () if error.errors else [str(error)]
        for key, message in error.errors.items():
            if key in self._settings:
                yield f"{self._label(key)}: {message}"
        if not error.errors.keys() <= self._settings.keys():
            yield _(ELSEWHERE)

    def _flash(self, changes: list[Change], restored: Mapping[str, object]) -> None:
        named, zone = list(restored)[:MESSAGES], Zone()
        dropped = dropped_ends(self._history, [c for c in changes if c.key in named])
        for key in named:
            flash(_("%(label)s has its old value again.", label=self._label(key)), "success")
            if key in dropped:
                time = f"{zone.text(dropped[key])} {zone.name}"
                flash(_("It no longer goes back by itself at %(time)s.", time=time), "warning")
        if len(restored) > MESSAGES:
            more = len(restored) - MESSAGES
            flash(ngettext("%(count)s more.", "%(count)s more.", more), "success")
        left_out = [change for change in changes if change.key not in restored]
        for change in left_out[:MESSAGES]:
            flash(f"{self._label(change.key)}: {self._why_left_out(change)}", "warning")
        if len(left_out) > MESSAGES:
            more = len(left_out) - MESSAGES
            flash(ngettext("%(count)s more left out.", "%(count)s more left out.", more), "warning")

    def _why_left_out(self, change: Change) -> str:
        if change.key in self._settings and change.key not in self._permissions.undoable:
            return _("You may not change it.")
        return self._history.obstacle(change) or _("It has that value already.")
