"""History: GET of changes, and undo."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Required, TypedDict

from flask import Response, request, url_for

from ..exceptions import WaffleError
from ..files import change_facts
from ..i18n import gettext
from ..state.change import Change
from ..state.history import MAX_ID, History
from ..state.save import Saved
from . import body
from .answer import json_response
from .call import Call
from .problem import Problem, problem_of_save
from .settings import saved_facts

#: Changes in an answer: as a rule, and at most.
LIMIT, MAX_LIMIT = 50, 1000

#: Of the address of a GET.
PARAMETERS = ("key", "actor", "source", "since", "until", "before", "limit")


class Undo(TypedDict, total=False):
    """The body of an undo."""

    change_set: Required[str]
    keys: list[str]
    seen: int
    note: str | None


UNDO_MEMBERS = {
    "change_set": body.TEXT,
    "keys": body.SOME_TEXTS,
    "seen": body.ID,
    "note": body.NOTE,
}


def get_history(call: Call) -> Response:
    """Return changes, the last one first, and the address of those before them."""
    history = _history_of(call)
    limit = _number("limit", MAX_LIMIT) or LIMIT
    changes = history.list(
        _visible_keys(call),
        actor=request.args.get("actor"),
        source=request.args.get("source"),
        since=_time("since"),
        until=_time("until"),
        before=_number("before", MAX_ID),
        limit=limit + 1,
    )
    following = None
    if len(changes) > limit:
        following = _address_before(changes[limit - 1], limit)
    file_values = call.file_values
    facts = [change_facts(file_values, change) for change in changes[:limit]]
    return json_response({"changes": facts, "next": following})


def undo(call: Call) -> Response:
    """Give the settings of a save the values that they had before it."""
    history = _history_of(call)
    sent = body.read_body(Undo, UNDO_MEMBERS)
    changes = [c for c in history.of(sent["change_set"]) if _is_visible(call, c.key)]
    if not changes:
        raise Problem(404, "The history has no such save, or not any more.")
    keys = sent.get("keys", [change.key for change in changes])
    if unknown := set(keys) - {change.key for change in changes}:
        message = "This save did not change it."
        raise Problem(422, "Nothing was undone.", dict.fromkeys(sorted(unknown), message))
    changes = [change for change in changes if change.key in keys]
    undoable = [change for change in changes if change.key in call.permissions.undoable]
    if not undoable:
        raise Problem(403, "You may not undo this.")
    origin = call.origin(sent.get("note"))
    try:
        saved = history.undo(
            sent["change_set"],
            keys=[change.key for change in undoable],
            seen=sent.get("seen"),
            actor=origin.actor,
            note=origin.note,
        )
    except WaffleError as error:
        visible = call.permissions.with_history
        raise problem_of_save(error, visible, status_of_conflict=409) from error
    facts = saved_facts(call, saved, call.state.read([change.key for change in undoable]))
    return json_response(facts | {"left_out": _left_out(call, history, changes, saved)})


def _history_of(call: Call) -> History:
    if not call.permissions.with_history:
        raise Problem(403, "You may not see the history.")
    if call.state.history is None:
        raise Problem(404, "There is no history.")
    return call.state.history


def _is_visible(call: Call, key: str) -> bool:
    return call.permissions.covers_removed_settings or key in call.permissions.with_history


def _visible_keys(call: Call) -> list[str] | None:
    """The keys whose changes are wanted and may be seen; None: all there ever were."""
    wanted = request.args.getlist("key")
    if wanted:
        return [key for key in wanted if _is_visible(call, key)]
    return None if call.permissions.covers_removed_settings else list(call.permissions.with_history)


def _left_out(call: Call, history: History, changes: list[Change], saved: Saved) -> dict[str, str]:
    """Why changes were not undone, by key."""
    return {
        change.key: _why_left_out(call, history, change)
        for change in changes
        if change.key not in saved
    }


def _why_left_out(call: Call, history: History, change: Change) -> str:
    if change.key in call.permissions.with_history and change.key not in call.permissions.undoable:
        return gettext("You may not change it.")
    return history.obstacle(change) or gettext("It has that value already.")


# Parameters of the address


def _address_before(change: Change, limit: int) -> str:
    """The address of the changes before one, with the filter of this address."""
    sent = {name: request.args.getlist(name) for name in PARAMETERS}
    # Any: among the keywords of url_for are options of other types.
    query: dict[str, Any] = {**sent, "before": change.id, "limit": limit}
    return url_for(".api_history", **query)


def _number(name: str, most: int) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and 1 <= int(text) <= most):
        raise Problem(422, f"{name} must be a whole number from 1 to {most}.")
    return int(text)


def _time(name: str) -> datetime | None:
    text = request.args.get(name)
    if text is None:
        return None
    if (time := body.read_time(text)) is not None:
        return time
    raise Problem(422, f"{name} must be {body.TIME} (in an address a + has to be written as %2B).")
