"""End choice: the control beside Save that says whether, and when, a save goes back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from ..exceptions import InvalidValue
from ..i18n import gettext as _
from ..i18n import mark, ngettext
from ..state.ends import Ends
from ..state.state import State
from .submission import PageSubmission
from .times import Zone

#: The lengths that the page offers, in minutes.
MINUTES = (1, 10, 60)
#: The choice of a date and time.
AT = "at"

MISSING = mark("Choose a date and time at which this goes back.")


class EndChoice(NamedTuple):
    """The choice beside Save: whether, and when, the save goes back."""

    offered: bool  #: whether saves can have an end
    chosen: str = ""  #: a number of minutes, `AT`, or "": it stays
    at: str = ""  #: the date and time, as the browser sends it

    @classmethod
    def of(cls, state: State, sent: PageSubmission | None) -> EndChoice:
        """Return the choice for a page.

        :param sent: what was sent before, if anything.
        """
        offered = state.ends.available
        return cls(offered, sent.until, sent.until_at) if sent else cls(offered)

    @property
    def choices(self) -> Iterator[tuple[str, str]]:
        """What the form sends for each choice, and its text."""
        yield "", _("No end")
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
        with suppress(ValueError, OverflowError):
            return Zone().aware(datetime.fromisoformat(self.at))
        raise InvalidValue(_(MISSING))
