"""Forbidden: the page for users who may not see the settings, with what they typed before that.

Anybody can request it, so little is read, and the response is not much larger than the request.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import Response, current_app, request
from markupsafe import escape
from werkzeug.exceptions import HTTPException

from ..forms.guard import field_name
from ..forms.submission import TOKEN
from ..forms.tokens import report_session
from ..permissions import Permissions
from ..settings.setting import Setting
from . import csrf
from .form_body import posted_form
from .options import PageOptions
from .responses import render_page
from .settings_filter import group_name
from .submission import (
    ACTION,
    ACTIONS,
    ACTIONS_ON,
    BEFORE,
    CONVERT_KEY,
    NOTE,
    RESET_KEY,
    SECRET_KEY,
    THEIRS,
    UNTIL,
    UNTIL_AT,
    PageSubmission,
    Pairs,
)

#: Bytes of a form that are read at most.
MAX_BYTES = 256_000

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_INPUT = '<input type="hidden" name="" value="">\n'


@dataclass(frozen=True)
class Resubmission:
    """What a user typed whose log-in has ended, to be sent again after the next one."""

    pairs: Pairs = field(default_factory=list)  #: empty: it is too long


def forbidden_page(
    options: PageOptions,
    permissions: Permissions,
    resubmission: Resubmission | None = None,
    login_url: str | None = None,
) -> Response:
    """Return the page for a user who may not see any setting.

    :param resubmission: what was typed, if anything.
    :param login_url: where to log in, if `can` says so.
    """
    return render_page(
        options,
        "waffleconf/forbidden",
        403,
        remedy=permissions.remedy(),
        empty=not permissions.declared,
        empty_groups=_empty_groups(options, permissions),
        resubmission=resubmission,
        login_url=login_url,
    )


def _empty_groups(options: PageOptions, permissions: Permissions) -> dict[str, str] | None:
    """What the developer compares where no setting is in the groups of the page."""
    if not (current_app.debug and permissions.other_groups):
        return None
    named = {"groups": sorted(options.groups or ()), "known": permissions.other_groups}
    return {name: ", ".join(map(repr, groups)) for name, groups in named.items()}


def page_for_error(
    options: PageOptions, permissions: Permissions, error: HTTPException
) -> Response:
    """Return the page for a user whom `can` refuses by an error or sends to a log-in.

    :raises HTTPException: `error`, where it is another error or nothing was typed.
    """
    response = error.get_response()
    refused = 300 <= response.status_code < 400 or response.status_code in (401, 403)
    typed = resubmission_of(permissions.declared) if refused else None
    if typed is None:
        raise error
    return forbidden_page(options, permissions, typed, response.headers.get("Location"))


def resubmission_of(settings: Iterable[Setting]) -> Resubmission | None:
    """Return what the request has sent of a page with these settings; None: nothing of it.

    Values typed for secrets are left out.
    """
    if request.method != "POST" or request.mimetype not in _FORMS or csrf.is_foreign():
        return None
    length = request.content_length
    if not length:  # unknown, as of a chunked body, or invalid
        return None
    if length > MAX_BYTES:
        return Resubmission()
    settings = list(settings)
    former = {name: setting.key for setting in settings for name in setting.was}
    pairs = _pairs_of_page(PageSubmission(posted_form(), former), settings)
    if any(name == TOKEN for name, _ in pairs):
        report_session()
    # With the page around it the response has four times the bytes of the request, at most.
    if not _fits(pairs, 3 * length + 4096):
        return Resubmission()
    return Resubmission(pairs) if pairs else None


def _pairs_of_page(sent: PageSubmission, settings: list[Setting]) -> Pairs:
    """What was sent by inputs that the page has."""
    keys = {setting.key for setting in settings}
    names = {*map(sent.name_of, keys), TOKEN, field_name(), NOTE, UNTIL, UNTIL_AT}
    names |= {prefix + key for prefix in (THEIRS, BEFORE) for key in keys}
    groups = {group_name(setting) for setting in settings}
    actions = {*ACTIONS, *(f"{action} {name}" for action in ACTIONS_ON for name in keys | groups)}
    return [
        (name, value)
        for name, value in sent.everything(settings)
        if name in names
        or (name in (RESET_KEY, CONVERT_KEY, SECRET_KEY) and value in keys)
        or (name == ACTION and value in actions)
    ]


def _fits(pairs: Pairs, space: int) -> bool:
    """Whether the hidden inputs of these pairs take so many bytes at most."""
    for pair in pairs:
        space -= len(_INPUT) + sum(len(escape(text).encode()) for text in pair)
        if space < 0:
            return False
    return True
