"""The response headers of our pages."""

from __future__ import annotations

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


def for_page(*, embedded: bool) -> dict[str, str]:
    """Return the headers of a page, in our own layout or embedded in one of the app's."""
    return _HEADERS | {"Content-Security-Policy": _CSP_EMBEDDED if embedded else _CSP}
