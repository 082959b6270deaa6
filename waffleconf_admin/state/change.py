"""Change: one change of one setting, as the history shows it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from ..exceptions import InvalidValue
from ..settings.setting import Setting
from ..store import HistoryRow
from .repository import Repository


@dataclass(frozen=True)
class Change:
    """One change of one setting."""

    id: int  #: in the order of the changes
    change_set: str  #: the same for all changes of one save
    key: str
    old: object  #: None for a secret, where there was no row, and where it can't be read any more;
    #: what was stored of another type than is declared now is converted where nothing is lost by it
    new: object
    actor: str  #: "" where none was given
    at: datetime  #: aware, in UTC
    note: str
    source: str  #: "page", "code", "cli", "import", "api", "undo"
    secret: bool  #: whether it shows that there was a change, and nothing of the values
    old_text: str | None = field(repr=False)  #: as stored; None: no row, the default held
    new_text: str | None = field(repr=False)
    problem: str = ""  #: why `old` or `new` can't be read


class HasSettings(Protocol):
    """What has the declared settings."""

    @property
    def settings(self) -> Mapping[str, Setting]: ...


class ChangeReader:
    """Makes changes of rows of the history.

    :param declared: the declared settings.
    :param repository: reads stored texts.
    """

    def __init__(self, declared: HasSettings, repository: Repository) -> None:
        self._declared = declared
        self._repository = repository

    def change(self, row: HistoryRow) -> Change:
        """Return the change of a row; without values where the setting is, or was, a secret."""
        setting = self._declared.settings.get(row.key)
        # A setting that is gone from the code may have been a secret.
        secret = setting is None or setting.secret or (row.old is None and row.new is None)
        old, old_problem = (None, "") if secret else self._value(row.key, row.old)
        new, new_problem = (None, "") if secret else self._value(row.key, row.new)
        return Change(
            id=row.id,
            change_set=row.change_set,
            key=row.key,
            old=old,
            new=new,
            actor=row.actor,
            at=row.at,
            note=row.note,
            source=row.source,
            secret=secret,
            old_text=None if secret else row.old,
            new_text=None if secret else row.new,
            problem=old_problem or new_problem,
        )

    def value_served(self, key: str, text: str | None) -> Any:
        """Return what is served of a stored text of a declared setting."""
        setting = self._declared.settings[key]
        if text is not None:
            with suppress(InvalidValue):  # the default is served of what can't be read
                return setting.serve(self._repository.decode(text, key))[0]
        return setting.copy_default()

    def _value(self, key: str, text: str | None) -> tuple[Any, str]:
        """The value of a stored text, and why it can't be read."""
        if text is None:
            return None, ""
        try:
            stored = self._repository.decode(text, key)
        except InvalidValue as error:
            return None, str(error)
        value, served = self._declared.settings[key].serve(stored)
        return (stored if served == "default" else value), ""
