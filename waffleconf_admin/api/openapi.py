"""OpenAPI: the document of the API, with the settings that its reader may see."""

from __future__ import annotations

from flask import Response, current_app, url_for

from ..state.task import NOTE_LENGTH
from .answer import response_with_etag
from .call import Call
from .facts import why_not_editable
from .history import LIMIT, MAX_LIMIT
from .schemas import Schema, value_schema

_PROBLEMS = {
    "400": "The body is not JSON that can be read.",
    "401": "The app wants a log-in.",
    "403": "The user may not do this, or the CSRF token is missing or not valid.",
    "404": "There is no such thing, or the user may not see it.",
    "409": "A setting was changed again since.",
    "411": "The length of the body is missing.",
    "412": "This is not the current state.",
    "413": "The body is too large.",
    "415": "The body is not declared to be JSON.",
    "422": "A value or a parameter can't be accepted.",
    "503": "The database can't be used at the moment.",
}
_READING = ("401", "403", "503")
_WRITING = ("400", *_READING, "411", "413", "415", "422")

_TEXT: Schema = {"type": "string"}
_FLAG: Schema = {"type": "boolean"}
_TEXTS: Schema = {"type": "array", "items": _TEXT}
_TEXT_BY_KEY: Schema = {"type": "object", "additionalProperties": _TEXT}
_NOTE: Schema = {"type": ["string", "null"], "maxLength": NOTE_LENGTH}
_UNTIL: Schema = {"type": ["string", "null"], "format": "date-time"}
_ID: Schema = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}


def get_document(call: Call) -> Response:
    """Return the OpenAPI document."""
    return response_with_etag(_document(call), {})


def _document(call: Call) -> Schema:
    cookie = current_app.session_interface.get_cookie_name(current_app)
    prefix = url_for(".api_openapi").removesuffix("/openapi.json")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Settings", "version": "1"},
        "servers": [{"url": prefix}],
        "security": [{"bearer": []}, {"session": [], "csrf": []}],
        "paths": _paths(call),
        "components": {
            "schemas": _schemas(call),
            "responses": {
                status: _response(text, "Problem", "application/problem+json")
                for status, text in _PROBLEMS.items()
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRFToken"},
            },
        },
    }


# Paths


def _paths(call: Call) -> Schema:
    keys = [setting.key for setting in call.permissions.viewable]
    key = {"name": "key", "in": "path", "required": True, "schema": {"enum": keys}}
    return {
        "/settings": {
            "get": _get("listSettings", "All settings.", "Settings"),
            "patch": _change("changeSettings", "Change settings, all or nothing.", "Changes"),
        },
        "/settings/{key}": {
            "parameters": [key],
            "get": _get("getSetting", "One setting.", "Setting", "404"),
            "patch": _change("changeSetting", "Change one setting.", "Change", "404"),
            "delete": _change("resetSetting", "Restore the default of a setting.", None, "404"),
        },
        "/history": {"get": _get_history()},
        "/history/undo": {
            "post": _operation("undo", "Take a save back.", "Undone", *_WRITING, "404", "409")
            | _body("Undo")
        },
        "/ends": {"get": _operation("listEnds", "Saves that go back.", "Ends", *_READING)},
        "/ends/keep": {
            "post": _operation("keep", "Keep a save.", "Kept", *_WRITING, "404", "409")
            | _body("EndOfSave")
        },
        "/ends/go-back": {
            "post": _operation("goBack", "Take a save back now.", "Saved", *_WRITING, "404", "409")
            | _body("EndOfSave")
        },
        "/workers": {"get": _operation("countWorkers", "Processes.", "Workers", *_READING, "404")},
        "/openapi.json": {"get": _get("getDocument", "This document.", None)},
    }


def _get(name: str, summary: str, schema: str | None, *problems: str) -> Schema:
    operation = _operation(name, summary, schema, "400", *_READING, *problems)
    operation["responses"]["200"]["headers"] = {"ETag": {"schema": _TEXT}}
    operation["responses"]["304"] = {"description": "It is as the client knows it."}
    return operation | {"parameters": [_parameter("If-None-Match", _TEXT, place="header")]}


def _change(name: str, summary: str, sent: str | None, *problems: str) -> Schema:
    operation = _operation(name, summary, "Saved", *_WRITING, "412", *problems)
    parameters = [_parameter("If-Match", _TEXT, place="header")]
    if sent is None:
        return operation | {"parameters": [*parameters, _parameter("note", _note_parameter())]}
    return operation | {"parameters": parameters} | _body(sent)


def _note_parameter() -> Schema:
    return _TEXT | {"maxLength": NOTE_LENGTH}


