"""Ends: saves whose settings go back at a time, unless somebody keeps them."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from ..exceptions import BusyError, ConflictError, InvalidValue, NotReadyError, StoreError
from ..i18n import english, gettext, mark
from ..log_once import LogOnce
from ..store import Settlement
from ..sync.resync import RETRY
from ..sync.synchronizer import Synchronizer
from .history import History, SavingState
from .history_repository import HistoryRepository
from .obstacles import is_of_another_type
from .open_ends import End, OpenEnds
from .save import Saved
from .task import Origin

log = logging.getLogger(__name__)

#: How far ahead an end may be.
FARTHEST = timedelta(days=366)
#: Seconds until ends are read again that could not be read, where none is known.
LATER = 60.0
#: How often ends that others change meanwhile are tried, before the next second.
ATTEMPTS = 5

NO_HISTORY = mark(
    "A save can have an end only where a history is kept: give the store a model for it "
    "(docs/history.md)."
)
NO_COLUMNS = mark(
    "A save can have an end only where the model of the history has the columns ends_at, ended_at, "
    "outcome and remark: add them and run a migration (docs/ends.md)."
)
NAIVE = mark(
    "The end of a save needs a time zone: write datetime.now(UTC) + timedelta(minutes=10), or add "
    ".astimezone() to a local time."
)
PAST = mark("That time is past. Choose a later one.")
FAR = mark("At most 366 days from now.")
SECRET = mark("A secret can’t go back, because no value of it is kept: save it without an end.")
NO_WAY_BACK = mark(
    "Its present value could not come back, for it is of another type than the default. Declare "
    "its type, or save it without an end."
)
NO_END = mark("This save has no end any more: it went back, or was kept or changed.")


class Ends:
    """The ends of one app's saves. Needs no application context.

    :param state: the app's state.
    :param rows: its history in the database.
    :param history: of the state; None: it keeps none, so that no save can have an end.
    :param synchronizer: what reads the database when an end comes.
    """

    def __init__(
        self,
        state: SavingState,
        rows: HistoryRepository,
        history: History | None,
        synchronizer: Synchronizer,
    ) -> None:
        self._state = state
        self._synchronizer = synchronizer
        self._rows = rows
        self._open_ends = OpenEnds(state, rows, history)
        #: The ends that are still to come or were refused, as of the last load, the next first;
        #: without those that are left to processes which declare more settings.
        self.open: tuple[End, ...] = ()
        #: When the next end comes, by ``time.monotonic()``; None: there is none.
        self.deadline: float | None = None
        self._log_once = LogOnce(log)

    @property
    def available(self) -> bool:
        """Whether saves can have an end."""
        return self._open_ends.available

    @property
    def refused(self) -> tuple[str, ...]:
        """The keys of the settings that could not go back when it was time."""
        return tuple(key for end in self.open if end.refused for key in end.changes)

    def is_due(self) -> bool:
        """Whether an end has come; then not again for a second, so that one request sees to it."""
        if self.deadline is None or time.monotonic() < self.deadline:
            return False
        self.deadline = time.monotonic() + RETRY
        return True

    def read(self) -> tuple[End, ...]:
        """Return the ends that are still to come or were refused, the next first.

        :raises StoreError: the database can't be read.
        """
        return self._open_ends.read() if self.available else ()

    def translated(self, ends: Iterable[End]) -> Iterator[End]:
        """Yield ends with what refused them in the reader's language, as far as we can say it."""
        return map(self._open_ends.translated, ends)

    # Saves with an end

    def now(self) -> datetime:
        """Return the time by the clock of the database, which all processes share.

        :raises InvalidValue: no save can have an end here.
        :raises StoreError: the database can't be read.
        """
        self._check_available()
        return self._rows.now()

    def _check_available(self) -> None:
        if not self._rows.exists:
            raise InvalidValue(gettext(NO_HISTORY))
        if not self.available:
            raise InvalidValue(gettext(NO_COLUMNS))

    def prepare(self, until: datetime, keys: Iterable[str]) -> None:
        """Make ready for a save with an end.

        :param keys: the settings that it changes.
        :raises InvalidValue: it can't have this end, or none at all.
        :raises StoreError: the database can't be read or written.
        """
        now = self.now()
        if until.tzinfo is None:
            raise InvalidValue(gettext(NAIVE))
        settings = self._state.settings
        if secrets := [key for key in keys if settings[key].secret]:
            raise InvalidValue(dict.fromkeys(secrets, gettext(SECRET)))
        records = self._state.read(keys)
        if lost := [key for key in keys if is_of_another_type(settings[key], records[key].value)]:
            raise InvalidValue(dict.fromkeys(lost, gettext(NO_WAY_BACK)))
        if until <= now:
            raise InvalidValue(gettext(PAST))
        if until > now + FARTHEST:
            raise InvalidValue(gettext(FAR))
        self.read()  # settles what this save must not go on from

    def keep(self, change_set: str, *, actor: str | None = None) -> End:
        """Let the settings of a save stay as they are.

        :param actor: who keeps them.
        :returns: the end that it had.
        :raises InvalidValue: it has no end any more.
        :raises ConflictError: somebody else has just settled it.
        :raises StoreError: the database can't be read or written.
        """
        end = self._find(change_set)
        if not self._rows.settle(Settlement(end.rows, "kept", self.now(), actor or "")):
            raise ConflictError(end.changes)
        log.info("Kept by %r: %s", actor or "nobody named", ", ".join(end.changes))
        self.carry_out()
        self._synchronizer.notify()
        return end

    def go_back(
        self, change_set: str, *, actor: str | None = None, note: str | None = None
    ) -> Saved:
        """Let the settings of a save go back now.

        What was changed again since stays.

        :returns: what was written.
        :raises InvalidValue: it has no end any more; or a rule refuses, and nothing goes back.
        :raises ConflictError: somebody else has just changed or settled it.
        :raises StoreError: the database can't be read or written.
        """
        saved = self._open_ends.go_back(self._find(change_set), Origin(actor, note, "undo"))
        self.carry_out()
        return saved

    # What each load does

    def carry_out(self, *, promptly: bool = False) -> bool:
        """Read the open ends, and let go back what is due.

        Raises nothing: settings are loaded whatever an end meets.

        :param promptly: as `Repository.read_promptly` reads.
        :returns: whether anything was due, so that this process or another has saved.
        """
        was_due = False
        if not self.available:
            return was_due
        try:
            self.open = self._own(self._open_ends.read(promptly=promptly))
            for _ in range(ATTEMPTS if self.open else 0):
                now = self.now()
                due = [end for end in self.open if end.at <= now and not end.refused]
                if not due:
                    break
                was_due = True
                for end in due:
                    self._carry_out(end)
                self.open = self._own(self._open_ends.read())
            self._plan()
            self._log_once.is_over("ends")
        except StoreError as error:
            self._read_in(RETRY if self.open or isinstance(error, BusyError) else LATER)
            if promptly and isinstance(error, NotReadyError):
                return was_due  # the context may be that of a command that makes the table
            message = "The ends of saves could not be carried out: %s"
            self._log_once("ends", logging.WARNING, message, error)
        except Exception:  # of the app's own code: nothing may keep the settings from being loaded
            self._read_in(RETRY)
            self._log_once("ends", logging.ERROR, "Settings could not go back", exc_info=True)
        return was_due

    def _own(self, ends: Iterable[End]) -> tuple[End, ...]:
        """Leave out ends of settings that other releases declare, or other apps on this table."""
        known = {*self._state.settings, *self._state.app.config["WAFFLE_RETIRED"]}
        own = []
        for end in ends:
            if foreign := end.changes.keys() - known:
                message = "%s: the end of this save is left to processes that declare %s."
                names = ", ".join(sorted(foreign))
                self._log_once(end.change_set, logging.INFO, message, end.change_set, names)
            else:
                own.append(end)
        return tuple(own)

    def _plan(self) -> None:
        """Let the next end be carried out when it comes."""
        coming = [end.at for end in self.open if not end.refused]
        if not coming:
            self.deadline = None
            self._synchronizer.read_at(math.inf)
            return
        left = (min(coming) - self.now()).total_seconds()
        self._read_in(left if left > 0 else RETRY)

    def _read_in(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self._synchronizer.read_at(self.deadline)

    def _carry_out(self, end: End) -> None:
        try:
            with english():  # the log, commands and readers of all languages get the reason
                self._go_back_or_refuse(end)
        except ConflictError:
            pass  # another process was faster, or somebody has changed a setting just now

    def _go_back_or_refuse(self, end: End) -> None:
        try:
            self._open_ends.go_back(end, Origin(end.actor or None, None, "end"))
        except InvalidValue as error:
            self._open_ends.refuse(end, error)

    def _find(self, change_set: str) -> End:
        self._check_available()
        for end in self.read():
            if end.change_set == change_set:
                return end
        raise InvalidValue(gettext(NO_END))


def refused_sentence(keys: tuple[str, ...]) -> str | None:
    """Say that settings could not go back, in the reader's language; None: all did."""
    if not keys:
        return None
    return gettext(
        "Settings should have gone back, which was refused: %(keys)s. The settings page says why.",
        keys=", ".join(keys),
    )
