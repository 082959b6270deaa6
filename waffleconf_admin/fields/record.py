"""Record: what a field knows of a setting in the database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..codec import is_text_of
from ..settings.equality import same
from ..settings.setting import Setting


class Record(Protocol):
    """A setting as the database has it."""

    @property
    def text(self) -> str | None:
        """The stored text; None: there is no row."""

    @property
    def clear_text(self) -> str | None:
        """The stored text, decrypted."""

    @property
    def value(self) -> object:
        """The value in force."""

    @property
    def served(self) -> str:
        """Which value that is: "stored", "converted", "default", "environment", "override"."""

    @property
    def problem(self) -> Callable[[], str] | None:
        """Says what is wrong with the row; None: nothing is."""

    @property
    def behind(self) -> Record | None:
        """The record that waits behind a value of the environment, or of a test."""


def differs(setting: Setting, record: Record) -> bool:
    """Return whether a setting has another value than its default.

    Of a secret the stored texts are compared. A secret that somebody typed has a text of its own,
    so the page never reveals that a guess is the default.
    """
    if setting.secret:
        text = record.clear_text
        return text is not None and not is_text_of(text, setting.default)
    return record.served != "default" and not same(record.value, setting.default)
