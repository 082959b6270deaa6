"""Responses: a page in its layout, and the headers of every response."""

from __future__ import annotations

from flask import Response, make_response, render_template

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


def set_default_headers(response: Response, options: PageOptions) -> Response:
    """Add the headers that the app has not set."""
    # Our policy could break the scripts and styles of the app's layout.
    policy = _CSP if options.layout is None else _CSP_EMBEDDED
    for name, value in (_HEADERS | {"Content-Security-Policy": policy}).items():
        response.headers.setdefault(name, value)
    return response