def _get_history() -> Schema:
    time = _TEXT | {"format": "date-time"}
    limit = {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT}
    parameters = {
        "key": _TEXTS,
        "actor": _TEXT,
        "source": _TEXT,
        "since": time,
        "until": time,
        "before": _ID | {"minimum": 1},
        "limit": limit,
    }
    operation = _operation("listChanges", "Changes.", "History", "400", *_READING, "404", "422")
    return operation | {"parameters": [_parameter(*item) for item in parameters.items()]}


def _operation(name: str, summary: str, schema: str | None, *problems: str) -> Schema:
    responses: Schema = {"200": _response("Done.", schema)}
    for status in problems:
        responses[status] = {"$ref": f"#/components/responses/{status}"}
    return {"operationId": name, "summary": summary, "responses": responses}


def _parameter(name: str, schema: Schema, *, place: str = "query") -> Schema:
    return {"name": name, "in": place, "schema": schema}


def _body(schema: str) -> Schema:
    return {"requestBody": {"required": True, "content": _content(schema, "application/json")}}


def _response(text: str, schema: str | None, content_type: str = "application/json") -> Schema:
    return {"description": text, "content": _content(schema, content_type)}


def _content(schema: str | None, content_type: str) -> Schema:
    found = {"$ref": f"#/components/schemas/{schema}"} if schema else {"type": "object"}
    return {content_type: {"schema": found}}


# Schemas


def _schemas(call: Call) -> Schema:
    editable = [s for s in call.permissions.viewable if not why_not_editable(call.permissions, s)]
    values = {setting.key: value_schema(call.state, setting) for setting in editable}
    saved = {
        "change_set": {"type": ["string", "null"]},
        "written": _TEXTS,
        "settings": _objects("Setting"),
    }
    return {
        "Setting": _object(_SETTING, optional={"value": _ANY_VALUE, "default": _ANY_VALUE}),
        "Settings": _object({"settings": _objects("Setting")}),
        "Changes": _object(
            {},
            optional={
                "settings": _object({}, optional=values),
                "reset": {"type": "array", "items": {"enum": list(values)}}
                if values
                else {"type": "array", "maxItems": 0},
                "note": _NOTE,
                "until": _UNTIL,
            },
        ),
        "Change": _object({"value": _ANY_VALUE}, optional={"note": _NOTE, "until": _UNTIL}),
        "Saved": _object(saved),
        "Undo": _object(
            {"change_set": _TEXT},
            optional={"keys": _TEXTS | {"minItems": 1}, "seen": _ID, "note": _NOTE},
        ),
        "Undone": _object(saved | {"left_out": _TEXT_BY_KEY}),
        "HistoryChange": _object(_HISTORY_CHANGE, optional=_HISTORY_VALUES),
        "History": _object(
            {
                "changes": {"type": "array", "items": _reference("HistoryChange")},
                "next": {"type": ["string", "null"]},
            }
        ),
        "Ends": _object({"ends": {"type": "array", "items": _reference("End")}}),
        "End": _object(
            {
                **dict.fromkeys(("change_set", "ends_at", "actor", "why"), _TEXT),
                "refused": _FLAG,
                "changes": {"type": "array", "items": _reference("HistoryChange")},
            }
        ),
        "EndOfSave": _object({"change_set": _TEXT}, optional={"note": _NOTE}),
        "Kept": _object({"change_set": _TEXT, "kept": _TEXTS}),
        "Workers": _object(
            dict.fromkeys(("current", "lagging", "other"), _COUNT)
            | {"restart": {"type": "object", "additionalProperties": _COUNT}},
            optional={"processes": {"type": "array", "items": _reference("Process")}},
        ),
        "Process": _object(_PROCESS),
        "Problem": _object(
            {"title": _TEXT, "status": {"type": "integer"}, "detail": _TEXT},
            optional={"errors": _TEXT_BY_KEY},
        ),
    }


_SETTING = {
    **dict.fromkeys(("key", "label", "help", "group", "type", "reason", "layer", "problem"), _TEXT),
    **dict.fromkeys(("secret", "restart", "editable", "modified"), _FLAG),
}
_HISTORY_CHANGE = {
    "id": _ID,
    **dict.fromkeys(("change_set", "key", "actor", "at", "note", "source"), _TEXT),
    "secret": _FLAG,
}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_PROCESS = {
    **dict.fromkeys(("host", "started_at", "seen_at"), _TEXT),
    "pid": _COUNT,
    "standing": {"enum": ["current", "lagging", "other"]},
}
_ANY_VALUE: Schema = {}
_HISTORY_VALUES = {
    "old": _ANY_VALUE,
    "new": _ANY_VALUE,
    **dict.fromkeys(("old_is_default", "new_is_default"), _FLAG),
    **dict.fromkeys(("ends_at", "outcome"), _TEXT),
    "ended_at": {"type": ["string", "null"]},
}


def _object(required: Schema, *, optional: Schema | None = None) -> Schema:
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


def _objects(name: str) -> Schema:
    return {"type": "object", "additionalProperties": _reference(name)}


def _reference(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
