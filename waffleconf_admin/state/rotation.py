"""Rotation: the stored texts of an app's secrets, encrypted with its first key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..codec.encryption import is_encrypted
from ..exceptions import BusyError, InvalidValue
from ..i18n import gettext
from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from .format_conversion import ATTEMPTS
from .repository import Repository


class Rotated(NamedTuple):
    """What a rotation writes, and what it leaves as it is."""

    swaps: dict[str, Swap]  #: of the settings, by key
    rows: list[HistoryRow]  #: of the history of secrets, without their texts
    left: dict[str, str]  #: why texts of a setting can't be decrypted, by its key


class Rotation:
    """Encrypts the stored texts of declared secrets with the first key, and takes from the history
    what it has of a setting that became a secret later. No value changes.

    :param keeps_history: whether the database keeps one.
    :raises InvalidValue: the app has no keys.
    """

    def __init__(
        self, settings: Mapping[str, Setting], repository: Repository, *, keeps_history: bool
    ) -> None:
        self._settings = settings
        self._repository = repository
        self._keeps_history = keeps_history
        if not repository.codec.encryption:
            raise InvalidValue(
                "WAFFLE_ENCRYPTION_KEYS is empty: there is no key to encrypt secrets with."
            )

    def plan(self) -> Rotated:
        """Return what there is to do.

        :raises StoreError: the database can't be read.
        """
        plan = Rotated({}, [*self._blanked_rows()], {})
        for key, text in self._repository.read_fresh(list(self._settings)).items():
            try:
                new = self._encrypt(text, self._settings[key])
            except InvalidValue as error:
                plan.left[key] = gettext(str(error))
            else:
                if new != text:
                    plan.swaps[key] = Swap(text, new)
        return plan

    def run(self) -> Rotated:
        """Do it in one transaction, and return what was done.

        :raises BusyError: others kept saving.
        :raises StoreError: the database can't be read or written; nothing was encrypted.
        """
        for _ in range(ATTEMPTS):
            plan = self.plan()
            nothing = not plan.swaps and not plan.rows
            if nothing or self._repository.rewrite(plan.swaps, plan.rows):
                return plan
        raise BusyError("Others kept saving settings; nothing was encrypted: try again.")

    def _encrypt(self, text: str, setting: Setting) -> str:
        """Return a text, encrypted with the first key; as it is, if it is so or need not be.

        What is no secret any more is encrypted until the next save: another release that shares the
        table may still take it for one.

        :raises InvalidValue: it can't be decrypted.
        """
        encryption = self._repository.codec.encryption
        if encryption.is_current(text) or not (setting.secret or is_encrypted(text)):
            return text
        return encryption.encrypt(self._repository.codec.decrypt(text))

    def _blanked_rows(self) -> Iterator[HistoryRow]:
        for row in self._repository.walk_history() if self._keeps_history else ():
            setting = self._settings.get(row.key)
            if setting and setting.secret and (row.old, row.new) != (None, None):
                yield row._replace(old=None, new=None)
