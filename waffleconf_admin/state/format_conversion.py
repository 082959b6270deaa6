"""Format conversion: all stored texts of an app in one format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..codec import Format
from ..exceptions import BusyError, InvalidValue
from ..i18n import gettext
from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from .repository import Repository

#: How often a conversion that others' saves overtake is tried before it is given up.
ATTEMPTS = 5


class Conversion(NamedTuple):
    """What a conversion writes, and what it leaves as it is."""

    swaps: dict[str, Swap]  #: of the settings, by key
    rows: list[HistoryRow]  #: of the history, with the texts that they get
    left: dict[str, str]  #: why texts of a setting can't be converted, by its key


class FormatConversion:
    """Converts the stored texts of the declared settings, and those of their history.

    :param keeps_history: whether the database keeps one.
    """

    def __init__(
        self, settings: Mapping[str, Setting], repository: Repository, *, keeps_history: bool
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._keeps_history = keeps_history

    def plan(self, format: Format) -> Conversion:
        """Return what there is to do.

        :raises StoreError: the database can't be read.
        """
        plan = Conversion({}, [], {})
        for key, text in self._repository.read_fresh(list(self._settings)).items():
            secret = self._settings[key].secret
            new = self._convert(text, key, format, plan.left, secret=secret)
            if new != text:
                plan.swaps[key] = Swap(text, new)
        for row in self._repository.walk_history() if self._keeps_history else ():
            if row.key not in self._settings:
                continue
            old = self._convert(row.old, row.key, format, plan.left)
            new = self._convert(row.new, row.key, format, plan.left)
            if (old, new) != (row.old, row.new):
                plan.rows.append(row._replace(old=old, new=new))
        return plan

    def run(self, format: Format) -> Conversion:
        """Do it in one transaction, and return what was done.

        :raises BusyError: others kept saving.
        :raises StoreError: the database can't be read or written; nothing was converted.
        """
        for _ in range(ATTEMPTS):
            plan = self.plan(format)
            nothing = not plan.swaps and not plan.rows
            if nothing or self._repository.rewrite(plan.swaps, plan.rows):
                return plan
        raise BusyError("Others kept saving settings; nothing was converted: try again.")

    def _convert(
        self,
        text: str | None,
        key: str,
        format: Format,
        left: dict[str, str],
        *,
        secret: bool = False,
    ) -> str | None:
        """Return a text in a format; the same text where that can't be."""
        if text is None:
            return None
        try:
            return self._repository.codec.convert(text, key, format, secret=secret)
        except InvalidValue as error:
            left.setdefault(key, gettext(str(error)))
            return text
