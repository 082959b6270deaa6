"""Health: how well a process follows, for probes and for the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from .words import gettext, mark


class Health(NamedTuple):
    """What one process knows about itself. Times are in UTC; None: it has not happened yet."""

    kind: (
        str | None
    )  #: of watching, "custom" for a pair of functions; None: WAFFLE_MULTIPROC is off
    alive: bool  #: whether the watcher runs, and has been heard of within the last seconds
    lags: bool  #: whether the values may be old: a reload failed, or none came when it was due
    reloads: int  #: how often the database was read
    last_reload: datetime | None
    reload_seconds: float | None  #: how long that took
    last_notice: datetime | None  #: when the watcher last heard of a change ('database': looked)
    last_error: str | None  #: the last thing that went wrong; stays when it is over
    last_error_at: datetime | None
    trouble: str | None  #: what is wrong now and what to do, in a sentence; None: all is well


class Journal:
    """Where a process writes down what `Health` tells."""

    def __init__(self) -> None:
        self.reloads = 0
        self.reload: datetime | None = None
        self.seconds: float | None = None
        self.notice: datetime | None = None
        self.error: str | None = None
        self.error_at: datetime | None = None

    def note_reload(self, seconds: float) -> None:
        self.reloads += 1
        self.reload, self.seconds = datetime.now(UTC), seconds

    def note_notice(self) -> None:
        self.notice = datetime.now(UTC)

    def note_error(self, error: object) -> None:
        self.error, self.error_at = str(error), datetime.now(UTC)


FORGOTTEN = mark(
    "This app runs in several processes that do not follow each other, so a change reaches only "
    "the one that saves it. Set WAFFLE_MULTIPROC = True."
)


#: What to say of each kind of `Trouble`.
_SENTENCES = (
    FORGOTTEN,
    mark(
        "The settings could not be loaded lately: this process may use older ones. It tries again "
        "every second."
    ),
    mark(
        "This process does not hear when others save; it looks within %(seconds)s seconds. The log "
        "says why."
    ),
    mark(
        "The other processes could not be told of the last change; they see it within %(seconds)s "
        "seconds. The log says why."
    ),
    mark(
        "The thread that follows changes does not run, so requests look instead. Under uWSGI set "
        "enable-threads."
    ),
)


class Trouble(NamedTuple):
    """What can be wrong, the worst first."""

    forgotten: bool  #: there are several processes, and WAFFLE_MULTIPROC is off
    stale: bool  #: the last reload failed
    deaf: bool  #: the watcher fails, or the watch file is missing
    owing: bool  #: a notice could not be sent yet
    silent: bool  #: the watcher's thread does not run

    def sentence(self, resync: float) -> str | None:
        """Say the worst, in the reader's language; None when there is nothing to say.

        :param resync: seconds within which processes read the database in any case.
        """
        said = next((text for text, holds in zip(_SENTENCES, self, strict=True) if holds), None)
        return None if said is None else gettext(said, seconds=f"{resync:g}")


def promise(kind: object, seconds: float | None, *, told: bool) -> str:
    """Say after a save what is known of the other processes, in the reader's language.

    :param seconds: within which they look of themselves; None: they wait to be told.
    :param told: whether the notice could be sent.
    """
    if seconds is not None:
        text = (
            mark("The other processes follow within %(seconds)s seconds.")
            if told
            else mark(
                "The other processes could not be told; they follow within %(seconds)s seconds."
            )
        )
        return gettext(text, seconds=f"{seconds:g}")
    if kind in ("file", "redis"):
        return gettext("The other processes follow at once.")
    return gettext("The other processes have been told.")
