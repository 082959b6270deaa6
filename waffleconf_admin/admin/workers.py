"""Workers: what the page says of the processes that apply its settings, and asks for again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from flask import Response

from ..exceptions import StoreError
from ..permissions import Permissions
from ..state.state import State
from ..state.workers import Count, Workers, describe_lagging
from .options import PageOptions
from .problems import log_unreadable


class Applied(NamedTuple):
    """How many processes apply the settings, in a sentence or more."""

    text: str
    is_complete: bool  #: whether no process lags


def applied(count: Count, permissions: Permissions) -> Applied:
    """Return how many processes apply the settings.

    Those that lag are named only to users who may see the history of all settings.
    """
    lines = count.sentences()
    if permissions.covers_removed_settings:
        lines[1:1] = describe_lagging(count, datetime.now(UTC))
    return Applied(" ".join(lines), count.is_complete)


def count_workers(
    workers: Workers | None, permissions: Permissions, *, by_memory: bool = False
) -> Count | None:
    """Count the processes, for those who may change a setting; None: there is nothing to say.

    :param by_memory: this process has just read the settings.
    """
    if workers is None or not any(map(permissions.may_edit, permissions.viewable)):
        return None
    try:
        count = workers.count_by_memory() if by_memory else workers.count()
    except StoreError as error:
        log_unreadable("workers", error)
        return None
    return count if count.processes else None


def respond(options: PageOptions, state: State) -> Response:
    """Return the sentences again, as a text: with 202 while a process lags, else with 200."""
    permissions = options.permissions(state.app, state.settings)
    count = count_workers(state.workers, permissions)
    if count is None:
        return Response(status=404)
    text, is_complete = applied(count, permissions)
    return Response(text, 200 if is_complete else 202, mimetype="text/plain")
