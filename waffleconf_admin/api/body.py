"""Body: the JSON object that a request has sent."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple, TypeVar, cast

from flask import request

from ..fields.json_text import read_json
from ..files import most_bytes
from ..state.task import NOTE_LENGTH
from .problem import Problem

#: Bytes that a body may have, where the app does not allow less (MAX_CONTENT_LENGTH).
MAX_BYTES = most_bytes("json")

JSON = "application/json"

B = TypeVar("B")


class Member(NamedTuple):
    """A member of a body."""

    what: str  #: it has to be
    fits: Callable[[object], bool]
    required: bool = False


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_note(value: object) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= NOTE_LENGTH)


def read_time(text: object) -> datetime | None:
    """Return the time of a text with a time zone; None: it is none."""
    try:
        time = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    # In UTC some of the first and the last times have no year.
    return time if time.tzinfo is not None and 1 < time.year < 9999 else None


TIME = "a time with a time zone, such as 2026-11-28T09:30:00Z"
NOTE = Member(f"a text of at most {NOTE_LENGTH} characters", _is_note)
ANYTHING = Member("a value", lambda value: True, required=True)
OBJECT = Member("an object", lambda value: isinstance(value, dict))
TEXT = Member("a text", lambda value: isinstance(value, str), required=True)
TEXTS = Member("a list of texts", _is_texts)
UNTIL = Member(f"{TIME}, or null", lambda value: value is None or read_time(value) is not None)
SOME_TEXTS = Member("a list of one text or more", lambda value: bool(value) and _is_texts(value))
ID = Member("a whole number", lambda value: type(value) is int and 0 <= value < 2**63)


def check_content_type() -> None:
    """Refuse a body that is not declared to be JSON: forms of other sites can't send one.

    :raises Problem: with the status 415.
    """
    # A DELETE needs no body.
    if request.mimetype == JSON or (request.method == "DELETE" and not request.mimetype):
        return
    detail = f"Send JSON, with the header Content-Type: {JSON}."
    raise Problem(415, detail, headers={"Accept-Patch": JSON} if request.method == "PATCH" else {})


def read_body(body_type: type[B], members: Mapping[str, Member]) -> B:
    """Return the object that the request has sent.

    :param body_type: a `TypedDict`, for type checkers.
    :param members: all that it may have, by name; these are checked.
    :raises Problem: it is too large, no JSON, or has other members.
    :raises HTTPException: it is larger than the app allows, or its end is missing.
    """
    body = _parse(_read())
    if not isinstance(body, dict):
        raise Problem(422, f"The body must be an object with {_listed(members)}.")
    # Names are not quoted: one may be a secret that was sent in the wrong place.
    if body.keys() - members.keys():
        raise Problem(422, f"The body may have only {_listed(members)}.")
    for name, member in members.items():
        if (name in body and not member.fits(body[name])) or (member.required and name not in body):
            raise Problem(422, f'"{name}" must be {member.what}.')
    return cast("B", body)


def _read() -> bytes:
    length = request.content_length or 0
    if "Transfer-Encoding" in request.headers:
        raise Problem(411, "The length of the body is missing: send the header Content-Length.")
    if length > MAX_BYTES:
        raise Problem(413, f"The body may have at most {MAX_BYTES} bytes.")
    return request.get_data()


def _parse(content: bytes) -> object:
    try:
        return read_json(content.decode())
    except UnicodeDecodeError as error:
        raise Problem(400, "The body is not in UTF-8.") from error
    except ValueError as error:
        where = str(error) if isinstance(error.__cause__, json.JSONDecodeError) else _LIMITS
    raise Problem(400, f"The body is not JSON that can be read. {where}")


#: Other messages may quote what was sent, which may be a secret.
_LIMITS = (
    "A name is there twice in one object; a number is too long, too large, NaN or Infinity; there "
    "are over 100 brackets inside each other; or there is half a character after a \\u."
)


def _listed(members: Mapping[str, Member]) -> str:
    *others, last = (f'"{name}"' for name in members)
    return f"{', '.join(others)} and {last}" if others else last
