"""Decoder: makes records of the stored texts of an app's settings."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import Context
from functools import partial

from ..codec import format_of, is_text_of, serialize
from ..codec.encryption import is_encrypted
from ..exceptions import InvalidValue
from ..i18n import gettext
from ..settings.equality import same
from ..settings.record import Record
from ..settings.setting import Served, Setting
from .codec import Codec
from .copies import is_immutable, own_copy
from .records import Records

log = logging.getLogger(__name__)

_IN_THE_LOG: Mapping[Served, tuple[int, str]] = {
    "default": (logging.ERROR, "its default"),
    "converted": (logging.WARNING, "a converted value"),
    "stored": (logging.WARNING, "it"),
}


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

    def records(self, texts: Mapping[str, str | None]) -> Records:
        """Return the records of stored texts by key; None: there is no row."""
        values: dict[str, object] = {}
        others: dict[str, Record] = {}
        for key, text in texts.items():
            setting = self._settings.get(key)
            if setting is not None and setting.environment is None:
                if text is None:
                    values[key] = own_copy(setting.default)
                    continue
                try:
                    value = self._codec.decode(text, key)
                    if setting.stored_problem(value) is None:
                        values[key] = value
                        continue
                except InvalidValue:  # `_record` says why
                    pass
            others[key] = record = self._record(key, text)
            values[key] = record.value
        return Records(texts, values, others)

    def written(
        self, settings: Mapping[str, Setting], encoded: Mapping[str, tuple[str, object]]
    ) -> Records:
        """Return the records of what a save writes.

        :param encoded: the texts, each with its value; no other record has the value, or it is
            immutable.
        """
        texts = {key: text for key, (text, _) in encoded.items()}
        values = {key: stored for key, (_, stored) in encoded.items()}
        others: dict[str, Record] = {}
        for key, stored in values.items():
            setting, text = settings[key], texts[key]
            if setting.secret and is_encrypted(text):
                record = self._record_of(setting, text, stored)
                others[key] = record._replace(decrypted=self._codec.decrypt(text))
            elif setting.stored_problem(stored) is not None:
                others[key] = self._record_of(setting, text, stored)
        values.update({key: record.value for key, record in others.items()})
        return Records(texts, values, others)

    def _record(self, key: str, text: str | None) -> Record:
        """The record of a text that is no simple one, as far as `records` knows."""
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
                record = self._record_of(setting, text, stored)
        held = setting.environment
        return record if held is None else record.overlaid(own_copy(held.value), "environment")

    def _record_of_other(self, setting: Setting, text: str, error: InvalidValue) -> Record:
        """The record of a text that is encrypted, or that can't be read."""
        clear = None
        if is_encrypted(text):
            try:
                clear = self._codec.decrypt(text)
                stored = self._codec.decode(clear, setting.key)
                return self._record_of(setting, text, stored)._replace(decrypted=clear)
            except InvalidValue as found:
                error = found
        problem = partial(gettext, str(error))
        record = Record(text, own_copy(setting.default), "default", problem, clear)
        self._report(setting.key, record, problem, "can't be read")
        return record

    def _record_of(self, setting: Setting, text: str, stored: object) -> Record:
        """The record of a stored text whose value is known."""
        if setting.stored_problem(stored) is None:
            return Record(text, stored)

        def problem_of_value() -> str:
            return setting.stored_problem(stored) or ""

        value, served = setting.serve(stored)
        record = Record(text, value, served, problem_of_value)
        self._report(setting.key, record, problem_of_value, "does not fit what is declared")
        return record

    def is_unchanged(self, key: str, records: Records) -> bool:
        """Whether nobody has changed the value of a record in place since it was made.

        False may also mean that this is not known.
        """
        value, other = records.served[key], records.others.get(key)
        if is_immutable(value):
            return True
        text = records.texts[key] if other is None else other.clear_text
        served = other.served if other else "default" if text is None else "stored"
        if served == "default":
            default = self._default_text(key)
            return default is not None and _text_of(value) == default
        if served == "stored":
            return _is_pickle_of(text, value)
        held = self._settings[key].environment
        return held is not None and same(held.value, value)

    def _default_text(self, key: str) -> str | None:
        """The text of the default, to compare copies of it with; None if it can't be stored."""
        if key not in self._default_texts:
            self._default_texts[key] = _text_of(self._settings[key].default)
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
            "setting again to replace it.",
            key,
            what,
            Context().run(problem),  # in English, whoever makes the request
            served,
        )


def _text_of(value: object) -> str | None:
    """The text of a value as a pickle; None if it can't be stored."""
    try:
        return serialize(value)
    except InvalidValue:
        return None


def _is_pickle_of(text: str | None, value: object) -> bool:
    """Whether a text is a pickle of a value; of JSON False, since reading it again takes less time
    than to write it for comparison.
    """
    return text is not None and format_of(text) == "pickle" and is_text_of(text, value)
