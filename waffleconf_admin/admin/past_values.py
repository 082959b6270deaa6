"""Past values: values of the history as people read them."""

from __future__ import annotations

from collections.abc import Mapping

from ..fields import FieldFactory, choose_source
from ..fields.base import display_text
from ..fields.factory import standalone_field
from ..i18n import gettext as _
from ..settings.notation import reader_notation
from ..settings.setting import Setting
from .diff import LONG, Comparer, Differences, whole_text
from .texts import shorten


class PastValues:
    """Formats the past values of settings, each as the field of its setting does.

    :param fields: by type.
    """

    def __init__(self, fields: Mapping[type, FieldFactory]) -> None:
        self._fields = fields
        self._field_of: dict[str, object] = {}
        self._comparer = Comparer()

    def line(self, setting: Setting, value: object, *, is_default: bool) -> str:
        """Return the text of a value on one line.

        :param is_default: whether there was no row, so that it is the default as it is now.
        """
        text = shorten(display_text(self._field(setting), value), LONG)
        return _("%(value)s (default)", value=text or _("empty")) if is_default else text

    def whole(self, setting: Setting, value: object) -> str:
        """Return the whole text of a value."""
        return whole_text(self._field(setting), value)

    def compare(self, setting: Setting, old: object, new: object) -> Differences:
        """Return what differs in long texts; nothing where both values are easy to read."""
        return self._comparer.compare(self.whole(setting, old), self.whole(setting, new))

    def _field(self, setting: Setting) -> object:
        """The field of a setting; None if it has none."""
        if setting.key not in self._field_of:
            try:
                source = choose_source(setting, self._fields)
                found = standalone_field(setting, source, reader_notation())
            except ValueError:
                found = None
            self._field_of[setting.key] = found
        return self._field_of[setting.key]
