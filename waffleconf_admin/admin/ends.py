"""Ends: the choice beside Save, what pages say of saves that go back, and their two buttons."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from flask import current_app

from ..exceptions import ConflictError, InvalidValue, StoreError
from ..fields.base import display_text
from ..forms import SettingsForm
from ..forms.form import ELSEWHERE
from ..i18n import gettext as _
from ..i18n import mark, ngettext
from ..permissions import Permissions
from ..settings.setting import Setting
from ..state.change import Change
from ..state.ends import Ends
from ..state.open_ends import End
from ..time_zones import SKIPPED
from .messages import leave_lines, quoted_text, shorten_label
from .problems import not_allowed
from .submission import PageSubmission
from .times import SkippedTime, Zone, time_until

#: The lengths that the page offers, in minutes.
MINUTES = (1, 10, 60)
#: The choice of a date and time.
AT = "at"

MISSING = mark("Choose a date and time at which this goes back.")

#: What the history says of ends, by what has become of them.
_OUTCOMES = {
    "": mark("goes back: %(end)s"),
    "back": mark("went back: %(time)s"),
    "kept": mark("until %(end)s; kept by %(actor)s: %(time)s"),
    "changed": mark("until %(end)s; changed again before"),
    "refused": mark("should have gone back: %(end)s; it was refused"),
}


class EndChoice(NamedTuple):
    """The choice beside Save: whether, and when, the save goes back."""

    offered: bool  #: whether saves can have an end
    chosen: str = ""  #: a number of minutes, `AT`, or "": it stays
    at: str = ""  #: the date and time, as the browser sends it

    @classmethod
    def of(cls, ends: Ends, sent: PageSubmission | None) -> EndChoice:
        """Return the choice for a page.

        :param ends: of the state.
        :param sent: what was sent before, if anything.
        """
        offered = ends.available
        return cls(offered, sent.until, sent.until_at) if sent else cls(offered)

    @property
    def choices(self) -> Iterator[tuple[str, str]]:
        """What the form sends for each choice, and its text."""
        yield "", _("Until changed")
        for count in MINUTES:
            yield str(count), ngettext("For %(count)s minute", "For %(count)s minutes", count)
        yield AT, _("Until…")

    @property
    def zone(self) -> str:
        """The time zone of the date and time."""
        return Zone().name

    def end(self, ends: Ends) -> datetime | None:
        """Return when the save goes back; None: it stays.

        :param ends: of the state.
        :raises InvalidValue: no time can be read.
        :raises StoreError: the database can't be read.
        """
        if not self.chosen:
            return None
        if self.chosen in map(str, MINUTES):
            return ends.now() + timedelta(minutes=int(self.chosen))
        try:
            return Zone().read(self.at)
        except SkippedTime as error:
            raise InvalidValue(str(error)) from error
        except (ValueError, OverflowError) as error:
            raise InvalidValue(_(MISSING)) from error

    def is_wrong(self, problems: Collection[str]) -> bool:
        """Whether problems of the form say that the date and time is missing or is no time."""
        return _(MISSING) in problems or _(SKIPPED, zone=self.zone) in problems


class ShownEnd(NamedTuple):
    """The end of a save, as the settings page shows it."""

    change_set: str
    lines: list[str]  #: what goes back, and when
    text: str  #: when, or why it did not
    refused: bool
    may_settle: bool  #: whether this user may keep it, or take it back


class ShownEnds:
    """The ends of saves that a user may see.

    :param ends: of the state: those that are still to come or were refused.
    :param settings: all that are declared.
    :param form: of the settings that the user may see.
    """

    def __init__(
        self,
        ends: Ends,
        settings: Iterable[str],
        permissions: Permissions,
        form: SettingsForm,
    ) -> None:
        self._permissions = permissions
        self._form = form
        self._zone = Zone()
        self._hidden = [key for key in settings if key not in form]
        found = [end for end in ends.open if any(key in form for key in end.changes)]
        self.list = [self._shown(end) for end in ends.translated(found)]
        #: What the row of a setting says, by key.
        self.of_rows = {
            key: shown.text
            for end, shown in zip(found, self.list, strict=True)
            for key in end.changes
        }

    def _shown(self, end: End) -> ShownEnd:
        visible = [change for key, change in end.changes.items() if key in self._form]
        return ShownEnd(
            end.change_set,
            [self._line(change, end) for change in visible],
            self._text(end),
            bool(end.refused),
            may_settle(self._permissions, end.changes),
        )

    def _line(self, change: Change, end: End) -> str:
        field = self._form[change.key]
        label = shorten_label(field.setting.label)
        if change.secret or change.key not in self._permissions.with_history:
            return label if end.refused else f"{label}: {self._text(end)}"
        sides = ((change.old, change.old_text), (change.new, change.new_text))
        values = (field.setting.default if text is None else value for value, text in sides)
        old, new = (quoted_text(display_text(field, value), field) for value in values)
        if end.refused:
            return _("%(label)s: %(old)s → %(new)s", label=label, old=new, new=old)
        return _(
            "%(label)s: %(new)s, goes back to %(old)s %(when)s (%(time)s).",
            label=label,
            new=new,
            old=old,
            when=time_until(end.at),
            time=self._time(end),
        )

    def _time(self, end: End) -> str:
        return f"{self._zone.text(end.at)} {self._zone.name}"

    def _text(self, end: End) -> str:
        time = self._time(end)
        if not end.refused:
            return _("Goes back %(when)s (%(time)s).", when=time_until(end.at), time=time)
        why = end.reason(self._hidden, _(ELSEWHERE))
        return _("Should have gone back at %(time)s. It was refused: %(why)s", time=time, why=why)


def may_settle(permissions: Permissions, keys: Iterable[str]) -> bool:
    """Whether this user may keep settings or take them back: each of them may be changed."""
    return permissions.editable.issuperset(keys)


def settle(
    ends: Ends,
    settings: Mapping[str, Setting],
    permissions: Permissions,
    sent: PageSubmission,
    actor: str | None,
) -> tuple[int, str]:
    """Do what the buttons of an end ask for, and leave a message for the next page.

    :returns: the status of the response, 303 if it is done; and what is wrong, in a sentence.
    """
    keep = sent.action == "keep-save"
    try:
        end = next((e for e in ends.read() if e.change_set == sent.key), None)
        if end is None:
            return 409, _("This save has no end any more: it went back, or was kept or changed.")
        if not may_settle(permissions, end.changes):
            return 403, _("You may not change all settings of this save.")
        if keep:
            ends.keep(end.change_set, actor=actor)
        else:
            ends.go_back(end.change_set, actor=actor)
    except ConflictError:
        return 409, _("Somebody else was faster. Look at the page again.")
    except InvalidValue as error:
        return 422, " ".join(not_allowed(error, permissions.viewable))
    except StoreError:
        current_app.logger.exception("an end can't be settled")
        return 503, _("Saving does not work at the moment. Please try again soon.")
    text = mark("%(label)s is kept.") if keep else mark("%(label)s has its old value again.")
    labels = [shorten_label(settings[key].label) for key in end.changes]
    leave_lines(_(text, label=label) for label in labels)
    return 303, ""


def end_text(change: Change, zone: Zone) -> str:
    """Return what the history says of the end of a change; "" without one."""
    if change.ends_at is None:
        return ""
    return _(
        _OUTCOMES[change.outcome],
        end=zone.text(change.ends_at),
        time=zone.text(change.ended_at) if change.ended_at else "",
        actor=change.remark or _("unknown"),
    )
