"""Signals: what an app can connect to."""

from __future__ import annotations

from blinker import Namespace

#: Sent after settings have changed in this process, with the app as sender and
#: ``changes={key: (old, new)}`` and ``origin``: "local" for a save made in this process, "remote"
#: for values that were read from the database. Sent after the commit, so nothing that a receiver
#: does can undo a save: what it raises is logged.
conf_changed = Namespace().signal("conf-changed")
