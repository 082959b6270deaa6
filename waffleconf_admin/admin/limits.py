"""Limits: what a declaration says of the least and the most, in words."""

from __future__ import annotations

from types import NoneType

from ..i18n import gettext as _
from ..settings.setting import Setting
from ..settings.value_types import words


def limits(setting: Setting) -> str:
    """Return the limits of a setting in words; ``""`` if it has none."""
    low, high = setting.min, setting.max
    if low is None and high is None:
        return ""
    kind = setting.value_type
    counted = hasattr(kind, "__len__")
    low, high = (
        "" if end is None else words(int if counted else kind, end).removesuffix(".0")
        for end in (low, high)
    )
    if issubclass(kind, (str, NoneType)):
        both, least, most = (
            _("%(min)s to %(max)s characters", min=low, max=high),
            _("at least %(min)s characters", min=low),
            _("at most %(max)s characters", max=high),
        )
    elif issubclass(kind, (bytes, bytearray)):
        both, least, most = (
            _("%(min)s to %(max)s bytes", min=low, max=high),
            _("at least %(min)s bytes", min=low),
            _("at most %(max)s bytes", max=high),
        )
    elif counted:
        both, least, most = (
            _("%(min)s to %(max)s items", min=low, max=high),
            _("at least %(min)s items", min=low),
            _("at most %(max)s items", max=high),
        )
    else:
        both, least, most = (
            _("%(min)s to %(max)s", min=low, max=high),
            _("at least %(min)s", min=low),
            _("at most %(max)s", max=high),
        )
    return both if low and high else least if low else most
