"""Unavailable: what the pages do when the database can't be read."""

from __future__ import annotations

import logging

from flask import Response, current_app

from ..exceptions import NotReadyError, StoreError
from .options import PageOptions
from .permissions import Permissions
from .responses import render_page
from .submission import Pairs

log = logging.getLogger(__name__)


def log_unreadable(what: str, error: StoreError) -> None:
    """Log that something can't be read: with a traceback, unless a table is merely missing.

    :param what: such as "history".
    """
    # A NotReadyError says itself what to do, and each request would log it.
    exc_info = None if isinstance(error, NotReadyError) else error
    log.error("the %s can't be read: %s", what, error, exc_info=exc_info)


def unavailable_page(
    options: PageOptions,
    permissions: Permissions,
    error: StoreError,
    again: Pairs | None,
) -> Response:
    """Return the page that says that the settings can't be read.

    :param again: what was typed, to be sent again; None: nothing.
    """
    problem = str(error) if _may_read(permissions, error) else None
    return render_page(options, "waffleconf/unavailable", 503, again=again, problem=problem)


def _may_read(permissions: Permissions, error: StoreError) -> bool:
    """Whether a user may read the error: outside of debug mode it could name a host or a user of
    the database, but not where something is missing.
    """
    if current_app.debug:
        return True
    if not isinstance(error, NotReadyError):
        return False
    return any(map(permissions.may_edit, permissions.viewable))
