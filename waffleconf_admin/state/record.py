"""Record: one setting as it stands in the database, made of its stored text."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping
from contextvars import Context
from functools import partial
from typing import NamedTuple

from ..codec import is_text_of, serialize
from ..codec.encryption import is_encrypted
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings.equality import same
from ..settings.setting import Served, Setting
from .codec import Codec
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
    served: Served = "stored"  #: which that is
    problem: Callable[[], str] | None = None  #: returns what is wrong with the row, translated
    decrypted: str | None = None  #: what an encrypted text holds; None: it is not encrypted
    #: Where the environment or an override has the value: the record that waits behind it.
    behind: Record | None = None

    @property
    def clear_text(self) -> str | None:
        """The stored text, decrypted; the same after a rotation of the keys."""
        return self.text if self.decrypted is None else self.decrypted

    @property
    def stored(self) -> Record:
        """The record of what the database holds, whatever has the value."""
        return self if self.behind is None else self.behind.stored

    @property
    def layer(self) -> str:
        """Where the value comes from: "override", "environment", "database" or "default"."""
        if self.behind is not None:
            return self.served
        return "default" if self.text is None else "database"

    def __repr__(self) -> str:
        return f"<Record: {self.served}>"  # the value may be a secret


class Decoder:
    """Makes records of the stored texts of one app; logs once what is wrong with a row.

    :param codec: makes values of the texts.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
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
            record = Record(None, own_copy(setting.default), "default")
        else:
            try:
                stored = self._codec.decode(text, key)
            except InvalidValue as error:  # the others pay nothing for encrypted ones
                record = self._record_of_other(setting, text, error)
            else:
                record = self.record_of(setting, text, stored)
        held = setting.environment
        return record if held is None else overlay(record, held.value, "environment")

    def _record_of_other(self, setting: Setting, text: str, error: InvalidValue) -> Record:
        """The record of a text that is encrypted, or that can't be read."""
        clear = None
        if is_encrypted(text):
            try:
                clear = self._codec.decrypt(text)
                stored = self._codec.decode(clear, setting.key)
                return self.record_of(setting, text, stored)._replace(decrypted=clear)
            except InvalidValue as found:
                error = found
        problem = partial(gettext, str(error))
        record = Record(text, own_copy(setting.default), "default", problem, clear)
        self._report(setting.key, record, problem, "can't be read")
        return record

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
        text = None
        if record.served == "stored":
            text = record.text if record.decrypted is None else record.decrypted
        elif record.served == "default":
            text = self._default_text(key)
        elif held := self._settings[key].environment:
            return same(held.value, record.value)
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


def overlay(record: Record, value: object, served: Served) -> Record:
    """Return the record of a setting whose value comes from a layer above that of a record."""
    return record._replace(value=own_copy(value), served=served, problem=None, behind=record)


def own_copy(value: object) -> object:
    """A default or a value of a layer, as one that no other record has."""
    try:
        return quick_copy(value)
    except NoQuickCopy:
        return copy.deepcopy(value)
