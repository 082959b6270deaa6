"""Signals: what an app can connect to, and what its receivers and handlers get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from blinker import Namespace

#: Sent after settings have changed in this process, with the app as sender and the attributes of a
#: `ChangeEvent` as keyword arguments. Sent after the commit, so a receiver can't undo a save: what
#: it raises is logged.
conf_changed = Namespace().signal("conf-changed")


class ChangeEvent(NamedTuple):
    """Settings have changed in this process."""

    #: ``{key: (old, new)}``, secrets included. Both are equal where a row was written that changes
    #: no value: a default that had no row, or a secret that was typed. Any: users read the values.
    changes: Mapping[str, tuple[Any, Any]]
    #: "local" for a save made in this process, "remote" for what was read from the database.
    origin: Literal["local", "remote"]
    # Of a remote change they come from the history; of several saves the last one counts. None:
    # nobody was named, the app has no history, or this is the first load of a process.
    actor: str | None = None  #: who saved
    change_set: str | None = None  #: the name of the save in the history
    source: str | None = None  #: by which way in

    def __repr__(self) -> str:
        return f"<ChangeEvent {self.origin}: {', '.join(self.changes)}>"  # values may be secret
