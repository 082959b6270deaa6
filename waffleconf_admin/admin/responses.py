"""Responses: a page in its layout, the way to the next page, and the headers of every response.

The script of the page may send a form itself: then it is answered in another way.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, make_response, redirect, render_template, request
from flask_wtf.csrf import generate_csrf
from werkzeug.wrappers import Response as BaseResponse

from ..forms.guard import field_name
from .app_templates import file_of
from .options import PageOptions

_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_CSP_EMBEDDED = "frame-ancestors 'none'"
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    f"form-action 'self'; base-uri 'none'; {_CSP_EMBEDDED}"
)

#: The header of a form that the script sends.
FETCH = "X-Waffle-Fetch"
#: The header of an answer with a new CSRF token, as a form would send it.
TOKEN = "X-Waffle-Token"  # nosec B105 # a name, no password


def render_page(
    options: PageOptions, template: str, status: int = 200, **context: object
) -> Response:
    """Return a page in our layout, or in the app's where the options name one.

    :param template: with or without ``.html``.
    :param context: the variables of the template.
    """
    if not options.layout:
        # Our layout uses these; a context processor of the app may use the names too.
        context = {"page": None, "heading": None, "links": ()} | context
    context = {"side": (), "one_group": False} | context
    html = render_template(
        file_of(template),
        layout=options.layout or "waffleconf/layout.html",
        embedded=options.layout is not None,
        **context,
    )
    return make_response(html, status)


def is_fetch() -> bool:
    """Whether the script has sent the request. No page of another site can add the header."""
    return FETCH in request.headers


def lead_to(url: str) -> BaseResponse:
    """Return the response that leads from a form to a page; the script goes there itself."""
    if is_fetch():
        return Response(status=204, headers={"Location": url})
    return redirect(url, 303)


def renew_token() -> BaseResponse:
    """Return a new CSRF token in place of one that is refused, such as one from before a log-in.

    The script sends the same form again with it, once; all of it is checked then. The token is
    that of every page which the sender may open, and only pages of this site can read it.
    """
    return Response(status=409, headers={TOKEN: urlencode({field_name(): generate_csrf()})})


def set_default_headers(response: Response, options: PageOptions) -> Response:
    """Add the headers that the app has not set."""
    # Our policy could break the scripts and styles of the app's layout.
    policy = _CSP if options.layout is None else _CSP_EMBEDDED
    for name, value in (_HEADERS | {"Content-Security-Policy": policy}).items():
        response.headers.setdefault(name, value)
    return response
