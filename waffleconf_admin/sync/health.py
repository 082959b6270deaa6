"""Health: how well a process follows the others, for probes and for the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import NamedTuple

from ..i18n import gettext, mark

#: So many keys are named in a sentence.
NAMED = 10


class Health(NamedTuple):
    """What one process knows about itself. Times are in UTC; None: it has not happened yet."""

    watch_type: str | None  #: "custom" for a pair of functions; None: WAFFLE_MULTIPROC is off
    alive: bool  #: whether the watcher runs, and gave a sign of life within the last seconds
    lags: bool  #: whether the values may be old: a reload failed, or none came when it was due
    reloads: int  #: how often the database was read
    last_reload: datetime | None
    reload_seconds: float | None  #: how long that took
    last_notification: datetime | None  #: received by the watcher ('database': its last poll)
    last_error: str | None  #: the last thing that went wrong; stays when it is over
    last_error_at: datetime | None
    trouble: str | None  #: what is wrong now and what to do, in a sentence; None: all is well
    attention: tuple[str, ...] = ()  #: the settings whose stored values don't fit what is declared
    refused: tuple[str, ...] = ()  #: the settings that should have gone back, which was refused


@dataclass
class HealthRecord:
    """What a process notes for its `Health`, under the same names."""

    reloads: int = 0
    last_reload: datetime | None = None
    reload_seconds: float | None = None
    last_notification: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None

    def note_reload(self, seconds: float) -> None:
        self.reloads += 1
        self.last_reload, self.reload_seconds = datetime.now(UTC), seconds

    def note_notification(self) -> None:
        self.last_notification = datetime.now(UTC)

    def note_error(self, error: object) -> None:
        self.last_error, self.last_error_at = str(error), datetime.now(UTC)


class Severity(IntEnum):
    """How bad a trouble is. Only the worst one, the first of these, is reported."""

    NOT_FOLLOWING = 1
    RELOAD_FAILS = 2
    CANNOT_RECEIVE = 3
    WATCHER_FAILS = 4
    CHANGES_MISSED = 5
    CANNOT_SEND = 6
    NOT_SENT = 7
    THREAD_SILENT = 8


class Trouble(NamedTuple):
    """Something that can be wrong, and what to do about it."""

    severity: Severity
    text: str  #: marked for `gettext`, with a place for ``%(seconds)s``


MULTIPROC_OFF = Trouble(
    Severity.NOT_FOLLOWING,
    mark(
        "This app runs in several processes that do not follow each other, so a change reaches "
        "only the one that saves it. Set WAFFLE_MULTIPROC = True before init_app."
    ),
)
RELOAD_FAILS = Trouble(
    Severity.RELOAD_FAILS,
    mark(
        "The settings could not be loaded lately: this process may use older ones. It tries again "
        "every second."
    ),
)
WATCHER_FAILS = Trouble(
    Severity.WATCHER_FAILS,
    mark(
        "This process receives no notifications when others save; it reads the database within "
        "%(seconds)s seconds. The log says why."
    ),
)
NOT_SENT = Trouble(
    Severity.NOT_SENT,
    mark(
        "The rest of the site could not be notified of the last change: it uses the new values "
        "within %(seconds)s seconds. The log says why."
    ),
)
THREAD_SILENT = Trouble(
    Severity.THREAD_SILENT,
    mark(
        "The thread that follows changes does not run, so requests check for changes instead. "
        "Under uWSGI set enable-threads."
    ),
)


def worst(found: Iterable[Trouble | None], resync: float) -> str | None:
    """Return the worst of the troubles in the reader's language; None when there are none.

    :param resync: seconds within which processes read the database in any case.
    """
    troubles = [trouble for trouble in found if trouble is not None]
    return gettext(min(troubles).text, seconds=f"{resync:g}") if troubles else None


def attention_sentence(keys: Sequence[str]) -> str | None:
    """Say that stored values don't fit what is declared, in the reader's language; None: all do."""
    if not keys:
        return None
    named = ", ".join(keys[:NAMED]) + (" …" if len(keys) > NAMED else "")
    return gettext(
        "What is stored does not fit what is declared: %(keys)s. The settings page says more.",
        keys=named,
    )
