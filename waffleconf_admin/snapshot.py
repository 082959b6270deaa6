"""Snapshot: the values of the current app's settings, as one request sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from flask import current_app, g, has_request_context, request

_SNAPSHOT = "_waffleconf_values"


def snapshot() -> Mapping[str, object]:
    """Return the values by key: in a request those of its first call, elsewhere the newest.

    :raises RuntimeError: there is no application context, or the app has no WaffleConf.
    """
    asked: object = request._get_current_object() if has_request_context() else None  # type: ignore[attr-defined]
    # g's own dict: going through the LocalProxy for each read would double the cost.
    attributes = g._get_current_object().__dict__ if asked is not None else {}
    taken_by, values = attributes.get(_SNAPSHOT, (None, None))
    # Requests made in one pushed context, as tests make them, share its g.
    if values is None or taken_by is not asked:
        try:
            state = current_app.extensions.get("waffleconf")
        except RuntimeError:
            # Flask advises to push a context: at import that would copy the value.
            raise RuntimeError(
                "A setting is read where there is no app, at import perhaps: read it where it is "
                "used, in a view or a task, so that it follows changes."
            ) from None
        if state is None:
            raise RuntimeError(
                "This app has no WaffleConf: call WaffleConf(app, store) where it is made."
            )
        values = state.current()
        attributes[_SNAPSHOT] = asked, values
    return cast("Mapping[str, object]", values)


def renew_snapshot() -> None:
    """After a save in a request: its own reads see what it wrote."""
    if has_request_context():
        g.pop(_SNAPSHOT, None)
