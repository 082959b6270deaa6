"""Rewriting: other stored texts for the same values, in another format or with another key."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ..codec import Format
from ..codec.encryption import is_encrypted
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings.setting import Setting
from ..store import HistoryRow, Swap
from .attempts import Attempts
from .repository import Repository


class Rewritten(NamedTuple):
    """What a rewriting writes, and what it leaves as it is."""

    swaps: dict[str, Swap]  #: of the settings, by key
    rows: list[HistoryRow]  #: of the history, with the texts that they get
    left: dict[str, str]  #: why texts of a setting can't be rewritten, by its key


class Rewriting(ABC):
    """Rewrites the stored texts of the declared settings, and those of their history, in one
    transaction.

    No value changes, so nobody is notified.
    """

    def __init__(self, settings: Mapping[str, Setting], repository: Repository) -> None:
        self._settings = settings
        self._repository = repository

    @abstractmethod
    def plan(self) -> Rewritten:
        """Return what there is to do.

        :raises StoreError: the database can't be read.
        """

    def run(self) -> Rewritten:
        """Do it in one transaction, and return what was done.

        :raises BusyError: others kept saving.
        :raises StoreError: the database can't be read or written; nothing was written.
        """
        attempts = Attempts()
        for _ in attempts:
            plan = self.plan()
            nothing = not plan.swaps and not plan.rows
            if nothing or self._repository.rewrite(plan.swaps, plan.rows):
                return plan
            attempts.note({key: swap.seen for key, swap in plan.swaps.items()})
        raise attempts.failure(plan.swaps)

    def _stored_texts(self) -> Iterator[tuple[Setting, str]]:
        for key, text in self._repository.read_fresh(list(self._settings)).items():
            yield self._settings[key], text

    def _history_rows(self) -> Iterator[tuple[Setting, HistoryRow]]:
        """Yield the rows of the history whose settings are still declared."""
        history = self._repository.history
        for row in history.walk() if history.exists else ():
            if row.key in self._settings:
                yield self._settings[row.key], row


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
