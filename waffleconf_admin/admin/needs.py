"""Needs: the sentences of rows whose settings have no effect as others are set now."""

from __future__ import annotations

from markupsafe import Markup, escape

from ..fields.base import display_text
from ..fields.binding import BoundField
from ..forms import SettingsForm
from ..i18n import gettext as _
from ..i18n import mark
from ..settings.needs import Need
from .texts import anchor, shorten

_OFF = mark("Has no effect while %(setting)s is off.")
_ON = mark("Has no effect while %(setting)s is on.")
_NOT_SET = mark("Has no effect while %(setting)s is not set.")
_OTHER = mark("Has no effect while %(setting)s is not %(value)s.")


def unmet_needs(form: SettingsForm) -> dict[str, list[Markup]]:
    """Return by key why settings have no effect, each reason with a link to the other setting.

    Nothing is said of a setting that the user may not see: it is not in the form.
    """
    return {
        field.setting.key: [
            _sentence(form[need.key], need)
            for need in field.setting.needs
            if need.key in form and not need.is_met(form[need.key].record.value)
        ]
        for field in form
        if field.setting.needs
    }


def _sentence(other: BoundField, need: Need) -> Markup:
    setting = other.setting
    link = Markup('<a href="#%s">%s</a>') % (anchor(setting.key), setting.label)
    if setting.value_type is bool:
        text = _ON if need.is_exact and need.value is False else _OFF
    else:
        text = _OTHER if need.is_exact else _NOT_SET
    value = shorten(display_text(other, need.value), 40) if text is _OTHER else ""
    return Markup(_(text, setting=link, value=escape(f"“{value}”" if other.quoted else value)))  # nosec B704 # its texts are escaped
