"""Components: the schemas of what requests send and answers hold, by name."""

from __future__ import annotations

from collections.abc import Mapping

from ..state.task import NOTE_LENGTH
from .call import Call
from .facts import why_not_editable
from .schemas import Schema, value_schema

TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
ID: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
_FLAG: Schema = {"type": "boolean"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_TEXT_BY_KEY: Schema = {"type": "object", "additionalProperties": TEXT}
_NOTE = _TEXT_OR_NULL | {"maxLength": NOTE_LENGTH}
_UNTIL = _TEXT_OR_NULL | {"format": "date-time"}
_ANY_VALUE: Schema = {}


def components(call: Call) -> dict[str, Schema]:
    """Return the schemas, for the settings that the reader may change."""
    editable = [s for s in call.permissions.viewable if not why_not_editable(call.permissions, s)]
    file_values = call.file_values
    schemas = {setting.key: value_schema(file_values, setting) for setting in editable}
    return {**_COMPONENTS, "Changes": _changes(schemas)}


def reference(name: str) -> Schema:
    """Return the reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _changes(values: Mapping[str, Schema]) -> Schema:
    """The schema of a change of several settings, of which it names all."""
    resets: Schema = {"items": {"enum": list(values)}} if values else {"maxItems": 0}
    return _object(
        {},
        {
            "settings": _object({}, values),
            "reset": {"type": "array"} | resets,
            "note": _NOTE,
            "until": _UNTIL,
        },
    )


def _object(required: Mapping[str, Schema], optional: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    }


def _list(name: str) -> Schema:
    return {"type": "array", "items": reference(name)}


_SETTINGS: Schema = {"type": "object", "additionalProperties": reference("Setting")}
_SAVED = {"change_set": _TEXT_OR_NULL, "written": TEXTS, "settings": _SETTINGS}
#: The schemas that are the same for every reader.
_COMPONENTS: dict[str, Schema] = {
    "Setting": _object(
        {
            **dict.fromkeys(
                ("key", "label", "help", "group", "type", "reason", "layer", "problem"), TEXT
            ),
            **dict.fromkeys(("secret", "restart", "editable", "modified"), _FLAG),
        },
        {"value": _ANY_VALUE, "default": _ANY_VALUE},
    ),
    "Settings": _object({"settings": _SETTINGS}),
    "Change": _object({"value": _ANY_VALUE}, {"note": _NOTE, "until": _UNTIL}),
    "Saved": _object(_SAVED),
    "Undo": _object(
        {"change_set": TEXT}, {"keys": TEXTS | {"minItems": 1}, "seen": ID, "note": _NOTE}
    ),
    "Undone": _object(_SAVED | {"left_out": _TEXT_BY_KEY}),
    "HistoryChange": _object(
        {
            "id": ID,
            **dict.fromkeys(("change_set", "key", "actor", "at", "note", "source"), TEXT),
            "secret": _FLAG,
        },
        {
            "old": _ANY_VALUE,
            "new": _ANY_VALUE,
            **dict.fromkeys(("old_is_default", "new_is_default"), _FLAG),
            **dict.fromkeys(("ends_at", "outcome"), TEXT),
            "ended_at": _TEXT_OR_NULL,
        },
    ),
    "History": _object({"changes": _list("HistoryChange"), "next": _TEXT_OR_NULL}),
    "Ends": _object({"ends": _list("End")}),
    "End": _object(
        {
            **dict.fromkeys(("change_set", "ends_at", "actor", "why"), TEXT),
            "refused": _FLAG,
            "changes": _list("HistoryChange"),
        }
    ),
    "EndOfSave": _object({"change_set": TEXT}, {"note": _NOTE}),
    "Kept": _object({"change_set": TEXT, "kept": TEXTS}),
    "Workers": _object(
        {
            **dict.fromkeys(("current", "lagging", "other"), _COUNT),
            "restart": {"type": "object", "additionalProperties": _COUNT},
        },
        {"processes": _list("Process")},
    ),
    "Process": _object(
        {
            **dict.fromkeys(("host", "started_at", "seen_at"), TEXT),
            "pid": _COUNT,
            "standing": {"enum": ["current", "lagging", "other"]},
        }
    ),
    "Problem": _object(
        {"title": TEXT, "status": {"type": "integer"}, "detail": TEXT}, {"errors": _TEXT_BY_KEY}
    ),
}
