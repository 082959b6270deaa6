"""Signals: what an app can connect to."""

from __future__ import annotations

import logging

from blinker import Namespace
from flask import Flask

from .calls import call
from .contexts import context_of

log = logging.getLogger(__name__)

#: Sent after settings have changed in this process, with the app as sender and
#: ``changes={key: (old, new)}`` and ``origin``: "local" for a save made in this process, "remote"
#: for values that were read from the database. Old and new are equal where a row was written that
#: changes no value: a default that had no row, or a secret that was typed. Sent after the commit,
#: so a receiver can't undo a save: what it raises is logged.
conf_changed = Namespace().signal("conf-changed")


def announce(app: Flask, changes: dict[str, tuple[object, object]], origin: str) -> None:
    """Send `conf_changed` in the app's context, each receiver for itself; nothing for no change."""
    if not changes or conf_changed.is_muted:
        return
    with context_of(app):
        for receiver in conf_changed.receivers_for(app):
            try:
                call(app, receiver, app, changes=changes, origin=origin)
            except Exception:
                log.exception("A receiver of conf_changed failed; the settings are saved.")
