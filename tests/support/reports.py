"""What processes report, as a test wants it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Flask
from states import state_of

from waffleconf_admin.contexts import quiet_context

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def report(app: Flask, seconds: float = 0.0, **values: Any) -> None:
    """Let a new process report what this one has read, so many seconds ago.

    :param values: the columns in which it differs from this one.
    """
    state = state_of(app)
    state.update_conf()
    worker = state._worker
    assert worker is not None
    worker.after_fork()
    worker.report()
    if not (seconds or values):
        return
    row = max(state._repository.read_workers(LONG_AGO), key=lambda row: row.started_at)
    row = row._replace(seen_at=row.seen_at - timedelta(seconds=seconds), **values)
    with quiet_context(app):
        state.configstore.report_worker(row, LONG_AGO)
