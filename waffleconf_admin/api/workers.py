"""Workers: GET of the processes that follow."""

from __future__ import annotations

from flask import Response

from .answer import json_response
from .call import Call
from .problem import Problem


def get_workers(call: Call) -> Response:
    """Return how many processes have read what is stored; and which, to users who may know."""
    permissions, workers = call.permissions, call.state.workers
    if not any(map(permissions.may_edit, permissions.viewable)):
        raise Problem(403, "You may not change any setting.")
    if workers is None:
        raise Problem(404, "No process reports.")
    keys = {setting.key for setting in permissions.viewable}
    named = permissions.covers_removed_settings
    return json_response(workers.count().among(keys).facts(named=named))
