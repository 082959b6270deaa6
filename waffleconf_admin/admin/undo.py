"""Undo: what a person may undo, and what would come of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, Literal

from ..settings.equality import same
from ..settings.setting import Setting
from ..state.change import Change
from .permissions import Rights

#: Why the old value of a change can't be had again; "" when it can.
Obstacle = Callable[[Change], str]


def visible(rights: Rights) -> dict[str, Setting]:
    """The settings whose history this person may see, by key."""
    return {s.key: s for s in rights.viewable if rights.allows("history", s)}


def undoable(rights: Rights) -> set[str]:
    """The keys of those whose changes this person may undo."""
    return {key for key, s in visible(rights).items() if not s.readonly and rights.may_edit(s)}


def outcome(
    changes: Iterable[Change], latest: Mapping[str, Change], obstacle: Obstacle
) -> Literal["undone", "overtaken", "nothing"]:
    """What an undo would do with changes of one save: a single one that was overtaken stops it.

    :param changes: those that the person may undo.
    :param latest: the last change of each setting.
    """
    last: list[Change] = []
    earlier: list[Change] = []
    for change in changes:
        (last if is_last(change, latest) else earlier).append(change)
    if all(map(obstacle, last)):
        return "nothing"
    return "undone" if all(map(obstacle, earlier)) else "overtaken"


def done(state: Any, changes: Iterable[Change]) -> dict[str, Any]:
    """Return the old values of changes, by key, if all that can have theirs again have them.

    :raises StoreError: the database can't be read.
    """
    old = {
        change.key: state.settings[change.key].copy_default()
        if change.old_text is None
        else change.old
        for change in changes
        if not state.history.obstacle(change)
    }
    records = state.read(old)
    return old if all(same(records[key].value, old[key]) for key in old) else {}


def quick(history: Any) -> Obstacle:
    """The obstacles that a page looks for: the app's own code, which may ask a server, is not asked
    about each of fifty values.
    """
    return partial(history.obstacle, ask=False)


def is_last(change: Change, latest: Mapping[str, Change]) -> bool:
    """Whether no other change of its setting has followed."""
    return change.key in latest and latest[change.key].id == change.id
