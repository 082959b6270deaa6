"""When: how long ago something was, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from ..i18n import gettext as _
from ..i18n import ngettext

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def ago(at: datetime, now: datetime | None = None) -> str:
    """Return how long ago a moment was, or its date where that is long ago.

    :param at: aware.
    """
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if seconds < -_MINUTE:  # it was stamped by a clock that is ahead
        return at.date().isoformat()
    if seconds < _MINUTE:
        return _("just now")
    if seconds < _HOUR:
        count = int(seconds // _MINUTE)
        return ngettext("%(count)s minute ago", "%(count)s minutes ago", count)
    if seconds < _DAY:
        return ngettext("%(count)s hour ago", "%(count)s hours ago", int(seconds // _HOUR))
    if seconds < 30 * _DAY:
        return ngettext("%(count)s day ago", "%(count)s days ago", int(seconds // _DAY))
    return at.date().isoformat()
