"""Texts: limits and sources as people read them, and texts cut to a length."""

from __future__ import annotations

from types import NoneType
from urllib.parse import quote

from ..i18n import gettext, mark
from ..settings.notation import Notation
from ..settings.setting import Setting
from ..settings.value_types import display_text

#: The texts for both limits, the lower one, and the upper one.
_LIMITS_OF_LENGTH: dict[tuple[type, ...], tuple[str, str, str]] = {
    (str, NoneType): (
        mark("%(min)s to %(max)s characters"),
        mark("at least %(min)s characters"),
        mark("at most %(max)s characters"),
    ),
    (bytes, bytearray): (
        mark("%(min)s to %(max)s bytes"),
        mark("at least %(min)s bytes"),
        mark("at most %(max)s bytes"),
    ),
}
_LIMITS_OF_ITEMS = (
    mark("%(min)s to %(max)s items"),
    mark("at least %(min)s items"),
    mark("at most %(max)s items"),
)
_LIMITS = (mark("%(min)s to %(max)s"), mark("at least %(min)s"), mark("at most %(max)s"))

_SOURCES = {
    "page": mark("Page"),
    "code": mark("Code"),
    "cli": mark("Command line"),
    "import": mark("Import"),
    "api": mark("API"),
    "undo": mark("Undo"),
    "end": mark("Went back"),
    "deploy": mark("Deployment"),
    "restore": mark("Restore"),
}


def beside_control(setting: Setting, notation: Notation) -> str:
    """Return the unit and the limits of a setting, which stand beside its control."""
    allowed = limits(setting, notation)
    whole = gettext("whole number") if allowed and setting.value_type is int else ""
    return ", ".join(filter(None, (str(setting.unit), whole, allowed)))


def limits(setting: Setting, notation: Notation) -> str:
    """Return the limits of a setting; ``""`` if it has none.

    :param notation: of numbers.
    """
    value_type = int if setting.limits.counted else setting.value_type
    low = _limit(value_type, setting.min, notation)
    high = _limit(value_type, setting.max, notation)
    both, least, most = _limit_texts(setting.value_type)
    if low and high:
        return gettext(both, min=low, max=high)
    if low:
        return gettext(least, min=low)
    return gettext(most, max=high) if high else ""


def source_names() -> dict[str, str]:
    """Return what people read of the sources of a change."""
    return {source: gettext(text) for source, text in _SOURCES.items()}


def anchor(key: str) -> str:
    """Return the part of an address behind ``#`` that leads to a setting."""
    return key if key.isidentifier() else quote(key)


def shorten(text: object, length: int) -> str:
    """Return a text on one line, with so many characters at most."""
    line = " ".join(str(text).split())
    return line if len(line) <= length else line[: length - 1] + "…"


def _limit(value_type: type, limit: object, notation: Notation) -> str:
    if limit is None:
        return ""
    if isinstance(limit, float) and limit.is_integer():
        limit = int(limit)
    return display_text(value_type, limit, notation)


def _limit_texts(value_type: type) -> tuple[str, str, str]:
    for types, texts in _LIMITS_OF_LENGTH.items():
        if issubclass(value_type, types):
            return texts
    return _LIMITS_OF_ITEMS if hasattr(value_type, "__len__") else _LIMITS
