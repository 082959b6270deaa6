"""Health: how well a process follows, for probes and for the page."""

from __future__ import annotations

from collections.abc import Container, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from ..i18n import gettext, mark

#: So many keys are named in a sentence.
NAMED = 10


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
    attention: tuple[str, ...] = ()  #: the settings whose stored values don't fit what is declared


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

    def health(self, kind: str | None, *, alive: bool, lags: bool, trouble: str | None) -> Health:
        """Return what is written here, and what else is known now."""
        return Health(
            kind=kind,
            alive=alive,
            lags=lags,
            reloads=self.reloads,
            last_reload=self.reload,
            reload_seconds=self.seconds,
            last_notice=self.notice,
            last_error=self.error,
            last_error_at=self.error_at,
            trouble=trouble,
        )


class Trouble(StrEnum):
    """What can be wrong, the worst first, and what to say of it."""

    MULTIPROC_OFF = mark(
        "This app runs in several processes that do not follow each other, so a change reaches "
        "only the one that saves it. Set WAFFLE_MULTIPROC = True."
    )
    RELOAD_FAILS = mark(
        "The settings could not be loaded lately: this process may use older ones. It tries again "
        "every second."
    )
    FILE_NOT_REGULAR = mark(
        "What is in the place of the watch file is not a regular file, so changes come late. "
        "Remove it, or set WAFFLE_WATCHER_FILE to another path."
    )
    WATCHER_FAILS = mark(
        "This process does not hear when others save; it looks within %(seconds)s seconds. The log "
        "says why."
    )
    FILE_NOT_SHARED = mark(
        "Changes were found of which the watch file had not told, so they came up to %(seconds)s "
        "seconds late. WAFFLE_WATCHTYPE 'file' is for the processes of one host that share "
        "WAFFLE_WATCHER_FILE; for several hosts or containers set 'redis' or 'database'. Or "
        "somebody changed the table without this package."
    )
    NOTIFICATIONS_MISSED = mark(
        "Changes were found of which no notification had told, so they came up to %(seconds)s "
        "seconds late. Make sure that all processes have the same WAFFLE_WATCHTYPE, server and "
        "channel. Or somebody changed the table without this package."
    )
    FILE_IS_LINK = mark(
        "The watch file is a symbolic link of another user, so it is not changed, and what is "
        "saved here reaches other processes late. Remove it, or set WAFFLE_WATCHER_FILE to another "
        "path."
    )
    FILE_IS_READ_ONLY = mark(
        "This process may not write the watch file, so what is saved here reaches other processes "
        "late. Let all users of the app write it: give it a group of theirs (chgrp) and chmod g+w, "
        "or remove it. New files get the group of their folder and WAFFLE_WATCHER_MODE."
    )
    NOT_SENT = mark(
        "The other processes could not be told of the last change; they see it within %(seconds)s "
        "seconds. The log says why."
    )
    THREAD_SILENT = mark(
        "The thread that follows changes does not run, so requests look instead. Under uWSGI set "
        "enable-threads."
    )


def worst(found: Container[Trouble | None], resync: float) -> str | None:
    """Return the worst of the troubles in the reader's language; None when there are none.

    :param resync: seconds within which processes read the database in any case.
    """
    trouble = next((trouble for trouble in Trouble if trouble in found), None)
    return None if trouble is None else gettext(trouble.value, seconds=f"{resync:g}")


def attention_sentence(keys: Sequence[str]) -> str | None:
    """Say that stored values don't fit what is declared, in the reader's language; None: all do."""
    if not keys:
        return None
    named = ", ".join(keys[:NAMED]) + (" …" if len(keys) > NAMED else "")
    return gettext(
        "What is stored does not fit what is declared: %(keys)s. The settings page says more.",
        keys=named,
    )


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
