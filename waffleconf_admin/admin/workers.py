"""Workers: what the page says of the processes that apply its settings, and asks for again."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from flask import Response

from ..exceptions import StoreError
from ..state.state import State
from ..state.workers import Count, describe_lagging
from .options import PageOptions
from .permissions import Permissions

log = logging.getLogger(__name__)


def count_workers(state: State, permissions: Permissions) -> Count | None:
    """Count the processes, for those who may change a setting; None: there is nothing to say."""
    if state.workers is None or not any(map(permissions.may_edit, permissions.viewable)):
        return None
    try:
        count = state.workers.count()
    except StoreError:
        log.exception("the workers can't be read")
        return None
    return count if count.processes else None


def applied_line(count: Count, permissions: Permissions) -> str:
    """Return how many processes apply the settings.

    Those that lag are named to who may see the history of all settings.
    """
    lines = count.sentences()
    if permissions.covers_removed_settings:
        lines[1:1] = describe_lagging(count, datetime.now(UTC))
    return " ".join(lines)


def respond(options: PageOptions, state: State) -> Response:
    """Return the line again, as a text: with 202 while a process lags, and 200 when none does."""
    permissions = Permissions(options, state.app, state.settings)
    count = count_workers(state, permissions)
    if count is None:
        return Response(status=404)
    text = applied_line(count, permissions)
    return Response(text, 200 if count.is_complete else 202, mimetype="text/plain")
