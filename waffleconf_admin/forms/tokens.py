"""Why the tokens of a form were not accepted: a message for the sender, and one for the log."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlsplit

from flask import current_app, has_app_context, request
from itsdangerous import BadData

from ..i18n import gettext, mark
from ..log_once import LogOnce
from .guard import field_name

log = logging.getLogger(__name__)

#: A refusal that is ours, not Flask-WTF's: another site has sent the form.
FOREIGN = "The form was sent by another site."

#: Seconds between two lines in the log about one cause.
INTERVAL = 60.0

OLD = mark(
    "This page was open for a long time, or you have logged in again since. Check what is not "
    "saved yet, and send it again. If you see this again, contact the people who run this site."
)
UNREADABLE = mark(
    "The security token of this page can't be read: it was damaged on its way, or is from "
    "before the site was reinstalled. Check what is not saved yet, and send the form again. "
    "If you see this again, contact the people who run this site: its log says more."
)
NO_COOKIE = mark(
    "Your browser sent no session cookie, so the security token of this page can't be "
    "checked. Allow cookies for this site, and send the form again. "
    "If you see this again, contact the people who run this site: its log says more."
)
NO_REFERRER = mark(
    "Your browser did not say that a page of this site has sent this form (Referer). "
    "Send it again. If you see this again, contact the people who run this site: its log says more."
)
NOT_FROM_HERE = mark(
    "This was not sent by a page of this site, so nothing of it is saved or filled in. "
    "If you have sent it from here, contact the people who run this site: its log says more."
)


class Cause(NamedTuple):
    """Why tokens were not accepted."""

    message: str  #: for the user who sent the form
    describe: Callable[[], str] | None = None  #: for the log; None: nothing is wrong with the app


def explain(refusal: str, *, unreadable: bool = False) -> str:
    """Return the message about a form whose tokens were not accepted; "" if they were.

    A cause that may lie in the app is logged, once a minute at most.

    :param refusal: why the form is refused, as `guard.refusal` says; "" if it isn't.
    :param unreadable: whether its merge token can't be read.
    """
    if not (refusal or unreadable):
        return ""
    cause = _cause(refusal)
    if unreadable and cause in (_AGE, _SESSION, _FIELD):
        cause = _KEY
    _report(cause)
    return gettext(cause.message)


def has_expired(refusal: str) -> bool:
    """Return whether a form is refused only because it is old, or from before another log-in."""
    return bool(refusal) and _cause(refusal) in (_AGE, _SESSION)


def can_be_renewed(refusal: str) -> bool:
    """Return whether a form may be accepted with a new CSRF token."""
    return bool(refusal) and _cause(refusal) in (_AGE, _SESSION, _COOKIE, _KEY)


def _cause(refusal: str) -> Cause:
    return _without_session() if refusal == _NO_SESSION else _CAUSES.get(refusal, _AGE)


def report_session() -> None:
    """Say in the log what is wrong with the session of a request, if anything is."""
    _report(_without_session())


def _without_session() -> Cause:
    """Why the session of the request has no token."""
    interface = current_app.session_interface
    cookie = request.cookies.get(interface.get_cookie_name(current_app))
    if cookie is None:
        return _COOKIE
    make = getattr(interface, "get_signing_serializer", None)
    if make is None:
        return _SESSION  # the session is stored on the server
    try:
        if serializer := make(current_app):  # none without a SECRET_KEY
            serializer.loads(cookie)
    except BadData:
        return _KEY
    return _AGE


def _report(cause: Cause) -> None:
    if cause.describe is None or not has_app_context():
        return
    log_once = LogOnce.of(current_app._get_current_object(), log, INTERVAL)  # type: ignore[attr-defined]
    message = "A form of the settings page was not accepted: %s"
    log_once(cause, logging.WARNING, message, cause.describe())


def _about_key() -> str:
    name = current_app.session_interface.get_cookie_name(current_app)
    return (
        "its tokens or its session were signed with another SECRET_KEY (or WTF_CSRF_SECRET_KEY). "
        "After that was changed this is normal, once for each page that was open. Otherwise check "
        "that all processes have the same (one that is made at the start is different in each), "
        f"and that no other app on this host uses the cookie {name!r} (SESSION_COOKIE_NAME)."
    )


def _about_cookie() -> str:
    interface, app = current_app.session_interface, current_app
    return (
        f"it came without the session cookie {interface.get_cookie_name(app)!r} (over "
        f"{'https' if request.is_secure else 'http'}, host {request.host!r}, path "
        f"{request.script_root + request.path!r}, {len(request.cookies)} other cookies). After the "
        "end of a session this is normal. Otherwise check SESSION_COOKIE_SECURE "
        f"({interface.get_cookie_secure(app)}; browsers keep no such cookie that comes over http), "
        f"SESSION_COOKIE_DOMAIN ({interface.get_cookie_domain(app)}), SESSION_COOKIE_PATH "
        f"({interface.get_cookie_path(app)}) and SESSION_COOKIE_SAMESITE "
        f"({interface.get_cookie_samesite(app)})."
    )


def _about_session() -> str:
    return (
        "its session has no CSRF token. After a log-out this is normal. Otherwise check that all "
        "processes share their sessions, and none keeps them in its own memory."
    )


def _about_field() -> str:
    return (
        f"it has no field {field_name()!r} (WTF_CSRF_FIELD_NAME). A template of your own needs "
        "{{ form.hidden_tag() }} in its form."
    )


def _about_sender() -> str:
    return (
        f"it came from {_site(request.headers.get('Origin') or request.referrer)}, and to the app "
        f"this site is {request.scheme}://{request.host}. Behind a proxy an app learns its own "
        "address by werkzeug's ProxyFix; with a Referrer-Policy of no-referrer browsers don't say "
        "where a form comes from."
    )


def _site(url: str | None) -> str:
    """What the log says of an address: neither path nor password."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        return "an address that can't be read"
    return repr(f"{parts.scheme}://{parts.hostname}"[:100]) if parts.hostname else "an unknown site"


_AGE = Cause(OLD)
_KEY = Cause(UNREADABLE, _about_key)
_COOKIE = Cause(NO_COOKIE, _about_cookie)
_SESSION = Cause(OLD, _about_session)
_FIELD = Cause(OLD, _about_field)
_REFERRER = Cause(NO_REFERRER, _about_sender)

#: By the message of the refusal, Flask-WTF's or ours; the cause of any other is its age.
_CAUSES = {
    "The CSRF token is missing.": _FIELD,
    "The CSRF token is invalid.": _KEY,
    "The referrer header is missing.": _REFERRER,
    "The referrer does not match the host.": _REFERRER,
    FOREIGN: Cause(NOT_FROM_HERE, _about_sender),
}
_NO_SESSION = "The CSRF session token is missing."
