"""CSRF: whether a form is accepted, no less strictly than by the app's own views."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect

from ..forms import guard
from ..forms.tokens import FOREIGN
from .form_body import posted_form

#: Values of Sec-Fetch-Site. A sister domain is "same-site".
_OTHER_SITES = ("cross-site", "same-site")
_THIS_SITE = ("same-origin", "none")
#: Headers with a token; the default of Flask-WTF for WTF_CSRF_HEADERS.
_HEADERS = ("X-CSRFToken", "X-CSRF-Token")


def app_wide() -> CSRFProtect | None:
    """Return the protection of the whole app, if it has one."""
    protect = current_app.extensions.get("csrf")
    return protect if isinstance(protect, CSRFProtect) else None


def refusal() -> str:
    """Return why the form of the request is refused; "" if it is accepted.

    FOREIGN: the response may have nothing of it. Else it is the message of Flask-WTF.
    """
    form = posted_form()
    if not guard.is_on():
        return ""
    if _fetch_site() in _OTHER_SITES:
        return FOREIGN
    reason = _refusal_of_token(form)
    return FOREIGN if reason and is_foreign() else reason


def api_refusal() -> str:
    """Return why a request of the JSON API is refused, in a sentence; "" if it is accepted.

    Without cookies, and with a bearer token, it needs no CSRF token: no browser sends such a
    request for another site.
    """
    if not guard.is_on():
        return ""
    if _fetch_site() in _OTHER_SITES:
        return "A page of another site has sent this request."
    if request.method in ("GET", "HEAD") or _has_bearer_token_only():
        return ""
    names = current_app.config.get("WTF_CSRF_HEADERS", _HEADERS)
    tokens = (request.headers.get(name) for name in names)
    if not (reason := _refusal_of_token({guard.field_name(): next(filter(None, tokens), "")})):
        return ""
    return (
        f"{reason} Send the CSRF token of the session in the header X-CSRFToken, or no cookie "
        "and Authorization: Bearer."
    )


def _has_bearer_token_only() -> bool:
    authorization = request.authorization
    bearer = authorization is not None and authorization.type == "bearer" and authorization.token
    return bool(bearer) and "Cookie" not in request.headers


def is_foreign() -> bool:
    """Whether a page of another site has sent the request, as far as the browser says."""
    if not guard.is_on():
        return False
    if site := _fetch_site():
        return site in _OTHER_SITES
    sender = request.headers.get("Origin") or request.referrer
    return bool(sender) and not _is_this_site(str(sender))


def _refusal_of_token(form: Mapping[str, str]) -> str:
    if protect := app_wide():
        try:
            protect.protect()
        except CSRFError as error:
            return str(error.description)
    # The app may have exempted our views: the token is checked all the same.
    return guard.refusal(form)


def _fetch_site() -> str:
    """What a browser says on https; else ""."""
    site = request.headers.get("Sec-Fetch-Site", "")
    return site if site in _OTHER_SITES + _THIS_SITE else ""


def _is_this_site(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    # Not the other way round: behind a proxy the app may take https for http.
    downgraded = parts.scheme == "http" and request.is_secure
    return parts.netloc.lower() == request.host.lower() and not downgraded
