"""OpenAPI: the document of the API, with the settings that its reader may see."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, current_app, url_for

from ..state.task import NOTE_LENGTH
from .answer import response_with_etag
from .call import Call
from .components import ID, TEXT, TEXTS, components, reference
from .history import LIMIT, MAX_LIMIT
from .schemas import Schema

_PROBLEMS = {
    "400": "The body is not JSON that can be read.",
    "401": "Log in first.",
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
            "schemas": components(call),
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
        "/history/undo": {"post": _post("undo", "Take a save back.", "Undone", "Undo")},
        "/ends": {"get": _operation("listEnds", "Saves that go back.", "Ends", *_READING)},
        "/ends/keep": {"post": _post("keep", "Keep a save.", "Kept", "EndOfSave")},
        "/ends/go-back": {"post": _post("goBack", "Take a save back now.", "Saved", "EndOfSave")},
        "/workers": {"get": _operation("countWorkers", "Processes.", "Workers", *_READING, "404")},
        "/openapi.json": {"get": _get("getDocument", "This document.", None)},
    }


def _get(name: str, summary: str, schema: str | None, *problems: str) -> Schema:
    responses: dict[str, Schema] = {
        "200": _response("Done.", schema) | {"headers": {"ETag": {"schema": TEXT}}},
        "304": {"description": "It is as the client knows it."},
        **_problems("400", *_READING, *problems),
    }
    parameters = [_parameter("If-None-Match", TEXT, place="header")]
    return _described(name, summary, responses) | {"parameters": parameters}


def _post(name: str, summary: str, schema: str, sent: str) -> Schema:
    return _operation(name, summary, schema, *_WRITING, "404", "409") | _body(sent)


def _change(name: str, summary: str, sent: str | None, *problems: str) -> Schema:
    operation = _operation(name, summary, "Saved", *_WRITING, "412", *problems)
    parameters = [_parameter("If-Match", TEXT, place="header")]
    if sent is None:
        note = _parameter("note", TEXT | {"maxLength": NOTE_LENGTH})
        return operation | {"parameters": [*parameters, note]}
    return operation | {"parameters": parameters} | _body(sent)


def _get_history() -> Schema:
    time = TEXT | {"format": "date-time"}
    parameters: dict[str, Schema] = {
        "key": TEXTS,
        "actor": TEXT,
        "source": TEXT,
        "since": time,
        "until": time,
        "before": ID | {"minimum": 1},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": LIMIT},
    }
    operation = _operation("listChanges", "Changes.", "History", "400", *_READING, "404", "422")
    return operation | {"parameters": [_parameter(*item) for item in parameters.items()]}


def _operation(name: str, summary: str, schema: str | None, *problems: str) -> Schema:
    responses = {"200": _response("Done.", schema), **_problems(*problems)}
    return _described(name, summary, responses)


def _described(name: str, summary: str, responses: Mapping[str, Schema]) -> Schema:
    return {"operationId": name, "summary": summary, "responses": responses}


def _problems(*statuses: str) -> dict[str, Schema]:
    return {status: {"$ref": f"#/components/responses/{status}"} for status in statuses}


def _parameter(name: str, schema: Schema, *, place: str = "query") -> Schema:
    return {"name": name, "in": place, "schema": schema}


def _body(schema: str) -> Schema:
    return {"requestBody": {"required": True, "content": _content(schema, "application/json")}}


def _response(text: str, schema: str | None, content_type: str = "application/json") -> Schema:
    return {"description": text, "content": _content(schema, content_type)}


def _content(schema: str | None, content_type: str) -> Schema:
    found = reference(schema) if schema else {"type": "object"}
    return {content_type: {"schema": found}}
