"""Rotation: the stored texts of an app's secrets, encrypted with its first key."""

from __future__ import annotations

from collections.abc import Mapping

from ..codec.encryption import is_encrypted
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings.setting import Setting
from ..store import Swap
from .repository import Repository
from .rewriting import Rewriting, Rewritten


class Rotation(Rewriting):
    """Encrypts the stored texts of declared secrets with the first key, and takes from the history
    what it has of a setting that became a secret later.

    :raises InvalidValue: the app has no keys.
    """

    def __init__(self, settings: Mapping[str, Setting], repository: Repository) -> None:
        super().__init__(settings, repository)
        if not repository.codec.encryption:
            raise InvalidValue(
                "WAFFLE_ENCRYPTION_KEYS is empty: there is no key to encrypt secrets with."
            )

    def plan(self) -> Rewritten:
        plan = Rewritten({}, [], {})
        for setting, text in self._stored_texts():
            try:
                new = self._encrypt(text, setting)
            except InvalidValue as error:
                plan.left[setting.key] = gettext(str(error))
            else:
                if new != text:
                    plan.swaps[setting.key] = Swap(text, new)
        for setting, row in self._history_rows():
            if setting.secret and (row.old, row.new) != (None, None):
                plan.rows.append(row._replace(old=None, new=None))
        return plan

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
