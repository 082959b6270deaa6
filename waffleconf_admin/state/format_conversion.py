"""Format conversion: all stored texts of an app in one format."""

from __future__ import annotations

from collections.abc import Mapping

from ..codec import Format
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings.setting import Setting
from ..store import Swap
from .repository import Repository
from .rewriting import Rewriting, Rewritten


class FormatConversion(Rewriting):
    """Converts the stored texts of the declared settings, and those of their history.

    :param format: the one that they are to have.
    """

    def __init__(
        self, settings: Mapping[str, Setting], repository: Repository, format: Format
    ) -> None:
        super().__init__(settings, repository)
        self._format = format

    def plan(self) -> Rewritten:
        plan = Rewritten({}, [], {})
        for setting, text in self._stored_texts():
            new = self._convert(text, setting.key, plan.left, secret=setting.secret)
            if new != text:
                plan.swaps[setting.key] = Swap(text, new)
        for _, row in self._history_rows():
            old = self._convert(row.old, row.key, plan.left)
            new = self._convert(row.new, row.key, plan.left)
            if (old, new) != (row.old, row.new):
                plan.rows.append(row._replace(old=old, new=new))
        return plan

    def _convert(
        self, text: str | None, key: str, left: dict[str, str], *, secret: bool = False
    ) -> str | None:
        """Return a text in the format; the same text where that can't be."""
        if text is None:
            return None
        try:
            return self._repository.codec.convert(text, key, self._format, secret=secret)
        except InvalidValue as error:
            left.setdefault(key, gettext(str(error)))
            return text
