"""Changes: what programs get to know of a change in the history."""

from __future__ import annotations

from ..exceptions import InvalidValue
from ..forms import show_text
from ..state.change import Change
from .values import FileValues


def change_facts(file_values: FileValues, change: Change) -> dict[str, object]:
    """Return the facts of a change, for JSON: a value as files have it, else its text."""
    facts: dict[str, object] = {
        "id": change.id,
        "change_set": change.change_set,
        "key": change.key,
        "actor": change.actor,
        "at": change.at.isoformat(),
        "note": change.note,
        "source": change.source,
        "secret": change.secret,
    }
    if change.ends_at is not None:
        facts |= {
            "ends_at": change.ends_at.isoformat(),
            "ended_at": change.ended_at and change.ended_at.isoformat(),
            "outcome": change.outcome,
        }
    if change.secret:
        return facts
    for name, text in (("old", change.old_text), ("new", change.new_text)):
        value = getattr(change, name)
        facts[f"{name}_is_default"] = text is None
        try:
            facts[name] = None if text is None else file_values.dump(change.key, value)
        except InvalidValue:
            facts[name] = show_text(file_values.settings[change.key], value)
    return facts
