"""Ends: GET of the saves that go back at a time; keep one, or let it go back now."""

from __future__ import annotations

from collections.abc import Callable
from typing import Required, TypedDict, TypeVar

from flask import Response

from ..exceptions import WaffleError
from ..files import change_facts
from ..forms.form import ELSEWHERE
from ..i18n import gettext
from ..state.open_ends import End
from ..state.save import Saved
from ..state.task import Origin
from . import body
from .answer import json_response
from .call import Call
from .problem import Problem, problem_of_save
from .settings import saved_facts

T = TypeVar("T")


class EndOfSave(TypedDict, total=False):
    """The body of a request that settles an end."""

    change_set: Required[str]
    note: str | None


MEMBERS = {"change_set": body.TEXT, "note": body.NOTE}


def get_ends(call: Call) -> Response:
    """Return the saves that have an end, the next one first."""
    if not call.permissions.with_history:
        raise Problem(403, "You may not see the history.")
    ends = call.state.ends
    facts = [_facts(call, end) for end in ends.translated(ends.read())]
    return json_response({"ends": [each for each in facts if each["changes"]]})


def keep(call: Call) -> Response:
    """Let the settings of a save stay."""

    def settle(end: End, origin: Origin) -> End:
        return call.state.ends.keep(end.change_set, actor=origin.actor)

    end, _ = _settled(call, settle)
    return json_response({"change_set": end.change_set, "kept": list(end.changes)})


def go_back(call: Call) -> Response:
    """Let the settings of a save go back now."""

    def settle(end: End, origin: Origin) -> Saved:
        return call.state.ends.go_back(end.change_set, actor=origin.actor, note=origin.note)

    end, saved = _settled(call, settle)
    return json_response(saved_facts(call, saved, call.state.read(end.changes)))


def _settled(call: Call, settle: Callable[[End, Origin], T]) -> tuple[End, T]:
    """The end that the body names, and what settling it has returned."""
    sent = body.read_body(EndOfSave, MEMBERS)
    end = next((e for e in call.state.ends.read() if e.change_set == sent["change_set"]), None)
    visible = {setting.key for setting in call.permissions.viewable}
    if end is None or not visible & end.changes.keys():
        raise Problem(404, "No save of that name has an end, or not any more.")
    if not end.changes.keys() <= call.permissions.editable:
        raise Problem(403, "You may not change all settings of this save.")
    try:
        return end, settle(end, call.origin(sent.get("note")))
    except WaffleError as error:
        raise problem_of_save(error, visible, status_of_conflict=409) from error


def _facts(call: Call, end: End) -> dict[str, object]:
    visible = call.permissions.with_history
    viewable = {setting.key for setting in call.permissions.viewable}
    file_values = call.file_values
    return {
        "change_set": end.change_set,
        "ends_at": end.at.isoformat(),
        "actor": end.actor,
        "refused": bool(end.refused),
        "why": end.reason(call.state.settings.keys() - viewable, gettext(ELSEWHERE)),
        "changes": [change_facts(file_values, c) for c in end.changes.values() if c.key in visible],
    }
