"""Fetch: what the script of the page, which sends forms itself, is answered."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import redirect, request
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response

from ..forms.guard import field_name

#: The header of a form that the script sends.
FETCH = "X-Waffle-Fetch"
#: The header of an answer with a new CSRF token, as a form would send it.
TOKEN = "X-Waffle-Token"  # nosec B105 # a name, no password


def is_fetch() -> bool:
    """Whether the script has sent the request. No page of another site can add the header."""
    return FETCH in request.headers


def lead_to(url: str) -> Response:
    """Return the response that leads from a form to a page; the script goes there itself."""
    if is_fetch():
        return Response(status=204, headers={"Location": url})
    return redirect(url, 303)


def renew_token() -> Response:
    """Return a new CSRF token in place of one that is refused, such as one from before a log-in.

    The script sends the same form again with it, once; all of it is checked then. The token is
    that of every page which the sender may open, and only pages of this site can read it.
    """
    return Response(status=409, headers={TOKEN: urlencode({field_name(): generate_csrf()})})
