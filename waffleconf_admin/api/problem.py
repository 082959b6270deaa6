"""Problem: an answer that says what is wrong (RFC 9457), and which error becomes which."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from flask import Response
from werkzeug.exceptions import HTTPException
from werkzeug.http import HTTP_STATUS_CODES

from ..exceptions import ConflictError, InvalidValue, StoreError, WaffleError
from ..forms.form import ELSEWHERE
from ..i18n import gettext
from .answer import json_response

log = logging.getLogger(__name__)

#: Headers of an error of the app that belong to its answer too.
_KEPT_HEADERS = ("WWW-Authenticate", "Retry-After", "Allow")

NO_ACCESS = "You may not see these settings, or are not logged in."


class Problem(Exception):
    """What is wrong with a request.

    :param status: of the answer.
    :param detail: what is wrong and what to do, in a sentence or two.
    :param errors: what is wrong with single settings, by key.
    :param headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = dict(errors or {})
        self.headers = dict(headers or {})

    def response(self) -> Response:
        """Return the answer."""
        title = HTTP_STATUS_CODES.get(self.status, "Error")
        body = {"title": title, "status": self.status, "detail": self.detail}
        response = json_response(body | ({"errors": self.errors} if self.errors else {}))
        response.status_code, response.mimetype = self.status, "application/problem+json"
        response.headers.update(self.headers)
        return response


def problem_of_http_error(error: HTTPException) -> Problem:
    """Return the problem for an error that the app or Werkzeug has raised, such as ``abort(401)``.

    A redirect, as a `can` raises that sends people to a log-in, becomes a 403.
    """
    response = error.get_response()
    if response.status_code < 400:
        return Problem(403, NO_ACCESS)
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Problem(response.status_code, error.description or NO_ACCESS, headers=headers)


def problem_of_save(
    error: WaffleError, visible: Collection[str], *, status_of_conflict: int
) -> Problem:
    """Return the problem for an error that a save has raised.

    :param visible: the keys of the settings that the user may see: others are not named.
    :param status_of_conflict: of the answer after a `ConflictError`.
    """
    if isinstance(error, InvalidValue):
        errors = {key: text for key, text in error.errors.items() if key in visible}
        if error.errors and not errors:
            return Problem(422, gettext(ELSEWHERE))
        return Problem(422, "Nothing was saved." if errors else str(error), errors)
    if isinstance(error, ConflictError):
        changed = "It was changed by somebody else meanwhile."
        errors = {key: changed for key in error.keys if key in visible}
        return Problem(status_of_conflict, "Nothing was saved: read the settings again.", errors)
    assert isinstance(error, StoreError)  # nosec B101 # for the type checker
    return problem_of_store(error)


def problem_of_store(error: StoreError) -> Problem:
    """Return the problem for a database that can't be used; the log says why."""
    log.error("the API can't use the database", exc_info=error)
    detail = "The database can't be used at the moment. Nothing was saved. Try again soon."
    return Problem(503, detail, headers={"Retry-After": "1"})
