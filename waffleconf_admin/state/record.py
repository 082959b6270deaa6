"""Record: one setting as it stands in the database, made of its stored text."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import Context
from functools import partial
from typing import NamedTuple

from ..codec import is_text_of, serialize
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings.setting import Served, Setting
from .repository import Repository
from .values import NoQuickCopy, is_immutable, quick_copy

log = logging.getLogger(__name__)

_IN_THE_LOG: Mapping[Served, tuple[int, str]] = {
    "default": (logging.ERROR, "its default"),
    "converted": (logging.WARNING, "a converted value"),
    "stored": (logging.WARNING, "it"),
}


class Record(NamedTuple):
    """One setting as it stands in the database."""

    text: str | None  #: the stored text; None: there is no row
    value: object  #: what is served
    served: Served = "stored"  #: which that is: the stored value, a converted one, or the default
    problem: Callable[[], str] | None = None  #: returns what is wrong with the row, translated

    def __repr__(self) -> str:
        return f"<Record: {self.served}>"  # the value may be a secret


class Decoder:
    """Makes records of the stored texts of one app; logs once what is wrong with a row.

    :param repository: knows which classes a text may contain.
    """

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._settings: Mapping[str, Setting] = {}
        self._default_texts: dict[str, str | None] = {}
        self._reported: dict[str, str] = {}

    def declare(self, settings: Mapping[str, Setting]) -> None:
        """Use these declarations from now on."""
        self._settings = settings
        self._default_texts = {}

    def record(self, key: str, text: str | None) -> Record:
        """Return the record of a stored text; None: there is no row."""
        setting = self._settings.get(key)
        if setting is None:  # it was declared when it was read
            return Record(text, None, "default")
        if text is None:
            return Record(None, _own_default(setting), "default")
        try:
            stored = self._repository.decode(text, key)
        except InvalidValue as error:
            problem = partial(gettext, str(error))
            record = Record(text, _own_default(setting), "default", problem)
            self._report(key, record, problem, "can't be read")
            return record
        return self.record_of(setting, text, stored)

    def record_of(self, setting: Setting, text: str, stored: object) -> Record:
        """Return the record of a stored text whose value is known.

        :param stored: the value; no other record has it, or it is immutable.
        """
        if setting.stored_problem(stored) is None:
            return Record(text, stored)

        def problem_of_value() -> str:
            return setting.stored_problem(stored) or ""

        value, served = setting.serve(stored)
        record = Record(text, value, served, problem_of_value)
        self._report(setting.key, record, problem_of_value, "does not fit what is declared")
        return record

    def is_unchanged(self, key: str, record: Record) -> bool:
        """Whether nobody has changed the value of a record in place since it was made.

        False may also mean that this is not known.
        """
        if is_immutable(record.value):
            return True
        text = record.text if record.served == "stored" else None
        if record.served == "default":
            text = self._default_text(key)
        return text is not None and is_text_of(text, record.value)

    def _default_text(self, key: str) -> str | None:
        """The text of the default, to compare copies of it with; None if it can't be stored."""
        if key not in self._default_texts:
            try:
                self._default_texts[key] = serialize(self._settings[key].default)
            except InvalidValue:
                self._default_texts[key] = None
        return self._default_texts[key]

    def _report(self, key: str, record: Record, problem: Callable[[], str], what: str) -> None:
        """Log what is wrong with a row, once for each text; never its value."""
        if self._reported.get(key) == record.text:
            return
        self._reported[key] = str(record.text)
        level, served = _IN_THE_LOG[record.served]
        log.log(
            level,
            "The stored value of %s %s (%s); %s is served and the row is left alone. Save the "
            "setting anew to replace it.",
            key,
            what,
            Context().run(problem),  # in English, whoever makes the request
            served,
        )


def _own_default(setting: Setting) -> object:
    """The default, as a value that no other record has."""
    try:
        return quick_copy(setting.default)
    except NoQuickCopy:
        return setting.copy_default()
