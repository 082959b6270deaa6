"""The pages of the history: who changed what, and the way back."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from flask import current_app, flash, redirect, request, session, url_for
from werkzeug.wrappers import Response

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..forms.form import ELSEWHERE
from ..forms.guard import Guard
from ..forms.tokens import FOREIGN, explain
from ..i18n import gettext as _
from ..i18n import ngettext
from ..state.change import Change
from . import csrf, undo
from .changes import Save, Teller, sources
from .permissions import Rights
from .relative_time import ago
from .saved import SHOWN, shorten

if TYPE_CHECKING:
    from . import WaffleAdmin

log = logging.getLogger(__name__)

PAGE = 50  #: changes on a page


class HistoryPage:
    """One request of the history's pages.

    :param admin: the blueprint.
    :param state: the app's state.
    :param rights: what this person may do.
    """

    def __init__(self, admin: WaffleAdmin, state: Any, rights: Rights) -> None:
        self.admin = admin
        self.state = state
        self.history = state.history
        self.settings = undo.visible(rights)
        #: Whether this person may see all there is: also of what is no longer a setting, and so
        #: has nobody left who could be asked.
        self.whole = len(self.settings) == len(state.settings) and admin.groups is None
        self.editable = undo.undoable(rights)
        self.refusal = csrf.refusal() if request.method == "POST" else ""
        #: The filter; what another site sends is not filled in.
        self.wanted = Filter({} if self.refusal == FOREIGN else request.values)

    def show(self, problems: Iterable[str] = (), status: int = 200) -> Response:
        """Answer a GET; or a POST that failed, with what is wrong."""
        if self.history is None:
            return self._page(404, kept=False)
        wanted = self.wanted
        try:
            keys = [] if wanted.unread else self._keys(wanted.key)
            changes = self.history.list(**wanted.arguments(keys), limit=PAGE + 1)
            whole = [] if wanted.key else self._whole(changes, continued=wanted.before is not None)
            latest = self.history.latest({change.key for change in [*changes, *whole]})
        except StoreError:
            log.exception("the history can't be read")
            return self._page(503, kept=True, wanted=wanted, available=False)
        obstacle = undo.quick(self.history)
        teller = Teller(self.settings, self.editable, latest, obstacle, self.admin.fields)
        saves = teller.saves(changes[:PAGE], whole)
        older = changes[PAGE - 1].id if len(changes) > PAGE else None
        if older and saves[-1].change_set == changes[PAGE].change_set:
            saves[-1].goes_on = True
        return self._page(
            status,
            kept=True,
            available=True,
            problems=list(problems),
            wanted=wanted,
            days=_by_day(saves),
            older=older,
            setting=self.settings.get(wanted.key),
            settings=self.settings.values(),
            sources=sources(),
            guard=Guard(self.refusal),
            ago=ago,
        )

    def undo(self) -> Response:
        """Answer a POST: undo a save, or put one value back."""
        if self.history is None:
            return self._page(404, kept=False)
        if self.refusal:
            return self.show([explain(self.refusal)], 400 if self.refusal == FOREIGN else 422)
        change_set, _space, rest = request.form.get("undo", "").partition(" ")
        seen, _space, only = rest.partition(" ")
        try:
            found = [c for c in self.history.of(change_set) if self.whole or c.key in self.settings]
            found = [change for change in found if change.key == only or not only]
            keys = [change.key for change in found if change.key in self.editable]
            if not keys:
                return self.show([_("You may not undo this.")], 403)
            try:
                written: Mapping[str, Any] = self.history.undo(
                    change_set,
                    keys=keys,
                    seen=_number(seen),
                    actor=self.admin.who(),
                )
            except ConflictError as error:
                # A second click on the same button: what it asks for is done.
                written = undo.done(self.state, [change for change in found if change.key in keys])
                if not written:
                    return self.show(self._overtaken(error.keys), 409)
        except InvalidValue as error:
            return self.show([*self._refused(error)], 422)
        except StoreError:
            log.exception("a save can't be undone")
            return self.show([_("Undoing does not work at the moment. Try again soon.")], 503)
        self._tell(found, written)
        back = request.form.get("back") == "index"
        return redirect(url_for(".index") if back else self.wanted.url(), 303)

    def _keys(self, key: str) -> list[str] | None:
        """The settings to list; None for all there ever were."""
        if key:
            return [key] if self.whole or key in self.settings else []
        return None if self.whole else list(self.settings)

    def _whole(self, changes: list[Change], *, continued: bool) -> list[Change]:
        """The changes of a page, and what its first and its last save changed on other pages."""
        names = [change.change_set for change in changes]
        cut = {names[0]} if names and continued else set()
        cut |= set(names[PAGE - 1 : PAGE]) & set(names[PAGE:])
        whole = [change for change in changes if change.change_set not in cut]
        return whole + [change for name in cut for change in self.history.of(name)]

    def _page(self, status: int, **context: Any) -> Response:
        context = {"heading": _("History"), "setting": None} | context
        return self.admin.page("waffleconf/history", status, **context)

    # What became of an undo, in words

    def _label(self, key: str) -> str:
        setting = self.settings.get(key)
        return shorten(setting.label if setting else key)

    def _overtaken(self, keys: Iterable[str]) -> Iterator[str]:
        for key in keys:
            yield _(
                "%(label)s was changed again since, so nothing was undone. Look at its history.",
                label=self._label(key),
            )

    def _refused(self, error: InvalidValue) -> Iterator[str]:
        yield from () if error.errors else [str(error)]
        for key, message in error.errors.items():
            if key in self.settings:
                yield f"{self._label(key)}: {message}"
        if not error.errors.keys() <= self.settings.keys():
            yield _(ELSEWHERE)

    def _tell(self, found: list[Change], written: Mapping[str, Any]) -> None:
        if current_app.session_interface.is_null_session(session):
            return
        # A cookie session holds 4 kB, and the app wants most of them.
        for key in list(written)[:SHOWN]:
            flash(_("%(label)s has its old value again.", label=self._label(key)), "success")
        if len(written) > SHOWN:
            more = len(written) - SHOWN
            flash(ngettext("%(count)s more.", "%(count)s more.", more), "success")
        left = [change for change in found if change.key not in written]
        for change in left[:SHOWN]:
            why = self.history.obstacle(change)
            if change.key in self.settings and change.key not in self.editable:
                why = _("You may not change it.")
            why = why or _("It has that value already.")
            flash(f"{self._label(change.key)}: {why}", "warning")
        if len(left) > SHOWN:
            more = len(left) - SHOWN
            flash(ngettext("%(count)s more left out.", "%(count)s more left out.", more), "warning")


class Filter:
    """What of the history somebody wants to see, by the address of the page."""

    def __init__(self, query: Mapping[str, str]) -> None:
        self.key = query.get("key", "")
        self.actor = query.get("actor", "").strip()
        self.source = query.get("source", "")
        self.day = _day(query.get("day", ""))
        self.unread = bool(query.get("day")) and self.day is None  #: so that nothing fits
        self.before = _number(query.get("before", ""))

    def __bool__(self) -> bool:
        return bool(self.key or self.actor or self.source or self.day or self.unread)

    def arguments(self, keys: list[str] | None) -> dict[str, Any]:
        """The arguments for `History.list`."""
        start = self.day and datetime.combine(self.day, datetime.min.time(), UTC)
        return {
            "key": keys,
            "actor": self.actor or None,
            "source": self.source or None,
            "since": start,
            "until": start and start + timedelta(days=1),
            "before": self.before,
        }

    @property
    def query(self) -> dict[str, str]:
        """What makes this filter, as it is in the address."""
        day = self.day.isoformat() if self.day else ""
        query = {"key": self.key, "actor": self.actor, "source": self.source, "day": day}
        return {name: text for name, text in query.items() if text}

    def url(self, **changed: Any) -> str:
        """The address of the page with this filter, but for what is changed."""
        return url_for(".history", **{k: v for k, v in {**self.query, **changed}.items() if v})


def _number(text: str) -> int | None:
    # The largest number that every database takes.
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 1970 <= day.year < 9999 else None


def _by_day(saves: list[Save]) -> list[tuple[date, list[Save]]]:
    days: list[tuple[date, list[Save]]] = []
    for save in saves:
        day = save.first.at.date()
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(save)
    return days
