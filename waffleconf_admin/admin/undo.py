"""Undo: what its buttons send, what it would do, and the offer of one right after a save."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Literal, NamedTuple

from flask import session

from ..exceptions import StoreError
from ..permissions import Permissions
from ..settings.equality import same
from ..settings.setting import Setting
from ..state.change import Change, values_before
from ..state.history import History
from ..state.save import Saved
from ..state.state import State
from ..state.task import RESET
from .history_filter import number
from .messages import has_session
from .problems import log_unreadable

#: Returns why the old value of a change can't be restored; "" when it can.
Obstacle = Callable[[Change], str]

#: In the session: the change set that the next settings page offers to undo.
_OFFER = "waffle_undo"


class UndoButton(NamedTuple):
    """What a button sends that undoes a save, or its change of one setting."""

    change_set: str
    seen: int | None = None  #: the id of the last change that the user knows of
    key: str = ""  #: "": all settings of the save

    def __str__(self) -> str:
        return f"{self.change_set} {self.seen} {self.key}" if self.key else self.change_set

    @classmethod
    def parse(cls, text: str) -> UndoButton:
        """Return the button that has sent a text."""
        change_set, _, rest = text.partition(" ")
        seen, _, key = rest.partition(" ")
        return cls(change_set, number(seen), key)


def outcome(
    changes: Iterable[Change], latest: Mapping[str, Change], obstacle: Obstacle
) -> Literal["undone", "overtaken", "nothing"]:
    """Return what an undo would do with changes of one save: an overtaken one stops it.

    :param changes: those that the user may undo.
    :param latest: the last change of each setting.
    """
    last: list[Change] = []
    overtaken: list[Change] = []
    for change in changes:
        (last if is_last(change, latest) else overtaken).append(change)
    if all(map(obstacle, last)):
        return "nothing"
    return "undone" if all(map(obstacle, overtaken)) else "overtaken"


def is_last(change: Change, latest: Mapping[str, Change]) -> bool:
    """Whether no other change of its setting has followed."""
    return change.key in latest and latest[change.key].id == change.id


def quick_obstacle(history: History) -> Obstacle:
    """Return the obstacle check for pages of many changes: it calls no code of the app, which may
    ask a server for each value.
    """
    return partial(history.obstacle, ask=False)


def already_undone(state: State, history: History, changes: list[Change]) -> dict[str, object]:
    """Return the old values of changes by key, if every setting that can have its old value has
    it; else ``{}``.

    :raises StoreError: the database can't be read.
    """
    obstacles, settings = history.obstacles(changes), state.settings
    before = values_before(change for change in changes if not obstacles[change.key])
    old = {
        key: settings[key].copy_default() if value is RESET else value
        for key, value in before.items()
    }
    records = state.read(old)
    return old if all(same(records[key].value, old[key]) for key in old) else {}


def offer(settings: Mapping[str, Setting], saved: Saved) -> None:
    """Let the next settings page offer to undo a save."""
    # A save of secrets can't be undone, and the cookie must not reveal whether one was written.
    undoable = any(not settings[key].secret for key in saved)
    if saved.change_set and undoable and has_session():
        session[_OFFER] = saved.change_set


def take_offer(history: History | None, permissions: Permissions) -> str | None:
    """Return the change set of the save just before this page, once, if all of it can be undone."""
    change_set = session.pop(_OFFER, None) if has_session() else None
    if not (change_set and history):
        return None
    try:
        changes = [c for c in history.of(change_set) if c.key in permissions.undoable]
        latest = history.latest(change.key for change in changes)
    except StoreError as error:
        log_unreadable("history", error)
        return None
    found = outcome(changes, latest, quick_obstacle(history))
    return change_set if found == "undone" else None
