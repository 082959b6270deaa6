"""Answer: JSON with an ETag, and what If-Match and If-None-Match ask of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from flask import Response, request
from werkzeug.datastructures import ETags

#: The ids of the last changes of secrets, by key: their part of an ETag.
Versions = Mapping[str, int]


def json_response(body: object) -> Response:
    """Return a response with a JSON text, in UTF-8."""
    return Response(_encode(body), mimetype="application/json")


def response_with_etag(body: object, versions: Versions) -> Response:
    """Return the response to a GET: with an ETag, or a 304 where the client has it already."""
    etag = make_etag(body, versions)
    response = json_response(body)
    response.set_etag(etag)
    if request.if_none_match.contains_weak(etag):
        response.status_code = 304
        response.set_data(b"")
    return response


def make_etag(body: object, versions: Versions) -> str:
    """Return the ETag of a representation, the same in every process.

    A representation has nothing of a secret. Its ETag changes with the last change of the secret
    in the history, so it depends neither on the value nor on how that is stored.
    """
    return sha256(_encode([body, sorted(versions.items())])).hexdigest()[:32]


def is_conditional() -> bool:
    """Whether a change is to be made only if the client knows the current representation."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def precondition_holds(etag: str | None) -> bool:
    """Whether a change may be made, as If-Match and If-None-Match say.

    :param etag: of the current representation; None: it has none, and only ``*`` matches.
    """
    if "If-Match" in request.headers and not _contains(request.if_match, etag):
        return False
    return not _contains(request.if_none_match, etag, weak=True)


def _contains(etags: ETags, etag: str | None, *, weak: bool = False) -> bool:
    if etag is None:
        return etags.star_tag
    return etags.contains_weak(etag) if weak else etags.contains(etag)


def _encode(body: object) -> bytes:
    # Half of a surrogate pair, which UTF-8 lacks, becomes an escape of JSON.
    return json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")
