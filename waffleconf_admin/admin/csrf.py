"""CSRF: whether a form may be taken, no less strictly than by the app's own views."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import current_app, request
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.datastructures import MultiDict

from ..forms import guard
from ..forms.tokens import FOREIGN
from .submission import posted


def app_wide() -> CSRFProtect | None:
    """Return the protection of the whole app, if it has one."""
    protect = current_app.extensions.get("csrf")
    return protect if isinstance(protect, CSRFProtect) else None


def refusal() -> str:
    """Return why the form of the request is refused: FOREIGN, of which nothing may be shown, or
    what Flask-WTF says; "" where it is taken.
    """
    form = posted()
    if not guard.is_on():
        return ""
    if _fetched_from() in _OTHERS:
        return FOREIGN
    reason = _refused(form)
    return FOREIGN if reason and is_foreign() else reason


def is_foreign() -> bool:
    """Whether a page of another site has sent the request, as far as the browser says."""
    if not guard.is_on():
        return False
    if site := _fetched_from():
        return site in _OTHERS
    sender = request.headers.get("Origin") or request.referrer
    return bool(sender) and not _is_here(str(sender))


def _refused(form: MultiDict[str, str]) -> str:
    if protect := app_wide():
        try:
            protect.protect()
        except CSRFError as error:
            return str(error.description)
    # Has it been told to leave this alone? The token is checked all the same.
    return guard.refusal(form)


#: Values of Sec-Fetch-Site. A sister domain is "same-site".
_OTHERS = ("cross-site", "same-site")
_OURS = ("same-origin", "none")


def _fetched_from() -> str:
    """What a browser says on https; "" where it says nothing."""
    site = request.headers.get("Sec-Fetch-Site", "")
    return site if site in _OTHERS + _OURS else ""


def _is_here(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    # Behind a proxy the app may take https for http.
    plain = parts.scheme == "http" and request.is_secure
    return parts.netloc.lower() == request.host.lower() and not plain
